/* SPDX-License-Identifier: Apache-2.0
 *
 * From the words of a line to the row of a table.
 */
#include <string.h>

#include "tests/lab/mmp.h"

const struct mmp_command *mmp_table(int n)
{
    static const struct mmp_command *const tables[] = {
        mmp_db_commands, mmp_pki_commands, mmp_misc_commands,
        NULL, /* of the services */
    };
    enum {
        N_TABLES = sizeof(tables) / sizeof(tables[0])
    };

    if (n >= N_TABLES)
        return NULL;
    return tables[n] ? tables[n] : mmp_service_commands();
}

/* The command after `c`, table by table; NULL: no more. */
static const struct mmp_command *next_command(const struct mmp_command *c,
                                              int *table)
{
    c = c ? c + 1 : mmp_table(*table = 0);
    while (c && !c->name)
        c = mmp_table(++*table);
    return c;
}

/* Number of words of `name` that the line begins with, or 0. */
static int matches(const struct mmp_run *run, const char *name)
{
    int n = 0;

    while (*name) {
        size_t len = strcspn(name, " ");
        if (n >= run->n_words || strlen(run->words[n]) != len ||
            memcmp(run->words[n], name, len) != 0)
            return 0;
        n++;
        name += len;
        while (*name == ' ')
            name++;
    }
    return n;
}

const struct mmp_command *mmp_find(const struct mmp_run *run, int *words)
{
    const struct mmp_command *best = NULL, *c;
    int table;

    *words = 0;
    for (c = next_command(NULL, &table); c; c = next_command(c, &table)) {
        int n = matches(run, c->name);
        if (n > *words) {
            *words = n;
            best = c;
        }
    }
    return best;
}

static bool shares_first_word(const struct mmp_run *run,
                              const struct mmp_command *c)
{
    size_t len = strlen(run->words[0]);

    return strncmp(c->name, run->words[0], len) == 0 &&
           (c->name[len] == ' ' || !c->name[len]);
}

/* Every syntax of the tables that shares the first word. */
void mmp_usage(struct mmp_run *run)
{
    const struct mmp_command *c;
    int table;

    mmp_print(run, "Usage:\n");
    for (c = next_command(NULL, &table); c; c = next_command(c, &table))
        if (shares_first_word(run, c))
            mmp_print(run, "    %s%s%s\n", c->name, *c->usage ? " " : "",
                      c->usage);
    mmp_end(run, "usage");
}

bool mmp_knows(const struct mmp_run *run)
{
    const struct mmp_command *c;
    int table;

    for (c = next_command(NULL, &table); c; c = next_command(c, &table))
        if (shares_first_word(run, c))
            return true;
    return false;
}
