/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/spares.h - at the end of a pass of `run': the RSA keys that the next
 * passes will need, made while nobody waits for them (core/run/spare.h).
 */
#ifndef CERTFLEET_CLI_SPARES_H
#define CERTFLEET_CLI_SPARES_H

#include "cli/renew.h"

enum {
    SPARES_AHEAD_S = 86400 /* of what begins within a day, not earlier */
};

/* Of what the forecast says will begin, but for what may begin at once.  Ends
 * before the next window opens, and at a signal.  Throws away what no cluster
 * wants any more.  What fails is logged: the keys are made when they are
 * needed, then. */
void spares_fill(struct renew *renew, struct session *session);

#endif
