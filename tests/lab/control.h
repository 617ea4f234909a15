/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/control.h - the hand on the lab: line commands on a unix socket,
 * one JSON object a line as answer.
 *
 * DIR/control.sock; `certfleet-lab --ctl DIR COMMAND...` is its client.
 * Commands are in the table of control_cmds.c; `help` prints them.
 */
#ifndef CERTFLEET_LAB_CONTROL_H
#define CERTFLEET_LAB_CONTROL_H

#include <jansson.h>

#include "tests/lab/lab.h"
#include "tests/lab/record.h"

struct control *control_new(struct lab *lab, struct err *err);
void control_close(struct control *control); /* NULL is fine */

/* One visitor's command, while it is served; answered exactly once. */
struct ask;
void ask_answer(struct ask *ask, json_t *body); /* takes body; adds "ok" */
void ask_fail(struct ask *ask, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct lab *ask_lab(const struct ask *ask);

/* The table (control_cmds.c); words[0] is the command. */
void control_run(struct ask *ask, char **words, int n);

/* Waiting for a condition (wait.c): asked again at every lab_changed. */
struct waiter { /* malloc'd; text and word too */
    struct waiter *next;
    struct ask *ask;
    bool (*met)(struct waiter *w, json_t *told); /* told: fields to give */
    struct later *deadline;
    struct lab_node *node;
    struct lab_cluster *cluster;
    char *text, *word;
    unsigned number;
    uint64_t after; /* entries above this seq only */
};
void wait_run(struct ask *ask, char **words, int n);
void timing_run(struct ask *ask, char **words, int n); /* timing.c */
void waiters_add(struct waiter *w);
void waiters_look(struct lab *lab);
void waiters_drop(struct lab *lab, struct ask *ask); /* NULL: all */

/* -- client side ----------------------------------------------------------- */

/* Sends the words, prints the answer; the exit code. */
int control_client(const char *dir, char **words, int n);

/* -- verdict.c ------------------------------------------------------------- */

json_t *verdict_json(struct lab *lab);
json_t *verdict_node(struct lab_node *node);
json_t *verdict_cluster(struct lab_cluster *cluster);
json_t *verdict_entry(const struct entry *entry);
/* "old", "new", "mixed", "none" and the like */
const char *verdict_state(struct lab_cluster *cluster);

#endif
