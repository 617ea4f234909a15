/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/signer.h - the port to an issuer that is a node of the inventory: a
 * CA that takes requests and gives certificates as files, by commands over its
 * link.  playbooks/ fills it in, for a product whose words name it; the asking
 * itself is core/run/signing.c.
 *
 * What a CA prints goes into a file beside its answers, so that a command
 * whose connection was lost can be heard all the same: which id has it given
 * to the request?
 */
#ifndef CERTFLEET_RUN_SIGNER_H
#define CERTFLEET_RUN_SIGNER_H

#include "core/run/product.h"

enum {
    SIGNER_ID_BYTES = 21 /* of a request, digits */
};

struct signer_ask {
    const struct issuer *issuer;
    enum pki_purpose purpose;
    const char *base; /* of the names of its files */
    const char *id;   /* of retrieve */
};

/* Files of a request in the login's own folder, which commands and SFTP call
 * alike. */
enum signer_file {
    SIGNER_REQUEST,
    SIGNER_ANSWER, /* there once there is a certificate */
    SIGNER_CHAIN,  /* the same with its path */
    SIGNER_SAID,   /* what the command has printed */
    SIGNER_MORE,   /* what else it leaves there */
    SIGNER_FILES
};

enum signer_word {
    SIGNER_PENDING, /* no certificate yet: somebody there must agree */
    SIGNER_DENIED,  /* for good */
    SIGNER_FAILED,  /* the CA was not asked, or has not understood */
};

struct signer {
    const struct product *product;     /* dialect, and the commands that may go
                                          out */
    const char *endings[SIGNER_FILES]; /* ".csr"; NULL: there is no such */
    /* The command that gives a request in, and the one that asks again for what
     * became of `id'. */
    void (*submit)(const struct signer_ask *, struct str *command);
    void (*retrieve)(const struct signer_ask *, struct str *command);
    /* Of what was printed, hostile bytes: the request's id; false: it has none,
     * or several. */
    bool (*id)(const char *said, size_t len, char id[SIGNER_ID_BYTES]);
    /* The same, where no certificate is there: why not? */
    enum signer_word (*word)(const char *said, size_t len);
};

/* The template that a request is given in with; NULL: none is named. */
const char *signer_template(const struct issuer *issuer,
                            enum pki_purpose purpose);

#endif
