/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/figures.h - what was measured, as a table or as JSON.
 *
 * A figure is ours, a bare loop's beside it where there is one, and a goal
 * where there is one: for ours, or for ours over the bare loop's.
 */
#ifndef CERTFLEET_BENCH_FIGURES_H
#define CERTFLEET_BENCH_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum judged {
    JUDGED_NOT,
    JUDGED_OURS,
    JUDGED_RATIO
};

struct figure {
    const char *part;   /* "transport", or a job's name; static */
    const char *name;   /* static */
    const char *unit;   /* static */
    const char *beside; /* heads its column; NULL: "bare" */
    double ours;
    double bare;  /* NAN: there is none */
    double ratio; /* ours over bare, the median of the pairs; NAN.  Beside a
                   * "peer": how many times better ours is */
    enum judged judged;
    double goal; /* at most, or at least */
    bool at_least;
    bool must; /* no matter of speed: wrong otherwise */
};

struct figures {
    struct figure list[128];
    size_t n;
};

void figures_add(struct figures *figures, struct figure figure);
/* Only ours, no goal. */
void figures_note(struct figures *figures, const char *part, const char *name,
                  const char *unit, double value);
/* Only ours, at most this. */
void figures_goal(struct figures *figures, const char *part, const char *name,
                  const char *unit, double value, double goal);

/* Only ours, and anything but 0 is wrong. */
void figures_must(struct figures *figures, const char *part, const char *name,
                  double value);

void figures_print(const struct figures *figures);
json_t *figures_json(const struct figures *figures);
/* Every one that has a goal meets it. */
bool figures_pass(const struct figures *figures);
/* Every one that must be 0 is. */
bool figures_sound(const struct figures *figures);

double median(const double *values, size_t n);
/* Of a[i] / b[i]. */
double median_ratio(const double *a, const double *b, size_t n);

#endif
