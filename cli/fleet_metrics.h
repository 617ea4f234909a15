/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/fleet_metrics.h - what monitoring asks of a fleet (docs/reports.md lists
 * the names).  Of certificates they are those of x509-certificate-exporter, so
 * that its dashboards and alerts serve here, too (facts/certs.md 9).
 */
#ifndef CERTFLEET_CLI_FLEET_METRICS_H
#define CERTFLEET_CLI_FLEET_METRICS_H

#include "cli/fleet_facts.h"
#include "cli/run_history.h"

/* `history` NULL: it could not be read, and nothing is said of runs. */
void fleet_metrics(const struct fleet_facts *facts,
                   const struct run_history *history, struct str *out);

/* Can a file be put there at all?  -1: app_fail was called, CAUSE_INPUT. */
int metrics_file_check(struct app *app, const char *path);
/* Written beside it and renamed, mode 0644: whoever reads has the old text or
 * the new one.  -1: app_fail was called. */
int metrics_file_write(struct app *app, const char *path,
                       const struct fleet_facts *facts);

#endif
