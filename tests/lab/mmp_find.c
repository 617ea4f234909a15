/* SPDX-License-Identifier: Apache-2.0
 *
 * From the words of a line to the row of a table.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/mmp.h"
#include "tests/lab/service.h"
#include "tests/lab/ucm.h"

const struct mmp_command *mmp_table(int n)
{
    static const struct mmp_command *const tables[] = {
        mmp_db_commands,
        mmp_pki_commands,
        mmp_pki_make_commands,
        mmp_misc_commands,
        NULL, /* of the services */
    };
    enum {
        N_TABLES = sizeof(tables) / sizeof(tables[0])
    };

    if (n >= N_TABLES)
        return NULL;
    return tables[n] ? tables[n] : mmp_service_commands();
}

struct walk {
    bool ucm;
    unsigned version;
    int table;
    const struct mmp_command *at;
};

static bool is_in(const struct mmp_command *c, unsigned version)
{
    return c->since <= version && (!c->until || version < c->until);
}

static const struct mmp_command *table_of(const struct walk *w)
{
    if (!w->ucm)
        return mmp_table(w->table);
    return w->table == 0   ? ucm_commands
           : w->table == 1 ? ucm_cert_commands
                           : NULL;
}

/* The next command that this version knows, table by table; NULL: no more. */
static const struct mmp_command *next_command(struct walk *w)
{
    do {
        w->at = w->at ? w->at + 1 : table_of(w);
        while (w->at && !w->at->name) {
            w->table++;
            w->at = table_of(w);
        }
    } while (w->at && !is_in(w->at, w->version));
    return w->at;
}

static struct walk begin(const struct mmp_run *run)
{
    return (struct walk){.ucm = run->node->ucm != NULL,
                         .version = service_version(run->node)};
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
    struct walk w = begin(run);

    *words = 0;
    while ((c = next_command(&w))) {
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
    struct walk w = begin(run);

    mmp_print(run, "Usage:\n");
    while ((c = next_command(&w)))
        if (shares_first_word(run, c))
            mmp_print(run, "    %s%s%s\n", c->name, *c->usage ? " " : "",
                      c->usage);
    mmp_end(run, "usage");
}

bool mmp_knows(const struct mmp_run *run)
{
    const struct mmp_command *c;
    struct walk w = begin(run);

    while ((c = next_command(&w)))
        if (shares_first_word(run, c))
            return true;
    return false;
}
