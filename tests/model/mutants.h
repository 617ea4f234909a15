/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/model/mutants.h - the playbook's table, broken on purpose.
 *
 * Each mutant is the real table with its rows in another order, left away, or
 * changed in one field.  An exploration that does not catch it proves nothing.
 */
#ifndef CERTFLEET_TESTS_MODEL_MUTANTS_H
#define CERTFLEET_TESTS_MODEL_MUTANTS_H

#include "core/run/product.h"

struct mutant {
    const char *title;
    const char *rule; /* which invariant it breaks when no guard is asked;
                         NULL: none, but it never comes to its end */
    const char
        *order; /* rows as letters, 'a' is the first; NULL: as they are */
    char row;   /* the row that is changed; 0: none */
    uint32_t roles;
    unsigned without, with; /* flags */
    int parallel;
};
extern const struct mutant mutants[]; /* .title NULL ends it */

/* The playbook with the mutant's table; storage is static, one at a time. */
const struct playbook *mutant_playbook(const struct mutant *mutant);

#endif
