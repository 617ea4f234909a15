/* SPDX-License-Identifier: Apache-2.0
 *
 * The crash matrix: every point of a rotation at which the program can die,
 * by SIGKILL and by a power cut, and what `resume' and `rollback' make of it.
 *
 *     prove_crash [-j N]            a sample: every kind of point in every row
 *     prove_crash --full [-j N]     every point, both passes, both deaths
 *     prove_crash --only GLOB       the points that match, all their deaths
 *
 * --death kill|power and --way forth|back|cucm|cce leave the others away.
 *
 * Ends with 1 when one cluster was left neither new nor old, or two counts of
 * the points differ.
 */
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/prove/crash.h"

enum {
    AT_ONCE = 8,
    /* of the jobs one in so many is done once more, with a second death */
    AGAIN_FULL = 10,
    AGAIN_SAMPLE = 12,
};

struct options {
    bool full;
    const char *only;
    const char *death, *way; /* NULL: both */
    size_t at_once;
};

/* What is counted together, and told in a line. */
struct group {
    const char *name;
    enum crash_way way;
    bool power;
};

/* clang-format off */
static const struct group groups[] = {
    { "killed",                     CRASH_FORWARD, false },
    { "power cut",                  CRASH_FORWARD, true },
    { "killed on the way back",     CRASH_BACK,    false },
    { "power cut on the way back",  CRASH_BACK,    true },
    { "killed, of CUCM",            CRASH_CUCM,    false },
    { "power cut, of CUCM",         CRASH_CUCM,    true },
    { "killed, of CCE",             CRASH_CCE,     false },
    { "power cut, of CCE",          CRASH_CCE,     true },
};
/* clang-format on */

enum {
    N_GROUPS = sizeof(groups) / sizeof(*groups)
};

struct sums {
    size_t points, ends[CRASH_NEXT + 1];
};

/* -- telling -------------------------------------------------------------- */

static void tell(const char *name, const struct sums *s)
{
    printf("%s: crash points: %zu, resumed to new: %zu, back to old: %zu, "
           "incomplete with a next command that worked: %zu, neither: %zu\n",
           name, s->points, s->ends[CRASH_NEW], s->ends[CRASH_OLD],
           s->ends[CRASH_NEXT], s->ends[CRASH_NONE]);
    fflush(stdout);
}

static void add_up(struct sums *s, const struct crash_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->ends[jobs[i].end]++;
}

/* -- the jobs ------------------------------------------------------------- */

/* The passes of a point stand side by side. */
static size_t n_points(const struct crash_job *jobs, size_t n)
{
    size_t points = 0;

    for (size_t i = 0; i < n; i++)
        points += i == 0 || strcmp(jobs[i - 1].label, jobs[i].label) != 0;
    return points;
}

static struct crash_job job_of(const struct group *group, const char *label,
                               enum crash_pass pass)
{
    struct crash_job job = {
        .way = group->way,
        .pass = pass,
        .power = group->power,
    };

    snprintf(job.label, sizeof(job.label), "%s", label);
    return job;
}

/* Those whose turn it is die once more, somewhere in what was to mend it. */
static size_t choose_again(const struct crash_job *done, size_t n,
                           struct crash_job *again, size_t rate)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        size_t h = crash_hash(done[i].label) + done[i].pass + done[i].power;

        if (h / 4 % rate != 0 || done[i].points == 0)
            continue;
        again[k] = done[i];
        again[k].end = CRASH_NONE;
        again[k++].again = 1 + h / 4 / rate % done[i].points;
    }
    return k;
}

/* In a sample each point dies one death, with one pass. */
static bool is_chosen(const struct options *o, const struct group *group,
                      const char *label, enum crash_pass pass)
{
    size_t h = crash_hash(label);

    if (o->full || o->only)
        return true;
    if (h / 2 % 2 != group->power)
        return false;
    return (h + group->power) % CRASH_PASSES == pass;
}

static size_t make_jobs(const struct options *o, const struct group *group,
                        const struct crash_labels *labels,
                        struct crash_job *jobs)
{
    size_t n = 0;

    for (size_t i = 0; i < labels->n; i++)
        for (int pass = 0; pass < CRASH_PASSES; pass++)
            if ((group->way != CRASH_CUCM || pass == CRASH_RESUME) &&
                is_chosen(o, group, labels->list[i], (enum crash_pass)pass))
                jobs[n++] =
                    job_of(group, labels->list[i], (enum crash_pass)pass);
    return n;
}

