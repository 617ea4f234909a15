/* SPDX-License-Identifier: Apache-2.0
 *
 * What the lab has seen, as JSON: commands, broken rules, end states.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/cluster.h"
#include "tests/lab/control.h"
#include "tests/lab/record.h"
#include "tests/lab/service.h"
#include "tests/lab/ucm.h"
#include "tests/lab/win.h"

static void put(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, text ? json_string(text) : json_null());
}

static void put_number(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void put_bool(json_t *o, const char *key, bool b)
{
    json_object_set_new(o, key, json_boolean(b));
}

/* -- entries ----------------------------------------------------------------
 */

json_t *verdict_entry(const struct entry *e)
{
    json_t *o = json_object();

    put_number(o, "seq", e->seq);
    put_number(o, "t_ms", e->t_ms);
    put(o, "node", e->node->name);
    put(o, "source", e->source);
    json_object_set_new(o, "text", json_stringn_nocheck("", 0));
    if (json_object_set_new(o, "text", json_string(e->text)) < 0)
        put(o, "text", "(not UTF-8)");
    put(o, "state", e->state);
    put(o, "result", e->result);
    if (e->answered_ms)
        put_number(o, "answered_ms", e->answered_ms);
    if (e->outcome) {
        put(o, "outcome", e->outcome);
        put_number(o, "outcome_ms", e->outcome_ms);
    }
    return o;
}

/* -- nodes ------------------------------------------------------------------
 */

static const char *set_state(const struct lab_node *n)
{
    bool old = true, any = false;

    for (int i = 0; i < CERTSET_FILES; i++) {
        const struct certset_part *p = &n->db.certs.part[i];
        const char *name = n->initial_names[i];
        any = any || p->name;
        if (!p->name && !name)
            continue;
        if (!p->name || !name || strcmp(p->name, name) != 0 ||
            strcmp(p->digest, n->initial_digests[i]) != 0)
            old = false;
    }
    return !any ? "none" : old ? "old" : "new";
}

static const char *role_word(const struct lab_node *n)
{
    switch (n->db.role) {
    case DB_PRIMARY:
        return "primary";
    case DB_REPLICA:
        return "replica";
    case DB_CONNECTED:
        return "connected";
    case DB_STANDALONE:
        break;
    }
    return "standalone";
}

static bool in_sync(const struct lab_node *n)
{
    const struct lab_group *g = n->db.group;

    if (!g || !g->primary || !n->up)
        return false;
    return n->db.role == DB_PRIMARY ||
           (db_sees(n, g->primary) &&
            (n->db.role == DB_CONNECTED || n->db.in_sync));
}

static json_t *certs_json(const struct lab_node *n)
{
    json_t *o = json_object();

    for (int i = 0; i < CERTSET_FILES; i++)
        if (n->db.certs.part[i].name)
            put(o, certset_label((enum certset_file)i),
                n->db.certs.part[i].name);
    return o;
}

static json_t *logins_json(const struct lab_node *n)
{
    json_t *o = json_object();

    for (const struct lab_user *u = n->users; u; u = u->next)
        json_object_set_new(o, u->name,
                            json_pack("{s:i,s:i}", "ok", (int)u->login_ok,
                                      "failed", (int)u->login_failed));
    return o;
}

/* -- services ---------------------------------------------------------------
 */

/* What it runs with; "stale": other than what is configured now. */
static const char *service_state(const struct lab_node *n,
                                 const struct service *s)
{
    char now[65];

    if (!s->running)
        return s->enabled ? "down" : "disabled";
    service_digest(n, s, now);
    if (strcmp(now, s->loaded) != 0)
        return "stale";
    return strcmp(s->loaded, s->first) == 0 ? "old" : "new";
}

static json_t *services_json(const struct lab_node *n)
{
    json_t *o = json_object();

    for (size_t i = 0; i < n->n_services; i++) {
        const struct service *s = &n->services[i];
        json_t *one;
        if (!service_counts(s))
            continue;
        one = json_object();
        put(one, "state", service_state(n, s));
        put_number(one, "drops", s->drops);
        put_number(one, "down_ms", service_down_ms(n, s));
        json_object_set_new(o, s->kind->name, one);
    }
    return o;
}

static json_t *refused_json(const struct lab_cluster *c)
{
    char *all = lab_strdup(str_text(&c->refused)), *rest = all, *line;
    json_t *list = json_array();

    while ((line = strsep(&rest, "\n")) && *line)
        json_array_append_new(list, json_string(line));
    free(all);
    return list;
}

/* The one state of all services of all nodes, or mixed. */
static const char *services_state(const struct lab_cluster *c)
{
    const char *first = NULL;

    for (size_t k = 0; k < c->n_nodes; k++)
        for (size_t i = 0; i < c->nodes[k]->n_services; i++) {
            const struct service *s = &c->nodes[k]->services[i];
            const char *state = service_state(c->nodes[k], s);
            if (!service_counts(s))
                continue;
            if (first && strcmp(first, state) != 0)
                return "mixed";
            first = state;
        }
    return first ? first : "none";
}

static json_t *ucm_json(const struct ucm *u)
{
    json_t *o = json_object();

    for (int i = 0; i < UCM_UNITS; i++)
        if (ucm_state(u, (enum ucm_unit_id)i))
            put(o, ucm_kinds[i].name, ucm_state(u, (enum ucm_unit_id)i));
    return o;
}

