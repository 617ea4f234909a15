/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of reads and its parsers.  What a parser does not understand stays
 * unknown: the rows that must be known are not optional, and what the others
 * leave open refuses in decide.c.
 */
#include "playbooks/cucm/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cucm/cucm.h"
#include "playbooks/vos/serial.h"

enum {
    ANSWER_CAP = 2 * 1024 * 1024, /* a node's whole trust stores, in PEM */
    API_TIMEOUT_MS = 30000,
    API_PORT = 443
};

const char *const cucm_unit_names[CUCM_UNITS] = {
    "tomcat", "CallManager", "cup-xmpp", "cup-xmpp-s2s", "TVS", "ITLRecovery",
};

struct facts *cucm_facts_new(void)
{
    struct cucm_facts *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    return (struct facts *)f;
}

/* But what the shell said of it. */
static void drop_unit(struct cucm_unit *u)
{
    const struct cucm_unit kept = {.printed = u->printed,
                                   .is_target = u->is_target};

    free(u->trusts);
    free(u->pem);
    *u = kept;
}

static void drop_units(struct cucm_facts *f)
{
    for (int i = 0; i < CUCM_UNITS; i++)
        drop_unit(&f->units[i]);
}

void cucm_facts_free(struct facts *facts)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;

    drop_units(f);
    for (int i = 0; i < CUCM_UNITS; i++)
        free(f->units[i].printed);
    free(f->target_pem);
    vos_node_release(&f->node);
    free(f->replication);
    free(f->members);
    free(f->ctl);
    free(f);
}

const struct cucm_facts *cucm_facts_at(const struct plan_cluster *pc, size_t i)
{
    return (const struct cucm_facts *)pc->nodes[i].facts;
}

const struct cucm_facts *cucm_facts_of(const struct view *view)
{
    return cucm_facts_at(view->plan, view->node);
}

const struct cucm_unit *cucm_unit_at(const struct plan_cluster *pc, size_t i)
{
    return &cucm_facts_at(pc, i)->units[cucm_type_of(pc->plan) - cucm_types];
}

enum vos_running cucm_running_of(const struct cucm_facts *f,
                                 const char *service)
{
    return vos_running_of(&f->node.services, service);
}

bool cucm_is_fresh(const struct cucm_facts *f, enum cucm_read bit)
{
    uint64_t at = f->node.base.read_ms[__builtin_ctz(bit)];

    return at && clock_mono_ms() - at <= CUCM_FRESH_MS;
}

/* -- the shell ------------------------------------------------------------- */

static int parse_replication(struct facts *facts, const struct read_file *about,
                             const struct link_result *result, struct err *err)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;

    (void)about;
    if (!f->replication &&
        !(f->replication = calloc(1, sizeof(*f->replication))))
        abort();
    if (cucm_replication_parse(result->data, result->len, f->replication,
                               err) == 0)
        return 0;
    free(f->replication);
    f->replication = NULL;
    return -1;
}

static int parse_members(struct facts *facts, const struct read_file *about,
                         const struct link_result *result, struct err *err)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;

    (void)about;
    if (!f->members && !(f->members = calloc(1, sizeof(*f->members))))
        abort();
    if (cucm_members_parse(result->data, result->len, f->members, err) == 0)
        return 0;
    free(f->members);
    f->members = NULL;
    return -1;
}

static int parse_mode(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;

    (void)about;
    f->mode_known =
        cucm_mode_parse(result->data, result->len, &f->mixed, err) == 0;
    return f->mode_known ? 0 : -1;
}

static int parse_sso(struct facts *facts, const struct read_file *about,
                     const struct link_result *result, struct err *err)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;

    (void)about;
    f->sso_known = cucm_sso_parse(result->data, result->len, &f->sso, err) == 0;
    return f->sso_known ? 0 : -1;
}

static int parse_phones(struct facts *facts, const struct read_file *about,
                        const struct link_result *result, struct err *err)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;

    (void)about;
    f->phones_known =
        cucm_phones_parse(result->data, result->len, &f->phones, err) == 0;
    return f->phones_known ? 0 : -1;
}

