/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/cmd_renew.h - `fleet/renew', which is no playbook of one product: plan
 * and apply hand it over before they look one up.
 */
#ifndef CERTFLEET_CLI_CMD_RENEW_H
#define CERTFLEET_CLI_CMD_RENEW_H

#include "cli/app.h"

/* Is it what the first word says? */
bool cmd_renew_is_meant(const struct app *app);
/* The inventory must have been read.  The exit code. */
int cmd_renew(struct app *app, bool plan_only);

#endif
