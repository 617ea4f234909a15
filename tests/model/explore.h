/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/model/explore.h - every state that a shape can come to, breadth first.
 *
 * States are told apart by a hash of 64 bits of all their bytes: of ten
 * million states two are taken for one with a chance of one in 300,000.  The
 * graph is kept, so that the ends are looked for backwards from them.
 */
#ifndef CERTFLEET_TESTS_MODEL_EXPLORE_H
#define CERTFLEET_TESTS_MODEL_EXPLORE_H

#include <stdio.h>

#include "tests/model/model.h"

struct explored {
    size_t states, transitions;
    size_t ends[END_INCOMPLETE + 1]; /* states that are one */
    bool finished;                   /* `most` was enough */
    bool ends_from_all; /* an end can be reached from every state */
    bool good_from_all; /* done or rolled back can */
    unsigned long unseen_moves;
    struct breach breach; /* the first; nothing is looked at after it */
};

/* Looks at no more than `most` states; the shortest way to a breach, or to a
 * state without an end, goes to `out` in words. */
void explore(const struct model_options *options, size_t most, FILE *out,
             struct explored *result);

#endif
