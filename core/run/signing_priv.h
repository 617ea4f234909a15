/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/signing_priv.h - the asking's insides: signing.c (one wish after the
 * other, giving in, the end), signing_fetch.c (the certificate, or why there is
 * none), signing_note.c (names, notes and words, without a loop).
 */
#ifndef CERTFLEET_RUN_SIGNING_PRIV_H
#define CERTFLEET_RUN_SIGNING_PRIV_H

#include "core/run/signer.h"
#include "core/run/signing.h"

enum {
    SIGNING_NAME_BYTES = 32
};
struct signing_names { /* on the CA's node */
    char base[SIGNING_NAME_BYTES];
    char file[SIGNER_FILES][SIGNING_NAME_BYTES]; /* "": there is no such */
};
/* Of the request's own digest: no two requests share them, and whoever asks
 * again finds what is there. */
void signing_name(const struct signer *signer, const char *request,
                  struct signing_names *names);

/* The id that this CA has given to the wish's request, beside the request here.
 * False: none is noted, or one of another CA.  Blocking, a small file. */
bool signing_noted(const struct issuer *issuer, const struct issue_wish *wish,
                   char id[SIGNER_ID_BYTES]);
int signing_note(const struct issuer *issuer, const struct issue_wish *wish,
                 const char *id, struct err *err);

/* "server_crt", "webadmin_crt of node core1" */
void signing_say_wish(const struct issue_wish *wish, struct str *out);
/* The last two lines that were printed, in one, safe for terminals. */
void signing_say_words(const char *said, size_t len, struct str *out);

typedef void signing_f(struct signing *s);

struct signing {
    struct course *course;
    struct issue_job *job;
    const struct issuer *issuer;
    const struct signer *signer;
    sent_f *done;
    void *user;
    /* the wish under way */
    size_t at;
    struct signing_names names;
    char id[SIGNER_ID_BYTES];
    unsigned given_in;      /* how often, by this process */
    uint64_t look_until_ms; /* monotonic; 0: nothing is in doubt */
    struct str command;     /* its last one */
    struct str said;        /* what that has printed */
    char *answer;           /* hostile bytes, and a NUL */
    size_t answer_len;
    int tidied;      /* files of it that were taken off */
    signing_f *then; /* behind tidying, or a work */
    /* all wishes */
    size_t known;     /* ids that the CA has given */
    struct str waits; /* those without an answer, in words */
    size_t n_waits;
    bool canceled;
    uv_work_t work;
    uv_timer_t timer;
    int rc;
    struct err err;
};

struct issue_wish *signing_wish(const struct signing *s); /* under way */
struct link *signing_link(const struct signing *s);
/* Whoever was asked to stop does, with the first answer that comes; true: it
 * has ended. */
bool signing_stops(struct signing *s);
/* The end, with s->err. */
void signing_fail(struct signing *s, enum sent sent);
void signing_fail_by(struct signing *s, const struct link_result *result);
/* In the pool; s->rc < 0 fails, else `then'. */
void signing_queue(struct signing *s, uv_work_cb work, signing_f *then);
/* signing_fetch.c: the id is noted; ends in signing_next, or not well. */
void signing_fetch(struct signing *s);
/* The node's files of the wish are taken off, as far as that can be done now.
 */
void signing_tidy_then(struct signing *s, signing_f *then);
void signing_next(struct signing *s); /* the wish has all that it can have */
/* s->err: WHAT, and the CA's own words. */
void signing_say(struct signing *s, const char *what);

#endif
