/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/login.h - the gate before every password.
 *
 * A wrong password must not lock an account on a hundred nodes.  Of those
 * that share user and password one goes first, the others wait; when it was
 * accepted all go, when it was refused none does, for the life of the
 * process: they are told who refused it.
 *
 * A node that has accepted a password once may be given it again, whatever
 * another node said later: otherwise one strange node would keep a cluster
 * that is taken apart from being put together again.  A node that refused
 * it never is.
 *
 * Connections that end after the password and without an answer count as
 * a refusal the second time: some servers say no in that way.
 */
#ifndef CERTFLEET_TRANSPORT_LOGIN_H
#define CERTFLEET_TRANSPORT_LOGIN_H

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/secret.h"

struct logins; /* all the passwords of one process, shared, never copied */

struct logins *logins_new(void);
void logins_free(struct logins *l); /* nobody may be waiting */

enum login_word {
    LOGIN_WAIT,    /* another goes first; `turn` is called later */
    LOGIN_GO,      /* send it, then say what came of it */
    LOGIN_REFUSED, /* never; login_reason says why */
};

/* One who wants to send.  Lives in the connection; zeroed before use. */
struct login {
    struct login *next;
    struct login_entry *entry;
    const char *place; /* "core1:22"; must live as long */
    bool leads;
    bool waiting;
    void (*turn)(struct login *); /* ask again, but not in this call */
};

/* May be asked again and again. */
enum login_word login_ask(struct logins *l, struct login *who, const char *user,
                          struct secret *password);

/* What came of it; login_leave follows in each case, or comes instead. */
void login_accepted(struct login *who);
void login_refused(struct login *who);
void login_unanswered(struct login *who);
void login_leave(struct login *who); /* fine at any time */

/* "core1:22 refused the password of user admin ..." */
void login_reason(const struct login *who, struct err *err);

#endif
