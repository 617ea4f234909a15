/* SPDX-License-Identifier: Apache-2.0
 *
 * `inventory sample', `check' and `list'.
 */
#include <stdio.h>
#include <string.h>

#include "cli/app.h"
#include "cli/table.h"
#include "core/fleet/target.h"
#include "core/run/product.h"

int cmd_inventory_sample(struct app *app)
{
    struct str text;

    str_init(&text, 1 << 20);
    inventory_sample(&text);
    out_say(&app->out, "%s", str_text(&text));
    str_release(&text);
    return EXIT_DONE;
}

/* -- check ------------------------------------------------------------------
 */

static void tell_fault(struct app *app, const struct inventory *inv,
                       const struct fault *fault)
{
    bool error = fault->level == FAULT_ERROR;
    json_t *event;

    if (!app->out.json)
        return;
    event = app_event("warning");
    json_object_set_new(event, "state",
                        json_string(error ? "error" : "warning"));
    json_object_set_new(event, "file", app_text(inv->path));
    json_object_set_new(event, "line", json_integer(fault->line));
    json_object_set_new(event, "detail", app_text(fault->text));
    out_json(&app->out, event);
}

int cmd_inventory_check(struct app *app)
{
    const struct inventory *inv = app_inventory(app);

    if (!app->inventory)
        return EXIT_INPUT;
    for (size_t i = 0; i < app->inventory->n_faults; i++)
        tell_fault(app, app->inventory, &app->inventory->faults[i]);
    if (!inv)
        return EXIT_INPUT;
    out_say(&app->out, "%s: %zu cluster%s, %zu node%s, %zu warning%s\n",
            inv->path, inv->n_clusters, inv->n_clusters == 1 ? "" : "s",
            inv->n_nodes, inv->n_nodes == 1 ? "" : "s", inv->n_faults,
            inv->n_faults == 1 ? "" : "s");
    return EXIT_DONE;
}

/* -- list -------------------------------------------------------------------
 */

static void add_roles(struct str *out, const struct node *node)
{
    const struct role_word *r = node->cluster->words->roles;

    for (; r && r->word; r++)
        if (r->bit & node->roles)
            str_addf(out, "%s%s", out->len ? " " : "", r->word);
}

static json_t *node_json(const struct node *node, const char *roles)
{
    json_t *event = app_event("node");

    json_object_set_new(event, "cluster", app_text(node->cluster->name));
    json_object_set_new(event, "node", app_text(node->name));
    json_object_set_new(event, "product", app_text(node->cluster->product));
    json_object_set_new(event, "address", app_text(node->address));
    json_object_set_new(event, "port",
                        node->port ? json_integer(node->port) : json_null());
    json_object_set_new(event, "roles", app_text(roles));
    json_object_set_new(
        event, "issuer",
        app_text(node->cluster->issuer ? node->cluster->issuer->name : NULL));
    json_object_set_new(event, "line", json_integer(node->line));
    return event;
}

static void list_node(struct app *app, struct table *table,
                      const struct node *node)
{
    const char *issuer =
        node->cluster->issuer ? node->cluster->issuer->name : NULL;
    struct str roles;
    char port[16] = "";

    str_init(&roles, 1024);
    add_roles(&roles, node);
    if (node->port)
        snprintf(port, sizeof(port), "%u", node->port);
    if (app->out.json)
        out_json(&app->out, node_json(node, str_text(&roles)));
    else
        table_add(table, (const char *const[]){node->cluster->name,
                                               node->cluster->product,
                                               node->name, node->address, port,
                                               str_text(&roles), issuer});
    str_release(&roles);
}

int cmd_inventory_list(struct app *app)
{
    static const char *const heads[] = {"cluster", "product", "node",
                                        "address", "port",    "roles",
                                        "issuer",  NULL};
    struct inventory *inv = app_inventory(app);
    struct err err = {.cause = CAUSE_NONE};
    struct target target = {0};
    struct arena arena;
    struct table table;
    int code = EXIT_DONE;

    if (!inv)
        return EXIT_INPUT;
    arena_init(&arena);
    table_init(&table, heads);
    if (target_nodes(inv, &arena, app->args.words, app->args.n_words, &target,
                     &err) < 0) {
        code = app_fail(app, &err);
    } else {
        for (size_t i = 0; i < target.n_nodes; i++)
            list_node(app, &table, target.nodes[i]);
        if (!app->out.json)
            table_say(&table, &app->out);
    }
    table_release(&table);
    arena_release(&arena);
    return code;
}
