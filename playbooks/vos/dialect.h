/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/vos/dialect.h - how the shell of the Voice Operating System speaks
 * (facts/uc.md 1.1): no exec channel, a prompt without a blank behind it, which
 * may come twice, pages until they are turned off, and no exit code.
 */
#ifndef CERTFLEET_VOS_DIALECT_H
#define CERTFLEET_VOS_DIALECT_H

#include "core/link.h"
#include "core/run/product.h"

extern const struct link_dialect vos_dialect;

/* What means no, in whatever sentence (facts/uc.md 1.3, 1.4).  What has other
 * words may have gone well all the same, or not: its goal asks. */
enum reply vos_judge_words(const char *output, size_t len, struct err *err);

#endif
