/* SPDX-License-Identifier: Apache-2.0
 *
 * The cell that covers most of what is not covered yet, again and again.
 */
#include "tests/fault/sample.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_COLUMNS = 48
};

struct covered {
    bool row[WAYS][MAX_ROWS];
    bool column[WAYS][MAX_COLUMNS];
    unsigned spans[SPANS];
};

/* 0: nothing new; a row and a column weigh more than what was rare so far. */
static unsigned gain(const struct covered *c, const struct cell *cell)
{
    unsigned news = (c->row[cell->way][cell->row] ? 0u : 2u) +
                    (c->column[cell->way][cell->column] ? 0u : 2u);
    bool rare = c->spans[cell->span] <= c->spans[!cell->span];

    if (cell->way == WAY_TAKEN) /* the same rows as WAY_BACK: in the whole */
        return 0;
    return news ? news + rare : 0;
}

static void cover(struct covered *c, const struct cell *cell)
{
    c->row[cell->way][cell->row] = true;
    c->column[cell->way][cell->column] = true;
    c->spans[cell->span]++;
}

void sample_take(const struct cell *cells, enum mark *marks, size_t n)
{
    struct covered covered = {0};
    bool *taken = calloc(n, sizeof(*taken));

    if (!taken || n_columns > MAX_COLUMNS)
        abort();
    for (;;) {
        size_t best = n;
        unsigned most = 0;

        for (size_t i = 0; i < n; i++)
            if (marks[i] != MARK_UNFIT && gain(&covered, &cells[i]) > most) {
                most = gain(&covered, &cells[i]);
                best = i;
            }
        if (best == n)
            break;
        cover(&covered, &cells[best]);
        taken[best] = true;
    }
    for (size_t i = 0; i < n; i++)
        if (marks[i] != MARK_UNFIT && !taken[i])
            marks[i] = MARK_SKIPPED;
    free(taken);
}
