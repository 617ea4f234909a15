/* SPDX-License-Identifier: Apache-2.0
 *
 * The program's word (exit code and outcome) against the lab's state, and the
 * rules for `incomplete'.
 */
#include "tests/fault/judge.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tests/scenario/bed_priv.h"

/* All that was said, and how the lab stands; then the test fails. */
_Noreturn void judge_wrong(struct bed *bed, const char *fmt, ...)
{
    char *text = json_dumps(bed_lab(bed, "cluster lab"), JSON_COMPACT);
    char why[512];
    va_list ap;

    for (struct bed_run *run = bed->runs; run; run = run->next)
        bed_print(run);
    fprintf(stderr, "--- the lab: %s\n", text);
    free(text);
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    fail_msg("%s", why);
    abort();
}

/* -- one primary ----------------------------------------------------------- */

/* A primary that reboots is followed by another one: any is right, but it must
 * be the one that the run names. */
static const char *primary_of(struct bed *bed)
{
    return bed_text(bed_lab(bed, "cluster lab"), "primary");
}

static void names_primary(const struct bed_run *run)
{
    const char *said = bed_text(bed_cluster(run, "lab"), "primary");

    if (strcmp(said, primary_of(run->bed)) != 0)
        judge_wrong(run->bed, "it says that %s is the primary", said);
}

/* -- the fault ends -------------------------------------------------------- */

/* What a person does first.  Is anything to be waited for: a node that boots,
 * a copy that catches up? */
static bool heal(struct bed *bed)
{
    const json_t *list, *node;
    bool settles = false;
    size_t i;

    bed_lab(bed, "clear");
    list = json_object_get(bed_lab(bed, "nodes"), "nodes");
    json_array_foreach(list, i, node)
    {
        if (json_is_true(json_object_get(node, "up")))
            continue;
        bed_lab(bed, "up %s", bed_text(node, "node"));
        settles = true;
    }
    return settles;
}

static void settle(struct bed *bed)
{
    const json_t *list = json_object_get(bed_lab(bed, "nodes"), "nodes");
    const json_t *node;
    size_t i;

    json_array_foreach(list, i, node)
    {
        if (strcmp(bed_text(node, "role"), "standalone") != 0)
            bed_lab(bed, "wait %s in_sync true timeout=3000",
                    bed_text(node, "node"));
    }
}

/* -- incomplete ------------------------------------------------------------ */

struct excuse {
    unsigned ways, spans;     /* bits */
    const char *row, *column; /* globs */
    const char *why;
};

enum {
    F = 1 << WAY_FORWARD,
    B = 1 << WAY_BACK,
    T = 1 << WAY_TAKEN,
    ONCE = 1 << SPAN_ONCE,
    GOOD = 1 << SPAN_GOOD
};

/* clang-format off */
static const char away[] = "the node stays away: nothing is taken back without it";
static const char outside[] = "the node never gets there: it is left out, the others serve";
static const char stuck[] = "the node never comes back: the way back waits for it";
static const char again[] = "the way back sends the same command, and it fails again";
static const char refused[] = "what was refused once is not sent again in a run";
static const char running[] = "a join that is still running is left alone";

/* A fault that strikes at every time is a node that stays away: from the
 * network, or from what the row asks of it. */
static const struct excuse excuses[] = {
    { F,         GOOD, "leave *", "reboot *", away },
    { F,         GOOD, "certs *", "reboot *", away },
    { F,         GOOD, "leave *", "login lost", away },
    { F,         GOOD, "certs *", "login lost", away },
    { F,         GOOD, "leave *", "host key", away },
    { F,         GOOD, "certs *", "host key", away },
    { F,         GOOD, "connect *", "*", outside },
    { F,         GOOD, "join *", "*", outside },
    { F,         GOOD, "prove *", "*", outside },
    { F,         GOOD, "leave *", "fail behind", again },
    { F,         GOOD, "certs edge*", "*", again },
    { F,         GOOD, "init *", "*", again },
    { B | T,     GOOD, "*", "*", stuck },
    { F | B | T, ONCE, "*", "login lost", refused },
    { F | B | T, ONCE, "*", "host key", refused },
    { F | B | T, ONCE, "join *", "slow behind", running },
};
/* clang-format on */

static const char *excuse_of(const struct cell *cell)
{
    for (size_t i = 0; i < sizeof(excuses) / sizeof(*excuses); i++) {
        const struct excuse *e = &excuses[i];

        if ((e->ways & (1u << cell->way)) && (e->spans & (1u << cell->span)) &&
            fnmatch(e->row, cell_row(cell)->name, 0) == 0 &&
            fnmatch(e->column, cell_column(cell)->name, 0) == 0)
            return e->why;
    }
    return NULL;
}

static bool is_named(const json_t *list, const char *node)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(item), node) == 0)
            return true;
    }
    return false;
}

/* Who is not named as left out serves, with one set, if the primary does.  A
 * way back that could not begin leaves all as they are: then those are named
 * that it waits for. */
