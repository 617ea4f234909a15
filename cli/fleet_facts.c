/* SPDX-License-Identifier: Apache-2.0
 *
 * One look at every node, into lists.  Prints nothing.
 */
#include "cli/fleet_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reading.h"
#include "cli/scan.h"
#include "core/base/clock.h"

enum {
    SECONDS_A_DAY = 86400
};

/* What is appended to while a node is looked at. */
struct look {
    struct fleet_facts *facts;
    const struct view *view;
};

static void *grow(void *list, size_t n, size_t size)
{
    void *grown = realloc(list, (n + 1) * size);

    if (!grown)
        abort();
    memset((char *)grown + n * size, 0, size);
    return grown;
}

static const struct plan_node *node_of(const struct view *view)
{
    return &view->plan->nodes[view->node];
}

struct fleet_node *fleet_add_node(struct fleet_facts *facts)
{
    facts->nodes = grow(facts->nodes, facts->n_nodes, sizeof(*facts->nodes));
    return &facts->nodes[facts->n_nodes++];
}

struct fleet_cert *fleet_add_cert(struct fleet_facts *facts)
{
    facts->certs = grow(facts->certs, facts->n_certs, sizeof(*facts->certs));
    return &facts->certs[facts->n_certs++];
}

static struct fleet_node *add_node(struct fleet_facts *facts,
                                   const struct view *view)
{
    struct fleet_node *n = fleet_add_node(facts);

    n->cluster = view->plan->cluster->name;
    n->node = node_of(view)->node->name;
    n->read_at = facts->now;
    return n;
}

static struct fleet_trouble *add_trouble(struct fleet_facts *facts,
                                         const struct view *view)
{
    struct fleet_trouble *t;

    facts->troubles =
        grow(facts->troubles, facts->n_troubles, sizeof(*facts->troubles));
    t = &facts->troubles[facts->n_troubles++];
    t->cluster = view->plan->cluster->name;
    t->node = node_of(view)->node->name;
    return t;
}

long long fleet_days(int64_t not_after, int64_t now)
{
    int64_t left = not_after - now;
    int64_t days = left / SECONDS_A_DAY;

    return left < 0 && left % SECONDS_A_DAY ? days - 1 : days;
}

static void on_cert(void *user, const struct cert_row *row)
{
    const struct look *look = user;
    struct fleet_facts *facts = look->facts;
    struct fleet_cert *c = fleet_add_cert(facts);

    c->cluster = look->view->plan->cluster->name;
    c->node = node_of(look->view)->node->name;
    c->row = *row;
    c->row.service = c->row.file = NULL; /* the node's facts go before us */
    snprintf(c->service, sizeof(c->service), "%s",
             row->service ? row->service : "");
    snprintf(c->file, sizeof(c->file), "%s", row->file ? row->file : "");
    c->days = fleet_days(row->info.not_after, facts->now);
    facts->due += c->days < (long long)facts->warn_days;
}

/* True: nothing is wrong with it. */
static bool take_health(struct fleet_facts *facts, const struct view *view)
{
    struct findings findings = {.n = 0};
    bool bad = false;

    view->plan->plan->playbook->product->health(view, &findings);
    for (size_t i = 0; i < findings.n; i++) {
        const struct finding *f = &findings.list[i];
        struct fleet_trouble *t;

        if (f->severity == SEVERITY_INFO)
            continue;
        t = add_trouble(facts, view);
        t->bad = f->severity >= SEVERITY_BLOCK;
        snprintf(t->id, sizeof(t->id), "%s", f->id);
        snprintf(t->text, sizeof(t->text), "%s", f->text);
        bad = bad || t->bad;
    }
    findings_release(&findings);
    return !bad;
}

static void take_unreachable(struct fleet_facts *facts, const struct view *view)
{
    struct fleet_trouble *t = add_trouble(facts, view);

    t->bad = t->unreachable = true;
    snprintf(t->id, sizeof(t->id), "unreachable");
    snprintf(t->text, sizeof(t->text), "%s", node_of(view)->facts->err.text);
    facts->unreachable++;
}

/* What `check' tells, and what is kept of it for others. */
struct reader {
    struct fleet_facts *facts;
    struct reading reading;
};

static void on_node(void *user, const struct view *view)
{
    struct reader *reader = user;
    struct fleet_facts *facts = reader->facts;
    struct fleet_node *node = add_node(facts, view);
    struct look look = {facts, view};

    reading_take(&reader->reading, view);
    if (node_of(view)->facts->unreachable) {
        take_unreachable(facts, view);
        return;
    }
    node->up = true;
    node->healthy = take_health(facts, view);
    facts->unhealthy += !node->healthy;
    view->plan->plan->playbook->product->certificates(view, on_cert, &look);
}

static int by_days(const void *a, const void *b)
{
    const struct fleet_cert *x = a, *y = b;
    int order;

    if (x->days != y->days)
        return x->days < y->days ? -1 : 1;
    order = strcmp(x->cluster, y->cluster);
    if (order == 0)
        order = strcmp(x->node, y->node);
    return order ? order : strcmp(x->service, y->service);
}

static int by_name(const void *a, const void *b)
{
    const struct fleet_node *x = a, *y = b;
    int order = strcmp(x->cluster, y->cluster);

    return order ? order : strcmp(x->node, y->node);
}

void fleet_sort(struct fleet_facts *facts)
{
    if (facts->n_nodes)
        qsort(facts->nodes, facts->n_nodes, sizeof(*facts->nodes), by_name);
    if (facts->n_certs)
        qsort(facts->certs, facts->n_certs, sizeof(*facts->certs), by_days);
}

static int read_target(struct app *app, struct fleet_facts *facts,
                       const struct target *target)
{
    struct reader reader = {.facts = facts};
    struct scan_options options = {
        .target = target, .on_node = on_node, .user = &reader};
    struct session session;
    int code = session_open(&session, app, false);

    if (code != EXIT_DONE)
        return code;
    reading_start(&reader.reading, facts->now);
    code = scan_run(&session, &options);
    session_close(&session);
    reading_keep(&reader.reading, app->inventory);
    fleet_sort(facts);
    return code;
}

int fleet_read(struct app *app, struct fleet_facts *facts)
{
    struct err err = {.cause = CAUSE_NONE};
    struct target target = {0};
    struct arena arena;
    int code;

    *facts = (struct fleet_facts){.now = clock_wall_ms() / 1000,
                                  .warn_days = app->inventory->warn_days};
    arena_init(&arena);
    if (target_nodes(app->inventory, &arena, app->args.words, app->args.n_words,
                     &target, &err) < 0)
        code = app_fail(app, &err);
    else
        code = read_target(app, facts, &target);
    arena_release(&arena);
    return code;
}

void fleet_release(struct fleet_facts *facts)
{
    free(facts->nodes);
    free(facts->certs);
    free(facts->troubles);
    *facts = (struct fleet_facts){.n_nodes = 0};
}

const char *fleet_state(const struct fleet_trouble *trouble)
{
    if (trouble->unreachable)
        return "unreachable";
    return trouble->bad ? "unhealthy" : "warning";
}

int fleet_code(const struct fleet_facts *facts)
{
    return facts->due || facts->unreachable || facts->unhealthy ? EXIT_DUE
                                                                : EXIT_DONE;
}
