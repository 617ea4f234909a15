/* SPDX-License-Identifier: Apache-2.0
 *
 * The program as a user runs it, from the inventory to the lab's verdict.
 */
#include "tests/bench/job.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/bench/child.h"
#include "tests/bench/path.h"
#include "tests/bench/server.h"

enum {
    NODES_A_CLUSTER = 5,
    TURN_GOAL_MS = 20,
    OUTPUT_CAP = 256 << 20
};

struct took { /* one job, done */
    struct child_use idle, use;
    json_t *result; /* the program's last line */
    json_t *verdict;
};

/* Small, but what an appliance does takes time: the lab's own presets, and
 * something for every command. */
static const char *const delays[] = {"--set", "command_ms=20", NULL};

static const char *const no_delays[] = {
    "--set", "certs_ms=0",    "--set", "localnode_ms=0",
    "--set", "remove_ms=0",   "--set", "initialize_ms=0",
    "--set", "join_ms=0",     "--set", "connect_ms=0",
    "--set", "snapshot_ms=0", "--set", "resync_ms=0",
    NULL};

static struct server *start(const struct job *job)
{
    char *clusters = text_of("%u", job->clusters);
    const char *args[48] = {"--make", "3+2",   "--clusters",
                            clusters, "--key", job->key};
    const char *const *more = job->delays ? delays : no_delays;
    struct server *server;
    size_t n = 6;

    while (*more)
        args[n++] = *more++;
    server = server_start(args);
    free(clusters);
    return server;
}

/* The inventory begins with [fleet]: a line of it before all others. */
void job_set_sessions(const char *dir, unsigned sessions)
{
    static const char head[] = "[fleet]\n";
    char *path = text_of("%s/certfleet.ini", dir);
    FILE *file = fopen(path, "r+");
    char *text = NULL;
    size_t room = 0;
    ssize_t len = file ? getdelim(&text, &room, '\0', file) : -1;

    if (len < 0 || strncmp(text, head, strlen(head)) != 0)
        die("%s does not begin with [fleet]", path);
    rewind(file);
    if (fprintf(file, "%smax_sessions = %u\n%s", head, sessions,
                text + strlen(head)) < 0 ||
        fclose(file) != 0)
        die("%s cannot be written", path);
    free(text);
    free(path);
}

/* What the program said when it failed. */
static void show_errors(const char *dir)
{
    char *path = text_of("%s/errors", dir);
    FILE *file = fopen(path, "r");
    int c;

    while (file && (c = getc(file)) != EOF)
        putc(c, stderr);
    if (file)
        fclose(file);
    free(path);
}

static json_t *last_line(const char *path)
{
    char *line = NULL;
    size_t room = 0;
    json_t *last = NULL;
    FILE *file = fopen(path, "r");

    while (file && getline(&line, &room, file) > 0) {
        json_t *one = json_loads(line, 0, NULL);

        json_decref(last);
        last = one;
    }
    if (file)
        fclose(file);
    free(line);
    if (!last)
        die("%s does not end in JSON", path);
    return last;
}

static void run(const struct job *job, struct took *took)
{
    struct server *server = start(job);
    char *out = text_of("%s/events", server->dir);
    const char *const idle[] = {job->program, "-i",        "certfleet.ini",
                                "--json",     "inventory", "check",
                                NULL};
    const char *const apply[] = {job->program, "-i",    "certfleet.ini",
                                 "--json",     "apply", "cms/db-rotate",
                                 "*",          "--yes", NULL};

    if (job->sessions)
        job_set_sessions(server->dir, job->sessions);
    took->idle = child_run(idle, server->dir, out);
    took->use = child_run(apply, server->dir, out);
    if (took->use.code != 0)
        show_errors(server->dir);
    took->result = last_line(out);
    server_stop(server, &took->verdict);
    if (!took->verdict)
        die("the lab left no verdict");
    free(out);
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value ? json_number_value(value) : NAN;
}

