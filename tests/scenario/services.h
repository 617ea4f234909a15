/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/services.h - beds for cms/service-rotate: core1 to core3 with
 * services and an issuer for them, and what the lab saw of them.
 */
#ifndef CERTFLEET_SCENARIO_SERVICES_H
#define CERTFLEET_SCENARIO_SERVICES_H

#include "tests/scenario/bed.h"

enum {
    SERVICES_NODES = 3
};
extern const char *const services_nodes[SERVICES_NODES];

/* An issuer for services, in the inventory of any bed. */
void services_issuer(struct bed *bed);
/* `list': "all", or names by commas. */
struct bed *services_bed(void **state, const char *list);
json_t *services_of(struct bed *bed, const char *node, const char *name);
/* On all nodes: it runs with its old or new files, and went down so often. */
void services_are(struct bed *bed, const char *name, const char *state,
                  unsigned drops);
void services_state(struct bed *bed, const char *name, const char *state);
/* Never two nodes at once, and no word to a database cluster but the question
 * how it is. */
void services_were_orderly(struct bed *bed);
/* Nobody, at any moment, did not take what another one showed. */
void services_trusted(struct bed *bed);
/* SIGKILL when core2 has done the command, which `words' sends. */
void services_killed(struct bed *bed, const char *words, const char *command);

#endif
