/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_api.c - a question to a node's REST interface, or an order:
 * whose turn it is to send the password, and what came of it.  It must not know
 * libcurl.
 */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "transport/link_priv.h"

enum {
    TIMEOUT_MS = 10000,
    PLACE_BYTES = 320
};

struct link_asking {
    struct link_asking *next;
    struct link *link;
    struct port_note note;
    bool queued;  /* the note is in the port's line */
    bool settled; /* then it is told, else the question goes on */
    struct link_peer peer;
    const char *path;
    const char *post; /* JSON; NULL: a question */
    size_t post_len;
    char place[PLACE_BYTES]; /* "core1:443 (API)" */
    struct login login;
    struct https_call *call;
    uint64_t began_ms;
    struct link_result result;
    struct err err;
    char *body;
    link_done_f *done;
    void *user;
};

static void queue(struct link_asking *a)
{
    if (a->queued)
        return;
    a->queued = true;
    port_tell(a->link->port, &a->note);
}

/* -- the end --------------------------------------------------------------- */

static void settle(struct link_asking *a, enum link_end end)
{
    login_leave(&a->login);
    a->settled = true;
    a->result.end = end;
    a->result.err = end == LINK_OK ? NULL : &a->err;
    if (a->began_ms)
        a->result.took_ms = clock_mono_ms() - a->began_ms;
    queue(a);
}

static void take_out(struct link_asking *a)
{
    struct link_asking **at = &a->link->asking;

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
}

static void tell(struct link_asking *a)
{
    struct link *l = a->link;

    take_out(a);
    l->pending--;
    a->done(a->user, &a->result);
    free(a->body);
    free(a);
    link_end_if_closed(l);
}

/* -- what came of it ------------------------------------------------------- */

static void take_body(struct link_asking *a, const struct https_answer *answer)
{
    a->body = strndup(answer->body, answer->len);
    if (!a->body)
        abort();
    a->result.data = a->body;
    a->result.len = strlen(a->body); /* a NUL ends it */
}

/* Of an order the answer to a failure, too, is the caller's to read. */
static void on_other_status(struct link_asking *a,
                            const struct https_answer *answer)
{
    if (a->post)
        take_body(a, answer);
    err_set(&a->err, CAUSE_REMOTE, "%s answers with status %u", a->place,
            answer->status);
    settle(a, LINK_FAILED);
}

static bool is_good(const struct link_asking *a, unsigned status)
{
    return status == 200 || (a->post && status == 201);
}

static void on_status(struct link_asking *a, const struct https_answer *answer)
{
    a->result.status = answer->status;
    if (answer->status == 401 || answer->status == 403) {
        login_refused(&a->login);
        login_reason(&a->login, &a->err);
        settle(a, LINK_REFUSED);
    } else if (is_good(a, answer->status)) {
        login_accepted(&a->login);
        take_body(a, answer);
        settle(a, LINK_OK);
    } else {
        on_other_status(a, answer);
    }
}

static void on_answer(void *user, const struct https_answer *answer)
{
    struct link_asking *a = user;

    a->call = NULL;
    if (answer->end == LINK_OK) {
        on_status(a, answer);
        return;
    }
    if (answer->sent)
        login_unanswered(&a->login);
    a->err = *answer->err;
    settle(a, answer->end);
}

/* -- the beginning --------------------------------------------------------- */

static struct https *https_of(struct link_asking *a)
{
    struct link_port *port = a->link->port;

    if (!port->https)
        port->https = https_new(port->loop, &a->err);
    return port->https;
}

static void send_it(struct link_asking *a)
{
    const struct link_target *t = a->link->target;
    const struct https_request request = {
        .address = a->peer.address,
        .port = a->peer.port,
        .path = a->path,
        .user = t->api_user,
        .password = t->api_password,
        .ca = t->api_ca,
        .pin = a->peer.pin,
        .names = t->names,
        .timeout_ms = a->peer.timeout_ms ? a->peer.timeout_ms : TIMEOUT_MS,
        .answer_cap = a->peer.answer_cap,
        .body = a->post,
        .body_len = a->post_len,
    };
    bool may = !t->may_send || t->may_send(t->may_send_user);
    struct https *https = may ? https_of(a) : NULL;

    if (!may)
        err_set(&a->err, CAUSE_LOCKED, "it may not be sent any more");
    if (!https) {
        settle(a, LINK_UNSENT);
        return;
    }
    a->began_ms = clock_mono_ms();
    a->call = https_start(https, &request, on_answer, a);
}

static void go_on(struct link_asking *a)
{
    const struct link_target *t = a->link->target;

    switch (login_ask(a->link->port->api_logins, &a->login, t->api_user,
                      t->api_password)) {
    case LOGIN_WAIT:
        break;
    case LOGIN_GO:
        send_it(a);
        break;
    case LOGIN_REFUSED:
        login_reason(&a->login, &a->err);
        settle(a, LINK_REFUSED);
        break;
    }
}

static void on_note(struct port_note *note)
{
    struct link_asking *a =
        (struct link_asking *)((char *)note -
                               offsetof(struct link_asking, note));

    a->queued = false;
    if (a->settled)
        tell(a);
    else if (!a->call)
        go_on(a);
}

static void on_turn(struct login *who)
{
    queue((struct link_asking *)((char *)who -
                                 offsetof(struct link_asking, login)));
}

/* What can be told before anything goes out. */
static int check_target(const struct link_target *t, struct err *err)
{
    if (!t->api_user || !t->api_password || !t->api_ca)
        return err_set(err, CAUSE_INPUT,
                       "the inventory gives no access to its API");
    if (strlen(secret_text(t->api_password)) != t->api_password->len)
        return err_set(err, CAUSE_INPUT, "api_password holds a NUL");
    return 0;
}

static struct link_asking *asking_new(struct link *l,
                                      const struct link_peer *peer,
                                      const char *path)
{
    struct link_asking *a = calloc(1, sizeof(*a));
    struct str place;

    assert(!l->closing);
    if (!a)
        abort();
    a->link = l;
    a->peer = *peer;
    a->path = path;
    a->note.tell = on_note;
    a->login.turn = on_turn;
    str_init(&place, PLACE_BYTES - 1);
    str_addf(&place, "%s:%u (API)", peer->address, peer->port);
    memcpy(a->place, str_text(&place), place.len + 1);
    str_release(&place);
    a->login.place = a->place;
    return a;
}

static void start(struct link_asking *a, link_done_f *done, void *user)
{
    a->done = done;
    a->user = user;
    a->next = a->link->asking;
    a->link->asking = a;
    a->link->pending++;
    if (check_target(a->link->target, &a->err) < 0)
        settle(a, LINK_REFUSED);
    else
        queue(a);
}

void link_ask(struct link *l, const struct link_peer *peer, const char *path,
              link_done_f *done, void *user)
{
    start(asking_new(l, peer, path), done, user);
}

void link_post(struct link *l, const struct link_post *post, link_done_f *done,
               void *user)
{
    struct link_asking *a = asking_new(l, &post->peer, post->path);

    a->post = post->body;
    a->post_len = post->len;
    start(a, done, user);
}

void link_ask_cancel(struct link *l)
{
    for (struct link_asking *a = l->asking; a; a = a->next) {
        if (a->settled)
            continue;
        if (a->call)
            https_cancel(a->call);
        a->call = NULL;
        err_set(&a->err, CAUSE_CANCELED, "canceled");
        settle(a, LINK_CANCELED);
    }
}
