/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/table.h - rows of words as columns.  Cells are copied and made visible;
 * the last column is not padded.
 */
#ifndef CERTFLEET_CLI_TABLE_H
#define CERTFLEET_CLI_TABLE_H

#include <stddef.h>

#include "cli/out.h"

enum {
    TABLE_COLUMNS = 10
};
struct table {
    size_t columns;
    char **cells; /* row by row */
    size_t n, room;
};

/* `heads`: the first row, NULL-ended. */
void table_init(struct table *table, const char *const *heads);
void table_release(struct table *table);
/* As many cells as there are heads; NULL is shown as "-". */
void table_add(struct table *table, const char *const *cells);
void table_say(const struct table *table, struct out *out);

#endif
