/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/cvp.h - beds of CVP servers, and what is asked of them.
 *
 * Their keystores are real ones: these tests want Java's keytool, and are
 * skipped where there is none.
 */
#ifndef CERTFLEET_SCENARIO_CVP_H
#define CERTFLEET_SCENARIO_CVP_H

#include "tests/scenario/bed.h"

enum {
    CVP_SKIPPED = 77 /* what main() returns without keytool */
};
#define CVP_ROTATE "apply cvp/keystore-rotate lab --yes "

bool cvp_has_keytool(void);
/* "cvp-server,cvp-oamp": nodes server1 and oamp2. */
struct bed *cvp_bed(void **state, const char *servers);
/* SHA-256 of a node's keystore. */
const char *cvp_keystore(struct bed *bed, const char *node);
/* "old", "new" or "down": what a service of a node shows since it started. */
void cvp_shows(struct bed *bed, const char *node, const char *service,
               const char *state);
/* The whole keystore as keytool lists it with -v. */
const char *cvp_list(struct bed *bed, const char *node);
/* No rule was broken, and the keystores' password is in nothing that was said,
 * typed on a command line, or stored. */
void cvp_is_safe(struct bed *bed);

#endif
