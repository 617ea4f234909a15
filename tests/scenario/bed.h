/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/bed.h - a lab, the program certfleet, and what came of both.
 *
 * For cmocka programs that run certfleet as a user would, against a lab of
 * their own (tests/lab/rig.h: own folder, own addresses, so that ctest may run
 * several programs at once).  A test:
 *
 *     static void test_it(void **state)
 *     {
 *         struct bed *bed = bed_start(state, "3+2", NULL);
 *
 *         bed_lab(bed, "inject core2 fail 'database cluster join*'");
 *         bed_ends(bed_apply(bed, ""), 0, "done");
 *         bed_is_new(bed, "lab", "core1");
 *     }
 *     ... cmocka_unit_test_teardown(test_it, bed_stop) ...
 *     return crew_tests(tests); (tests/scenario/crew.h)
 *
 * bed_start stores the bed in *state; bed_stop, the teardown, runs after a
 * failed assertion too: it kills every certfleet by its pid, ends the lab and
 * removes the folder.  Whatever these functions return belongs to the bed.
 * Nothing here sleeps; every wait has a deadline (BED_DEADLINE_MS, ten times
 * as long below $CERTFLEET_WRAP), and one that passes fails the test and
 * prints what the program had said.
 *
 * What each run is asked in any case, when it has ended: every line of its
 * standard output is a JSON object with `event`; the last one, and only that,
 * is the `result`, and its `exit` is the exit code; neither output holds the
 * lab's password or a private key.
 */
#ifndef CERTFLEET_SCENARIO_BED_H
#define CERTFLEET_SCENARIO_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>

#include "core/base/arena.h"
#include "core/base/str.h"
#include "tests/lab/rig.h"

enum {
    BED_DEADLINE_MS = 180000, /* all services of three nodes, with ASan */
    BED_WORDS = 64
};

struct bed_run { /* one certfleet */
    struct bed_run *next;
    struct bed *bed;
    const char *line; /* what was asked, for messages */
    pid_t pid;        /* 0: it has ended */
    int out, err;     /* our ends of its outputs; -1: closed */
    struct str out_text, err_text;
    json_t *events; /* array; grows while it runs */
    size_t parsed;  /* bytes of out_text that are in `events` */
    int code;       /* exit code; 128 + signal; -1: still running */
    long peak_kb;   /* of its memory, once it has ended */
    bool plain;     /* bed_begin with BED_PLAIN: no --json, no checks */
};

struct bed {
    struct rig *rig;
    const char *dir; /* the lab's; also $HOME and the working folder */
    struct bed_run *runs;
    struct arena arena; /* words and lists that these functions return */
    json_t *kept;       /* array: what the lab answered */
    const char *env[8]; /* further NAME=VALUE for certfleet, NULL-ended */

    const char *program; /* another one in certfleet's place; NULL: it */
};

/* -- beginning and end ----------------------------------------------------- */

/* A lab of this shape ("3+2": three database nodes, two connect-only ones),
 * with short times; DIR/certfleet.ini, cluster `lab` (with --clusters N:
 * lab1, lab2 ...), nodes core1... and edge1... (lab1-core1 ...).  `args`:
 * further arguments of certfleet-lab, NULL-ended, or NULL. */
struct bed *bed_start(void **state, const char *shape, const char *const *args);
/* Teardown; NULL in *state is fine.  Not 0: the lab did not end well. */
int bed_stop(void **state);

/* -- the lab --------------------------------------------------------------- */

/* One control command (docs/lab.md); the answer.  Fails the test when the lab
 * refuses. */
