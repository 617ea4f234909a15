/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders what a file holds into leaf, intermediates, root.  Who issued whom
 * is decided by names, key ids and signatures, never by the file's order.
 * Judges neither dates nor trust.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    NOBODY = -1
};

struct link {
    X509 *cert; /* the stack's */
    int issuer; /* its place in the list; its own: a root; or NOBODY */
    bool root;
    bool issues; /* somebody else in the list */
    bool used;   /* it stands in the chain */
};

struct links {
    struct link *list;
    int n;
};

static void note(struct str *notes, const char *what, X509 *cert)
{
    char subject[PKI_NAME_BYTES];

    if (!notes)
        return;
    pki_subject_text(cert, subject);
    str_addf(notes, "%s: %s\n", what, subject);
}

static void add_unique(struct links *links, X509 *cert, struct str *notes)
{
    for (int i = 0; i < links->n; i++)
        if (X509_cmp(links->list[i].cert, cert) == 0) {
            note(notes, "dropped a duplicate", cert);
            return;
        }
    links->list[links->n].cert = cert;
    links->list[links->n].issuer = NOBODY;
    links->n++;
}

/* A root beats a cross-signed certificate of the same key, since the chain
 * gets shorter; then the one that lives longer. */
static bool is_better(const struct link *a, const struct link *b)
{
    if (a->root != b->root)
        return a->root;
    return ASN1_TIME_compare(X509_get0_notAfter(a->cert),
                             X509_get0_notAfter(b->cert)) > 0;
}

static void find_issuer(struct links *links, int at)
{
    struct link *of = &links->list[at];

    if (of->root) {
        of->issuer = at;
        return;
    }
    for (int i = 0; i < links->n; i++) {
        struct link *by = &links->list[i];
        if (i == at || X509_check_issued(by->cert, of->cert) != X509_V_OK ||
            X509_verify(of->cert, X509_get0_pubkey(by->cert)) != 1)
            continue;
        if (of->issuer == NOBODY || is_better(by, &links->list[of->issuer]))
            of->issuer = i;
    }
    if (of->issuer != NOBODY)
        links->list[of->issuer].issues = true;
    ERR_clear_error();
}

/* Certificates from `at` upwards; two that sign each other end the walk by
 * its bound. */
static int chain_length(const struct links *links, int at, bool *complete)
{
    int length = 0;

    *complete = false;
    while (at != NOBODY && length < links->n) {
        length++;
        *complete = links->list[at].root;
        if (*complete)
            break;
        at = links->list[at].issuer;
    }
    return length;
}

/* The leaf is who issues nobody: rather no CA than a CA, rather with a long
 * chain than a stranger, rather whole than broken, rather first in the file. */
static int find_leaf(const struct links *links)
{
    int best = 0, best_score = -1;

    for (int i = 0; i < links->n; i++) {
        const struct link *link = &links->list[i];
        bool complete;
        int score = chain_length(links, i, &complete) * 2 + complete;
        if (link->issues)
            continue;
        if (X509_check_ca(link->cert) == 0)
            score += 4 * PKI_MAX_CERTS;
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    return best;
}

static int write_chain(struct links *links, int at, struct str *out,
                       struct str *notes, struct err *err)
{
    struct link *link = NULL;
    int place = 0;
    bool moved = false;

    while (at != NOBODY && !links->list[at].used) {
        char *pem;
        link = &links->list[at];
        link->used = true;
        moved = moved || at != place;
        place++;
        pem = pki_cert_pem(link->cert);
        if (!pem || str_add(out, pem) < 0) {
            free(pem);
            return pki_fail(err, CAUSE_INPUT, "the chain is over %zu bytes",
                            out->cap);
        }
        free(pem);
        at = link->issuer;
    }
    if (moved && notes)
        str_add(notes, "put into the order leaf, intermediates, root\n");
    if (link && !link->root)
        note(notes, "the root is missing: no issuer in the file for",
             link->cert);
    return 0;
}

static void note_keys(const void *data, size_t len, struct str *notes)
{
    const char *at = data, *end = at + len;
    struct pki_block block;

    while (notes && pki_pem_next(&at, end, &block) > 0) {
        enum pki_label label = pki_pem_label(&block);
        if (label == PKI_LABEL_KEY || label == PKI_LABEL_LOCKED_KEY)
            str_add(notes, "left out a private key\n");
    }
}

int pki_chain_order(const void *data, size_t len, struct str *out,
                    struct str *notes, struct err *err)
{
    STACK_OF(X509) *certs = pki_read_certs(data, len, err);
    struct links links = {0};
    int rc;

    if (!certs)
        return -1;
    links.list = calloc((size_t)sk_X509_num(certs), sizeof(*links.list));
    if (!links.list)
        abort();
    for (int i = 0; i < sk_X509_num(certs); i++)
        add_unique(&links, sk_X509_value(certs, i), notes);
    for (int i = 0; i < links.n; i++)
        links.list[i].root = pki_is_root(links.list[i].cert);
    for (int i = 0; i < links.n; i++)
        find_issuer(&links, i);
    rc = write_chain(&links, find_leaf(&links), out, notes, err);
    for (int i = 0; rc == 0 && i < links.n; i++)
        if (!links.list[i].used)
            note(notes, "dropped a stranger", links.list[i].cert);
    note_keys(data, len, notes);
    free(links.list);
    sk_X509_pop_free(certs, X509_free);
    ERR_clear_error();
    return rc;
}
