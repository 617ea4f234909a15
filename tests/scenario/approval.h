/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/approval.h - people with keys of their own, for the scenarios
 * of approved plans.  No agent is asked: the bed's environment has none.
 */
#ifndef CERTFLEET_SCENARIO_APPROVAL_H
#define CERTFLEET_SCENARIO_APPROVAL_H

#include "tests/scenario/bed.h"

/* Runs a shell script in the bed's folder; it must end well. */
void approval_script(struct bed *bed, const char *script);
/* SSH keys DIR/alice, bob and mallory, and DIR/approvers for the first two;
 * the inventory wants so many approvals of [cluster lab]. */
void approval_people(struct bed *bed, unsigned wanted);
/* A CA, DIR/people.crt, and DIR/NAME.crt with NAME.key: carol by e-mail, dave
 * by his common name, server for TLS alone, stale whose time is over, and eve
 * of another CA; the inventory has approver_ca. */
void approval_certificates(struct bed *bed);
/* plan cms/db-rotate lab -o DIR/lab.plan */
void approval_plan(struct bed *bed);
/* approve lab.plan --yes WORDS */
struct bed_run *approval_by(struct bed *bed, const char *words);
/* apply --plan lab.plan --yes: 5, nothing sent, and the word is said. */
void approval_refuses(struct bed *bed, const char *word);

#endif
