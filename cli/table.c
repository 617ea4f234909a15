/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns as wide as their widest cell.
 */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

enum {
    CELL_CAP = 4096
};

static void add_cell(struct table *table, const char *text)
{
    struct str visible;

    if (table->n == table->room) {
        size_t room = table->room ? table->room * 2 : 64;
        char **grown = realloc(table->cells, room * sizeof(*grown));
        if (!grown)
            abort();
        table->cells = grown;
        table->room = room;
    }
    if (!text || !*text)
        text = "-";
    str_init(&visible, CELL_CAP);
    str_add_visible(&visible, text, strlen(text), false);
    table->cells[table->n++] = str_take(&visible);
}

void table_init(struct table *table, const char *const *heads)
{
    memset(table, 0, sizeof(*table));
    while (heads[table->columns])
        table->columns++;
    table_add(table, heads);
}

void table_release(struct table *table)
{
    for (size_t i = 0; i < table->n; i++)
        free(table->cells[i]);
    free(table->cells);
    memset(table, 0, sizeof(*table));
}

void table_add(struct table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->columns; i++)
        add_cell(table, cells[i]);
}

/* Code points, not bytes: good enough for names. */
static size_t width(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void add_row(struct str *line, const struct table *table, size_t row,
                    const size_t *widths)
{
    for (size_t c = 0; c < table->columns; c++) {
        const char *cell = table->cells[row * table->columns + c];

        str_add(line, cell);
        if (c + 1 == table->columns)
            break;
        for (size_t n = width(cell); n < widths[c] + 2; n++)
            str_addc(line, ' ');
    }
}

void table_say(const struct table *table, struct out *out)
{
    size_t widths[TABLE_COLUMNS] = {0};
    struct str line;

    for (size_t i = 0; i < table->n; i++) {
        size_t w = width(table->cells[i]);
        if (w > widths[i % table->columns])
            widths[i % table->columns] = w;
    }
    str_init(&line, (size_t)TABLE_COLUMNS * CELL_CAP);
    for (size_t row = 0; row * table->columns < table->n; row++) {
        str_reset(&line);
        add_row(&line, table, row, widths);
        out_say(out, "%s%s%s\n", row ? "" : out_paint(out, PAINT_BOLD),
                str_text(&line), row ? "" : out_paint(out, PAINT_END));
    }
    str_release(&line);
}
