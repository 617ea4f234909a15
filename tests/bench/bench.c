/* SPDX-License-Identifier: Apache-2.0
 *
 * certfleet-bench: what the transport costs beside a bare libssh loop, paired
 * in one run, and what a whole run costs.  docs/bench.md says what each figure
 * means.
 */
#include <assert.h>
#include <libssh/libssh.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/figures.h"
#include "tests/bench/fleet.h"
#include "tests/bench/job.h"
#include "tests/bench/peers.h"
#include "tests/bench/server.h"
#include "tests/bench/sessions.h"
#include "tests/bench/worker.h"

enum {
    ROUNDS_MAX = 99,
    NODES_A_CLUSTER = 5
};

struct bench {
    unsigned nodes;
    unsigned rounds;
    unsigned sessions; /* max_sessions of the jobs; 0: the default */
    bool json, transport, jobs, quick;
    struct peers peers;
    bool fleet;
    const char *times; /* of the fleets: certfleet-lab's --times */
    unsigned crowd;    /* of the part sessions; 0: not wanted */
    const char *program;
    struct figures figures;
    const char *part;
    struct server *server; /* of the transport's part */
};

static const char usage[] =
    "usage: certfleet-bench [options] [PART...]\n"
    "  transport       beside a bare loop of libssh\n"
    "  jobs            whole runs; these two when no part is named\n"
    "  peers           beside pdsh, clush, parallel-ssh, xargs and ansible, as "
    "far\n"
    "                  as they are here; or of it peers:execs, peers:files,\n"
    "                  peers:commands\n"
    "  sessions [N]    N (5000) sessions open at once in one process\n"
    "  fleet           fleet/renew on N clusters of five, 3 N / 10 and N / 10\n"
    "  -n N            nodes (200): 5 N sessions held, N / 2 busy ones, N / 5\n"
    "                  clusters\n"
    "  -r N            pairs of measurements, ours and bare in turn (7)\n"
    "  --sessions N    max_sessions of the whole jobs (the program's default)\n"
    "  --times N       the fleets' appliances take an N-th (10) of the field's "
    "time\n"
    "  --program PATH  the certfleet to run (the one built beside this)\n"
    "  --json          one JSON object instead of the table\n"
    "  --smoke         tiny numbers; only what is wrong fails, not what is "
    "slow\n"
    "Ends with 0 when every figure meets its goal, 1 when not, 2 when nothing\n"
    "could be measured.\n";

/* -- the transport ----------------------------------------------------------
 */

struct pairs {
    double ours[ROUNDS_MAX], bare[ROUNDS_MAX];
};

static struct work work_of(const struct bench *bench, enum work_kind kind,
                           unsigned sessions)
{
    assert(bench->server);
    return (struct work){.kind = kind,
                         .dir = bench->server->dir,
                         .base = bench->server->base,
                         .nodes = bench->nodes,
                         .sessions = sessions,
                         .commands = 20};
}

typedef double value_f(const struct work *work, const struct cost *cost);

static double cpu_per_session(const struct work *work, const struct cost *cost)
{
    return cost->cpu_ms / work->sessions;
}

static double sessions_per_second(const struct work *work,
                                  const struct cost *cost)
{
    return work->sessions * 1e6 / (double)cost->tally.wall_us;
}

static double resident_per_session(const struct work *work,
                                   const struct cost *cost)
{
    return ((double)cost->tally.after_kb - (double)cost->tally.before_kb) /
           work->sessions;
}

static double wall_s(const struct work *work, const struct cost *cost)
{
    (void)work;
    return (double)cost->tally.wall_us / 1e6;
}

/* A B B A A B ...: whoever comes second has no advantage. */
static void measure_pairs(const struct bench *bench, const struct work *work,
                          value_f *value, struct pairs *pairs)
{
    for (unsigned i = 0; i < bench->rounds; i++) {
        for (unsigned k = 0; k < 2; k++) {
            bool bare = (i + k) % 2 == 1;
            struct cost cost = worker_measure(bare, work);

            (bare ? pairs->bare : pairs->ours)[i] = value(work, &cost);
        }
    }
}

static void add_pairs(struct bench *bench, const char *name, const char *unit,
                      const struct pairs *p, struct figure goal)
{
    goal.part = bench->part;
    goal.name = name;
    goal.unit = unit;
    goal.ours = median(p->ours, bench->rounds);
    goal.bare = median(p->bare, bench->rounds);
    goal.ratio = median_ratio(p->ours, p->bare, bench->rounds);
    figures_add(&bench->figures, goal);
}

static void compare(struct bench *bench, const char *name, enum work_kind kind,
                    double goal)
{
    struct work work = work_of(bench, kind, bench->nodes);
    struct pairs pairs;

    measure_pairs(bench, &work, cpu_per_session, &pairs);
    add_pairs(bench, name, "ms CPU per node", &pairs,
              (struct figure){.judged = JUDGED_RATIO, .goal = goal});
}

