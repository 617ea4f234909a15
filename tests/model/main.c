/* SPDX-License-Identifier: Apache-2.0
 *
 * certfleet-model: explores shapes, one line each, and the totals.  --help
 * says how; scripts/prove.sh runs it in full.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/model/explore.h"
#include "tests/model/mutants.h"

struct job { /* one exploration */
    const char *shape;
    struct budgets budgets;
    unsigned retries;
    bool parallel, hold, lag;
};

static const char usage[] =
    "usage: certfleet-model [--full] [--no-guard] [--mutants]\n"
    "       certfleet-model [OPTIONS] SHAPE...    SHAPE: 3+2\n"
    "\n"
    "  --full           the long list of shapes (minutes) instead of the "
    "short\n"
    "  --mutants        the table broken on purpose, with and without the "
    "guard\n"
    "  --no-guard       no guard is asked: is the order alone right?\n"
    "  --events FAULTS,DOWNS,MOVES,CRASHES,FOREIGN,WRITES\n"
    "                   at most so many on one way (preset 0,0,0,0,0,0)\n"
    "  --retries N      of a row (preset 0)\n"
    "  --parallel       leave = join = parallel\n"
    "  --hold           on_failure = hold\n"
    "  --lag            a replica in sync may lack the last rows\n"
    "  --most N         states of one shape at most (preset 30000000)\n"
    "  --show END       tell the shortest way to done, back or incomplete\n";

/* clang-format off */
static const struct job short_list[] = {
    { "1+0", { .faults = 1, .downs = 1, .crashes = 1 } },
    { "1+1", { .faults = 1, .crashes = 1 } },
    { "2+0", { .faults = 1, .moves = 1 } },
    { "2+0", { .downs = 1, .crashes = 1 } },
    { "2+1", { .crashes = 1, .moves = 1 } },
    { "2+1", { .foreigns = 1 } },
    { "3+0", { .faults = 1 } },
    { "3+0", { .faults = 1 }, .parallel = true },
    { "3+1", { .crashes = 1 } },
    { "3+2", { .faults = 1 } },
    { "5+0", { .moves = 1 } },
    { NULL }
};
static const struct job full_list[] = {
    { "1+0", { .faults = 2, .downs = 1, .moves = 1, .crashes = 1 } },
    { "1+1", { .faults = 1, .downs = 1 } },
    { "1+1", { .downs = 1, .crashes = 1 } },
    { "1+1", { .crashes = 1, .foreigns = 1 } },
    { "1+1", { .faults = 2 }, .retries = 1 },
    { "2+0", { .faults = 1, .moves = 1, .crashes = 1 } },
    { "2+0", { .faults = 1, .downs = 1 }, .retries = 1 },
    { "2+0", { .downs = 1, .moves = 1 } },
    { "2+0", { .downs = 1, .crashes = 1 }, .hold = true },
    { "2+0", { .crashes = 1, .foreigns = 1 } },
    { "2+1", { .faults = 1, .downs = 1 } },
    { "2+1", { .faults = 1, .crashes = 1 }, .hold = true },
    { "2+1", { .downs = 1, .moves = 1 } },
    { "2+1", { .downs = 1, .crashes = 1 } },
    { "2+1", { .faults = 1, .moves = 1 } },
    { "3+0", { .faults = 1, .downs = 1 } },
    { "3+0", { .downs = 1, .moves = 1 } },
    { "3+0", { .downs = 1, .crashes = 1 } },
    { "3+0", { .moves = 2 } },
    { "3+0", { .downs = 1 }, .parallel = true },
    { "3+0", { .moves = 1, .crashes = 1 }, .parallel = true },
    { "3+0", { .foreigns = 1 } },
    { "3+1", { .faults = 1, .moves = 1 } },
    { "3+1", { .faults = 1, .crashes = 1 } },
    { "3+1", { .moves = 1, .crashes = 1 } },
    { "3+2", { .downs = 1 } },
    { "3+2", { .faults = 1, .crashes = 1 } },
    { "3+2", { .faults = 1, .moves = 1 } },
    { "4+1", { .crashes = 1 } },
    { "4+1", { .moves = 1 } },
    { "5+0", { .faults = 1 } },
    { "5+0", { .downs = 1 } },
    { "5+0", { .crashes = 1 } },
    { "5+0", { .moves = 1 } },
    { NULL }
};
/* clang-format on */

struct totals {
    size_t states, transitions, breaches, traps, open;
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say_events(const struct model_options *o)
{
    const struct budgets *b = &o->budgets;
    const struct {
        unsigned n;
        const char *what;
    } words[] = {
        {b->faults, "fault"},  {b->downs, "down"},        {b->moves, "move"},
        {b->crashes, "crash"}, {b->foreigns, "foreign"},  {b->writes, "write"},
        {o->retries, "retry"}, {o->parallel, "parallel"}, {o->hold, "hold"},
        {o->lag, "lag"},       {o->no_guard, "no guard"},
    };

    printf(" (");
    for (size_t i = 0, said = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].n)
            printf("%s%u %s", said++ ? ", " : "", words[i].n, words[i].what);
    printf(")");
}

static void run(const char *shape, struct model_options *o, size_t most,
                struct totals *totals)
{
    struct explored r;
    double t = seconds();
    char *end;