static size_t one_in(const struct options *o, size_t n)
{
    if (n <= CRASH_PASSES)
        return 1;
    return o->full || o->only ? AGAIN_FULL : AGAIN_SAMPLE;
}

static void run_group(const struct options *o, const struct group *group,
                      const struct crash_labels *labels, struct sums *total,
                      struct sums *twice)
{
    size_t room = labels->n * CRASH_PASSES * sizeof(struct crash_job);
    struct crash_job *jobs = crash_shared(room + 1);
    struct crash_job *again = crash_shared(room + 1);
    size_t n = make_jobs(o, group, labels, jobs), n_again;
    struct sums sums = {.points = n_points(jobs, n)};

    crash_crew(jobs, n, o->at_once);
    add_up(&sums, jobs, n);
    tell(group->name, &sums);
    add_up(total, jobs, n);
    total->points += sums.points;

    n_again = choose_again(jobs, n, again, one_in(o, n));
    crash_crew(again, n_again, o->at_once);
    add_up(twice, again, n_again);
    twice->points += n_again;
}

static bool is_wanted_way(const struct options *o, enum crash_way way)
{
    if (!o->way)
        return way != CRASH_CCE || o->full;
    return strcmp(o->way, crash_way_word(way)) == 0;
}

static bool is_wanted(const struct options *o, const struct group *group)
{
    return (!o->death ||
            strcmp(o->death, group->power ? "power" : "kill") == 0) &&
           is_wanted_way(o, group->way);
}

static int choose_labels(const struct options *o, enum crash_way way,
                         struct crash_labels *labels)
{
    if (crash_labels_count(way, labels) < 0)
        return -1;
    printf("%zu points of a %s, counted twice\n", labels->n,
           way == CRASH_BACK   ? "way back"
           : way == CRASH_CUCM ? "CUCM rotation"
           : way == CRASH_CCE  ? "CCE rotation"
                               : "rotation");
    if (!o->full && !o->only)
        crash_labels_sample(labels);
    fflush(stdout);
    return 0;
}

static void keep_only(const char *only, struct crash_labels *labels)
{
    size_t k = 0;

    for (size_t i = 0; i < labels->n; i++)
        if (fnmatch(only, labels->list[i], 0) == 0)
            labels->list[k++] = labels->list[i];
        else
            free(labels->list[i]);
    labels->n = k;
}

static int run_all(const struct options *o)
{
    struct crash_labels labels[CRASH_WAYS] = {0};
    struct sums total = {0}, twice = {0};
    uint64_t began = clock_mono_ms();

    for (int way = 0; way < CRASH_WAYS; way++)
        if (is_wanted_way(o, (enum crash_way)way) &&
            choose_labels(o, (enum crash_way)way, &labels[way]) < 0)
            return 1;
    for (size_t i = 0; i < CRASH_WAYS && o->only; i++)
        keep_only(o->only, &labels[i]);
    for (size_t i = 0; i < N_GROUPS; i++)
        if (is_wanted(o, &groups[i]))
            run_group(o, &groups[i], &labels[groups[i].way], &total, &twice);
    tell("killed again in what was to mend it", &twice);
    printf("%zu deaths and %zu second ones in %llu s\n",
           total.ends[CRASH_NEW] + total.ends[CRASH_OLD] +
               total.ends[CRASH_NEXT] + total.ends[CRASH_NONE],
           twice.points, (unsigned long long)(clock_mono_ms() - began) / 1000);
    for (size_t i = 0; i <= CRASH_NEXT; i++)
        total.ends[i] += twice.ends[i];
    total.points += twice.points;
    tell("all", &total);
    for (size_t i = 0; i < CRASH_WAYS; i++)
        crash_labels_release(&labels[i]);
    return total.points == 0 || total.ends[CRASH_NONE] > 0;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return !word || strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static bool take(struct options *o, int c)
{
    switch (c) {
    case 'f':
        o->full = true;
        return true;
    case 'o':
        o->only = optarg;
        return true;
    case 'd':
        o->death = optarg;
        return is_one_of(o->death, "kill", "power");
    case 'w':
        o->way = optarg;
        return crash_way_of(o->way) != CRASH_WAYS;
    case 'j':
        o->at_once = strtoul(optarg, NULL, 10);
        return o->at_once > 0;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"full", no_argument, NULL, 'f'},
        {"only", required_argument, NULL, 'o'},
        {"death", required_argument, NULL, 'd'},
        {"way", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.at_once = AT_ONCE};
    int c;

    while ((c = getopt_long(argc, argv, "j:", known, NULL)) != -1)
        if (!take(&o, c))
            return 2;
    return optind < argc ? 2 : run_all(&o);
}
