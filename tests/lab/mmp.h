/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/mmp.h - the CMS personality: its command line.
 *
 * A line becomes a run.  A run prints, may ask for a confirmation, may answer
 * late, and ends once; it goes on without its terminal when that is lost (a
 * real appliance finishes what it took).  facts/cms.md is the source.
 */
#ifndef CERTFLEET_LAB_MMP_H
#define CERTFLEET_LAB_MMP_H

#include "tests/lab/lab.h"

enum {
    MMP_WORDS = 16
};

/* Where a run prints.  The run is gone after `done` or `drop`. */
struct mmp_sink {
    void (*write)(void *user, const char *text, size_t len); /* \n ends */
    void (*asked)(void *user);            /* a question is out; may be NULL */
    void (*done)(void *user, bool drop);  /* drop: then cut, once it is out */
    void (*drop)(void *user, bool flush); /* cut; flush: what is written goes */
    void *user;
    struct mmp_run **handle; /* the run while it lives; NULL when over */
    const char *source;      /* exec, shell, foreign */
    const char *login;       /* who */
};

struct mmp_run {
    struct lab_node *node;
    struct mmp_sink sink;
    bool detached;          /* the terminal is gone */
    char *text;             /* as typed */
    char *words[MMP_WORDS]; /* of the whole line */
    int n_words;
    const struct mmp_command *command; /* once it is found */
    char **args;                       /* behind the command's name */
    int n_args;
    struct str out; /* not yet written */
    uint64_t entry; /* its record */
    unsigned boots; /* of the node when it was taken */
    bool foreign;
    bool asking;
    /* A program that reads what is typed, as it comes; NULL: none does. */
    void (*on_input)(struct mmp_run *run, const char *data, size_t len);
    void (*on_detach)(struct mmp_run *run);
    void *child; /* theirs */
    void (*on_yes)(struct mmp_run *run);
    void (*on_no)(struct mmp_run *run); /* NULL: a no aborts */
    void (*on_paste)(struct mmp_run *run, const char *text);
    void (*on_later)(struct mmp_run *run);
    unsigned held; /* id of the hold it waits in; 0: none */
    struct mmp_run *next_held;
    bool acted;
    const char *result;
};

/* May end inside the call: look at *sink->handle. */
void mmp_start(struct lab_node *node, const struct mmp_sink *sink,
               const char *line);
/* The answer to a question; only while run->asking. */
void mmp_answer(struct mmp_run *run, bool yes);
/* The terminal is gone: nothing is written any more. */
void mmp_detach(struct mmp_run *run);
/* Held runs: -1 no such. */
int mmp_release(struct lab *lab, unsigned id); /* 0: all */
const struct mmp_run *mmp_held(struct lab *lab, unsigned id);

/* -- for the commands ------------------------------------------------------ */

void mmp_print(struct mmp_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "FAILURE: ..." and the end */
void mmp_fail(struct mmp_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void mmp_ok(struct mmp_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void mmp_flush(struct mmp_run *run); /* what was printed goes out now */
void mmp_end(struct mmp_run *run, const char *result); /* ok, failure, ... */
void mmp_ask(struct mmp_run *run, const char *question,
             void (*on_yes)(struct mmp_run *run));
/* Either answer goes on. */
void mmp_ask_either(struct mmp_run *run, const char *question,
                    void (*on_yes)(struct mmp_run *run),
                    void (*on_no)(struct mmp_run *run));
/* A text of several lines, up to a blank one; the terminal gives it with
 * mmp_pasted while run->on_paste stands. */
void mmp_ask_text(struct mmp_run *run, const char *prompt,
                  void (*on_paste)(struct mmp_run *run, const char *text));
void mmp_pasted(struct mmp_run *run, const char *text);
/* What is printed goes out, and the node restarts; ms 0: it stays down. */
void mmp_restart(struct mmp_run *run, unsigned ms);
void mmp_later(struct mmp_run *run, unsigned ms,
               void (*fn)(struct mmp_run *run));
void mmp_usage(struct mmp_run *run);

struct mmp_command {
    const char *name; /* one or more words */
    void (*run)(struct mmp_run *run);
    int min_args, max_args;
    const char *usage;
    bool dangerous; /* recorded as a violation */
    unsigned since; /* version, 303 for 3.3; older ones know it not */
    unsigned until; /* gone in that version; 0: never */
};
/* Each file of commands has a table, ended by {NULL}. */
extern const struct mmp_command mmp_db_commands[];
extern const struct mmp_command mmp_pki_commands[];
extern const struct mmp_command mmp_pki_make_commands[];
extern const struct mmp_command mmp_misc_commands[];
/* Made from the table of services (mmp_service.c). */
const struct mmp_command *mmp_service_commands(void);
/* Each table in turn, from 0; NULL: no more. */
const struct mmp_command *mmp_table(int n);
/* The command that the line begins with, and of how many words it is; NULL:
 * none. */
const struct mmp_command *mmp_find(const struct mmp_run *run, int *words);
/* Some command begins with the first word. */
bool mmp_knows(const struct mmp_run *run);

/* `database cluster status` (mmp_status.c) */
void mmp_status_text(struct lab_node *node, struct str *out);
void mmp_status(struct mmp_run *run);

#endif
