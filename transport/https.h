/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/https.h - one GET or POST by HTTPS, with a password: what a node's
 * REST interface is asked, and told to do.
 *
 * libcurl's multi interface on the loop: nothing waits.  The peer is hostile
 * until its certificate is proven, and its answer stays so: one request a
 * connection, HTTP/1.1, no redirect, no proxy, no cookie, no compression, a cap
 * on head and body, one deadline for everything.
 *
 * A certificate is good when it leads to one of `ca` and names the peer; or
 * when it is itself one of `ca`, or has the digest `pin`: whoever shows that
 * very certificate has its key, whatever it is called and however old it is.
 * There is no other way in, and the system's own CAs do not count.  The
 * password goes out only when it was good.
 */
#ifndef CERTFLEET_TRANSPORT_HTTPS_H
#define CERTFLEET_TRANSPORT_HTTPS_H

#include <uv.h>

#include "core/link.h"

struct https; /* libcurl on one loop */
/* NULL: libcurl is not here. */
struct https *https_new(uv_loop_t *loop, struct err *err);
/* No call may be under way; its handles close on the next turns. */
void https_free(struct https *h);

struct https_request { /* what it points to must live until the end */
    const char *address;
    unsigned port;
    const char *path;
    const char *user;
    const struct secret *password; /* no NUL in it */
    const struct secret *ca;       /* PEM */
    const char *pin;               /* SHA-256 in hex, or NULL */
    const char *const *names;      /* what it may be called besides its
                                      address; NULL-ended, or NULL */
    unsigned timeout_ms;
    size_t answer_cap; /* bytes of the answer's body; 0: 64 KB */
    const char *body;  /* JSON: a POST of it; NULL: a GET */
    size_t body_len;
};

struct https_answer {
    enum link_end end; /* OK: an answer of whatever status.  UNSENT: no
                          connection.  FAILED: a certificate that is not good,
                          no HTTP, too much of it.  LOST: silence; of a POST
                          that went out whatever is no answer: it may have
                          acted */
    unsigned status;   /* of HTTP; 0: none */
    bool sent;         /* the password went out */
    const char *body;
    size_t len;
    const struct err *err; /* when not OK */
};
typedef void https_done_f(void *user, const struct https_answer *answer);

struct https_call;
/* Never completes in this call: `done` comes once, from the loop. */
struct https_call *https_start(struct https *h,
                               const struct https_request *request,
                               https_done_f *done, void *user);
/* Forgets it: `done` does not come. */
void https_cancel(struct https_call *call);

#endif