static void compare_logins(struct bench *bench)
{
    struct work work = work_of(bench, WORK_LOGIN, bench->nodes);
    struct pairs pairs;

    measure_pairs(bench, &work, sessions_per_second, &pairs);
    add_pairs(bench, "logins a second", "1/s", &pairs,
              (struct figure){
                  .judged = JUDGED_RATIO, .goal = 0.75, .at_least = true});
}

static void compare_memory(struct bench *bench)
{
    struct work work = work_of(bench, WORK_HOLD, bench->nodes * 5);
    struct pairs pairs;

    measure_pairs(bench, &work, resident_per_session, &pairs);
    add_pairs(bench, "resident memory per open session, all held", "KiB",
              &pairs, (struct figure){.judged = JUDGED_OURS, .goal = 40});
}

static void measure_commands(struct bench *bench, const char *name,
                             enum work_kind kind, double goal)
{
    unsigned sessions = bench->nodes < 2 ? 1 : bench->nodes / 2;
    struct work work = work_of(bench, kind, sessions);
    double walls[ROUNDS_MAX];

    for (unsigned i = 0; i < bench->rounds; i++) {
        struct cost cost = worker_measure(false, &work);

        walls[i] = wall_s(&work, &cost);
    }
    if (isnan(goal))
        figures_note(&bench->figures, bench->part, name, "s",
                     median(walls, bench->rounds));
    else
        figures_goal(&bench->figures, bench->part, name, "s",
                     median(walls, bench->rounds), goal);
}

static void run_transport(struct bench *bench)
{
    char *clusters =
        text_of("%u", (bench->nodes + NODES_A_CLUSTER - 1) / NODES_A_CLUSTER);
    const char *const args[] = {
        "--make", "3+2",          "--clusters", clusters,       "--key", "ec",
        "--set",  "command_ms=0", "--set",      "rows_per_s=0", NULL};

    bench->part = "transport, no delays";
    bench->server = server_start(args);
    compare(bench, "connect, login, one exec", WORK_EXEC, 1.25);
    compare(bench, "... and five 4 KB files by SFTP", WORK_FILES, 1.25);
    compare_logins(bench);
    compare_memory(bench);
    measure_commands(bench, "20 commands on each open session, shell",
                     WORK_SHELL, 0.5);
    measure_commands(bench, "20 commands on each open session, exec",
                     WORK_EXECS, NAN);
    server_stop(bench->server, NULL);
    free(clusters);
}

/* -- the whole jobs ---------------------------------------------------------
 */

/* clang-format off */
static const struct {
    const char *name, *key;
    bool delays;
} jobs[] = {
    { "whole job, EC keys, no delays", "ec", false },
    { "whole job, EC keys, delays", "ec", true },
    { "whole job, RSA-2048, no delays", "rsa:2048", false },
    { "whole job, RSA-2048, delays", "rsa:2048", true },
};
/* clang-format on */

static void run_jobs(struct bench *bench)
{
    size_t n = bench->quick ? 1 : sizeof(jobs) / sizeof(jobs[0]);
    struct job job = {.clusters = bench->nodes / NODES_A_CLUSTER,
                      .program = bench->program};

    if (job.clusters == 0)
        job.clusters = 1;
    for (size_t i = 0; i < n; i++) {
        job.name = jobs[i].name;
        job.key = jobs[i].key;
        job.delays = jobs[i].delays;
        job.sessions = bench->sessions;
        job_run(&job, &bench->figures);
    }
}

/* -- the others -------------------------------------------------------------
 */

static void run_peers(struct bench *bench)
{
    bench->peers.nodes = bench->nodes;
    bench->peers.rounds = bench->rounds;
    bench->peers.quick = bench->quick;
    bench->peers.program = bench->program;
    peers_run(&bench->peers, &bench->figures);
}

static void run_fleet(struct bench *bench)
{
    /* five a cluster: a thousand nodes, unless told otherwise */
    const struct fleet_options options = {.clusters = bench->nodes,
                                          .times = bench->quick ? "500"
                                                                : bench->times,
                                          .program = bench->program};

    fleet_run(&options, &bench->figures);
}

/* -- the program ------------------------------------------------------------
 */

static void say_machine(const struct bench *bench)
{
    struct utsname system;
    double load[1];
    struct tm today;
    char date[32];
    time_t now = time(NULL);

    uname(&system);
    if (getloadavg(load, 1) != 1)
        load[0] = NAN;
    strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&now, &today));
    printf("%s, %ld cores, loopback, %s %s, libssh %s, load %.1f\n"
           "%u nodes, medians of %u pairs; the ratio is ours over bare, or how "
           "many\ntimes better ours is than a peer\n",
           date, sysconf(_SC_NPROCESSORS_ONLN), system.sysname, system.release,
           ssh_version(0), load[0], bench->nodes, bench->rounds);
}

