/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/html.h - HTML and SVG out of constant templates.
 *
 * A template is a literal of ours; every `{}' in it is replaced by the next
 * value, made visible and escaped, for text and for quoted attributes alike.
 * There is no call that takes a value unescaped: what a node, an inventory or
 * a journal says cannot become markup.  Numbers that we computed (coordinates)
 * may be written with str_addf.
 */
#ifndef CERTFLEET_CLI_HTML_H
#define CERTFLEET_CLI_HTML_H

#include <stddef.h>

#include "core/base/str.h"

enum {
    HTML_CAP = 256 * 1024 * 1024
};

/* As many values as there are `{}'; NULL is shown as nothing. */
void html_put(struct str *out, const char *template, const char *const *values,
              size_t n);
#define HTML(out, template, ...)                                               \
    html_put(out, template, (const char *const[]){__VA_ARGS__},                \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
/* One value alone. */
void html_text(struct str *out, const char *text);

/* A whole page around what stands between: lang, title, style, footer. */
void html_begin(struct str *out, const char *title);
void html_end(struct str *out);

/* A table in a box of its own, which scrolls where it is too wide; `label' is
 * read out.  Heads and rows are NULL-ended; an empty cell is a dash. */
void html_table_begin(struct str *out, const char *label,
                      const char *const *heads);
void html_table_row(struct str *out, const char *const *cells);
void html_table_end(struct str *out);
/* The same by hand, where a cell is more than text. */
void html_row_begin(struct str *out);
void html_cell(struct str *out, const char *class, const char *text);
void html_row_end(struct str *out);

#endif
