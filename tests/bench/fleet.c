/* SPDX-License-Identifier: Apache-2.0
 *
 * Every cluster is due, and all may begin at once.
 */
#include "tests/bench/fleet.h"

#include <math.h>
#include <stdlib.h>

#include "tests/bench/job.h"
#include "tests/bench/path.h"
#include "tests/bench/server.h"
#include "tests/bench/tree.h"

enum {
    NODES_A_CLUSTER = 5,
    FLEETS = 3
};

/* clang-format off */
static const struct {
    unsigned tenths;
    const char *part;
} fleets[FLEETS] = {
    { 1, "fleet, a tenth of the clusters" },
    { 3, "fleet, three tenths" },
    { 10, "fleet, all clusters" },
};
/* clang-format on */

struct fleet {
    double nodes, cpu_ms, peak_kb, wall_ms, path_ms;
};

/* Two sessions a node, as the transport wants them: with the preset of 200 they
 * take turns, and each turn is a login. */
static struct tree_use renew(const struct server *server, unsigned clusters,
                             const char *program)
{
    const char *const argv[] = {
        program,       "-i", "certfleet.ini",  "--json", "apply",
        "fleet/renew", "*",  "max_clusters=0", "--yes",  NULL};
    struct tree_use use;

    job_set_sessions(server->dir, clusters * NODES_A_CLUSTER * 2);
    use = tree_run(argv, server->dir, false);
    if (use.code != 0)
        tree_show_said(server->dir);
    return use;
}

static void tell(const char *part, const struct fleet *f, bool judged,
                 struct figures *figures)
{
    figures_note(figures, part, "nodes", "", f->nodes);
    figures_note(figures, part, "client CPU per node", "ms",
                 f->cpu_ms / f->nodes);
    figures_note(figures, part, "peak memory (max RSS)", "MiB",
                 f->peak_kb / 1024);
    figures_note(figures, part, "wall time", "s", f->wall_ms / 1000);
    figures_note(figures, part, "the appliances' own time, slowest path", "s",
                 f->path_ms / 1000);
    if (judged)
        figures_goal(figures, part, "wall over own time", "x",
                     f->wall_ms / f->path_ms, 1.05);
    else
        figures_note(figures, part, "wall over own time", "x",
                     f->wall_ms / f->path_ms);
}

static struct fleet run(size_t i, unsigned clusters,
                        const struct fleet_options *o, struct figures *figures)
{
    char *count = text_of("%u", clusters);
    const char *const args[] = {"--make",  "3+2",    "--clusters",
                                count,     "--key",  "ec",
                                "--times", o->times, NULL};
    struct server *server = server_start(args);
    struct tree_use use = renew(server, clusters, o->program);
    struct fleet f = {.nodes = clusters * NODES_A_CLUSTER,
                      .cpu_ms = use.cpu_ms,
                      .peak_kb = (double)use.peak_kb,
                      .wall_ms = use.wall_ms};
    json_t *verdict = NULL;

    server_stop(server, &verdict);
    if (!verdict)
        die("the lab left no verdict");
    f.path_ms = path_slowest_ms(verdict);
    tell(fleets[i].part, &f, i == FLEETS - 1, figures);
    job_tell_end(fleets[i].part, clusters, use.code, verdict, figures);
    json_decref(verdict);
    free(count);
    return f;
}

/* The power with which a cost grows with the nodes: the slope of the line
 * through the logarithms, by least squares; 1 is linear. */
static double power_of(const struct fleet *list,
                       double (*cost)(const struct fleet *))
{
    double x = 0, y = 0, xx = 0, xy = 0;

    for (size_t i = 0; i < FLEETS; i++) {
        double a = log(list[i].nodes), b = log(cost(&list[i]));

        x += a;
        y += b;
        xx += a * a;
        xy += a * b;
    }
    return (FLEETS * xy - x * y) / (FLEETS * xx - x * x);
}

static double cpu_of(const struct fleet *f)
{
    return f->cpu_ms;
}

static double peak_of(const struct fleet *f)
{
    return f->peak_kb;
}

static double wall_of(const struct fleet *f)
{
    return f->wall_ms;
}

void fleet_run(const struct fleet_options *options, struct figures *figures)
{
    static const char part[] =
        "fleet, power with which it grows with the nodes";
    struct fleet list[FLEETS];

    for (size_t i = 0; i < FLEETS; i++) {
        unsigned n = options->clusters * fleets[i].tenths / 10;

        list[i] = run(i, n ? n : (unsigned)i + 1, options, figures);
    }
    figures_note(figures, part, "client CPU", "", power_of(list, cpu_of));
    figures_note(figures, part, "peak memory", "", power_of(list, peak_of));
    figures_note(figures, part, "wall time", "", power_of(list, wall_of));
}