static void others_serve(struct bed *bed, const struct bed_run *run)
{
    const json_t *out = json_object_get(bed_cluster(run, "lab"), "left_out");
    const json_t *list = json_object_get(bed_lab(bed, "nodes"), "nodes");
    const json_t *node;
    const char *set = NULL;
    size_t i;

    if (is_named(out, bed_text(bed_cluster(run, "lab"), "primary")) ||
        bed_said(run, "does not answer"))
        return;
    json_array_foreach(list, i, node)
    {
        if (is_named(out, bed_text(node, "node")))
            continue;
        if (!json_is_true(json_object_get(node, "in_sync")))
            judge_wrong(bed, "%s is not named as left out, and does not serve",
                        bed_text(node, "node"));
        if (set && strcmp(set, bed_text(node, "set")) != 0)
            judge_wrong(bed, "those that serve have different sets");
        set = bed_text(node, "set");
    }
}

static void next_ends_well(struct bed *bed, struct bed_run *run)
{
    const char *next = bed_text(bed_result(run), "next");
    bool back = strstr(next, " rollback ") != NULL;
    const char *at = strstr(next, back ? " rollback " : " resume ");

    if (!at) {
        bed_is_safe(bed);
        judge_wrong(bed, "next is `%s'", next);
    }
    run = bed_do(bed, "%s --yes", at + 1);
    bed_ends(run, 0, back ? "rolled-back" : "done");
    if (back)
        bed_is_old(bed, "lab", primary_of(bed));
    else
        bed_is_new(bed, "lab", primary_of(bed));
    names_primary(run);
}

static void is_incomplete(struct bed *bed, struct bed_run *run,
                          const struct cell *cell)
{
    const char *why = excuse_of(cell);

    if (json_array_size(json_object_get(bed_cluster(run, "lab"), "left_out")))
        others_serve(bed, run);
    if (heal(bed))
        settle(bed);
    next_ends_well(bed, run);
    if (!why)
        judge_wrong(bed, "incomplete, and there is no reason why it should be");
    printf("incomplete: %s\n", why);
}

/* -- the other ends -------------------------------------------------------- */

/* A node may still boot, or be kept down: it is waited for. */
static void mend(struct bed *bed, const struct cell *cell)
{
    bool settles = heal(bed);

    if (settles || cell_column(cell)->parts)
        settle(bed);
}

static void is_done(struct bed *bed, struct bed_run *run,
                    const struct cell *cell)
{
    (void)cell;
    heal(bed);
    bed_is_new(bed, "lab", primary_of(bed));
    names_primary(run);
}

/* What was staged is gone, too; of a node that could not be reached it was
 * said that it is not. */
static void is_clean(struct bed *bed, struct bed_run *run,
                     const struct cell *cell)
{
    const char *node = cell_row(cell)->node;

    if (!cell_column(cell)->parts || bed_files(bed, node, "db*-g1-*") == 0) {
        bed_is_clean(bed);
        return;
    }
    if (bed_events(run, "warning", node, NULL) == 0)
        judge_wrong(bed, "files were left on %s, and nobody was told", node);
    if (bed_files(bed, "core3", "db*-g1-*") ||
        bed_files(bed, "edge2", "db*-g1-*"))
        judge_wrong(bed, "files were left where nothing was in the way");
}

/* Exit 1 and nothing live was touched. */
static void is_back(struct bed *bed, struct bed_run *run,
                    const struct cell *cell)
{
    if (bed_events(run, "rollback-started", NULL, NULL) > 0) {
        heal(bed);
        bed_is_old(bed, "lab", primary_of(bed));
        names_primary(run);
        return;
    }
    mend(bed, cell);
    bed_is_untouched(bed, "lab", primary_of(bed));
    is_clean(bed, run, cell);
}

static void is_refused(struct bed *bed, struct bed_run *run,
                       const struct cell *cell)
{
    mend(bed, cell);
    if (cell->way == WAY_TAKEN) {
        bed_is_new(bed, "lab", primary_of(bed));
        if (bed_events(run, "command", NULL, NULL) != 0)
            judge_wrong(bed, "refused, and commands were sent");
    } else {
        bed_is_untouched(bed, "lab", primary_of(bed));
        is_clean(bed, run, cell);
    }
}

/* -- all of them ----------------------------------------------------------- */

/* clang-format off */
static const struct ending {
    unsigned ways;
    int code;
    const char *outcome;
    enum mark mark;
    void (*prove)(struct bed *, struct bed_run *, const struct cell *);
} endings[] = {
    { F,         0, "done",        MARK_DONE,       is_done },
    { F | B,     1, "rolled-back", MARK_BACK,       is_back },
    { T,         0, "rolled-back", MARK_BACK,       is_back },
    { F | T,     5, "refused",     MARK_REFUSED,    is_refused },
    { F | B | T, 4, "incomplete",  MARK_INCOMPLETE, is_incomplete },
};
/* clang-format on */

enum mark judge(struct bed_run *run, const struct cell *cell)
{
    const char *outcome = bed_text(bed_result(run), "outcome");

    bed_is_safe(run->bed);
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        const struct ending *e = &endings[i];

        if (!(e->ways & (1u << cell->way)) || e->code != run->code ||
            strcmp(e->outcome, outcome) != 0)
            continue;
        e->prove(run->bed, run, cell);
        return e->mark;
    }
    judge_wrong(run->bed, "exit %d, %s: no ending of this way", run->code,
                outcome);
    return MARK_WRONG;
}
