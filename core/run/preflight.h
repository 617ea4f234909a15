/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/preflight.h - the table of checks where a run meets it: the weights
 * that an inventory sets, findings of files among those of gates, what may be
 * accepted.
 *
 * A note stays a note, unless the check is one altogether: `C2 = error' does
 * not make an error of "two roots, as for a change of CA".
 */
#ifndef CERTFLEET_RUN_PREFLIGHT_H
#define CERTFLEET_RUN_PREFLIGHT_H

#include "core/pki/checks.h"
#include "core/run/product.h"

/* The table as the inventory's reader takes it.  Made at the first call. */
const struct check_word *preflight_words(void);

/* Weighs findings as `settings` (NULL: none) say; those that are off go. */
void preflight_grade_files(const struct check_setting *settings,
                           struct pki_findings *findings);
void preflight_grade(const struct check_setting *settings,
                     struct findings *findings);
/* What files tell, among what nodes tell. */
void preflight_take(const struct pki_findings *files, const char *node,
                    struct findings *findings);

/* The check's id of a finding: "G1" of "clock-skew"; NULL: none of the table.
 */
const char *preflight_check(const char *id);
/* "clock-skew, G1"; "B5"; "foreign" */
void preflight_add_ids(struct str *out, const char *id);
/* May --accept take it?  By the check's id or the gate's. */
bool preflight_acceptable(const char *id);

#endif
