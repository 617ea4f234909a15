/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/cell_priv.h - a cell's insides: cell.c (edges, states),
 * cell_read.c (readings and what they mean), cell_apply.c (acts).
 */
#ifndef CERTFLEET_RUN_CELL_PRIV_H
#define CERTFLEET_RUN_CELL_PRIV_H

#include "core/run/cell.h"

/* The setter: follows an edge, journals, traces, enters the state. */
void cell_move(struct cell *cell, enum cell_event event);
/* This try failed; `fatal`, or no try left: for good. */
void cell_fail(struct cell *cell, const struct err *err, bool fatal);

struct course *cell_course(const struct cell *cell);
const struct node *cell_node(const struct cell *cell); /* NULL: STEP_ONCE */
struct view cell_view(const struct cell *cell);
unsigned cell_within_ms(const struct cell *cell);
bool cell_is_late(const struct cell *cell); /* past its deadline */
void cell_poll_later(struct cell *cell);

void cell_tell(const struct cell *cell, const char *event, const char *command,
               const char *detail);

/* cell_apply.c: a store_done_f; the intent is durable (or the store is broken:
 * then nothing goes out). */
void cell_on_intent(void *user, const struct err *err);

/* cell_read.c: reads what the goal needs, asks it, moves on (CHECK and VERIFY).
 */
void cell_read(struct cell *cell);

#endif
