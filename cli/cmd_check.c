/* SPDX-License-Identifier: Apache-2.0
 *
 * `check': health and certificates of every node, worst first.  Reads only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/scan.h"
#include "cli/table.h"
#include "core/base/clock.h"

enum {
    SECONDS_A_DAY = 86400,
    TROUBLE_CAP = 1200
};

struct found { /* one certificate */
    const char *cluster, *node;
    struct cert_row row;
    char service[64], file[128];
    long long days;
};

struct trouble {
    const char *cluster, *node;
    char id[32];
    char text[TROUBLE_CAP];
    bool bad, unreachable;
};

struct check {
    struct app *app;
    struct found *certs;
    size_t n_certs;
    struct trouble *troubles;
    size_t n_troubles;
    size_t nodes, unreachable, unhealthy, due;
    int64_t now; /* seconds */
};

/* What is appended to while a node is looked at. */
struct look {
    struct check *check;
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

static struct trouble *add_trouble(struct check *check, const struct view *view)
{
    struct trouble *t;

    check->troubles =
        grow(check->troubles, check->n_troubles, sizeof(*check->troubles));
    t = &check->troubles[check->n_troubles++];
    t->cluster = view->plan->cluster->name;
    t->node = node_of(view)->node->name;
    return t;
}

/* Whole days, downwards: a certificate that ended an hour ago has -1. */
static long long days_left(int64_t not_after, int64_t now)
{
    int64_t left = not_after - now;
    int64_t days = left / SECONDS_A_DAY;

    return left < 0 && left % SECONDS_A_DAY ? days - 1 : days;
}

static void on_cert(void *user, const struct cert_row *row)
{
    const struct look *look = user;
    struct check *check = look->check;
    struct found *f;

    check->certs = grow(check->certs, check->n_certs, sizeof(*check->certs));
    f = &check->certs[check->n_certs++];
    f->cluster = look->view->plan->cluster->name;
    f->node = node_of(look->view)->node->name;
    f->row = *row;
    snprintf(f->service, sizeof(f->service), "%s",
             row->service ? row->service : "");
    snprintf(f->file, sizeof(f->file), "%s", row->file ? row->file : "");
    f->days = days_left(row->info.not_after, check->now);
    check->due += f->days < (long long)check->app->inventory->warn_days;
}

static void take_health(struct check *check, const struct view *view)
{
    struct findings findings = {.n = 0};
    bool bad = false;

    view->plan->plan->playbook->product->health(view, &findings);
    for (size_t i = 0; i < findings.n; i++) {
        const struct finding *f = &findings.list[i];
        struct trouble *t;

        if (f->severity == SEVERITY_INFO)
            continue;
        t = add_trouble(check, view);
        t->bad = f->severity >= SEVERITY_BLOCK;
        snprintf(t->id, sizeof(t->id), "%s", f->id);
        snprintf(t->text, sizeof(t->text), "%s", f->text);
        bad = bad || t->bad;
    }
    check->unhealthy += bad;
    findings_release(&findings);
}

static void on_node(void *user, const struct view *view)
{
    struct check *check = user;
    const struct facts *facts = node_of(view)->facts;
    const struct product *product = view->plan->plan->playbook->product;
    struct look look = {check, view};

    check->nodes++;
    if (facts->unreachable) {
        struct trouble *t = add_trouble(check, view);
        t->bad = t->unreachable = true;
        snprintf(t->id, sizeof(t->id), "unreachable");
        snprintf(t->text, sizeof(t->text), "%s", facts->err.text);
        check->unreachable++;
        return;
    }
    take_health(check, view);
    product->certificates(view, on_cert, &look);
}

/* -- telling ------------------------------------------------------------------
 */

static int by_days(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order;

    if (x->days != y->days)
        return x->days < y->days ? -1 : 1;
    order = strcmp(x->cluster, y->cluster);
    if (order == 0)
        order = strcmp(x->node, y->node);
    return order ? order : strcmp(x->service, y->service);
}

static json_t *cert_json(const struct found *f)
{
    const struct pki_cert_info *info = &f->row.info;
    json_t *json = app_event("certificate"), *findings = json_array();

    if (*f->row.findings)
        json_array_append_new(findings, app_text(f->row.findings));
    json_object_set_new(json, "cluster", app_text(f->cluster));
    json_object_set_new(json, "node", app_text(f->node));
    json_object_set_new(json, "service", app_text(f->service));
    json_object_set_new(json, "file", app_text(f->file));
    json_object_set_new(json, "subject", app_text(info->subject));
    json_object_set_new(json, "issuer", app_text(info->issuer));
    json_object_set_new(json, "not_after", app_time(info->not_after));
    json_object_set_new(json, "days_left", json_integer(f->days));
    json_object_set_new(json, "sha256", app_text(info->sha256));
    json_object_set_new(json, "findings", findings);
    return json;
}

static json_t *trouble_json(const struct trouble *t)
{
    json_t *json = app_event("warning");

    json_object_set_new(json, "cluster", app_text(t->cluster));
    json_object_set_new(json, "node", app_text(t->node));
    json_object_set_new(json, "state",
                        json_string(t->unreachable ? "unreachable"
                                    : t->bad       ? "unhealthy"
                                                   : "warning"));
    json_object_set_new(json, "finding", app_text(t->id));
    json_object_set_new(json, "detail", app_text(t->text));
    return json;
}

static void tell_json(struct check *check)
{
    for (size_t i = 0; i < check->n_troubles; i++)
        out_json(&check->app->out, trouble_json(&check->troubles[i]));
    for (size_t i = 0; i < check->n_certs; i++)
        out_json(&check->app->out, cert_json(&check->certs[i]));
}

static void say_troubles(struct check *check)
{
    static const char *const heads[] = {"state", "cluster", "node", "what",
                                        NULL};
    struct table table;

    if (check->n_troubles == 0)
        return;
    table_init(&table, heads);
    for (size_t i = 0; i < check->n_troubles; i++) {
        const struct trouble *t = &check->troubles[i];
        table_add(&table, (const char *const[]){t->unreachable ? "UNREACHABLE"
                                                : t->bad       ? "UNHEALTHY"
                                                               : "warning",
                                                t->cluster, t->node, t->text});
    }
    table_say(&table, &check->app->out);
    table_release(&table);
    out_say(&check->app->out, "\n");
}

static void say_certs(struct check *check)
{
    static const char *const heads[] = {"days",     "cluster", "node",
                                        "service",  "file",    "subject",
                                        "findings", NULL};
    struct table table;

    if (check->n_certs == 0)
        return;
    table_init(&table, heads);
    for (size_t i = 0; i < check->n_certs; i++) {
        const struct found *f = &check->certs[i];
        char days[40];

        snprintf(days, sizeof(days), "%lld%s", f->days,
                 f->days < 0 ? " EXPIRED" : "");
        table_add(&table, (const char *const[]){
                              days, f->cluster, f->node, f->service, f->file,
                              f->row.info.subject, f->row.findings});
    }
    table_say(&table, &check->app->out);
    table_release(&table);
}

static int tell(struct check *check)
{
    struct app *app = check->app;

    if (check->n_certs)
        qsort(check->certs, check->n_certs, sizeof(*check->certs), by_days);
    tell_json(check);
    if (!app->out.json) {
        say_troubles(check);
        say_certs(check);
    }
    out_say(&app->out,
            "%zu node%s, %zu certificate%s; %zu unreachable, %zu unhealthy, "
            "%zu within %u days\n",
            check->nodes, check->nodes == 1 ? "" : "s", check->n_certs,
            check->n_certs == 1 ? "" : "s", check->unreachable,
            check->unhealthy, check->due, app->inventory->warn_days);
    return check->due || check->unreachable || check->unhealthy ? EXIT_DUE
                                                                : EXIT_DONE;
}

/* -- the command
 * ---------------------------------------------------------------- */

static int check_target(struct check *check, const struct target *target)
{
    struct scan_options options = {
        .target = target, .on_node = on_node, .user = check};
    struct session session;
    int code = session_open(&session, check->app, false);

    if (code != EXIT_DONE)
        return code;
    code = scan_run(&session, &options);
    session_close(&session);
    return code == EXIT_DONE ? tell(check) : code;
}

int cmd_check(struct app *app)
{
    struct check check = {.app = app, .now = clock_wall_ms() / 1000};
    struct err err = {.cause = CAUSE_NONE};
    struct target target = {0};
    struct arena arena;
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    arena_init(&arena);
    if (target_nodes(app->inventory, &arena, app->args.words, app->args.n_words,
                     &target, &err) < 0)
        code = app_fail(app, &err);
    else
        code = check_target(&check, &target);
    free(check.certs);
    free(check.troubles);
    arena_release(&arena);
    return code;
}
