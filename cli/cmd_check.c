/* SPDX-License-Identifier: Apache-2.0
 *
 * `check': health and certificates of every node, worst first.  Reads only.
 */
#include <stdio.h>
#include <string.h>

#include "cli/fleet_facts.h"
#include "cli/fleet_metrics.h"
#include "cli/table.h"

static json_t *cert_json(const struct fleet_cert *c)
{
    const struct pki_cert_info *info = &c->row.info;
    json_t *json = app_event("certificate"), *findings = json_array();

    if (*c->row.findings)
        json_array_append_new(findings, app_text(c->row.findings));
    json_object_set_new(json, "cluster", app_text(c->cluster));
    json_object_set_new(json, "node", app_text(c->node));
    json_object_set_new(json, "service", app_text(c->service));
    json_object_set_new(json, "file", app_text(c->file));
    json_object_set_new(json, "subject", app_text(info->subject));
    json_object_set_new(json, "issuer", app_text(info->issuer));
    json_object_set_new(json, "not_after", app_time(info->not_after));
    json_object_set_new(json, "days_left", json_integer(c->days));
    json_object_set_new(json, "sha256", app_text(info->sha256));
    json_object_set_new(json, "findings", findings);
    return json;
}

static json_t *trouble_json(const struct fleet_trouble *t)
{
    json_t *json = app_event("warning");

    json_object_set_new(json, "cluster", app_text(t->cluster));
    json_object_set_new(json, "node", app_text(t->node));
    json_object_set_new(json, "state", json_string(fleet_state(t)));
    json_object_set_new(json, "finding", app_text(t->id));
    json_object_set_new(json, "detail", app_text(t->text));
    return json;
}

static void tell_json(const struct fleet_facts *facts, struct out *out)
{
    for (size_t i = 0; i < facts->n_troubles; i++)
        out_json(out, trouble_json(&facts->troubles[i]));
    for (size_t i = 0; i < facts->n_certs; i++)
        out_json(out, cert_json(&facts->certs[i]));
}

static void say_troubles(const struct fleet_facts *facts, struct out *out)
{
    static const char *const heads[] = {"state", "cluster", "node", "what",
                                        NULL};
    struct table table;

    if (facts->n_troubles == 0)
        return;
    table_init(&table, heads);
    for (size_t i = 0; i < facts->n_troubles; i++) {
        const struct fleet_trouble *t = &facts->troubles[i];
        table_add(&table, (const char *const[]){t->unreachable ? "UNREACHABLE"
                                                : t->bad       ? "UNHEALTHY"
                                                               : "warning",
                                                t->cluster, t->node, t->text});
    }
    table_say(&table, out);
    table_release(&table);
    out_say(out, "\n");
}

static void say_certs(const struct fleet_facts *facts, struct out *out)
{
    static const char *const heads[] = {"days",     "cluster", "node",
                                        "service",  "file",    "subject",
                                        "findings", NULL};
    struct table table;

    if (facts->n_certs == 0)
        return;
    table_init(&table, heads);
    for (size_t i = 0; i < facts->n_certs; i++) {
        const struct fleet_cert *c = &facts->certs[i];
        char days[40];

        snprintf(days, sizeof(days), "%lld%s", c->days,
                 c->days < 0 ? " EXPIRED" : "");
        table_add(&table, (const char *const[]){
                              days, c->cluster, c->node, c->service, c->file,
                              c->row.info.subject, c->row.findings});
    }
    table_say(&table, out);
    table_release(&table);
}

static int tell(const struct fleet_facts *facts, struct out *out)
{
    tell_json(facts, out);
    if (!out->json) {
        say_troubles(facts, out);
        say_certs(facts, out);
    }
    out_say(out,
            "%zu node%s, %zu certificate%s; %zu unreachable, %zu unhealthy, "
            "%zu within %u days\n",
            facts->n_nodes, facts->n_nodes == 1 ? "" : "s", facts->n_certs,
            facts->n_certs == 1 ? "" : "s", facts->unreachable,
            facts->unhealthy, facts->due, facts->warn_days);
    return fleet_code(facts);
}

int cmd_check(struct app *app)
{
    const char *metrics = app->args.value[OPT_METRICS];
    struct fleet_facts facts;
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    if (metrics && metrics_file_check(app, metrics) < 0)
        return EXIT_INPUT;
    code = fleet_read(app, &facts);
    if (code == EXIT_DONE)
        code = tell(&facts, &app->out);
    if (metrics && (code == EXIT_DONE || code == EXIT_DUE) &&
        metrics_file_write(app, metrics, &facts) < 0)
        code = EXIT_INPUT;
    fleet_release(&facts);
    return code;
}
