/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates, tables, and the frame of a page.
 */
#include "cli/html.h"

#include <assert.h>
#include <string.h>

#include "cli/html_style.h"
#include "core/base/clock.h"

enum {
    TEXT_CAP = 1024 * 1024
};

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_text(struct str *out, const char *text)
{
    struct str visible;

    if (!text)
        return;
    str_init(&visible, TEXT_CAP);
    str_add_visible(&visible, text, strlen(text), true);
    for (const char *p = str_text(&visible); *p; p++) {
        const char *name = entity(*p);

        if (name)
            str_add(out, name);
        else
            str_addc(out, *p);
    }
    str_release(&visible);
}

void html_put(struct str *out, const char *template, const char *const *values,
              size_t n)
{
    size_t used = 0;

    for (const char *p = template, *next; *p; p = next + 2) {
        next = strstr(p, "{}");
        if (!next) {
            str_add(out, p);
            break;
        }
        str_addn(out, p, (size_t)(next - p));
        assert(used < n);
        html_text(out, values[used++]);
    }
    assert(used == n);
}

/* -- the frame ------------------------------------------------------------ */

/* The policy is for readers of mail and wikis: nothing is loaded, and no
 * script runs, even if somebody put one in. */
static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\"/>\n"
    "<meta name=\"viewport\" content=\"width=device-width,"
    " initial-scale=1\"/>\n"
    "<meta http-equiv=\"Content-Security-Policy\""
    " content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
    "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
    "<meta name=\"generator\" content=\"certfleet {}\"/>\n"
    "<title>{}</title>\n"
    "<style>\n";

void html_begin(struct str *out, const char *title)
{
    HTML(out, head, CERTFLEET_VERSION, title);
    str_add(out, html_style);
    str_add(out, "</style>\n</head>\n<body>\n");
    str_add(out, html_patterns);
    str_add(out, "<main>\n");
}

void html_end(struct str *out)
{
    char t[CLOCK_TEXT_BYTES];

    clock_rfc3339(clock_wall_ms(), t);
    HTML(out,
         "</main>\n<footer>Made by certfleet {} on "
         "<time>{}</time>. All times are UTC.</footer>\n"
         "</body>\n</html>\n",
         CERTFLEET_VERSION, t);
}

/* -- tables --------------------------------------------------------------- */

void html_table_begin(struct str *out, const char *label,
                      const char *const *heads)
{
    HTML(out,
         "<div class=\"box\" role=\"region\" tabindex=\"0\""
         " aria-label=\"{}\"><table>\n<thead><tr>",
         label);
    for (; *heads; heads++)
        HTML(out, "<th scope=\"col\">{}</th>", *heads);
    str_add(out, "</tr></thead>\n<tbody>\n");
}

void html_row_begin(struct str *out)
{
    str_add(out, "<tr>");
}

void html_cell(struct str *out, const char *class, const char *text)
{
    const char *shown = text && *text ? text : "\xe2\x80\x93";

    if (class)
        HTML(out, "<td class=\"{}\">{}</td>", class, shown);
    else
        HTML(out, "<td>{}</td>", shown);
}

void html_row_end(struct str *out)
{
    str_add(out, "</tr>\n");
}

void html_table_row(struct str *out, const char *const *cells)
{
    html_row_begin(out);
    for (; *cells; cells++)
        html_cell(out, NULL, *cells);
    html_row_end(out);
}

void html_table_end(struct str *out)
{
    str_add(out, "</tbody>\n</table></div>\n");
}
