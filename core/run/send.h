/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/send.h - the only place from which anything that is not a read goes
 * out to a node: every act passes the guard here, right before it is sent.
 */
#ifndef CERTFLEET_RUN_SEND_H
#define CERTFLEET_RUN_SEND_H

#include "core/run/course.h"

enum sent {
    SENT_OK,      /* answered, and not with a failure */
    SENT_UNSENT,  /* nothing reached the node */
    SENT_LOST,    /* the node may or may not have acted */
    SENT_ERROR,   /* answered with a failure */
    SENT_BUSY,    /* answered that it is at work: nothing was done */
    SENT_REFUSED, /* login or host key: do not try again */
    SENT_WAITING, /* a person must bring something; nothing has failed */
};
typedef void sent_f(void *user, enum sent sent, const struct err *err);

struct sending {
    struct course *course;
    const struct view *view; /* copied */
    const struct act *act;
    sent_f *done;
    void *user;
};
/* How a request's end counts for its act. */
enum sent send_by_end(enum link_end end);
/* 0: on its way, `done` comes later.  -1: the guard refused it and nothing
 * went out; *hold when nothing may be taken back automatically. */
int send_act(const struct sending *sending, bool *hold, struct err *err);

#endif