    o->data = strtoul(shape, &end, 10);
    o->clients = *end == '+' ? strtoul(end + 1, &end, 10) : WORLD_MAX;
    if (*end || !o->data || o->data > WORLD_MAX ||
        o->clients > WORLD_MAX - o->data) {
        fprintf(stderr, "certfleet-model: bad shape `%s'\n%s", shape, usage);
        exit(2);
    }
    explore(o, most, stdout, &r);
    printf("%s", shape);
    say_events(o);
    printf(": states %zu, transitions %zu, violations %d, %s, %.1f s\n",
           r.states, r.transitions, r.breach.found,
           r.breach.found     ? r.breach.rule
           : !r.finished      ? "NOT FINISHED"
           : !r.ends_from_all ? "NO END from some"
           : !r.good_from_all ? "NO GOOD END from some"
                              : "ends reachable from all",
           seconds() - t);
    fflush(stdout);
    totals->states += r.states;
    totals->transitions += r.transitions;
    totals->breaches += r.breach.found;
    totals->traps += r.finished && !(r.ends_from_all && r.good_from_all);
    totals->open += !r.finished && !r.breach.found;
}

static void run_list(const struct job *list, const struct model_options *given,
                     size_t most, struct totals *totals)
{
    for (const struct job *job = list; job->shape; job++) {
        struct model_options o = *given;

        o.budgets = job->budgets;
        o.retries = job->retries;
        o.parallel = job->parallel;
        o.hold = job->hold;
        o.lag = job->lag;
        run(job->shape, &o, most, totals);
    }
}

static const char *verdict(const struct explored *r)
{
    return r->breach.found          ? r->breach.rule
           : r->ends[END_DONE] == 0 ? "never done"
                                    : "DONE";
}

/* Without a guard the invariant that the row breaks must be seen to break;
 * with it nothing breaks, and it is never done.  What a guard cannot know, a
 * row that is not there, shows in the outcome. */
static bool is_caught(const struct mutant *m, const struct explored *off,
                      const struct explored *on)
{
    const char *rule = m->rule ? m->rule : "never done";
    bool beyond = strcmp(rule, "outcome") == 0;

    return strcmp(verdict(off), rule) == 0 &&
           strcmp(verdict(on), beyond ? rule : "never done") == 0;
}

static size_t run_mutants(size_t most)
{
    size_t missed = 0;

    for (const struct mutant *m = mutants; m->title; m++) {
        struct model_options o = {
            .data = 3, .clients = 1, .playbook = mutant_playbook(m)};
        struct explored off, on;

        o.no_guard = true;
        explore(&o, most, NULL, &off);
        o.no_guard = false;
        explore(&o, most, NULL, &on);
        printf("%-8s %-36s without the guard: %-10s with it: %s\n",
               is_caught(m, &off, &on) ? "caught" : "MISSED", m->title,
               verdict(&off), verdict(&on));
        missed += !is_caught(m, &off, &on);
    }
    return missed;
}

/* -- the command line ----------------------------------------------------- */

enum {
    FULL,
    MUTANTS,
    NO_GUARD,
    EVENTS,
    RETRIES,
    PARALLEL,
    HOLD,
    LAG,
    MOST,
    SHOW,
    HELP
};

struct request {
    struct model_options options;
    size_t most;
    bool full, mutants;
};

static const struct option options[] = {
    {"full", no_argument, NULL, FULL},
    {"mutants", no_argument, NULL, MUTANTS},
    {"no-guard", no_argument, NULL, NO_GUARD},
    {"events", required_argument, NULL, EVENTS},
    {"retries", required_argument, NULL, RETRIES},
    {"parallel", no_argument, NULL, PARALLEL},
    {"hold", no_argument, NULL, HOLD},
    {"lag", no_argument, NULL, LAG},
    {"most", required_argument, NULL, MOST},
    {"show", required_argument, NULL, SHOW},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static unsigned long number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || (*end && *end != ',')) {
        fprintf(stderr, "certfleet-model: bad number `%s'\n%s", text, usage);
        exit(2);
    }
    return n;
}

static void read_events(const char *text, struct budgets *b)
{
    uint8_t *fields[] = {&b->faults,  &b->downs,    &b->moves,
                         &b->crashes, &b->foreigns, &b->writes};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && text; i++) {
        *fields[i] = (uint8_t)number(text);
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
}

static enum model_end end_called(const char *word)
{
    return strcmp(word, "done") == 0   ? END_DONE
           : strcmp(word, "back") == 0 ? END_BACK
                                       : END_INCOMPLETE;
}

static void take(struct request *r, int option)
{
    switch (option) {
    case FULL:
        r->full = true;
        break;
    case MUTANTS:
        r->mutants = true;
        break;
    case NO_GUARD:
        r->options.no_guard = true;
        break;
    case EVENTS:
        read_events(optarg, &r->options.budgets);
        break;
    case RETRIES:
        r->options.retries = (unsigned)number(optarg);
        break;
    case PARALLEL:
        r->options.parallel = true;
        break;
    case HOLD:
        r->options.hold = true;
        break;
    case LAG:
        r->options.lag = true;
        break;
    case MOST:
        r->most = number(optarg);
        break;
    case SHOW:
        r->options.show = end_called(optarg);
        break;
    default:
        fputs(usage, option == HELP ? stdout : stderr);
        exit(option == HELP ? 0 : 2);
    }
}

int main(int argc, char **argv)
{
    struct request r = {.most = 30000000};
    struct totals totals = {0};
    double t = seconds();

    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
        take(&r, o);
    if (r.mutants)
        return run_mutants(r.most) ? 1 : 0;
    if (optind < argc)
        for (int i = optind; i < argc; i++)
            run(argv[i], &r.options, r.most, &totals);
    else
        run_list(r.full ? full_list : short_list, &r.options, r.most, &totals);
    printf("states %zu, transitions %zu, violations %zu", totals.states,
           totals.transitions, totals.breaches);
    printf(", without an end %zu, not finished %zu, %.0f s\n", totals.traps,
           totals.open, seconds() - t);
    return totals.breaches || totals.traps || totals.open ? 1 : 0;
}
