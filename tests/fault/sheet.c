/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints; decides nothing.
 */
#include "tests/fault/sheet.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_WIDTH = 13,
    MAX_REASONS = 16
};

static const char *const titles[WAYS] = {
    [WAY_FORWARD] = "Forward: the fault strikes in the row",
    [WAY_BACK] = "While rolling back: every join has failed for good, the "
                 "fault strikes in the row of the way back",
    [WAY_TAKEN] = "Rollback of a done run: the fault strikes in the row of "
                  "the way back",
};
static const char letters[MARKS] = {
    [MARK_WRONG] = 'W',      [MARK_DONE] = 'd',  [MARK_BACK] = 'b',
    [MARK_REFUSED] = 'r',    [MARK_UNFIT] = '-', [MARK_SKIPPED] = '.',
    [MARK_INCOMPLETE] = 'i',
};

size_t sheet_index(const struct cell *c)
{
    return (((size_t)c->way * n_rows + c->row) * n_columns + c->column) *
               SPANS +
           (size_t)c->span;
}

/* The faults' names stand on end, their last letters on one line. */
static void print_heads(void)
{
    size_t height = 0;

    for (size_t c = 0; c < n_columns; c++)
        if (strlen(columns[c].name) > height)
            height = strlen(columns[c].name);
    for (size_t line = 0; line < height; line++) {
        char text[512] = "";
        size_t n = 0;

        for (size_t c = 0; c < n_columns; c++) {
            size_t skip = height - strlen(columns[c].name);
            text[n++] = ' ';
            text[n++] = line < skip ? ' ' : columns[c].name[line - skip];
            text[n++] = ' ';
        }
        while (n > 0 && text[n - 1] == ' ')
            n--;
        printf("%*s%.*s\n", NAME_WIDTH, "", (int)n, text);
    }
}

/* Is there anything but `-' in this row? */
static bool is_fit(const struct cell *first, const enum mark *marks)
{
    size_t at = sheet_index(first);

    for (size_t i = 0; i < n_columns * SPANS; i++)
        if (marks[at + i] != MARK_UNFIT)
            return true;
    return false;
}

static bool is_any_played(enum way way, const enum mark *marks)
{
    size_t at = sheet_index(&(struct cell){.way = way});

    for (size_t i = 0; i < n_rows * n_columns * SPANS; i++)
        if (marks[at + i] != MARK_UNFIT && marks[at + i] != MARK_SKIPPED)
            return true;
    return false;
}

static void print_way(enum way way, const enum mark *marks)
{
    if (!is_any_played(way, marks))
        return;
    printf("\n%s.\n\n", titles[way]);
    print_heads();
    for (size_t r = 0; r < n_rows; r++) {
        struct cell cell = {.row = r, .way = way};

        if (!is_fit(&cell, marks) && way != WAY_FORWARD)
            continue;
        printf("%-*s", NAME_WIDTH, rows[r].name);
        for (cell.column = 0; cell.column < n_columns; cell.column++) {
            size_t at = sheet_index(&cell);
            bool unfit = marks[at] == MARK_UNFIT;
            printf(" %c%c", letters[marks[at]],
                   unfit ? ' ' : letters[marks[at + 1]]);
        }
        printf("\n");
    }
}

/* Why a cell is not played, each reason once. */
static void print_reasons(const struct cell *cells, size_t n)
{
    const char *reasons[MAX_REASONS];
    unsigned counts[MAX_REASONS] = {0};
    size_t k = 0, r;

    for (size_t i = 0; i < n; i++) {
        const char *why = cell_unfit(&cells[i]);

        if (!why)
            continue;
        for (r = 0; r < k && strcmp(reasons[r], why) != 0; r++)
            ;
        if (r == k && k < MAX_REASONS)
            reasons[k++] = why;
        if (r < MAX_REASONS)
            counts[r]++;
    }
    printf("\n- not applicable:\n");
    for (r = 0; r < k; r++)
        printf("  %4u  %s\n", counts[r], reasons[r]);
}

void sheet_print(const struct cell *cells, const enum mark *marks, size_t n)
{
    unsigned count[MARKS] = {0};

    for (size_t i = 0; i < n; i++)
        count[marks[i]]++;
    for (int way = 0; way < WAYS; way++)
        print_way((enum way)way, marks);
    printf("\nTwo letters a cell: the fault strikes once; at every time.\n"
           "d done, b rolled back and proven, r refused and untouched, "
           "i incomplete (its `next'\nended well), W wrong, . not in this "
           "sample.\n");
    print_reasons(cells, n);
    printf("\ndone %u, rolled back %u, refused %u, incomplete %u (next worked "
           "%u), not applicable %u, WRONG %u\n",
           count[MARK_DONE], count[MARK_BACK], count[MARK_REFUSED],
           count[MARK_INCOMPLETE], count[MARK_INCOMPLETE], count[MARK_UNFIT],
           count[MARK_WRONG]);
}
