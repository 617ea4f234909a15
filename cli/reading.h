/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/reading.h - what the nodes said the last time that they were asked, in
 * STATE_DIR/reading.json: for `windows' and for /metrics, which ask no node.
 *
 * One line a node.  `check', `report --fleet' and `fleet/renew' keep what they
 * read; a node that they did not look at keeps its line.  It is never believed
 * for a change: whoever changes something reads the nodes first.  No line
 * holds a secret.
 */
#ifndef CERTFLEET_CLI_READING_H
#define CERTFLEET_CLI_READING_H

#include "cli/fleet_facts.h"

enum {
    READING_CAP = 256 * 1024 * 1024
};

struct reading {
    struct str lines;
    int64_t at; /* seconds */
};
void reading_start(struct reading *reading, int64_t now);
/* A node of a scan. */
void reading_take(struct reading *reading, const struct view *view);
/* Puts them in the place of older ones, and releases it.  Of two that do so at
 * once one waits for the other.  What cannot be written is logged: nobody's
 * work depends on it.  Blocking. */
void reading_keep(struct reading *reading, const struct inventory *inventory);

/* All that is kept of the inventory's nodes, in order; none: 0, and the lists
 * are empty.  facts->now is the caller's; texts live in `arena`.  A line that
 * cannot be read is passed over.  Blocking. */
int reading_load(const struct inventory *inventory, struct arena *arena,
                 struct fleet_facts *facts, struct err *err);

#endif
