/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/act.h - from a row's act to the exact text for one node: the same
 * words for the dry run and for the run.
 */
#ifndef CERTFLEET_RUN_ACT_H
#define CERTFLEET_RUN_ACT_H

#include "core/run/plan.h"

/* The n-th act of the row that concerns this node, or NULL. */
const struct act *act_at(const struct view *view, const struct step *step,
                         size_t n);
/* Does it send a text of the command table? */
bool act_is_text(const struct act *act);
/* Expands {variables}.  An unknown one: CAUSE_SYSTEM, naming it. */
int act_text(const struct view *view, const struct act *act, struct str *out,
             struct err *err);
/* What a person reads: "put dbserver-g2-3f9a.key (0600 here, exclusive)". */
int act_describe(const struct view *view, const struct act *act,
                 struct str *out, struct err *err);

/* I6: the row of the command table that `text` is made from; NULL with err
 * when there is none, or when an argument holds other characters. */
const struct command_row *command_match(const struct product *product,
                                        const char *text, struct err *err);

#endif
