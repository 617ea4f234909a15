/* SPDX-License-Identifier: Apache-2.0
 *
 * The commented inventory, made from the table of keys: one cluster with three
 * databases and an edge node.
 */
#include <string.h>

#include "core/fleet/inventory_priv.h"

enum {
    COLUMNS = 78,
    PAD = 16
};

/* The first of each kind shows every key; these are nodes in brief. */
static const struct {
    const char *name, *address, *roles, *db_address;
} more_nodes[] = {
    {"core2", "core2.example.com", "database callbridge", "10.0.0.2"},
    {"core3", "core3.example.com", "database callbridge", "10.0.0.3"},
    {"edge1", "edge1.example.com", "connect callbridge", NULL},
};

static const char head[] =
    "# An inventory of certfleet: what there is, and how it is reached.\n"
    "#\n"
    "# `key = value', one a line. A line that begins with `#' or `;' is a\n"
    "# comment; behind a value only ` ;' begins one. Relative paths are "
    "beside\n"
    "# this file; `~' is your home. Keys that are disabled here show what\n"
    "# holds without them, or how they look.\n";

static const struct {
    unsigned kind;
    const char *title, *text;
} parts[] = {
    {SECTION_FLEET, "[fleet]", "What holds for all."},
    {SECTION_ISSUER, "[issuer dbca]",
     "Who signs. Clusters name an issuer; any number of them may stand here."},
    {SECTION_ISSUER, "[issuer svcca]",
     "Another one, for services; give it files of its own."},
    {SECTION_CLUSTER, "[cluster emea]",
     "Nodes that are changed together. The keys of logins and times may stand "
     "here too and then beat [fleet]."},
    {SECTION_NODE, "[node core1]",
     "One machine. The keys of logins and times may stand here too and then "
     "beat [cluster] and [fleet]."},
};

static const char preflight[] =
    "How much a breach of a check weighs: off, note, warning, block (until "
    "--accept) or error. `certfleet pki checks' lists the checks; those on "
    "which data depends keep their weight. The lines of a cluster's own "
    "section beat these.";

/* `text` as comment lines; words stay whole. */
static void add_comment(struct str *out, const char *text)
{
    size_t column = 1;

    str_addc(out, '#');
    while (*text) {
        size_t len = strcspn(text, " ");
        if (column + 1 + len > COLUMNS) {
            str_add(out, "\n#");
            column = 1;
        }
        str_addf(out, " %.*s", (int)len, text);
        column += 1 + len;
        text += len + strspn(text + len, " ");
    }
    str_addc(out, '\n');
}

static void add_pair(struct str *out, const char *name, const char *value)
{
    str_addf(out, "%-*s = %s\n", PAD, name, value);
}

/* A choice, or a number's unit; PATH and the like explain nothing. */
static const char *worth_showing(const struct key_type *type)
{
    return strchr(type->look, '|') || type->max ? type->look : NULL;
}

static void add_key(struct str *out, const struct key *key)
{
    const char *look = worth_showing(key->type);
    const char *other = key->preset ? key->preset : key->otherwise;
    struct str help;

    str_init(&help, 2048);
    str_add(&help, key->help);
    if (look)
        str_addf(&help, " [%s]", look);
    if (other)
        str_addf(&help, " (default: %s)", other);
    add_comment(out, str_text(&help));
    str_release(&help);
    if (key->example && key->example[0] != ';') {
        add_pair(out, key->name, key->example);
        return;
    }
    str_addc(out, ';');
    add_pair(out, key->name,
             key->example  ? key->example + 1
             : key->preset ? key->preset
                           : key->type->look);
}

/* A key is shown in the first section where it may stand. */
static bool is_shown_in(const struct key *key, unsigned kind)
{
    unsigned kinds = key_sections(key);

    return (kinds & kind) != 0 && (kinds & (kind - 1)) == 0;
}

static void add_more_nodes(struct str *out)
{
    for (size_t i = 0; i < sizeof(more_nodes) / sizeof(more_nodes[0]); i++) {
        str_addf(out, "\n[node %s]\n", more_nodes[i].name);
        add_pair(out, "cluster", "emea");
        add_pair(out, "address", more_nodes[i].address);
        add_pair(out, "roles", more_nodes[i].roles);
        if (more_nodes[i].db_address)
            add_pair(out, "db_address", more_nodes[i].db_address);
    }
}

void inventory_sample(struct str *out)
{
    str_add(out, head);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        str_addc(out, '\n');
        add_comment(out, parts[i].text);
        str_addf(out, "%s\n", parts[i].title);
        for (size_t k = 0; k < inventory_table_rows; k++)
            if (is_shown_in(&inventory_table[k], parts[i].kind))
                add_key(out, &inventory_table[k]);
    }
    add_more_nodes(out);
    str_addc(out, '\n');
    add_comment(out, preflight);
    str_add(out, "[preflight]\n");
    str_addc(out, ';');
    add_pair(out, "B3", "off");
    str_add(out, "\n[preflight emea]\n");
    str_addc(out, ';');
    add_pair(out, "F7", "block");
}
