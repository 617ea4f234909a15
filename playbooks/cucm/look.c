/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about a cluster that gates, goals and guard share, answered from
 * the facts alone.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "playbooks/cucm/cucm.h"
#include "playbooks/vos/pem.h"
#include "playbooks/vos/serial.h"

static size_t node_with(const struct plan_cluster *pc, uint32_t role)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (pc->nodes[i].node->roles & role)
            return i;
    return SIZE_MAX;
}

/* -- names ----------------------------------------------------------------- */

/* "sub" of "sub.example.com" */
static bool is_host_of(const char *host, const char *name)
{
    size_t len = strcspn(name, ".");

    return strlen(host) == len && strncasecmp(host, name, len) == 0;
}

static bool is_called(const struct node *node, const char *name)
{
    for (const char *const *a = node->names; a && *a; a++)
        if (strcasecmp(*a, name) == 0 || is_host_of(name, *a))
            return true;
    return strcasecmp(node->address, name) == 0;
}

const struct cucm_member *cucm_member_of(const struct plan_cluster *pc,
                                         size_t node)
{
    size_t publisher = node_with(pc, CUCM_PUBLISHER);
    const struct cucm_members *all =
        publisher == SIZE_MAX ? NULL : cucm_facts_at(pc, publisher)->members;

    for (size_t k = 0; all && k < all->n; k++)
        if (is_called(pc->nodes[node].node, all->rows[k].address) ||
            is_called(pc->nodes[node].node, all->rows[k].fqdn))
            return &all->rows[k];
    return NULL;
}

const char *cucm_fqdn(const struct plan_cluster *pc, size_t node)
{
    const struct cucm_member *m = cucm_member_of(pc, node);
    const struct node *n = pc->nodes[node].node;

    return m ? m->fqdn : n->names && n->names[0] ? n->names[0] : n->address;
}

static const struct cucm_replica *replica_in(const struct plan_cluster *pc,
                                             size_t view, size_t node)
{
    const struct cucm_replication *all =
        view == SIZE_MAX ? NULL : cucm_facts_at(pc, view)->replication;

    for (size_t k = 0; all && k < all->n; k++)
        if (is_called(pc->nodes[node].node, all->rows[k].address) ||
            is_called(pc->nodes[node].node, all->rows[k].name))
            return &all->rows[k];
    return NULL;
}

const struct cucm_replica *cucm_replica_of(const struct plan_cluster *pc,
                                           size_t node)
{
    bool presence = (pc->nodes[node].node->roles & CUCM_PRESENCE) != 0;
    const struct cucm_replica *own = replica_in(
        pc, node_with(pc, presence ? CUCM_IMP_PUBLISHER : CUCM_PUBLISHER),
        node);

    return own || !presence
               ? own
               : replica_in(pc, node_with(pc, CUCM_PUBLISHER), node);
}

/* -- services -------------------------------------------------------------- */

bool cucm_restarts(const struct view *view, const char *service)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const struct cucm_facts *f = cucm_facts_of(view);

    return cucm_type_restarts(cucm_type_of(view->plan->plan), service,
                              pn->node->roles) &&
           (!view->plan->decided ||
            cucm_running_of(f, service) != VOS_NO_SERVICE);
}

int cucm_services_run(const struct plan_cluster *pc, size_t node,
                      struct err *err)
{
    const struct cucm_facts *f = cucm_facts_at(pc, node);
    const struct view view = {.plan = pc, .node = node};
    const char *service;

    for (size_t i = 0; (service = cucm_service_at(i)); i++) {
        enum vos_running running = cucm_running_of(f, service);

        if (cucm_restarts(&view, service) && running != VOS_NO_SERVICE &&
            running != VOS_STARTED)
            return err_set(err, CAUSE_REMOTE, "%s %s", service,
                           running == VOS_MOVING ? "is on its way"
                                                 : "does not run");
    }
    return 0;
}

/* -- certificates ---------------------------------------------------------- */

bool cucm_has_new(const struct plan_cluster *pc, size_t node)
{
    const struct set_file *crt = set_slot(&pc->set, "crt");
    const struct cucm_unit *u = cucm_unit_at(pc, node);

    if (!cucm_facts_at(pc, node)->certs_known)
        return u->is_target;
    return crt->sha256[0] && u->there &&
           strcmp(u->pem_sha256, crt->sha256) == 0;
}

bool cucm_listens(const struct plan_cluster *pc, size_t node)
{
    return pc->nodes[node].serves_tls;
}

bool cucm_shows_new(const struct plan_cluster *pc, size_t node)
{
    const struct set_file *crt = set_slot(&pc->set, "crt");
    const struct cucm_facts *f = cucm_facts_at(pc, node);

    if (!cucm_listens(pc, node))
        return true;
    return f->node.shown.at_ms && f->node.shown.info.sha256[0] &&
           crt->cert_sha256[0] &&
           strcmp(f->node.shown.info.sha256, crt->cert_sha256) == 0;
}

static bool trusts(const struct cucm_unit *u, const char *pem)
{
    char sha[PKI_SHA256_HEX];

    pki_sha256(pem, strlen(pem), sha);
    for (size_t i = 0; i < u->n_trusts; i++)
        if (strcmp(u->trusts[i], sha) == 0)
            return true;
    return false;
}

/* The bundle has the root last: it goes first (facts/uc.md 0.4). */
char **cucm_missing_trust(const struct plan_cluster *pc, size_t *n)
{
    const struct secret *ca = set_slot(&pc->set, "ca")->content;
    const struct cucm_unit *u = cucm_unit_at(pc, cucm_head(pc));
    char **list = calloc(CUCM_TRUSTS_MAX, sizeof(*list));
    const char *p = ca ? secret_text(ca) : "";
    struct str pem;

    if (!list)
        abort();
    *n = 0;
    str_init(&pem, ca ? ca->len + 128 : 128);
    while (*n < CUCM_TRUSTS_MAX && (p = vos_pem_next(p, "CERTIFICATE", &pem))) {
        if (!trusts(u, str_text(&pem))) {
            memmove(list + 1, list, *n * sizeof(*list));
            list[0] = str_take(&pem);
            (*n)++;
        }
        str_reset(&pem);
    }
    str_release(&pem);
    return list;
}

long cucm_phones_before(const struct plan_cluster *pc)
{
    size_t publisher = node_with(pc, CUCM_PUBLISHER);
    const char *text =
        publisher == SIZE_MAX ? NULL : pc->nodes[publisher].first_last;

    return text ? strtol(text, NULL, 10) : -1;
}

bool cucm_ctl_has_new(const struct plan_cluster *pc)
{
    size_t head = cucm_head(pc);
    const struct cucm_facts *f = cucm_facts_at(pc, head);

    return f->ctl && f->target_serial[0] &&
           vos_holds_serial(f->ctl, f->ctl_len, f->target_serial);
}

bool cucm_has_sent(const struct plan_node *pn, const char *begin)
{
    for (size_t i = 0; i < pn->n_sent; i++)
        if (strncmp(pn->sent[i], begin, strlen(begin)) == 0)
            return true;
    return false;
}

void cucm_common_name(const struct plan_cluster *pc, struct str *out)
{
    const char *wanted = plan_input(pc->plan, "cn");
    const char *fqdn = cucm_fqdn(pc, cucm_head(pc));
    size_t host = strcspn(fqdn, ".");

    if (wanted)
        str_add(out, wanted);
    else
        str_addf(out, "%.*s-ms%s", (int)host, fqdn, fqdn + host);
}