json_t *bed_lab(struct bed *bed, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The id of an injected fault or hold, from its answer. */
int bed_id(json_t *answer);
json_t *bed_verdict(struct bed *bed);
/* Field of a node's state ("role", "set", "last_command" ...); as text. */
const char *bed_node(struct bed *bed, const char *node, const char *field);
/* How many commands that match the pattern (fnmatch) the nodes that match
 * theirs have been given by the program; people's own are not counted. */
unsigned bed_count(struct bed *bed, const char *node, const char *pattern);
/* How many files of a node match the pattern. */
unsigned bed_files(struct bed *bed, const char *node, const char *pattern);

/* -- the inventory, and files beside it ------------------------------------ */

/* Puts the line below [section] of DIR/certfleet.ini. */
void bed_inventory(struct bed *bed, const char *section, const char *line);
/* Takes a whole section out. */
void bed_inventory_drop(struct bed *bed, const char *section);
void bed_write(struct bed *bed, const char *name, const char *text);
const char *bed_read(struct bed *bed, const char *name);

/* -- the program ----------------------------------------------------------- */

enum bed_flag {
    BED_JSON,
    BED_PLAIN /* the words alone behind -i: what it prints is not read */
};

/* Starts certfleet with these words (parted by blanks) behind
 * `-i DIR/certfleet.ini --json`, standard input /dev/null, environment: HOME,
 * PATH, LC_ALL=C, the sanitizers' options and bed->env.  $CERTFLEET_WRAP
 * ("valgrind -q --error-exitcode=99") is put before it.  Does not wait. */
struct bed_run *bed_begin(struct bed *bed, enum bed_flag flag, const char *fmt,
                          ...) __attribute__((format(printf, 3, 4)));
/* The same with a child of the caller's own making (a pty, other signals):
 * takes over pid and both descriptors (-1: none). */
struct bed_run *bed_adopt(struct bed *bed, pid_t pid, int out, int err);
/* The argv that bed_begin would run, for bed_adopt's callers; NULL-ended. */
const char **bed_argv(struct bed *bed, enum bed_flag flag, const char *words);
/* And the environment. */
const char **bed_environment(struct bed *bed);
/* For a child, right after the fork: it dies when its parent does. */
void bed_die_with(pid_t parent);

/* Waits until its output holds such an event (NULL: any) and returns it; the
 * test fails when the program ends without. */
json_t *bed_await(struct bed_run *run, const char *event, const char *node,
                  const char *step);
/* Waits until it has told so many of these. */
void bed_await_count(struct bed_run *run, const char *event, unsigned n);
/* Waits until it has ended; its exit code. */
int bed_finish(struct bed_run *run);
/* Both: starts and finishes. */
struct bed_run *bed_do(struct bed *bed, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* apply cms/db-rotate lab --yes WORDS */
struct bed_run *bed_apply(struct bed *bed, const char *words);

/* -- what it said ---------------------------------------------------------- */

json_t *bed_result(const struct bed_run *run);
/* clusters[] of the result by name */
json_t *bed_cluster(const struct bed_run *run, const char *cluster);
/* "" when there is none */
const char *bed_text(const json_t *object, const char *key);
/* How many events; NULL: any node, any step. */
unsigned bed_events(const struct bed_run *run, const char *event,
                    const char *node, const char *step);
/* Is the word in anything that it said (either output)? */
bool bed_said(const struct bed_run *run, const char *word);
/* The run's id (a copy in the bed). */
const char *bed_run_id(const struct bed_run *run);
/* `next` of the result begins with the program and ends with a command of
 * this verb ("resume"): runs just that, with --yes, and returns it. */
struct bed_run *bed_next(struct bed_run *run, const char *verb);

/* -- assertions ------------------------------------------------------------ */

/* Exit code and outcome; prints all that was said otherwise. */
void bed_ends(const struct bed_run *run, int code, const char *outcome);
/* Every node of the cluster on a new set (or: the old one), whole and in
 * sync, this primary; bed_is_safe too. */
void bed_is_new(struct bed *bed, const char *cluster, const char *primary);
void bed_is_old(struct bed *bed, const char *cluster, const char *primary);
/* The old set, and not one command that changes a database cluster. */
void bed_is_untouched(struct bed *bed, const char *cluster,
                      const char *primary);
/* No row lost, no rule of I1-I7 broken by the program, no secret on a command
 * line, none in the store's database. */
void bed_is_safe(struct bed *bed);
/* Nothing that a run put there lies on any node. */
void bed_is_clean(struct bed *bed);

#endif
