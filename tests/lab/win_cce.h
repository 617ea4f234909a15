/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/win_cce.h - a Windows server of CCE: the machine's store, what
 * http.sys has bound to 443 and 7890, two Java trust stores.
 */
#ifndef CERTFLEET_LAB_WIN_CCE_H
#define CERTFLEET_LAB_WIN_CCE_H

#include <openssl/x509.h>

#include "tests/lab/win.h"

enum {
    CCE_CERTS = 16,
    CCE_BINDINGS = 2,
    THUMB_BYTES = 41
};
struct cce_cert {
    X509 *cert;    /* NULL: of a request that waits for it */
    EVP_PKEY *key; /* NULL: a CA's */
    char thumb[THUMB_BYTES];
};
struct cce_binding {
    unsigned port;
    const char *app;
    char thumb[THUMB_BYTES]; /* "": none */
    char first[THUMB_BYTES];
};
struct cce {
    struct cce_cert my[CCE_CERTS], trusted[CCE_CERTS];
    size_t n_my, n_trusted;
    struct cce_binding bound[CCE_BINDINGS]; /* IIS, Portico */
    bool japanese;                          /* labels in code page 932 */
};
#define CCE_JAVA "C:\\Program Files (x86)\\OpenJDK\\jre-8.0.272.10-hotspot"

struct cce *cce_of(const struct lab_node *node);
const struct cce_cert *cce_find(const struct cce_cert *list, size_t n,
                                const char *thumb);
/* Has it been told to do nothing, and to end with 0 (fail-async)? */
bool cce_lies(struct mmp_run *run);
/* The listener shows what is bound from now on, if its service runs. */
void cce_rebound(struct lab_node *node, const struct cce_binding *binding);

/* win_cce_certs.c */
void cce_thumb(const X509 *cert, char thumb[THUMB_BYTES]);
X509 *cce_self_signed(const char *name, EVP_PKEY *key, int64_t now);
X509 *cce_read_cert(const void *data, size_t len);
/* From the words of an .inf; NULL: it says too little.  The caller frees. */
char *cce_request(const char *inf, EVP_PKEY *key);
/* Is it signed by one of these? */
bool cce_is_signed_by(const struct cce_cert *list, size_t n, X509 *cert);

/* win_cce_tools.c, win_cce_keytool.c */
void cce_certreq(struct mmp_run *run, char **words, int n);
void cce_certutil(struct mmp_run *run, char **words, int n);
void cce_netsh(struct mmp_run *run, char **words, int n);
void cce_diagfw(struct mmp_run *run, char **words, int n);
void cce_keytool(struct mmp_run *run, char **words, int n);

#endif
