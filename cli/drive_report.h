/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/drive_report.h - what a run came to, in words and in the result event.
 */
#ifndef CERTFLEET_CLI_DRIVE_REPORT_H
#define CERTFLEET_CLI_DRIVE_REPORT_H

#include "cli/drive.h"

/* Fills app->final, prints a line a cluster and what went wrong; returns the
 * exit code.  The result is not needed afterwards. */
int drive_take_result(struct app *app, const struct drive_options *options,
                      const struct run_result *result);

/* A line about one cluster, and what went wrong. */
void drive_tell_cluster(struct app *app, enum run_mode mode,
                        const struct cluster_result *c);

/* What the gates found, when the plan was never shown. */
void drive_tell_findings(struct app *app, const struct plan *plan);

#endif
