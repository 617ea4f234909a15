/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/adcs/adcs.h - Microsoft AD CS: a Windows server where certreq
 * reaches a CA (the CA itself, or any member of its domain).  It has no
 * playbook: it is read by `check', and signs for others ([issuer] kind = adcs).
 *
 * Sources: seed 002 3.3 (certreq -submit, pending, retrieve) and seed 004 step
 * 4; Microsoft's reference of certreq and certutil; facts/uc.md 7 (OpenSSH on
 * Windows).  Windows translates its words (facts/uc.md 4.1, 7): of what is
 * printed digits and hexadecimal are read, and labels only where they are one
 * of several ways.
 */
#ifndef CERTFLEET_ADCS_ADCS_H
#define CERTFLEET_ADCS_ADCS_H

#include "core/run/signer.h"

enum {
    ADCS_CA = 1 /* its role */
};
enum {
    ADCS_READ_STATUS = 1 << 0, /* the login's shell answers */
    ADCS_READ_PING = 1 << 1,   /* the CA answers to it */
    ADCS_READ_CERT = 1 << 2    /* the CA's own certificate */
};

struct adcs_facts {
    struct facts facts;
    bool pinged, alive;      /* asked; and it answered well */
    struct pki_cert_info ca; /* kind PKI_UNKNOWN: not seen */
};

extern const struct product adcs_product;
extern const struct signer adcs_signer;
extern const struct read_row adcs_reads[];

struct facts *adcs_facts_new(void);
void adcs_facts_free(struct facts *facts);
bool adcs_variable(const struct view *view, const char *name, struct str *out);
void adcs_health(const struct view *view, struct findings *findings);
void adcs_certificates(const struct view *view, cert_row_f *each, void *user);

/* A failure's number in Windows' own writing, 0x80094800, the last one; 0:
 * there is none.  `text' has no NUL in it. */
uint32_t adcs_failure(const char *text);

#endif
