/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/windows_view.h - the windows of a cluster from some moment on, as rows
 * and as events.
 */
#ifndef CERTFLEET_CLI_WINDOWS_VIEW_H
#define CERTFLEET_CLI_WINDOWS_VIEW_H

#include <stdint.h>

#include "cli/out.h"
#include "cli/table.h"
#include "core/fleet/inventory.h"
#include "core/fleet/window.h"

/* UTC as any other zone, without its name. */
void windows_utc_clock(int64_t at, struct window_clock *clock);

extern const char *const windows_heads[]; /* for table_init */

/* The window that is open at `now` (seconds) and the three after it; with
 * --json each goes to `out' at once, else into `table'. */
void windows_view(struct out *out, struct table *table,
                  const struct cluster *cluster, int64_t now);

#endif
