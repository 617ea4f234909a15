/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/metrics.h - Prometheus' text format (version 0.0.4), into a struct str:
 * for a textfile now, and for whoever answers /metrics.
 *
 * A family is its HELP and TYPE lines and then all its samples.  Label values
 * may be anything: they are made visible, then escaped.  A sample whose name
 * and labels stand in the family already is left out, since one such pair
 * makes a reader throw the whole text away.
 */
#ifndef CERTFLEET_CLI_METRICS_H
#define CERTFLEET_CLI_METRICS_H

#include <stdint.h>

#include "core/base/str.h"

enum {
    METRICS_CAP = 256 * 1024 * 1024
};

struct metrics_family {
    const char *name, *type, *help; /* "gauge" or "counter" */
};
struct metrics_label { /* .name NULL ends a list */
    const char *name, *value;
};

struct metrics {
    struct str *out;
    const struct metrics_family *family; /* the open one */
    char **seen;                         /* its samples' labels */
    size_t n_seen, room;
};

void metrics_init(struct metrics *metrics, struct str *out);
void metrics_release(struct metrics *metrics);
void metrics_open(struct metrics *metrics, const struct metrics_family *family);
void metrics_add(struct metrics *metrics, const struct metrics_label *labels,
                 int64_t value);
/* The same in thousandths: base units are seconds, ours milliseconds. */
void metrics_add_ms(struct metrics *metrics, const struct metrics_label *labels,
                    int64_t ms);

#endif
