/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/limbo/known.h - the cases of x509-limbo that we decide otherwise, each
 * with its reason.  One that is missing here, and one that does not occur any
 * more, fails the test.
 */
#ifndef CERTFLEET_TESTS_LIMBO_KNOWN_H
#define CERTFLEET_TESTS_LIMBO_KNOWN_H

struct known {
    const char *id;
    const char *finding; /* what we say of it; NULL: nothing */
    const char *why;
};

extern const struct known known_strict[];   /* {NULL} ends */
extern const struct known known_database[]; /* besides those */

#endif
