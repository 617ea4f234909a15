/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong, or strange, only in the whole: counts, exclusive roles, one
 * machine under two names, a shared root.  Changes nothing but the faults.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/fleet/inventory_priv.h"

static const char *role_words(struct reading *rd, const struct role_word *r,
                              uint32_t bits)
{
    const char *text = "";

    for (; r->word; r++)
        if (r->bit & bits)
            text = arena_printf(&rd->inv->arena, "%s%s%s", text,
                                *text ? " and " : "", r->word);
    return text;
}

static unsigned entry_line(const struct section *s, const char *key)
{
    const struct entry *e = section_entry(s, key);

    return e ? e->line : s->line;
}

/* Names do not tell case or a final dot apart. */
static char *plain_address(struct arena *arena, const char *address)
{
    char *plain = arena_strdup(arena, address);
    size_t len = strlen(plain);

    if (len > 1 && plain[len - 1] == '.')
        plain[len - 1] = '\0';
    for (char *p = plain; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return plain;
}

/* Two names for one machine: it would be driven twice at once. */
static void check_address(struct reading *rd, struct names *seen,
                          const struct section *s)
{
    const struct node *node = s->made, *earlier;
    struct arena *arena = &rd->inv->arena;
    unsigned port = node->port ? node->port : 22;
    char *where = plain_address(arena, node->address);

    where = arena_printf(arena, "%s port %u", where, port);
    earlier = names_put(seen, where, s->made);
    if (earlier)
        reading_fault(rd, FAULT_ERROR, entry_line(s, "address"),
                      "[node %s] is at %s, as is [node %s] on line %u",
                      node->name, where, earlier->name, earlier->line);
}

static void check_db_address(struct reading *rd, struct names *seen,
                             const struct section *s)
{
    const struct node *node = s->made, *earlier;
    bool one_cluster;

    if (!node->db_address)
        return;
    earlier = names_put(seen, plain_address(&rd->inv->arena, node->db_address),
                        s->made);
    if (!earlier)
        return;
    /* Sites may use the same private network, the nodes of one may not. */
    one_cluster = earlier->cluster == node->cluster;
    reading_fault(rd, one_cluster ? FAULT_ERROR : FAULT_WARNING,
                  entry_line(s, "db_address"),
                  "[node %s] has the db_address %s of [node %s] on line %u%s",
                  node->name, node->db_address, earlier->name, earlier->line,
                  one_cluster ? "" : ", in another cluster");
}

static void check_one_of(struct reading *rd, const struct section *s)
{
    const struct node *node = s->made;
    const struct product_words *words = node->cluster->words;
    uint32_t both = words ? node->roles & words->one_of : 0;

    if (both & (both - 1))
        reading_fault(rd, FAULT_ERROR, entry_line(s, "roles"),
                      "[node %s]: roles %s exclude each other", node->name,
                      role_words(rd, words->roles, both));
}

/* A target that is both means the cluster. */
static void check_name(struct reading *rd, const struct section *s)
{
    const struct section *c = names_get(&rd->inv->index->clusters, s->name);

    if (c)
        reading_fault(rd, FAULT_WARNING, s->line,
                      "[node %s] has the name of [cluster %s] on line %u: as "
                      "a target it means the cluster",
                      s->name, c->name, c->line);
}

/* A password without a name, or nobody to trust, is no access: said here, not
 * when a run waits for calls to end. */
static void check_api(struct reading *rd, const struct section *s)
{
    const struct node *node = s->made;
    const char *missing = !node->api_user       ? "api_user"
                          : !node->api_password ? "api_password"
                          : !node->api_ca       ? "api_ca"
                                                : NULL;

    if (missing && (node->api_user || node->api_password || node->api_ca))
        reading_fault(rd, FAULT_ERROR, s->line,
                      "[node %s] has a part of api_user, api_password and "
                      "api_ca, and no `%s'",
                      node->name, missing);
}

static void check_nodes(struct reading *rd)
{
    struct names addresses = {0}, db_addresses = {0};

    for (const struct section *s = rd->first; s; s = s->next) {
        const struct node *node = s->made;
        if (s->kind != SECTION_NODE || !node)
            continue;
        check_name(rd, s);
        check_address(rd, &addresses, s);
        check_db_address(rd, &db_addresses, s);
        check_api(rd, s);
        if (node->cluster)
            check_one_of(rd, s);
    }
    names_release(&addresses);
    names_release(&db_addresses);
}

/* The number of nodes that are counted; a fault for each above the limit. */
static size_t count_limited(struct reading *rd, const struct cluster *c)
{
    const struct product_words *words = c->words;
    size_t n = 0;

    for (size_t i = 0; i < c->n_nodes; i++) {
        const struct node *node = c->nodes[i];
        if (!(node->roles & words->limited) || ++n <= words->limit)
            continue;
        reading_fault(rd, FAULT_ERROR, node->line,
                      "[node %s] is number %zu with role %s in [cluster %s]; "
                      "%u is the most",
                      node->name, n,
                      role_words(rd, words->roles, words->limited), c->name,
                      words->limit);
    }
    return n;
}

/* {cluster} filled in: equal files are one root, whatever they are called. */
static const char *root_file(struct arena *arena, const struct cluster *c)
{
    static const char mark[] = "{cluster}";
    const char *path = c->issuer->ca_cert, *at;

    while ((at = strstr(path, mark)) != NULL)
        path = arena_printf(arena, "%.*s%s%s", (int)(at - path), path, c->name,
                            at + sizeof(mark) - 1);
    return path;
}

static void check_root(struct reading *rd, struct names *roots,
                       const struct section *s)
{
    struct cluster *c = s->made, *earlier;

    if (!c->issuer || !c->issuer->ca_cert)
        return;
    earlier = names_put(roots, root_file(&rd->inv->arena, c), c);
    if (earlier)
        reading_fault(rd, FAULT_WARNING, entry_line(s, "issuer"),
                      "clusters %s and %s share the database root %s: each "
                      "trusts the other's nodes and clients; put {cluster} "
                      "into ca_cert and ca_key of [issuer %s]",
                      earlier->name, c->name, c->issuer->ca_cert,
                      c->issuer->name);
}

/* Nobody could ever approve. */
static void check_approvals(struct reading *rd, const struct section *s)
{
    const struct cluster *c = s->made;
    const struct section *home = section_entry(s, "approvals") ? s : rd->fleet;
    static const char *const who[] = {"approvers", "approver_ca"};

    if (c->approvals == 0)
        return;
    for (size_t i = 0; i < 2; i++) /* one that is bad is told already */
        if (section_entry(s, who[i]) || section_entry(rd->fleet, who[i]))
            return;
    reading_fault(rd, FAULT_ERROR, entry_line(home, "approvals"),
                  "[cluster %s] wants %u approval%s, and has neither "
                  "`approvers' nor `approver_ca'",
                  c->name, c->approvals, c->approvals == 1 ? "" : "s");
}

static void check_cluster(struct reading *rd, struct names *roots,
                          const struct section *s)
{
    struct cluster *c = s->made;
    const char *counted;
    size_t n;

    check_approvals(rd, s);
    if (c->n_nodes == 0)
        reading_fault(rd, FAULT_WARNING, s->line, "[cluster %s] has no nodes",
                      c->name);
    if (!c->words || (n = count_limited(rd, c)) == 0)
        return;
    counted = role_words(rd, c->words->roles, c->words->limited);
    if (c->words->odd && n % 2 == 0)
        reading_fault(rd, FAULT_WARNING, s->line,
                      "[cluster %s] has %zu nodes with role %s: an odd number "
                      "is wanted, half of an even one has no majority",
                      c->name, n, counted);
    if (!section_entry(s, "issuer"))
        reading_fault(rd, FAULT_ERROR, s->line,
                      "[cluster %s] has nodes with role %s but no `issuer': "
                      "who signs their certificates?",
                      c->name, counted);
    check_root(rd, roots, s);
}

/* clang-format off */
#define ONLY(kind) (1U << (kind))
enum {
    OUTSIDE = ONLY(ISSUER_INTERNAL) | ONLY(ISSUER_COMMAND) | ONLY(ISSUER_CSR) |
              ONLY(ISSUER_LINK),
    ASKED = ONLY(ISSUER_COMMAND) | ONLY(ISSUER_LINK),
};
static const struct {
    const char *key;
    unsigned kinds; /* whose key it is */
    const char *only;
    bool needed;
} issuer_keys[] = {
    { "ca_cert",         OUTSIDE,               "all but appliance", true  },
    { "ca_key",          ONLY(ISSUER_INTERNAL), "internal only",     true  },
    { "ca_key_password", ONLY(ISSUER_INTERNAL), "internal only",     false },
    { "ca_days",         ONLY(ISSUER_INTERNAL), "internal only",     false },
    { "days",            OUTSIDE,               "all but appliance", false },
    { "key",             OUTSIDE,               "all but appliance", false },
    { "command",         ONLY(ISSUER_COMMAND),  "command only",      true  },
    { "timeout_issue",   ASKED,                 "command and adcs",  false },
    { "node",            ONLY(ISSUER_LINK),     "adcs only",         true  },
    { "config",          ONLY(ISSUER_LINK),     "adcs only",         true  },
    { "template",        ONLY(ISSUER_LINK),     "adcs only",         false },
    { "template_server", ONLY(ISSUER_LINK),     "adcs only",         false },
    { "template_client", ONLY(ISSUER_LINK),     "adcs only",         false },
};
static const char *const kind_words[] = {
    [ISSUER_INTERNAL] = "internal", [ISSUER_COMMAND] = "command",
    [ISSUER_CSR] = "csr", [ISSUER_APPLIANCE] = "appliance",
    [ISSUER_LINK] = "adcs",
};
/* clang-format on */

/* Each kind has keys of its own; another's would be without effect. */
static void check_kind(struct reading *rd, const struct section *s)
{
    const struct issuer *issuer = s->made;

    for (size_t i = 0; i < sizeof(issuer_keys) / sizeof(issuer_keys[0]); i++) {
        const char *key = issuer_keys[i].key;
        bool own = (issuer_keys[i].kinds & ONLY(issuer->kind)) != 0;

        if (own && issuer_keys[i].needed && !section_entry(s, key))
            reading_fault(rd, FAULT_ERROR, s->line,
                          "[issuer %s] has no `%s', which kind = %s needs",
                          issuer->name, key, kind_words[issuer->kind]);
        else if (!own && section_entry(s, key))
            reading_fault(rd, FAULT_ERROR, entry_line(s, key),
                          "[issuer %s]: `%s' is for kind = %s", issuer->name,
                          key, issuer_keys[i].only);
    }
}

static void check_signer(struct reading *rd, const struct section *s)
{
    const struct issuer *issuer = s->made;
    const struct cluster *c = issuer->node ? issuer->node->cluster : NULL;

    if (c && c->words && !c->words->signer)
        reading_fault(rd, FAULT_ERROR, entry_line(s, "node"),
                      "[issuer %s]: node %s is of product %s, whose nodes sign "
                      "no requests",
                      issuer->name, issuer->node->name, c->product);
}

/* A key without its certificate, or the other way round, is never made. */
static void check_issuer(struct reading *rd, const struct section *s)
{
    const struct issuer *issuer = s->made;
    const char *cert = issuer->ca_cert, *key = issuer->ca_key;

    check_kind(rd, s);
    check_signer(rd, s);
    if (!cert || !key)
        return;
    if (strcmp(cert, key) == 0)
        reading_fault(rd, FAULT_ERROR, entry_line(s, "ca_key"),
                      "[issuer %s]: ca_cert and ca_key are one file",
                      issuer->name);
    if (!strstr(cert, "{cluster}") != !strstr(key, "{cluster}"))
        reading_fault(rd, FAULT_WARNING, entry_line(s, "ca_key"),
                      "[issuer %s]: {cluster} stands in one of ca_cert and "
                      "ca_key only",
                      issuer->name);
}

static void check_fleet(struct reading *rd)
{
    const struct entry *e = section_entry(rd->fleet, "ssh_config");

    if (e && !e->bad && e->value.text && access(e->value.text, R_OK) < 0)
        reading_fault(rd, FAULT_WARNING, e->line,
                      "ssh_config %s cannot be read and counts as empty",
                      e->value.text);
    if (rd->inv->n_clusters == 0 && rd->inv->n_errors == 0)
        reading_fault(rd, FAULT_WARNING, 0, "no cluster in it");
}

void inventory_check(struct reading *rd)
{
    struct names roots = {0};

    check_fleet(rd);
    check_nodes(rd);
    for (const struct section *s = rd->first; s; s = s->next) {
        if (s->kind == SECTION_CLUSTER && s->made)
            check_cluster(rd, &roots, s);
        else if (s->kind == SECTION_ISSUER && s->made)
            check_issuer(rd, s);
    }
    names_release(&roots);
}
