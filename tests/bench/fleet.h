/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/fleet.h - `certfleet apply fleet/renew '*'` on three fleets, as
 * slow as a tenth of the field: what it costs, and how that grows.
 */
#ifndef CERTFLEET_BENCH_FLEET_H
#define CERTFLEET_BENCH_FLEET_H

#include "tests/bench/figures.h"

struct fleet_options {
    unsigned clusters;   /* of these, three tenths of them, and a tenth */
    const char *times;   /* as certfleet-lab --times takes it */
    const char *program; /* certfleet */
};

void fleet_run(const struct fleet_options *options, struct figures *figures);

#endif
