/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/command.h - the two tables of the command line: commands and options.
 *
 * Reading the command line, the help texts and the manual page are made from
 * them (args.c, help.c, manpage.c); nothing else lists commands or options.
 */
#ifndef CERTFLEET_CLI_COMMAND_H
#define CERTFLEET_CLI_COMMAND_H

#include <stddef.h>
#include <stdint.h>

struct app;

enum opt {
    OPT_INVENTORY,
    OPT_STATE_DIR,
    OPT_JSON,
    OPT_COLOR,
    OPT_VERBOSE,
    OPT_QUIET,
    OPT_HELP,
    OPT_VERSION,
    OPT_GLOBALS, /* those above stand with every command */
    OPT_YES = OPT_GLOBALS,
    OPT_ACCEPT,
    OPT_UNTIL,
    OPT_KEEP_GOING,
    OPT_ON_FAILURE,
    OPT_PLAN,
    OPT_OUTPUT,
    OPT_FOLLOW,
    OPT_RUN,
    OPT_KEY,
    OPT_DAYS,
    OPT_PURPOSE,
    OPT_PROFILE,
    OPT_HOST,
    OPT_SERVICE,
    OPT_MARKDOWN,
    OPT_ORDER,
    OPT_PASSPHRASE,
    OPT_MAN,
    OPT_DOT,
    OPT_DAEMON,
    OPT_METRICS_LISTEN,
    OPT_METRICS,
    OPT_FLEET,
    OPT_CERT,
    OPT_COUNT
};
#define OPT_BIT(opt) (UINT64_C(1) << (opt))

struct option_row {
    const char *name;  /* without "--" */
    char letter;       /* 0: none */
    const char *value; /* NULL: takes none; "a|b": one of these */
    const char *help;
};
extern const struct option_row option_rows[OPT_COUNT];

struct command {
    const char *name;     /* NULL ends a table */
    const char *synopsis; /* what follows the name: "[TARGET...]" */
    const char *summary;  /* one line, no full stop */
    const char *help;     /* paragraphs; a NULL for one of few words */
    const char *examples; /* "command line\n    what it does\n" ... or NULL */
    uint64_t options;     /* OPT_BITs of its own */
    size_t min_words, max_words;
    int (*run)(struct app *app); /* the exit code; NULL: see subs */
    const struct command *subs;  /* `inventory check`; NULL: none */
};
extern const struct command commands[];

/* By name, or NULL. */
const struct command *command_find(const struct command *table,
                                   const char *name);

struct exit_row {
    int code;
    const char *outcome; /* word of the result event without a run */
    const char *meaning;
};
extern const struct exit_row exit_rows[]; /* .meaning NULL ends it */
enum {
    EXIT_DONE = 0,
    EXIT_TAKEN_BACK = 1,
    EXIT_NEGATIVE = 1, /* pki, audit: the answer is no */
    EXIT_INPUT = 2,
    EXIT_DUE = 3,
    EXIT_INCOMPLETE = 4,
    EXIT_REFUSED = 5,
    EXIT_LOCKED = 6,
    EXIT_INTERRUPTED = 130,
};

/* NAME, default and meaning of each environment variable that counts. */
struct word_row {
    const char *word, *meaning;
};
extern const struct word_row environment_rows[]; /* .word NULL ends it */
extern const struct word_row event_rows[];

/* The commands' functions, one file a group. */
int cmd_inventory_sample(struct app *app);
int cmd_inventory_check(struct app *app);
int cmd_inventory_list(struct app *app);
int cmd_check(struct app *app);
int cmd_windows(struct app *app);
int cmd_playbooks(struct app *app);
int cmd_plan(struct app *app);
int cmd_apply(struct app *app);
int cmd_approve(struct app *app);
int cmd_resume(struct app *app);
int cmd_run(struct app *app);
int cmd_rollback(struct app *app);
int cmd_issue(struct app *app);
int cmd_runs(struct app *app);
int cmd_show(struct app *app);
int cmd_report(struct app *app);
int cmd_audit_verify(struct app *app);
int cmd_pki_inspect(struct app *app);
int cmd_pki_match(struct app *app);
int cmd_pki_verify(struct app *app);
int cmd_pki_csr(struct app *app);
int cmd_pki_selfsigned(struct app *app);
int cmd_pki_sign(struct app *app);
int cmd_pki_normalize(struct app *app);
int cmd_pki_lint(struct app *app);
int cmd_pki_unlock(struct app *app);
int cmd_pki_checks(struct app *app);
int cmd_prune(struct app *app);
int cmd_store_migrate(struct app *app);
int cmd_unlock(struct app *app);
int cmd_version(struct app *app);
int cmd_help(struct app *app);

#endif
