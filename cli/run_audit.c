/* SPDX-License-Identifier: Apache-2.0
 *
 * Gathers from the journal, shows as tables or JSON.  Nodes are never asked:
 * what is shown is what was read and made then.
 */
#include "cli/run_audit.h"

#include <string.h>

#include "cli/run_words.h"
#include "cli/table.h"
#include "core/base/clock.h"

void run_audit_init(struct run_audit *audit)
{
    audit->deeds = json_array();
    audit->clusters = json_object();
}

void run_audit_release(struct run_audit *audit)
{
    json_decref(audit->deeds);
    json_decref(audit->clusters);
}

/* -- gathering ------------------------------------------------------------ */

static const char *text_of(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static void take_deed(struct run_audit *audit, const struct store_entry *entry,
                      const json_t *data)
{
    static const char *const kept[] = {"user", "host",    "login",
                                       "from", "version", NULL};
    const char *event = text_of(data, "event");
    json_t *deed;

    if (!event || is(event, "end"))
        return;
    deed = json_pack("{s:s, s:I, s:n, s:n}", "what", event, "t_ms",
                     (json_int_t)entry->t_ms, "plan_sha256", "approved");
    for (const char *const *key = kept; *key; key++) {
        json_t *value = json_object_get(data, *key);

        json_object_set(deed, *key, value ? value : json_null());
    }
    json_array_append_new(audit->deeds, deed);
}

/* What the last deed came to: its plan was agreed to. */
static void take_go(struct run_audit *audit, const json_t *data)
{
    size_t n = json_array_size(audit->deeds);
    json_t *deed = n ? json_array_get(audit->deeds, n - 1) : NULL;

    if (!deed || !text_of(data, "mode"))
        return;
    json_object_set(deed, "what", json_object_get(data, "mode"));
    json_object_set(deed, "plan_sha256", json_object_get(data, "plan_sha256"));
    if (json_object_get(data, "approved"))
        json_object_set(deed, "approved", json_object_get(data, "approved"));
}

static void take_of_cluster(struct run_audit *audit, const char *cluster,
                            const char *key, json_t *value)
{
    json_t *of = json_object_get(audit->clusters, cluster);

    if (!of) {
        of = json_object();
        json_object_set_new(audit->clusters, cluster, of);
    }
    /* the last: gates that were passed anew; once something live was changed
     * a plan keeps its old sets, which are the way back */
    if (value)
        json_object_set(of, key, value);
}

void run_audit_take(struct run_audit *audit, const struct store_entry *entry)
{
    const struct store_record *r = &entry->record;
    json_t *data;

    if (!is(r->kind, "run") && !is(r->kind, "go") && !is(r->kind, "plan") &&
        !is(r->kind, "generation"))
        return;
    data = r->data ? json_loads(r->data, 0, NULL) : NULL;
    if (is(r->kind, "run"))
        take_deed(audit, entry, data);
    else if (is(r->kind, "go"))
        take_go(audit, data);
    else if (r->cluster && is(r->kind, "plan"))
        take_of_cluster(audit, r->cluster, "nodes",
                        json_object_get(data, "nodes"));
    else if (r->cluster) {
        take_of_cluster(audit, r->cluster, "files",
                        json_object_get(data, "files"));
        take_of_cluster(audit, r->cluster, "own",
                        json_object_get(data, "nodes"));
    }
    json_decref(data);
}

/* -- the certificates, one by one ----------------------------------------- */

static const json_t *by_slot(const json_t *files, const char *slot)
{
    const json_t *file;
    size_t i;

    json_array_foreach(files, i, file)
    {
        if (is(text_of(file, "slot"), slot))
            return file;
    }
    return NULL;
}

/* A node has what its own status named: a connect-only one no server's. */
static void each_of_node(const char *cluster, const json_t *node,
                         const json_t *made, run_pair_f *each, void *user)
{
    const json_t *old = json_object_get(node, "old"), *file;
    bool blank = json_array_size(old) == 0;
    size_t i;

    json_array_foreach(blank ? made : old, i, file)
    {
        struct run_pair pair = {cluster, text_of(node, "node"),
                                text_of(file, "slot"), NULL, NULL};

        if (!pair.node || !pair.slot)
            continue;
        pair.was = by_slot(old, pair.slot);
        pair.made = by_slot(made, pair.slot);
        if (text_of(pair.was, "cert_sha256") ||
            text_of(pair.made, "cert_sha256"))
            each(user, &pair);
    }
}

/* What the node alone was given, else what all were. */
static const json_t *made_for(const json_t *of, const json_t *node)
{
    const char *name = text_of(node, "node");
    const json_t *own =
        name ? json_object_get(json_object_get(of, "own"), name) : NULL;

    return own ? own : json_object_get(of, "files");
}

void run_audit_pairs(const struct run_audit *audit, run_pair_f *each,
                     void *user)
{
    const char *cluster;
    const json_t *node;
    json_t *of;
    size_t i;

    json_object_foreach(audit->clusters, cluster, of)
    {
        json_array_foreach(json_object_get(of, "nodes"), i, node)
        {
            each_of_node(cluster, node, made_for(of, node), each, user);
        }
    }
}

/* -- as tables ------------------------------------------------------------ */

static void add_deed(struct table *table, const json_t *deed)
{
    const char *login = text_of(deed, "login"), *user = text_of(deed, "user");
    const char *host = text_of(deed, "host"), *plan;
    struct str when, by;

    str_init(&when, 64);
    str_init(&by, 1024);
    run_time(&when, json_integer_value(json_object_get(deed, "t_ms")));
    str_addf(&by, "%s@%s", user ? user : "?", host ? host : "?");
    if (login)
        str_addf(&by, " (logged in as %s)", login);
    plan = text_of(deed, "plan_sha256");
    table_add(table, (const char *const[]){
                         text_of(deed, "what"), str_text(&when), str_text(&by),
                         text_of(deed, "from"), text_of(deed, "version"),
                         plan ? plan : "none was agreed to"});
    str_release(&when);
    str_release(&by);
}

static void say_deeds(const struct run_audit *audit, struct out *out)
{
    static const char *const heads[] = {"what",    "when", "by", "from",
                                        "program", "plan", NULL};
    struct table table;
    const json_t *deed;
    size_t i;

    table_init(&table, heads);
    json_array_foreach(audit->deeds, i, deed)
    {
        add_deed(&table, deed);
    }
    out_say(out, "\n");
    table_say(&table, out);
    table_release(&table);
}

struct listing {
    struct table table;
    size_t n;
};

static void list_approvals(struct listing *listing, const char *cluster,
                           const json_t *list)
{
    const json_t *a;
    size_t i;

    json_array_foreach(list, i, a)
    {
        listing->n++;
        table_add(&listing->table,
                  (const char *const[]){cluster, text_of(a, "principal"),
                                        text_of(a, "approved"),
                                        text_of(a, "kind"), text_of(a, "key")});
    }
}

static void say_approvals(const struct run_audit *audit, struct out *out)
{
    static const char *const heads[] = {"cluster", "approved by", "when",
                                        "kind",    "key",         NULL};
    struct listing listing = {.n = 0};
    const char *cluster;
    const json_t *deed;
    json_t *list;
    size_t i;

    table_init(&listing.table, heads);
    json_array_foreach(audit->deeds, i, deed)
    {
        json_object_foreach(json_object_get(deed, "approved"), cluster, list)
        {
            list_approvals(&listing, cluster, list);
        }
    }
    if (listing.n) {
        out_say(out, "\n");
        table_say(&listing.table, out);
    }
    table_release(&listing.table);
}

static void list_file(struct listing *listing, const struct run_pair *pair,
                      const char *set, const json_t *file)
{
    const char *sha256 = text_of(file, "cert_sha256");

    if (!sha256)
        return;
    listing->n++;
    table_add(&listing->table,
              (const char *const[]){pair->cluster, pair->node, set, sha256,
                                    text_of(file, "name")});
}

static void list_pair(void *user, const struct run_pair *pair)
{
    list_file(user, pair, "old", pair->was);
    list_file(user, pair, "new", pair->made);
}

static void say_pairs(const struct run_audit *audit, struct out *out)
{
    static const char *const heads[] = {
        "cluster", "node", "set", "certificate (SHA-256)", "file", NULL};
    struct listing listing = {.n = 0};

    table_init(&listing.table, heads);
    run_audit_pairs(audit, list_pair, &listing);
    out_say(out, "\n");
    if (listing.n)
        table_say(&listing.table, out);
    else
        out_say(out, "no certificate is recorded: the run ended before it had "
                     "a plan\n");
    table_release(&listing.table);
}

void run_audit_say(const struct run_audit *audit, struct out *out)
{
    say_deeds(audit, out);
    say_approvals(audit, out);
    say_pairs(audit, out);
}

/* -- as JSON -------------------------------------------------------------- */

static json_t *file_json(const json_t *file)
{
    if (!text_of(file, "cert_sha256"))
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "name", app_text(text_of(file, "name")),
                     "sha256", app_text(text_of(file, "cert_sha256")),
                     "file_sha256", app_text(text_of(file, "sha256")));
}

static void tell_pair(void *user, const struct run_pair *pair)
{
    json_t *event = app_event("fingerprints");

    json_object_set_new(event, "cluster", app_text(pair->cluster));
    json_object_set_new(event, "node", app_text(pair->node));
    json_object_set_new(event, "slot", app_text(pair->slot));
    json_object_set_new(event, "old", file_json(pair->was));
    json_object_set_new(event, "new", file_json(pair->made));
    out_json(user, event);
}

static void tell_deed(struct out *out, const json_t *deed)
{
    json_t *event = json_deep_copy(deed);
    char t[CLOCK_TEXT_BYTES];

    clock_rfc3339(json_integer_value(json_object_get(deed, "t_ms")), t);
    json_object_del(event, "t_ms");
    json_object_set_new(event, "t", json_string(t));
    json_object_set_new(event, "event", json_string("deed"));
    out_json(out, event);
}

void run_audit_tell(const struct run_audit *audit, struct out *out)
{
    const json_t *deed;
    size_t i;

    json_array_foreach(audit->deeds, i, deed)
    {
        tell_deed(out, deed);
    }
    run_audit_pairs(audit, tell_pair, out);
}
