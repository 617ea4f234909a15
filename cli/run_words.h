/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/run_words.h - a stored run and its journal in words: for `runs' and
 * `show'.  Kinds of records that nobody here knows are shown all the same.
 */
#ifndef CERTFLEET_CLI_RUN_WORDS_H
#define CERTFLEET_CLI_RUN_WORDS_H

#include <jansson.h>

#include "core/base/str.h"
#include "core/store/store.h"

/* "done", "running", "cut off" (its process is gone). */
const char *run_state(const struct store_run *run);
json_t *run_json(const struct store_run *run);
/* "2026-11-21 03:15:59Z" */
void run_time(struct str *out, int64_t ms);

/* One line for a record, without a newline. */
void entry_line(const struct store_entry *entry, struct str *out);
json_t *entry_json(const struct store_entry *entry);

/* A record as something that happened to a cell, or false. */
struct cell_change {
    const char *from, *event, *to, *walk, *detail; /* the JSON's, or NULL */
    json_t *data;                                  /* json_decref */
};
bool entry_cell(const struct store_entry *entry, struct cell_change *change);

#endif
