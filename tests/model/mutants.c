/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of cms/db-rotate by letter:
 *
 *     a gates  b issue  c backup  d push
 *     e leave  f certs  (replicas)      g leave  h certs  (connect-only)
 *     i leave  j certs  (the primary)
 *     k init   l connect  m join  n prove
 *
 * `sign' has no letter: here no node makes its certificates itself.
 */
#include "tests/model/mutants.h"

#include <string.h>

#include "playbooks/cms/cms.h"

enum {
    DATA = CMS_PRIMARY | CMS_REPLICA,
    ROWS_MAX = 16
};

/* clang-format off */
const struct mutant mutants[] = {
    { .title = "the primary leaves first", .rule = "I3", .order = "abcdijefghklmn" },
    { .title = "the replicas never leave", .rule = "I3", .order = "abcdghijklmn" },
    { .title = "all database nodes leave at once", .rule = "I3", .order = "abcdefghklmn",
      .row = 'e', .roles = DATA, .parallel = 1 },
    { .title = "a replica is initialized", .rule = "I1", .row = 'k', .roles = CMS_REPLICA },
    { .title = "every database node is initialized", .rule = "I1", .row = 'k', .roles = DATA },
    { .title = "join before init", .rule = "I2", .order = "abcdefghijmkln" },
    { .title = "connect before init", .rule = "I2", .order = "abcdefghijlkmn" },
    { .title = "push when the replicas have left", .rule = "I3", .order = "abcefdghijklmn" },
    { .title = "no push", .rule = "I3", .order = "abcefghijklmn" },
    { .title = "init before the replicas leave", .rule = "I3", .order = "abcdghijkeflmn" },
    { .title = "certs before leave", .order = "abcdfehgjiklmn" },
    { .title = "no init", .rule = "I2", .order = "abcdefghijlmn" },
    { .title = "the primary never leaves", .order = "abcdefghklmn" },
    { .title = "no join, and no proof", .rule = "outcome", .order = "abcdefghijkl" },
    { .title = NULL },
};
/* clang-format on */

static void change(struct step *step, const struct mutant *mutant)
{
    if (mutant->roles)
        step->roles = mutant->roles;
    step->flags = (step->flags & ~mutant->without) | mutant->with;
    if (mutant->parallel)
        step->order = STEP_PARALLEL;
}

static const struct step *row_of(char letter)
{
    const struct step *step = cms_db_rotate.steps;
    int left = letter - 'a';

    for (; step->roles == CMS_SIGNS || left > 0; step++)
        left -= step->roles != CMS_SIGNS;
    return step;
}

const struct playbook *mutant_playbook(const struct mutant *mutant)
{
    static struct playbook playbook;
    static struct step steps[ROWS_MAX];
    static const char as_it_is[] = "abcdefghijklmn";
    const char *order = mutant->order ? mutant->order : as_it_is;

    playbook = cms_db_rotate;
    playbook.n_steps = strlen(order);
    playbook.steps = steps;
    for (size_t i = 0; i < playbook.n_steps; i++) {
        steps[i] = *row_of(order[i]);
        if (order[i] == mutant->row)
            change(&steps[i], mutant);
    }
    return &playbook;
}
