/* SPDX-License-Identifier: Apache-2.0
 *
 * Who must take whose certificate, as the services run now (facts/cms.md
 * 5.3, 5.4, 5.9, 5.10): looked at whenever one of the two has started.
 *
 * A trust store is a chain of issuers or a list of exact certificates.  Each
 * refusal is noted once; that it was mended later takes nothing away.
 */
#include <string.h>

#include "tests/lab/service.h"

/* The certificate of one is shown to the other, which looks into its trust. */
struct trust_row {
    const char *shows;
    unsigned cert;
    const char *looks;
    unsigned trust;
    bool lax;    /* without a trust store anybody is taken */
    bool others; /* of other nodes only */
};

/* clang-format off */
static const struct trust_row rows[] = {
    { "callbridge", 1, "webbridge3", 4, false, false },
    { "webbridge3", 3, "callbridge", 3, false, false },
    { "webadmin",   1, "callbridge", 4, true,  true },
    { "callbridge", 1, "webbridge",  3, true,  false },
    { "scheduler",  3, "webbridge3", 4, false, false },
    { "webbridge3", 3, "scheduler",  4, false, false },
    { "webadmin",   1, "uploader",   0, false, false },
    { NULL, 0, NULL, 0, false, false },
};
/* clang-format on */

static void note(struct lab_cluster *cluster, const char *line)
{
    if (!strstr(str_text(&cluster->refused), line))
        str_add(&cluster->refused, line);
}

static void look(const struct trust_row *row, struct lab_node *a,
                 struct lab_node *b)
{
    const struct service *shows = service_find(a, row->shows);
    const struct service *looks = service_find(b, row->looks);
    const struct service_bytes *cert = &shows->held[row->cert];
    const struct service_bytes *trust = &looks->held[row->trust];
    char line[256];

    if (!shows->running || !looks->running || !cert->data ||
        !service_counts(looks) || (row->others && a == b))
        return;
    if (trust->data ? certset_chains(cert->data, cert->len, trust->data,
                                     trust->len, false)
                    : row->lax)
        return;
    snprintf(line, sizeof(line), "%s %s refuses %s of %s\n", b->name,
             row->looks, row->shows, a->name);
    note(a->cluster, line);
}

void service_look_around(struct lab_node *node, const struct service *s)
{
    const struct lab_cluster *c = node->cluster;

    for (const struct trust_row *row = rows; row->shows; row++)
        for (size_t i = 0; i < c->n_nodes; i++) {
            if (strcmp(row->shows, s->kind->name) == 0)
                look(row, node, c->nodes[i]);
            else if (strcmp(row->looks, s->kind->name) == 0)
                look(row, c->nodes[i], node);
        }
}
