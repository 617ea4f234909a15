/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/path.h - how long the appliances themselves took, from the
 * lab's verdict: no client can be faster.  The verdict is given an index of its
 * commands.
 */
#ifndef CERTFLEET_BENCH_PATH_H
#define CERTFLEET_BENCH_PATH_H

#include <jansson.h>

/* Phase by phase the own time of a cluster's slowest node, in ms; a phase
 * that goes one by one (remove, join) counts every node. */
double path_cluster_ms(json_t *verdict, const char *name);

/* The same of the outage: the last remove, certs and localnode, initialize,
 * the slowest connect. */
double path_outage_ms(json_t *verdict, const char *name);

/* Of the cluster that needed most. */
double path_slowest_ms(json_t *verdict);

#endif
