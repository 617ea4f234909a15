/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/record.h - everything that was typed, and every broken rule.
 *
 * The tests' witness: each command of each node in order with its time, and
 * violations of the invariants of the design (I1-I7) seen from the node's
 * side, independent of the client's own guard.
 */
#ifndef CERTFLEET_LAB_RECORD_H
#define CERTFLEET_LAB_RECORD_H

#include "tests/lab/lab.h"

struct entry {
    uint64_t seq;  /* 1, 2, ... over all nodes */
    uint64_t t_ms; /* since the lab's start */
    struct lab_node *node;
    char *text;
    const char *source; /* exec, shell, foreign, sftp */
    char *login;
    const char *state;   /* taken, asked, aborted, answered, lost, cut */
    const char *result;  /* NULL, ok, failure, started */
    const char *outcome; /* background: NULL, pending, success, failed, lost */
    uint64_t answered_ms, outcome_ms;
};

struct violation {
    struct violation *next;
    const char *rule; /* "I1" ... "dangerous", "secret" */
    struct lab_node *node;
    char *text;
    uint64_t t_ms;
    bool foreign;
};

struct record {
    struct lab *lab;
    struct entry **entries;
    size_t n;
    struct violation *violations;
    size_t n_violations;
};

struct record *record_new(struct lab *lab);
void record_free(struct record *record);

/* A line was taken; looks for secrets in it.  Returns its seq. */
uint64_t record_add(struct lab_node *node, const char *source,
                    const char *login, const char *text);
struct entry *record_entry(struct lab *lab, uint64_t seq); /* NULL: none */

void record_violation(struct lab_node *node, const char *rule, bool foreign,
                      const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Something that a waiting test could see has changed (control.c). */
void lab_changed(struct lab *lab);

/* -- the rules (invariants.c), asked when a command is about to act -------- */

void rule_initialize(struct lab_node *node, bool foreign);
void rule_towards(struct lab_node *node, struct lab_node *peer,
                  const char *what, bool foreign);
void rule_remove(struct lab_node *node, bool foreign);
void rule_file(struct lab_node *node, const char *name, const char *what);

#endif