json_t *verdict_node(struct lab_node *n)
{
    json_t *o = json_object();

    assert(n);
    put(o, "node", n->name);
    put(o, "address", n->address);
    put_bool(o, "up", n->up);
    put(o, "role", role_word(n));
    put_bool(o, "in_sync", in_sync(n));
    put_bool(o, "pending", n->db.pending != DB_NOTHING);
    put(o, "error", n->db.error ? n->db.error_text : NULL);
    put(o, "set", set_state(n));
    json_object_set_new(o, "certs", certs_json(n));
    put(o, "last_command", n->db.last_command);
    put_bool(o, "last_failed", n->db.last_failed);
    put_number(o, "generation", n->db.copy.generation);
    put_number(o, "rows", n->db.copy.rows);
    put_number(o, "uploads", n->uploads);
    put_number(o, "connections", n->connections);
    put_number(o, "connections_total", n->connections_total);
    json_object_set_new(o, "logins", logins_json(n));
    put_number(o, "calls", n->calls);
    put_number(o, "calls_lost", n->calls_lost);
    put_number(o, "api_asked", n->api_asked);
    put_number(o, "api_refused", n->api_refused);
    json_object_set_new(o, "services", services_json(n));
    if (n->ucm)
        json_object_set_new(o, "ucm", ucm_json(n->ucm));
    if (n->win)
        win_verdict(n, o);
    return o;
}

/* -- clusters ----------------------------------------------------------------
 */

/* The sets of two nodes fit: the parts that both have are the same. */
static bool same_set(const struct lab_node *a, const struct lab_node *b)
{
    for (int i = 0; i < CERTSET_FILES; i++) {
        const struct certset_part *p = &a->db.certs.part[i];
        const struct certset_part *q = &b->db.certs.part[i];
        if (p->name && q->name && strcmp(p->digest, q->digest) != 0)
            return false;
    }
    return true;
}

const char *verdict_state(struct lab_cluster *c)
{
    const char *first = c->n_nodes ? set_state(c->nodes[0]) : "none";

    for (size_t i = 1; i < c->n_nodes; i++)
        if (strcmp(set_state(c->nodes[i]), first) != 0 ||
            !same_set(c->nodes[0], c->nodes[i]))
            return "mixed";
    return first;
}

/* NULL: nobody leads; two would be a split, which is named so. */
static struct lab_node *leader(const struct lab_cluster *c, unsigned *n)
{
    struct lab_node *found = NULL;

    *n = 0;
    for (size_t i = 0; i < c->n_nodes; i++)
        if (db_leads(c->nodes[i])) {
            found = c->nodes[i];
            ++*n;
        }
    return found;
}

static uint64_t rows_lost(const struct lab_cluster *c,
                          const struct lab_node *primary)
{
    uint64_t best = primary ? primary->db.copy.rows : 0;

    for (size_t i = 0; !primary && i < c->n_nodes; i++)
        if (c->nodes[i]->db.copy.rows > best)
            best = c->nodes[i]->db.copy.rows;
    return c->acked > best ? c->acked - best : 0;
}

json_t *verdict_cluster(struct lab_cluster *c)
{
    json_t *o = json_object(), *nodes = json_array();
    unsigned leaders;
    struct lab_node *p = leader(c, &leaders);
    bool whole = p != NULL && leaders == 1;

    for (size_t i = 0; i < c->n_nodes; i++) {
        struct lab_node *n = c->nodes[i];
        json_array_append_new(nodes, verdict_node(n));
        whole = whole && in_sync(n) && n->db.group == p->db.group &&
                !n->db.pending && !n->db.error;
    }
    put(o, "cluster", c->name);
    put(o, "state", verdict_state(c));
    put(o, "services", services_state(c));
    put_number(o, "most_dropping", c->most_dropping);
    json_object_set_new(o, "refused", refused_json(c));
    put(o, "primary", p ? p->name : NULL);
    put_number(o, "primaries", leaders);
    put_bool(o, "healthy", whole);
    put_number(o, "generation", c->generation);
    put_number(o, "rows_acknowledged", c->acked);
    put_number(o, "rows_lost", rows_lost(c, p));
    json_object_set_new(o, "nodes", nodes);
    return o;
}

/* -- the whole ----------------------------------------------------------------
 */

static json_t *violations_json(struct lab *lab)
{
    json_t *list = json_array();

    for (struct violation *v = lab->record->violations; v; v = v->next) {
        json_t *o = json_object();
        put(o, "rule", v->rule);
        put(o, "node", v->node->name);
        put(o, "text", v->text);
        put_number(o, "t_ms", v->t_ms);
        put_bool(o, "foreign", v->foreign);
        json_array_append_new(list, o);
    }
    return list;
}

static uint64_t count_rule(struct lab *lab, const char *rule)
{
    uint64_t n = 0;

    for (struct violation *v = lab->record->violations; v; v = v->next)
        n += strcmp(v->rule, rule) == 0;
    return n;
}

json_t *verdict_json(struct lab *lab)
{
    json_t *o = json_object(), *clusters = json_array();
    json_t *commands = json_array();

    for (size_t i = 0; i < lab->n_clusters; i++)
        json_array_append_new(clusters, verdict_cluster(lab->clusters[i]));
    for (size_t i = 0; i < lab->record->n; i++)
        json_array_append_new(commands, verdict_entry(lab->record->entries[i]));
    put_number(o, "t_ms", lab_age_ms(lab));
    json_object_set_new(o, "violations", violations_json(lab));
    put_number(o, "secrets_seen", count_rule(lab, "secret"));
    put_number(o, "dangerous", count_rule(lab, "dangerous"));
    json_object_set_new(o, "clusters", clusters);
    json_object_set_new(o, "commands", commands);
    return o;
}
