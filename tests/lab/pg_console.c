/* SPDX-License-Identifier: Apache-2.0
 *
 * A psql that stays: statements go in through its pipe, one line comes back
 * for each.  A real client connection of libpq, at no cost of a process a
 * question.  Knows nothing of what is asked.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/pg_priv.h"

struct question {
    struct question *next;
    pg_answer_f *fn;
    void *user;
};

struct pg_console {
    struct pg_proc *proc;
    struct pg_console **gone;
    struct question *first, **last;
};

static void answer_first(struct pg_console *c, const char *line)
{
    struct question *q = c->first;

    c->first = q->next;
    if (!c->first)
        c->last = &c->first;
    q->fn(q->user, line);
    free(q);
}

static void on_line(void *user, const char *line)
{
    struct pg_console *c = user;

    if (c->first)
        answer_first(c, line);
}

/* Refused, ended by the server, or a statement has failed: psql leaves at the
 * first error (ON_ERROR_STOP), so that answers never go to wrong questions. */
static void on_exit_of_psql(struct pg_proc *proc, void *user, int code)
{
    struct pg_console *c = user;

    (void)proc, (void)code;
    if (c->gone)
        *c->gone = NULL;
    while (c->first)
        answer_first(c, NULL);
    free(c);
}

struct pg_console *pg_console_open(struct engine *e, const char *conninfo,
                                   struct pg_console **gone)
{
    struct pg_console *c = lab_calloc(1, sizeof(*c));
    struct pg_spawn how = {
        .program = "psql",
        .args = {"-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-d",
                 conninfo},
        .has_input = true,
        .on_line = on_line,
        .on_exit = on_exit_of_psql,
        .user = c,
    };

    c->gone = gone;
    c->last = &c->first;
    c->proc = pg_proc_start(e, &how, NULL);
    if (c->proc)
        return c;
    free(c);
    return NULL;
}

void pg_console_ask(struct pg_console *c, const char *sql, pg_answer_f *fn,
                    void *user)
{
    struct question *q = lab_calloc(1, sizeof(*q));

    q->fn = fn;
    q->user = user;
    *c->last = q;
    c->last = &q->next;
    /* When psql is gone, on_exit answers. */
    if (pg_proc_type(c->proc, sql) == 0)
        pg_proc_type(c->proc, "\n");
}

void pg_console_close(struct pg_console *c)
{
    if (!c)
        return;
    if (c->gone)
        *c->gone = NULL;
    c->gone = NULL;
    pg_proc_kill(c->proc, SIGKILL);
}