static int parse_ctl(struct facts *facts, const struct read_file *about,
                     const struct link_result *result, struct err *err)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;

    (void)about;
    (void)err;
    free(f->ctl);
    f->ctl = malloc(result->len + 1);
    if (!f->ctl)
        abort();
    memcpy(f->ctl, result->data, result->len);
    f->ctl_len = result->len;
    return 0;
}

static int parse_own(struct facts *facts, const struct read_file *about,
                     const struct link_result *result, struct err *err)
{
    struct cucm_unit *u = &((struct cucm_facts *)facts)->units[about->tag];

    (void)err;
    free(u->printed);
    u->printed = strndup(result->data, result->len);
    if (!u->printed)
        abort();
    return 0;
}

/* -- the REST interface ---------------------------------------------------- */

/* After the restart its listener may show the certificate of this very run. */
bool cucm_api(const struct plan_cluster *pc, size_t node,
              struct link_peer *peer)
{
    const struct node *n = pc->nodes[node].node;
    const struct set_file *crt = set_slot(&pc->set, "crt");

    if (!n->api_user)
        return false;
    peer->address = n->address;
    peer->port = n->api_port ? n->api_port : API_PORT;
    peer->pin = crt && crt->cert_sha256[0] ? crt->cert_sha256 : NULL;
    peer->timeout_ms = API_TIMEOUT_MS;
    peer->answer_cap = ANSWER_CAP;
    return true;
}

static void take_target(const struct plan_cluster *pc, struct cucm_facts *f)
{
    const struct set_file *crt = set_slot(&pc->set, "crt");

    free(f->target_pem);
    f->target_pem = NULL;
    if (crt && crt->content &&
        !(f->target_pem = strdup(secret_text(crt->content))))
        abort();
}

static bool api_peer(const struct view *view, const struct read_file *about,
                     struct link_peer *peer)
{
    struct cucm_facts *f =
        (struct cucm_facts *)view->plan->nodes[view->node].facts;

    (void)about;
    f->certs_known = false;
    take_target(view->plan, f);
    if (cucm_api(view->plan, view->node, peer))
        return true;
    snprintf(f->certs_why, sizeof(f->certs_why),
             "the inventory gives no access to its API (api_user)");
    return false;
}

static void sha_of(const char *pem, char sha[PKI_SHA256_HEX])
{
    pki_sha256(pem, strlen(pem), sha);
}

static void take_unit(struct cucm_unit *u, struct cucm_snapshot *s)
{
    u->there = s->certificate != NULL;
    u->pem = s->certificate;
    s->certificate = NULL;
    if (u->pem)
        sha_of(u->pem, u->pem_sha256);
    if (s->request)
        sha_of(s->request, u->request_sha256);
    u->trusts = calloc(s->n_trusts + 1, sizeof(*u->trusts));
    if (!u->trusts)
        abort();
    for (u->n_trusts = 0; u->n_trusts < s->n_trusts; u->n_trusts++)
        sha_of(s->trusts[u->n_trusts], u->trusts[u->n_trusts]);
}

static int parse_certs(struct facts *facts, const struct read_file *about,
                       const struct link_result *result, struct err *err)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;
    int rc = 0;

    (void)about;
    drop_units(f);
    if (result->end != LINK_OK)
        *err = *result->err;
    for (int i = 0; i < CUCM_UNITS && result->end == LINK_OK && rc == 0; i++) {
        struct cucm_snapshot s;

        rc = cucm_snapshot_parse(result->data, result->len, cucm_unit_names[i],
                                 &s, err);
        if (rc == 0) {
            take_unit(&f->units[i], &s);
            cucm_snapshot_release(&s);
        }
    }
    f->certs_known = result->end == LINK_OK && rc == 0;
    snprintf(f->certs_why, sizeof(f->certs_why), "%.255s",
             f->certs_known ? "" : err->text);
    return f->certs_known ? 0 : -1;
}

static void describe_target(struct cucm_facts *f)
{
    struct pki_cert_info info;

    f->target_serial[0] = '\0';
    if (f->target_pem &&
        pki_describe(f->target_pem, strlen(f->target_pem), &info, NULL) == 0)
        memcpy(f->target_serial, info.serial, sizeof(f->target_serial));
}

