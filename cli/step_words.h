/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/step_words.h - a playbook's row in words: order, nodes, kind.
 */
#ifndef CERTFLEET_CLI_STEP_WORDS_H
#define CERTFLEET_CLI_STEP_WORDS_H

#include "core/base/str.h"
#include "core/run/product.h"

const char *step_order_word(enum step_order order); /* "one by one" */
const char *step_kind_word(unsigned flags);         /* "OUTAGE", "live" ... */
/* "database,connect"; roles that only a reading tells: "as read". */
void step_add_roles(struct str *out, const struct playbook *playbook,
                    uint32_t roles);

#endif
