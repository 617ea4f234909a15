/* SPDX-License-Identifier: Apache-2.0
 *
 * Help on the terminal, from the tables of command.h alone.
 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum {
    COLUMNS = 79,
    NAME_COLUMN = 14,
    OPTION_COLUMN = 28
};

static void add_blanks(struct str *out, size_t n)
{
    while (n-- > 0)
        str_addc(out, ' ');
}

/* One paragraph: words up to `end`. */
static size_t fill_words(struct str *out, const char *p, const char *end,
                         size_t indent, size_t column)
{
    while (p < end) {
        size_t len = strcspn(p, " \n");

        if (p + len > end)
            len = (size_t)(end - p);
        if (column > indent && column + 1 + len > COLUMNS) {
            str_addc(out, '\n');
            add_blanks(out, indent);
            column = indent;
        } else if (column > indent) {
            str_addc(out, ' ');
            column++;
        }
        str_addn(out, p, len);
        column += len;
        p += len;
        while (p < end && (*p == ' ' || *p == '\n'))
            p++;
    }
    return column;
}

void help_fill(struct str *out, const char *text, size_t indent)
{
    const char *p = text;

    while (*p) {
        const char *end = strchr(p, '\n');

        end = end ? end : p + strlen(p);
        add_blanks(out, indent);
        if (*p == ' ')
            str_addn(out, p, (size_t)(end - p));
        else
            fill_words(out, p, end, indent, indent);
        str_addc(out, '\n');
        p = *end ? end + 1 : end;
    }
}

/* "  name   text", the text hanging. */
static void add_entry(struct str *out, const char *name, const char *text,
                      size_t column)
{
    size_t len = strlen(name);

    str_addf(out, "  %s", name);
    if (len + 3 > column) {
        str_addc(out, '\n');
        add_blanks(out, column);
    } else {
        add_blanks(out, column - len - 2);
    }
    fill_words(out, text, text + strlen(text), column, column);
    str_addc(out, '\n');
}

static void add_option(struct str *out, const struct option_row *row)
{
    struct str name;

    str_init(&name, 128);
    if (row->letter)
        str_addf(&name, "-%c, ", row->letter);
    else
        str_add(&name, "    ");
    str_addf(&name, "--%s", row->name);
    if (row->value)
        str_addf(&name, " %s", row->value);
    add_entry(out, str_text(&name), row->help, OPTION_COLUMN);
    str_release(&name);
}

static void add_options(struct str *out, uint64_t bits, const char *title)
{
    if (!bits)
        return;
    str_addf(out, "\n%s\n", title);
    for (int i = 0; i < OPT_COUNT; i++)
        if (bits & OPT_BIT(i))
            add_option(out, &option_rows[i]);
}

static void add_commands(struct str *out, const struct command *table)
{
    for (const struct command *c = table; c->name; c++)
        add_entry(out, c->name, c->summary, NAME_COLUMN);
}

void help_overview(struct str *out)
{
    str_add(out, "certfleet: replaces certificates across clusters of "
                 "appliances over SSH\n\n"
                 "usage: certfleet [OPTIONS] COMMAND ...\n\ncommands:\n");
    add_commands(out, commands);
    add_options(out, OPT_BIT(OPT_GLOBALS) - 1,
                "options, before or after the command:");
    str_add(out, "\n");
    help_fill(out,
              "TARGET is a cluster, a node, or a glob of cluster names.  RUN "
              "is an id that `certfleet runs' prints, any unique beginning of "
              "it, or `last'.",
              0);
    str_add(out, "\nexit codes:\n");
    for (const struct exit_row *row = exit_rows; row->meaning; row++) {
        char code[12];

        snprintf(code, sizeof(code), "%d", row->code);
        add_entry(out, code, row->meaning, 8);
    }
    str_add(out, "\nA first look: certfleet inventory sample; certfleet help "
                 "apply; man certfleet\n");
}

void help_command(const struct command *group, const struct command *c,
                  struct str *out)
{
    const char *group_name = group ? group->name : "";

    str_addf(out, "usage: certfleet %s%s%s%s%s%s\n\n", group_name,
             group ? " " : "", c->name, c->options ? " [OPTIONS]" : "",
             *c->synopsis ? " " : "", c->synopsis);
    str_addf(out, "%s.\n", c->summary);
    if (c->help) {
        str_addc(out, '\n');
        help_fill(out, c->help, 0);
    }
    if (c->subs) {
        str_add(out, "\ncommands:\n");
        add_commands(out, c->subs);
    }
    add_options(out, c->options, "options:");
    add_options(out, OPT_BIT(OPT_GLOBALS) - 1, "options of all commands:");
    if (c->examples) {
        str_add(out, "\nexamples:\n");
        for (const char *p = c->examples; *p;) {
            size_t len = strcspn(p, "\n");
            str_addf(out, "  %.*s\n", (int)len, p);
            p += len + (p[len] == '\n');
        }
    }
}