/* A node that printed nothing this time has said nothing. */
static void judge_printed(const struct cucm_facts *f, struct cucm_unit *u)
{
    u->is_target =
        u->printed && f->target_serial[0] &&
        vos_holds_serial(u->printed, strlen(u->printed), f->target_serial);
    free(u->printed);
    u->printed = NULL;
}

static void describe_units(struct facts *facts)
{
    struct cucm_facts *f = (struct cucm_facts *)facts;

    describe_target(f);
    for (int i = 0; i < CUCM_UNITS; i++) {
        struct cucm_unit *u = &f->units[i];

        if (u->pem && pki_describe(u->pem, strlen(u->pem), &u->info, NULL) < 0)
            memset(&u->info, 0, sizeof(u->info));
        free(u->pem);
        u->pem = NULL;
        judge_printed(f, u);
    }
}

/* -- what is shown --------------------------------------------------------- */

/* "example.com" of "imp1.example.com" */
static const char *domain_of(const struct plan_cluster *pc, size_t node)
{
    const char *fqdn = cucm_fqdn(pc, node), *dot = strchr(fqdn, '.');

    return dot ? dot + 1 : fqdn;
}

static bool shown_peer(const struct view *view, const struct read_file *about,
                       struct link_peer *peer)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const struct cucm_type *type = cucm_type_of(view->plan->plan);

    (void)about;
    vos_shown_forget(pn->facts);
    if (!type->port || !(pn->node->roles & type->scope))
        return false;
    peer->address = pn->node->address;
    peer->port = type->port;
    peer->tls = type->tls;
    peer->domain = domain_of(view->plan, view->node);
    return true;
}

/* clang-format off */
#define MODE "run sql select paramvalue from processconfig where paramname='ClusterSecurityMode'"
const struct read_row cucm_reads[] = {
    { CUCM_READ_SERVICES,    READ_COMMAND, "utils service list", .parse = vos_services_take },
    { CUCM_READ_REPLICATION, READ_COMMAND, "utils dbreplication runtimestate", .parse = parse_replication,
      .roles = CUCM_PUBLISHER | CUCM_IMP_PUBLISHER },
    { CUCM_READ_MEMBERS,     READ_COMMAND, "show network cluster", .parse = parse_members,
      .roles = CUCM_PUBLISHER },
    { CUCM_READ_MODE,        READ_COMMAND, MODE, true, .parse = parse_mode, .roles = CUCM_PUBLISHER },
    { CUCM_READ_SSO,         READ_COMMAND, "utils sso status", true, .parse = parse_sso },
    { CUCM_READ_PHONES,      READ_COMMAND, "show risdb query phone", true, .parse = parse_phones,
      .roles = CUCM_PUBLISHER },
    { CUCM_READ_CTL,         READ_COMMAND, "show ctl", true, .parse = parse_ctl, .roles = CUCM_PUBLISHER },
    { CUCM_READ_CERTS,       READ_COMMAND, "show cert own tomcat", true, .parse = parse_own, .about = { NULL, 0 } },
    { CUCM_READ_CERTS,       READ_COMMAND, "show cert own CallManager", true, .parse = parse_own, .about = { NULL, 1 },
      .roles = CUCM_UCM },
    { CUCM_READ_CERTS,       READ_COMMAND, "show cert own cup-xmpp", true, .parse = parse_own, .about = { NULL, 2 },
      .roles = CUCM_PRESENCE },
    { CUCM_READ_CERTS,       READ_COMMAND, "show cert own cup-xmpp-s2s", true, .parse = parse_own, .about = { NULL, 3 },
      .roles = CUCM_PRESENCE },
    { CUCM_READ_CERTS,       READ_API, CUCM_REST "/snapshot/server", true, .peer = api_peer, .parse = parse_certs },
    { CUCM_READ_CERTS,       READ_WORK, .work = describe_units },
    { CUCM_READ_SHOWN,       READ_SERVED, NULL, true, .peer = shown_peer, .parse = vos_shown_take },
    { CUCM_READ_SHOWN,       READ_WORK, .work = vos_shown_describe },
    { 0 },
};
/* clang-format on */
