/* SPDX-License-Identifier: Apache-2.0
 *
 * The manual page, from the same tables as the help: docs/certfleet.1 is what
 * this prints, and a test compares the two.
 */
#include <string.h>

#include "cli/help.h"
#include "core/fleet/inventory.h"

/* man(7) takes `\', `-' and a leading `.' or `'' for itself. */
static void add_roff(struct str *out, const char *text)
{
    bool line_start = true;

    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            str_add(out, "\\&");
        if (*p == '\\')
            str_add(out, "\\e");
        else if (*p == '-')
            str_add(out, "\\-");
        else
            str_addc(out, *p);
        line_start = *p == '\n';
    }
}

static void add_bold_entry(struct str *out, const char *name, const char *rest)
{
    str_add(out, ".TP\n\\fB");
    add_roff(out, name);
    str_add(out, "\\fR");
    if (rest && *rest) {
        str_add(out, " ");
        add_roff(out, rest);
    }
    str_add(out, "\n");
}

static void add_option(struct str *out, const struct option_row *row)
{
    str_add(out, ".TP\n");
    if (row->letter)
        str_addf(out, "\\fB\\-%c\\fR, ", row->letter);
    str_add(out, "\\fB\\-\\-");
    add_roff(out, row->name);
    str_add(out, "\\fR");
    if (row->value) {
        str_add(out, " \\fI");
        add_roff(out, row->value);
        str_add(out, "\\fR");
    }
    str_add(out, "\n");
    add_roff(out, row->help);
    str_add(out, "\n");
}

static void add_examples(struct str *out, const char *examples)
{
    str_add(out, ".PP\n.nf\n.RS 4\n");
    add_roff(out, examples);
    str_add(out, ".RE\n.fi\n");
}

static void add_command(struct str *out, const struct command *group,
                        const struct command *c)
{
    str_add(out, ".SS \"");
    if (group) {
        add_roff(out, group->name);
        str_addc(out, ' ');
    }
    add_roff(out, c->name);
    /* a quote inside a macro's argument is doubled */
    str_addf(out, "%s", *c->synopsis ? " " : "");
    add_roff(out, c->synopsis);
    str_add(out, "\"\n");
    add_roff(out, c->summary);
    str_add(out, ".\n");
    if (c->help) {
        str_add(out, ".PP\n");
        add_roff(out, c->help);
        str_add(out, "\n");
    }
    for (int i = 0; i < OPT_COUNT; i++)
        if (c->options & OPT_BIT(i))
            add_option(out, &option_rows[i]);
    if (c->examples)
        add_examples(out, c->examples);
}

static void add_commands(struct str *out)
{
    str_add(out, ".SH COMMANDS\n");
    for (const struct command *c = commands; c->name; c++) {
        if (!c->subs)
            add_command(out, NULL, c);
        for (const struct command *s = c->subs; s && s->name; s++)
            add_command(out, c, s);
    }
}

static void add_words(struct str *out, const char *title,
                      const struct word_row *rows)
{
    str_addf(out, ".SH %s\n", title);
    for (const struct word_row *row = rows; row->word; row++) {
        add_bold_entry(out, row->word, NULL);
        add_roff(out, row->meaning);
        str_add(out, "\n");
    }
}

static void add_inventory(struct str *out)
{
    const struct inventory_key *keys;
    size_t n;

    str_add(out, ".SH INVENTORY\n");
    add_roff(out, "An INI file with the sections [fleet], [issuer NAME], "
                  "[cluster NAME] and [node NAME].  `;' begins a comment.  "
                  "What stands in a node beats its cluster, a cluster the "
                  "fleet.  Relative paths are beside the inventory.\n");
    keys = inventory_keys(&n);
    for (size_t i = 0; i < n; i++) {
        struct str rest;

        str_init(&rest, 256);
        str_addf(&rest, "= %s (%s)", keys[i].value, keys[i].sections);
        add_bold_entry(out, keys[i].name, str_text(&rest));
        add_roff(out, keys[i].help);
        if (keys[i].preset && *keys[i].preset) {
            str_add(out, "  Preset: ");
            add_roff(out, keys[i].preset);
            str_add(out, ".");
        }
        str_add(out, "\n");
        str_release(&rest);
    }
}

static void add_exits(struct str *out)
{
    str_add(out, ".SH EXIT STATUS\n");
    for (const struct exit_row *row = exit_rows; row->meaning; row++) {
        str_addf(out, ".TP\n\\fB%d\\fR\n", row->code);
        add_roff(out, row->meaning);
        str_add(out, "\n");
    }
}

void help_manpage(struct str *out)
{
    str_addf(out,
             ".\\\" SPDX-License-Identifier: Apache-2.0\n"
             ".\\\" Made by `certfleet help --man'; a test compares.\n"
             ".TH CERTFLEET 1 \"\" \"certfleet %s\" \"User Commands\"\n",
             CERTFLEET_VERSION);
    str_add(out, ".SH NAME\ncertfleet \\- replaces certificates across "
                 "clusters of appliances over SSH\n.SH SYNOPSIS\n"
                 ".B certfleet\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR ...\n"
                 ".SH DESCRIPTION\n");
    add_roff(out,
             "certfleet replaces certificates in the order that keeps the "
             "data and the service, and puts the old certificates back when "
             "something fails.\n");
    str_add(out, ".PP\n");
    add_roff(out,
             "TARGET is a cluster, a node, or a glob of cluster names.  RUN "
             "is an id that `certfleet runs' prints, any unique beginning of "
             "it, or `last'.\n");
    str_add(out, ".SH OPTIONS\n");
    for (int i = 0; i < OPT_GLOBALS; i++)
        add_option(out, &option_rows[i]);
    add_commands(out);
    add_inventory(out);
    add_words(out, "EVENTS", event_rows);
    add_exits(out);
    add_words(out, "ENVIRONMENT", environment_rows);
    str_add(out, ".SH SEE ALSO\n.BR ssh_config (5),\n.BR sshd (8)\n");
}
