/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/prove/point.h - the moments at which the program may die.
 *
 * A point has a label made of what is done and on which node, never of a
 * running number, so that nodes at work side by side give the same set of
 * labels in any order.  The n-th time of a label is "LABEL #n".
 *
 *     CRASH_LIST=FILE   every point is added to the file, one a line
 *     CRASH_AT=LABEL    there the process ends with SIGKILL
 *     CRASH_NTH=N       or at its N-th point, whichever it is
 *     CRASH_POWER=1     and what was not synced goes with it (powercut.h)
 */
#ifndef CERTFLEET_PROVE_POINT_H
#define CERTFLEET_PROVE_POINT_H

#include <stdbool.h>

enum {
    POINT_BYTES = 512
};

/* Reads the environment; before anything else. */
void point_set_up(void);

/* Notes the point; true when it is the one: the caller sees to the death. */
bool point_reached(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Notes the point, and dies when it is the one. */
void point(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, but of a label only its first time is a point. */
void point_once(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void point_die(void);

/* Dies as soon as the lab says that the node has got the act: `trap` is a
 * control command of the lab that gives an id ("hold ...", "inject ..."),
 * `kind` is what is waited for (held, fault).  The lab is the one whose folder
 * is $HOME.  Returns at once. */
void point_die_when(const char *kind, const char *trap);

#endif
