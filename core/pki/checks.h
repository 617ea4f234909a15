/* SPDX-License-Identifier: Apache-2.0
 *
 * core/pki/checks.h - the table of checks: what is looked at before anything
 * is touched, how bad a breach is, by whose rule, and what to do about it.
 *
 * Ids are stable (facts/certs.md 6): they stand in inventories, scripts and
 * journals.  Files tell most of them (core/pki/lint*.c); what nodes tell is
 * found by a product's gates, whose own ids a row names in `gates`.
 */
#ifndef CERTFLEET_PKI_CHECKS_H
#define CERTFLEET_PKI_CHECKS_H

#include "core/pki/pki.h"

struct pki_check {
    const char *id;             /* "B1"; NULL ends the table */
    enum pki_severity severity; /* a finding may be milder, by its own words */
    const char *object;         /* "key", "certificate", "chain", "node" ... */
    const char *what;           /* what is wrong then */
    const char *source;         /* who says so */
    const char *cure;           /* what to do */
    const char *keep;  /* why it cannot be weakened: data is at stake; NULL:
                          it can */
    const char *gates; /* of a node's state: the gates' ids, with blanks;
                          NULL: files tell */
};
extern const struct pki_check pki_checks[];

/* By id, or by a gate's id; NULL: there is none. */
const struct pki_check *pki_check_find(const char *id);
/* "note", "warning", "block", "error" */
const char *pki_severity_word(enum pki_severity severity);

/* -- rules that have a date ---------------------------------------------- */

/* What public CAs are held to, from a day on; the last row whose day has come
 * holds.  Data: a new rule is a row (public_rules.c). */
enum pki_dated {
    PKI_DATED_LIFETIME,   /* `days` at most, of a certificate issued then */
    PKI_DATED_CLIENT_AUTH /* no clientAuth in a certificate issued then */
};
struct pki_dated_rule {
    enum pki_dated kind;
    const char *from; /* "2026-03-15", UTC; NULL ends the table */
    unsigned days;
    const char *source;
};
extern const struct pki_dated_rule pki_dated_rules[];
/* The rule for what was issued at `at` (seconds); NULL: none yet. */
const struct pki_dated_rule *pki_dated_rule(enum pki_dated kind, int64_t at);
/* The first rule of its kind: from when on, known long before. */
const struct pki_dated_rule *pki_dated_first(enum pki_dated kind);

#endif
