/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes a run's staged files off the nodes again, when nothing live was
 * changed.  Reads each node first and leaves what its status names; a node
 * that does not answer keeps them (they are told by name).
 */
#include <stdlib.h>

#include "core/base/log.h"
#include "core/run/course.h"
#include "core/run/probe.h"

struct cleaner { /* one node */
    struct course *course;
    size_t node, file;
};

static void through(struct cleaner *cleaner)
{
    struct course *course = cleaner->course;

    free(cleaner);
    if (--course->cleaning == 0)
        course->on_cleaned(course);
}

static void tell(const struct cleaner *cleaner, const char *event,
                 const char *command, const char *detail)
{
    const struct plan_cluster *pc = cleaner->course->pc;
    struct event e = {
        .event = event,
        .cluster = pc->cluster->name,
        .node = pc->nodes[cleaner->node].node->name,
        .command = command,
        .detail = detail,
        .took_ms = -1,
    };
    journal_tell(cleaner->course->journal, &e);
}

static void next_file(struct cleaner *cleaner);

static void on_removed(void *user, const struct link_result *result)
{
    struct cleaner *cleaner = user;

    /* LINK_FAILED: it was never put */
    if (result->end != LINK_OK && result->end != LINK_FAILED)
        tell(cleaner, "warning", NULL, result->err->text);
    cleaner->file++;
    next_file(cleaner);
}

/* What was put there in this run, and nobody names. */
static bool may_remove(const struct cleaner *cleaner, const char *name)
{
    const struct plan_cluster *pc = cleaner->course->pc;
    const struct view view = {.plan = pc, .node = cleaner->node};

    const struct product *product = pc->plan->playbook->product;

    return product->in_use && !product->in_use(&view, name);
}

static void next_file(struct cleaner *cleaner)
{
    struct course *course = cleaner->course;
    const struct plan_node *pn = &course->pc->nodes[cleaner->node];

    while (cleaner->file < pn->n_put &&
           !may_remove(cleaner, pn->put[cleaner->file]))
        cleaner->file++;
    if (cleaner->file == pn->n_put) {
        through(cleaner);
        return;
    }
    tell(cleaner, "command", pn->put[cleaner->file], "staged file removed");
    course->ops->remove(course->links[cleaner->node], pn->put[cleaner->file],
                        on_removed, cleaner);
}

static void on_read(void *user, int rc, bool refused, const struct err *err)
{
    struct cleaner *cleaner = user;

    (void)refused;
    if (rc < 0) {
        tell(cleaner, "warning", NULL, err->text);
        through(cleaner);
        return;
    }
    next_file(cleaner);
}

static void clean_node(struct course *course, size_t node)
{
    struct cleaner *cleaner = calloc(1, sizeof(*cleaner));
    const struct view view = {.plan = course->pc, .node = node};
    const struct probe_options options = {
        .loop = course->loop,
        .ops = course->ops,
        .link = course->links[node],
        .view = &view,
        .reads = course->pc->plan->playbook->product->status_read |
                 course->pc->plan->playbook->use_reads,
    };

    if (!cleaner)
        abort();
    cleaner->course = course;
    cleaner->node = node;
    course->cleaning++;
    probe_start(&options, on_read, cleaner);
}

/* The intent is durable; a broken store leaves the files where they are. */
static void on_intent(void *user, const struct err *err)
{
    struct course *course = user;

    course->cleaning = 1;
    for (size_t i = 0; !err && i < course->pc->n_nodes; i++)
        if (plan_takes_part(course->pc, i) && !course->pc->nodes[i].bystander)
            clean_node(course, i);
    if (--course->cleaning == 0)
        course->on_cleaned(course);
}

void course_clean(struct course *course, course_f *done)
{
    const struct journal_record record = {
        .cluster = course->pc->cluster->name,
        .kind = "clean",
        .data = json_pack("{s:i, s:s}", "number", (int)course->pc->number,
                          "tag", course->pc->tag),
    };

    course->on_cleaned = done;
    journal_write(course->journal, &record, on_intent, course);
}