/* Over the nodes' own time, the median of the clusters; NAN without delays:
 * their own time is nothing then. */
static double outage_ratio(const struct job *job, const struct took *took)
{
    const json_t *cluster;
    double *ratios = calloc(job->clusters, sizeof(*ratios));
    double middle;
    size_t i, n = 0;

    if (!ratios)
        abort();
    json_array_foreach(json_object_get(took->result, "clusters"), i, cluster)
    {
        const char *name =
            json_string_value(json_object_get(cluster, "cluster"));

        if (n < job->clusters)
            ratios[n++] = number(cluster, "outage_ms") /
                          path_outage_ms(took->verdict, name);
    }
    middle = job->delays ? median(ratios, n) : NAN;
    free(ratios);
    return middle;
}

static void tell_cost(const struct job *job, const struct took *took,
                      struct figures *figures)
{
    const json_t *turn = json_object_get(took->result, "longest_turn_us");
    double nodes = job->clusters * NODES_A_CLUSTER;
    double above = (double)took->use.sessions_kb - (double)took->idle.peak_kb;

    figures_note(figures, job->name, "client CPU per node", "ms",
                 took->use.cpu_ms / nodes);
    figures_note(figures, job->name, "peak memory (max RSS)", "MiB",
                 (double)took->use.peak_kb / 1024);
    figures_note(figures, job->name, "most SSH sessions open at once", "",
                 took->use.sessions);
    figures_note(figures, job->name,
                 "memory per open session, the run's included", "KiB",
                 took->use.sessions ? above / took->use.sessions : NAN);
    figures_goal(figures, job->name, "longest turn of the loop, CPU", "ms",
                 number(turn, "cpu") / 1000, TURN_GOAL_MS);
    figures_note(figures, job->name, "longest turn of the loop, wall", "ms",
                 number(turn, "wall") / 1000);
}

static void tell_time(const struct job *job, const struct took *took,
                      struct figures *figures)
{
    double path = path_slowest_ms(took->verdict);

    figures_note(figures, job->name, "wall time", "s",
                 took->use.wall_ms / 1000);
    figures_note(figures, job->name, "the appliances' own time, slowest path",
                 "s", path / 1000);
    figures_note(figures, job->name, "wall over own time", "x",
                 took->use.wall_ms / path);
    figures_note(figures, job->name, "outage over own time, median of clusters",
                 "x", outage_ratio(job, took));
}

void job_tell_end(const char *part, unsigned clusters, int code,
                  const json_t *verdict, struct figures *figures)
{
    const json_t *cluster, *node;
    size_t i, k;
    double lost = 0, renewed = 0, connections = 0;

    json_array_foreach(json_object_get(verdict, "clusters"), i, cluster)
    {
        lost += number(cluster, "rows_lost");
        renewed += json_is_true(json_object_get(cluster, "healthy")) &&
                   strcmp(json_string_value(json_object_get(cluster, "state")),
                          "new") == 0;
        json_array_foreach(json_object_get(cluster, "nodes"), k, node)
            connections += number(node, "connections_total");
    }
    figures_must(figures, part, "exit code", code);
    figures_must(figures, part, "clusters not whole on a new set",
                 clusters - renewed);
    figures_must(figures, part, "rows lost", lost);
    figures_must(
        figures, part, "rules broken (I1-I7, secrets)",
        (double)json_array_size(json_object_get(verdict, "violations")));
    figures_note(figures, part, "connections made per node", "",
                 connections / (clusters * NODES_A_CLUSTER));
}

void job_run(const struct job *job, struct figures *figures)
{
    struct took took = {0};

    run(job, &took);
    tell_cost(job, &took, figures);
    job_tell_end(job->name, job->clusters, took.use.code, took.verdict,
                 figures);
    tell_time(job, &took, figures);
    json_decref(took.result);
    json_decref(took.verdict);
    malloc_trim(0); /* a child's max RSS begins with its parent's */
}
