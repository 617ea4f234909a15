/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/course_priv.h - a course's insides: course.c (states and what
 * follows what), course_gates.c (findings), course_look.c (reading all nodes
 * before a decision).
 */
#ifndef CERTFLEET_RUN_COURSE_PRIV_H
#define CERTFLEET_RUN_COURSE_PRIV_H

#include "core/run/course.h"

const struct playbook *course_playbook(const struct course *course);
void course_tell(struct course *course, const char *event, const char *detail,
                 int64_t took_ms);
void course_record(struct course *course, const char *kind, json_t *data);
void course_set_state(struct course *course, enum course_state state);
/* What follows a callback of a walk or a probe begins on a later turn, so that
 * nothing is freed below its own feet. */
void course_later(struct course *course, course_f *what, uint64_t ms);
/* A state in which run.c decides what follows. */
void course_halt_at(struct course *course, enum course_state state);
void course_note_why(struct course *course, const struct err *err);
void course_finish(struct course *course, enum outcome outcome);
/* The same, when staged files have been taken off the nodes. */
void course_clean_then(struct course *course, enum outcome outcome);
void course_start_live(struct course *course, bool back);

/* course_gates.c: every node was read. */
void course_gates_passed(struct course *course);
/* course_look.c: SURVEY or BACK_READ. */
void course_look(struct course *course, enum course_state state);
void course_go_back(struct course *course);

#endif
