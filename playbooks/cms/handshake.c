/* SPDX-License-Identifier: Apache-2.0
 *
 * Would the pairs take each other?  Both directions of each, each by the
 * judge's own bundle and clock.  A database client is known by its common
 * name; the server's names are not asked for, as with verify-ca (facts/cms.md
 * 3.2).  Equal certificates before equal bundles are judged once: a cluster
 * with one set costs a handful of signatures, however many nodes it has.
 */
#include "playbooks/cms/handshake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"

enum {
    MINUTE = 60
};

struct judged { /* one certificate before one bundle */
    const char *cert, *trust;
    enum pki_purpose purpose;
    int64_t minute;
    bool taken;
    char why[500];
};

struct court {
    const struct cms_trial *trial;
    struct cms_verdicts *verdicts;
    struct judged *list; /* room for two a pair */
    size_t n;
};

/* To the minute: nodes that are seconds apart share a judgement. */
static int64_t minute_at(const struct plan_cluster *pc, size_t node)
{
    const struct cms_facts *f = cms_facts_at(pc, node);
    int64_t now = clock_wall_ms() / 1000;

    return (now + (f ? f->clock_off_ms / 1000 : 0)) / MINUTE;
}

static bool same(const struct judged *j, const struct judged *wanted)
{
    return j->purpose == wanted->purpose && j->minute == wanted->minute &&
           strcmp(j->cert, wanted->cert) == 0 &&
           strcmp(j->trust, wanted->trust) == 0;
}

static const struct judged *judge(struct court *court, size_t by,
                                  enum pki_purpose purpose,
                                  const struct cms_paper *cert,
                                  const struct cms_paper *trust)
{
    struct judged one = {.cert = cert->sha256,
                         .trust = trust->sha256,
                         .purpose = purpose,
                         .minute = minute_at(court->trial->pc, by)};
    const struct pki_peer peer = {
        .cert = cert->data,
        .cert_len = cert->len,
        .trust = trust->data,
        .trust_len = trust->len,
        .purpose = purpose,
        .at = one.minute * MINUTE,
        .name = purpose == PKI_CLIENT ? "postgres" : NULL,
        .weak = !court->trial->is_new, /* they talk by it now */
    };
    struct err err = {0};

    for (size_t i = 0; i < court->n; i++)
        if (same(&court->list[i], &one))
            return &court->list[i];
    one.taken = pki_peer_verify(&peer, &err) == 0;
    snprintf(one.why, sizeof(one.why), "%.490s", one.taken ? "" : err.text);
    court->list[court->n] = one;
    return &court->list[court->n++];
}

static void refuse(struct court *court, const struct cms_pair *pair,
                   bool by_server, const struct cms_paper *paper,
                   const char *why)
{
    struct cms_verdicts *v = court->verdicts;
    size_t by = by_server ? pair->server : pair->client;
    size_t of = by_server ? pair->client : pair->server;
    struct cms_refusal *r;

    v->list = realloc(v->list, (v->n + 1) * sizeof(*v->list));
    if (!v->list)
        abort();
    r = &v->list[v->n++];
    r->pair = pair;
    r->by_server = by_server;
    snprintf(r->text, sizeof(r->text),
             "step %s%s: %.60s would refuse the %s certificate of %.60s "
             "(%.60s): %.400s",
             pair->step, pair->back ? " and the way back" : "",
             court->trial->pc->nodes[by].node->name,
             by_server ? "client" : "server",
             court->trial->pc->nodes[of].node->name, paper->name, why);
}

static bool papers(const struct court *court, size_t node,
                   struct cms_papers *papers)
{
    const struct cms_trial *t = court->trial;

    return t->papers_of(t->pc, node, t->user, papers);
}

static void try_pair(struct court *court, const struct cms_pair *pair)
{
    struct cms_papers client, server;
    const struct judged *by_server, *by_client;

    if (!papers(court, pair->client, &client) ||
        !papers(court, pair->server, &server)) {
        court->verdicts->skipped++;
        return;
    }
    by_server =
        judge(court, pair->server, PKI_CLIENT, &client.client, &server.trust);
    by_client =
        judge(court, pair->client, PKI_SERVER, &server.server, &client.trust);
    if (!by_server->taken)
        refuse(court, pair, true, &client.client, by_server->why);
    if (!by_client->taken)
        refuse(court, pair, false, &server.server, by_client->why);
    court->verdicts->verified += by_server->taken && by_client->taken;
}

void cms_handshakes(const struct cms_trial *trial,
                    struct cms_verdicts *verdicts)
{
    struct judged *list = calloc(2 * trial->pairs->n + 1, sizeof(*list));
    struct court court = {.trial = trial, .verdicts = verdicts, .list = list};

    if (!list)
        abort();
    memset(verdicts, 0, sizeof(*verdicts));
    for (size_t i = 0; i < trial->pairs->n; i++)
        if (trial->pairs->list[i].client_new == trial->is_new &&
            trial->pairs->list[i].server_new == trial->is_new)
            try_pair(&court, &trial->pairs->list[i]);
    verdicts->judged = court.n;
    free(list);
}

void cms_verdicts_release(struct cms_verdicts *verdicts)
{
    free(verdicts->list);
    memset(verdicts, 0, sizeof(*verdicts));
}
