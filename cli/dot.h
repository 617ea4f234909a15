/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/dot.h - a playbook's table as a picture, in the language of Graphviz.
 *
 * One box a row (number, id, title, nodes, order, kind), one frame a block: a
 * row with the rows chained to it.  Solid lines: what follows when it is met.
 * Dashed ones: where a row leads that fails for good.  Dotted: another try of
 * a row that begins anew.  All of it from the flags of the rows.
 */
#ifndef CERTFLEET_CLI_DOT_H
#define CERTFLEET_CLI_DOT_H

#include "core/base/str.h"
#include "core/run/product.h"

void dot_playbook(const struct playbook *playbook, struct str *out);

#endif
