/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads many nodes side by side; the links' own limit on sessions paces it.
 */
#include "core/run/survey.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/run/probe.h"
#include "core/run/reach.h"

struct surveyed { /* one node */
    struct survey *survey;
    struct plan_cluster *pc;
    size_t node;
    struct link_target target;
    struct link *link;
};

struct survey {
    struct survey_options options;
    struct plan *plan;
    struct surveyed *list;
    size_t n, left, open;
    void (*closed)(void *);
    void *closed_user;
};

struct plan *survey_plan(const struct inventory *inventory,
                         const struct playbook *playbook,
                         struct cluster **clusters, size_t n_clusters,
                         struct err *err)
{
    const struct plan_request request = {
        .inventory = inventory,
        .playbook = playbook,
        .target = "",
        .clusters = clusters,
        .n_clusters = n_clusters,
        .looks = true,
    };

    return plan_new(&request, err);
}

static bool is_wanted(const struct node *node, struct node **nodes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (nodes[i] == node)
            return true;
    return nodes == NULL;
}

static bool asks_api(const struct survey *survey)
{
    const struct read_row *r = survey->plan->playbook->product->reads;

    for (; r->bit; r++)
        if (r->kind == READ_API && (r->bit & survey->options.reads))
            return true;
    return false;
}

static int add(struct survey *survey, struct plan_cluster *pc, size_t node,
               struct err *err)
{
    struct surveyed *s = &survey->list[survey->n];
    const struct product *product = survey->plan->playbook->product;

    s->survey = survey;
    s->pc = pc;
    s->node = node;
    if (reach_target(survey->plan->inventory, pc->nodes[node].node,
                     product->dialect, survey->options.secrets, &s->target,
                     err) < 0 ||
        (asks_api(survey) &&
         reach_api(survey->plan->inventory, pc->nodes[node].node,
                   survey->options.secrets, &s->target, err) < 0))
        return -1;
    s->link =
        survey->options.links.ops->open(survey->options.links.port, &s->target);
    survey->n++;
    return 0;
}

struct survey *survey_new(const struct survey_options *options,
                          struct plan *plan, struct node **nodes,
                          size_t n_nodes, struct err *err)
{
    struct survey *survey = calloc(1, sizeof(*survey));
    size_t n = 0;

    if (!survey)
        abort();
    survey->options = *options;
    survey->plan = plan;
    for (size_t c = 0; c < plan->n_clusters; c++)
        n += plan->clusters[c].n_nodes;
    survey->list = calloc(n + 1, sizeof(*survey->list));
    if (!survey->list)
        abort();
    for (size_t c = 0; c < plan->n_clusters; c++)
        for (size_t i = 0; i < plan->clusters[c].n_nodes; i++)
            if (is_wanted(plan->clusters[c].nodes[i].node, nodes, n_nodes) &&
                add(survey, &plan->clusters[c], i, err) < 0) {
                survey_free(survey, NULL, NULL);
                return NULL;
            }
    return survey;
}

static struct view view_of(const struct surveyed *s)
{
    return (struct view){
        .plan = s->pc, .node = s->node, .walk_ms = clock_mono_ms()};
}

static void on_probe(void *user, int rc, bool refused, const struct err *err)
{
    struct surveyed *s = user;
    struct survey *survey = s->survey;
    const struct view view = view_of(s);

    (void)refused;
    if (rc < 0) {
        s->pc->nodes[s->node].facts->unreachable = true;
        s->pc->nodes[s->node].facts->err = *err;
    }
    survey->options.on_node(survey->options.user, &view);
    if (--survey->left == 0)
        survey->options.on_end(survey->options.user);
}

void survey_start(struct survey *survey)
{
    survey->left = survey->n;
    for (size_t i = 0; i < survey->n; i++) {
        struct surveyed *s = &survey->list[i];
        const struct view view = view_of(s);
        const struct probe_options options = {
            .loop = survey->options.loop,
            .ops = survey->options.links.ops,
            .link = s->link,
            .view = &view,
            .reads = survey->options.reads,
        };
        probe_start(&options, on_probe, s);
    }
}

struct link *survey_link(struct survey *survey, const struct node *node)
{
    for (size_t i = 0; i < survey->n; i++)
        if (survey->list[i].pc->nodes[survey->list[i].node].node == node)
            return survey->list[i].link;
    return NULL;
}

void survey_cancel(struct survey *survey)
{
    for (size_t i = 0; i < survey->n; i++)
        survey->options.links.ops->cancel(survey->list[i].link);
}

static void one_closed(struct survey *survey)
{
    if (--survey->open > 0)
        return;
    for (size_t i = 0; i < survey->n; i++)
        reach_release(&survey->list[i].target);
    if (survey->closed)
        survey->closed(survey->closed_user);
    free(survey->list);
    free(survey);
}

static void on_link_closed(void *user)
{
    one_closed(user);
}

void survey_free(struct survey *survey, void (*closed)(void *), void *user)
{
    survey->closed = closed;
    survey->closed_user = user;
    survey->open = survey->n + 1;
    for (size_t i = 0; i < survey->n; i++)
        survey->options.links.ops->close(survey->list[i].link, on_link_closed,
                                         survey);
    one_closed(survey);
}