static void print_json(const struct bench *bench)
{
    json_t *all =
        json_pack("{s:I, s:s, s:i, s:i, s:o}", "cores",
                  (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "libssh",
                  ssh_version(0), "nodes", (int)bench->nodes, "pairs",
                  (int)bench->rounds, "figures", figures_json(&bench->figures));

    json_dumpf(all, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(all);
}

static unsigned number(const char *option, const char *word, unsigned most)
{
    char *end;
    long n = word ? strtol(word, &end, 10) : 0;

    if (!word || *end || n < 1 || n > (long)most)
        die("%s wants a number from 1 to %u", option, most);
    return (unsigned)n;
}

static bool take_peers(struct peers *peers, const char *word)
{
    bool all = strcmp(word, "peers") == 0;
    bool execs = all || strcmp(word, "peers:execs") == 0;
    bool files = all || strcmp(word, "peers:files") == 0;
    bool commands = all || strcmp(word, "peers:commands") == 0;

    peers->execs |= execs;
    peers->files |= files;
    peers->commands |= commands;
    return execs || files || commands;
}

/* sessions [N] */
static int take_sessions(struct bench *bench, char **words)
{
    bool has_number = words[1] && words[1][0] >= '0' && words[1][0] <= '9';

    bench->crowd = has_number ? number(words[0], words[1], 100000) : 5000;
    return has_number ? 2 : 1;
}

/* How many words it used; 0: it is none of ours. */
static int take_option(struct bench *bench, char **words)
{
    const char *word = words[0];

    if (strcmp(word, "-n") == 0)
        bench->nodes = number(word, words[1], 1000);
    else if (strcmp(word, "-r") == 0)
        bench->rounds = number(word, words[1], ROUNDS_MAX);
    else if (strcmp(word, "--sessions") == 0)
        bench->sessions = number(word, words[1], 10000);
    else if (strcmp(word, "--program") == 0 && words[1])
        bench->program = words[1];
    else if (strcmp(word, "--times") == 0 && words[1])
        bench->times = words[1];
    else if (strcmp(word, "--json") == 0)
        return (bench->json = true);
    else if (strcmp(word, "transport") == 0)
        return (bench->transport = true);
    else if (strcmp(word, "jobs") == 0)
        return (bench->jobs = true);
    else if (strcmp(word, "fleet") == 0)
        return (bench->fleet = true);
    else if (strcmp(word, "sessions") == 0)
        return take_sessions(bench, words);
    else if (strcmp(word, "--smoke") == 0)
        return (bench->quick = true);
    else
        return take_peers(&bench->peers, word);
    return 2;
}

static bool wants_peers(const struct bench *bench)
{
    return bench->peers.execs || bench->peers.files || bench->peers.commands;
}

static void take_arguments(struct bench *bench, int argc, char **argv)
{
    int used;

    for (int i = 1; i < argc; i += used) {
        used = take_option(bench, argv + i);
        if (used == 0) {
            fputs(usage, strcmp(argv[i], "--help") ? stderr : stdout);
            exit(strcmp(argv[i], "--help") ? 2 : 0);
        }
    }
    if (bench->quick) {
        bench->nodes = NODES_A_CLUSTER;
        bench->rounds = 1;
    }
    if (bench->transport || bench->jobs || wants_peers(bench) || bench->crowd ||
        bench->fleet)
        return;
    bench->transport = bench->jobs = true;
    if (bench->quick) {
        take_peers(&bench->peers, "peers");
        bench->crowd = 2 * NODES_A_CLUSTER;
        bench->fleet = true;
    }
}

int main(int argc, char **argv)
{
    static struct bench bench = {
        .nodes = 200, .rounds = 7, .times = "10", .program = CERTFLEET_PROGRAM};

    signal(SIGPIPE, SIG_IGN);
    if (argc == WORKER_ARGS && strcmp(argv[1], "--worker") == 0)
        return worker_main(argv + 2);
    take_arguments(&bench, argc, argv);
    if (bench.transport)
        run_transport(&bench);
    if (bench.jobs)
        run_jobs(&bench);
    if (wants_peers(&bench))
        run_peers(&bench);
    if (bench.crowd)
        sessions_run(bench.crowd, bench.rounds, &bench.figures);
    if (bench.fleet)
        run_fleet(&bench);
    if (bench.json) {
        print_json(&bench);
    } else {
        say_machine(&bench);
        figures_print(&bench.figures);
    }
    if (bench.quick)
        return figures_sound(&bench.figures) ? 0 : 1;
    return figures_pass(&bench.figures) ? 0 : 1;
}
