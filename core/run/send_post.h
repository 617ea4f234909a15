/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/send_post.h - ACT_POST: what a node's REST interface is told.  Of an
 * answer the product may keep one file of the set: it is written into the
 * set's folder and its digest is journaled, before the act is done.
 */
#ifndef CERTFLEET_RUN_SEND_POST_H
#define CERTFLEET_RUN_SEND_POST_H

#include "core/run/send.h"

/* `text` has passed the table and the guard.  `done` comes once, later. */
void send_post(struct course *course, const struct view *view, const char *text,
               sent_f *done, void *user);

#endif
