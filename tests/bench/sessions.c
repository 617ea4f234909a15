/* SPDX-License-Identifier: Apache-2.0
 *
 * Five sessions to each node of one lab.  Each serves a command when it is
 * made and another when all are open; the lab says whether any was made anew.
 */
#include "tests/bench/sessions.h"

#include <sys/resource.h>

#include "tests/bench/server.h"
#include "tests/bench/worker.h"

enum {
    ROUNDS_MAX = 99,
    EACH = 5, /* sessions a node */
    NODES_A_CLUSTER = 5,
    FILES_A_SESSION = 2, /* libssh keeps a duplicate of the socket */
    FILES_MORE = 256     /* the store of keys, the loop, a server's listeners */
};

static void check_limit(unsigned sessions, unsigned nodes)
{
    struct rlimit files;
    /* the lab: one a session, and what it listens on */
    unsigned ours = sessions * FILES_A_SESSION + FILES_MORE;
    unsigned lab = sessions + nodes * 8 + FILES_MORE;
    unsigned need = ours > lab ? ours : lab;

    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < need)
        die("%u sessions want %u open files in one process, two each; the "
            "hard limit is %lu (ulimit -Hn)",
            sessions, need, (unsigned long)files.rlim_max);
}

static double connections_of(const json_t *verdict)
{
    const json_t *cluster, *node;
    double n = 0;
    size_t i, k;

    json_array_foreach(json_object_get(verdict, "clusters"), i, cluster)
    {
        json_array_foreach(json_object_get(cluster, "nodes"), k, node)
        {
            n += json_number_value(json_object_get(node, "connections_total"));
        }
    }
    return n;
}

struct series {
    double kb[ROUNDS_MAX], files[ROUNDS_MAX], wall[ROUNDS_MAX];
    double cpu[ROUNDS_MAX], resident[ROUNDS_MAX];
};

static void measure(const struct work *work, struct series *s, unsigned i)
{
    struct cost cost = worker_measure(false, work);
    const struct tally *t = &cost.tally;

    s->kb[i] = ((double)t->after_kb - (double)t->before_kb) / work->sessions;
    s->files[i] = (double)t->files / work->sessions;
    s->wall[i] = (double)t->wall_us / 1e6;
    s->cpu[i] = cost.cpu_ms / work->sessions;
    s->resident[i] = (double)t->after_kb / 1024;
}

static void tell(const struct series *s, unsigned n, struct figures *figures)
{
    static const char part[] = "sessions open at once in one process";

    figures_goal(figures, part, "resident memory per open session", "KiB",
                 median(s->kb, n), 40);
    figures_note(figures, part, "resident memory of the process", "MiB",
                 median(s->resident, n));
    figures_note(figures, part, "descriptors per session", "",
                 median(s->files, n));
    figures_note(figures, part, "all of them made, one command each", "s",
                 median(s->wall, n));
    figures_note(figures, part, "client CPU per session, two commands", "ms",
                 median(s->cpu, n));
}

void sessions_run(unsigned sessions, unsigned rounds, struct figures *figures)
{
    unsigned nodes = (sessions + EACH - 1) / EACH;
    char *clusters =
        text_of("%u", (nodes + NODES_A_CLUSTER - 1) / NODES_A_CLUSTER);
    const char *const args[] = {
        "--make", "3+2",          "--clusters", clusters,       "--key", "ec",
        "--set",  "command_ms=0", "--set",      "rows_per_s=0", NULL};
    static struct series series;
    struct work work = {
        .kind = WORK_CROWD, .nodes = nodes, .sessions = sessions};
    struct server *server;
    json_t *verdict = NULL;

    check_limit(sessions, nodes);
    server = server_start(args);
    work.dir = server->dir;
    work.base = server->base;
    for (unsigned i = 0; i < rounds; i++)
        measure(&work, &series, i);
    server_stop(server, &verdict);
    figures_note(figures, "sessions open at once in one process", "sessions",
                 "", sessions);
    tell(&series, rounds, figures);
    figures_must(figures, "sessions open at once in one process",
                 "connections made beyond one each",
                 connections_of(verdict) - rounds * (sessions + 1.0));
    json_decref(verdict);
    free(clusters);
}
