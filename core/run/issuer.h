/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/issuer.h - who signs, as far as it is the same for every product:
 * where a CA lies, whether it can sign, and its files as text.  Blocking; for
 * before the first packet, and for the pool.
 */
#ifndef CERTFLEET_RUN_ISSUER_H
#define CERTFLEET_RUN_ISSUER_H

#include "core/run/plan.h"

/* "{cluster}" in a path of the inventory replaced.  The caller frees. */
char *issuer_path(const char *template, const char *cluster);

/* A CA that cannot sign, or to which nothing can lead, is known before the
 * first packet: CAUSE_INPUT, naming the issuer.  Sets pc->ca_not_after.  One of
 * our own may still be made; of kind appliance nothing is known here. */
int issuer_check(struct plan_cluster *pc, const struct issuer *issuer,
                 struct err *err);

/* Our own CA, made if need be.  pki_ca_release it. */
int issuer_open_ca(const struct issue_job *job, const struct issuer *issuer,
                   struct pki_ca *ca, struct err *err);

/* A file of at most `cap` bytes, with a NUL behind them (an answer may be DER);
 * *len (may be NULL) without that.  NULL on error; the caller frees. */
char *issuer_text(const char *path, size_t cap, size_t *len, struct err *err);

#endif
