/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/report_page.h - facts as HTML: a run's page, the fleet's page, and the
 * two figures on them.  Pure: no store, no node, no output.
 */
#ifndef CERTFLEET_CLI_REPORT_PAGE_H
#define CERTFLEET_CLI_REPORT_PAGE_H

#include "cli/fleet_facts.h"
#include "cli/report_facts.h"
#include "core/base/str.h"

/* `self': "certfleet -i FILE", which begins what is to be typed. */
void report_page(const struct report *report, const char *self,
                 struct str *out);
void fleet_page(const struct fleet_facts *facts, const char *what,
                struct str *out);

/* The color (c0 to c11) of a step: by its place in the playbook. */
unsigned report_color(const struct report *report, const char *step);
/* An SVG for each cluster: one part of the run, a row a node. */
void report_timeline(const struct report *report,
                     const struct report_cluster *cluster, size_t part,
                     struct str *out);
/* One for a part of a run of several clusters: a row a cluster. */
void report_overview(const struct report *report, size_t part, struct str *out);
bool report_has_bars(const struct report_cluster *cluster, size_t part);
/* An SVG: certificates by their end, those that several nodes share once. */
void fleet_timeline(const struct fleet_facts *facts, struct str *out);

/* "0.769 s", "3:05" */
void report_took(struct str *out, int64_t ms);

#endif
