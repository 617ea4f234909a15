/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/send_keep.h - a file of the new set that stood in a node's answer
 * (a request, never a key): written into the set's folder, where the node has
 * a set of its own into that one's, and its digest journaled, so that a later
 * process knows whether the node still has what the answer was about.
 */
#ifndef CERTFLEET_RUN_SEND_KEEP_H
#define CERTFLEET_RUN_SEND_KEEP_H

#include "core/run/send.h"

struct kept_file {
    struct course *course;
    size_t node; /* that answered */
    const char *slot;
};
/* Does the node's set have such a file? */
bool send_keeps(const struct kept_file *kept);
/* Only where it does.  The content is copied.  `done` comes once, later:
 * SENT_OK, or SENT_ERROR. */
void send_keep(const struct kept_file *kept, const struct str *content,
               sent_f *done, void *user);

#endif
