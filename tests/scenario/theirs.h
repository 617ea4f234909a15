/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/theirs.h - a CA that is not certfleet's, and a bed whose
 * cluster has it for issuer.
 *
 * In the bed's folder: their.crt (the root), inter.crt, their keys, ca.cnf and
 * `sign', the program of docs/issuers.md, which besides writes what it was
 * asked to `asked' and its environment to env-server and env-client.
 */
#ifndef CERTFLEET_SCENARIO_THEIRS_H
#define CERTFLEET_SCENARIO_THEIRS_H

#include "tests/scenario/bed.h"

#define CA "openssl ca -batch -notext -config ca.cnf"
#define AGO " -startdate $(date -u -d '1 hour ago' +%y%m%d%H%M%SZ)"
/* A request on its standard input becomes a certificate. */
#define SIGN                                                                   \
    CA AGO " -cert inter.crt -keyfile inter.key -in /dev/stdin"                \
           " -days \"$CERTFLEET_DAYS\" -extensions leaf"
extern const char their_sign[]; /* the text of `sign' */

/* bed_start, with [issuer dbca]: ca_cert = their.crt, and these keys. */
struct bed *their_start(void **state, const char *shape, const char *keys,
                        const char *const *args);
/* NAME in the bed's folder. */
const char *their_path(struct bed *bed, const char *name);
/* Writes a program, and runs one there with a word, which must end well. */
void their_script(struct bed *bed, const char *name, const char *text);
void their_run(struct bed *bed, const char *name, const char *word);
/* A file of the cluster's only set here, below the bed's folder; NULL. */
const char *their_find(struct bed *bed, const char *cluster,
                       const char *pattern);
/* The private keys of lab's set are nowhere but in their files. */
void their_hunt(struct bed *bed);

#endif
