/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/args.h - the command line, taken apart by the tables of command.h.
 *
 * Options may stand anywhere, `--` ends them; `--name=value`, `--name value`,
 * `-xVALUE`, `-x value`, `-vv`.  All texts point into argv.
 */
#ifndef CERTFLEET_CLI_ARGS_H
#define CERTFLEET_CLI_ARGS_H

#include <stdbool.h>

#include "cli/command.h"
#include "core/base/err.h"

struct args {
    const struct command *group;   /* `inventory`; NULL without one */
    const struct command *command; /* NULL: none was given (help) */
    const char **words;            /* what is left, NULL-ended */
    size_t n_words;
    const char **accepted; /* --accept, NULL-ended */
    size_t n_accepted;
    const char *value[OPT_COUNT]; /* the last one given, or NULL */
    unsigned count[OPT_COUNT];
};

/* 0, or -1 (CAUSE_INPUT) with the first fault, with what comes nearest.  Even
 * then the options that were understood (--json!) are in `args`; release it
 * in both cases. */
int args_read(struct args *args, const struct command *table, int argc,
              char *const *argv, struct err *err);
void args_release(struct args *args);
bool args_has(const struct args *args, enum opt opt);

/* The words that are inputs ("key=value") and those that are not, in their
 * order; both NULL-ended, malloc'd, the texts are argv's. */
void args_split_inputs(const char *const *words, const char ***plain,
                       const char ***inputs);

#endif
