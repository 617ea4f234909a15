/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/channel.c - the states of a channel.  It must not know what a
 * command or a file is.
 */
#include "transport/channel.h"

#include <stdlib.h>
#include <string.h>

#include "transport/compat.h"
#include "transport/ssh_priv.h"

enum {
    CHAN_WRITE_MAX = 32 * 1024, /* a step; facts/transport.md 2.2 */
    CHAN_ROWS = 24,
};

enum chan_state {
    CHAN_OPENING,
    CHAN_PTY,
    CHAN_REQUEST,
    CHAN_IO,
    CHAN_OVER
};

struct chan {
    struct chan *next;
    struct conn *conn;
    ssh_channel channel;
    struct ssh_channel_callbacks_struct callbacks;
    const struct chan_owner *owner; /* NULL: closed by the owner */
    void *user;
    struct chan_wish wish;
    enum chan_state state;
    bool asked; /* the request was handed to libssh */
    bool eof_came;
    bool eof_told;
    bool closed_came;
};

static int on_data(/* lint: allow params, the type is libssh's */
                   ssh_session session, ssh_channel channel, void *data,
                   uint32_t len, int is_stderr, void *user)
{
    struct chan *ch = user;

    (void)session;
    (void)channel;
    (void)is_stderr; /* which is which is not known: facts/cms.md 1.2 */
    if (ch->owner != NULL)
        ch->owner->data(ch->user, data, len);
    return (int)len;
}

static void on_eof(ssh_session session, ssh_channel channel, void *user)
{
    struct chan *ch = user;

    (void)session;
    (void)channel;
    ch->eof_came = true;
}

static void on_close(ssh_session session, ssh_channel channel, void *user)
{
    struct chan *ch = user;

    (void)session;
    (void)channel;
    ch->closed_came = true;
}

struct chan *chan_open(struct conn *c, const struct chan_wish *wish,
                       const struct chan_owner *owner, void *user)
{
    struct chan *ch = calloc(1, sizeof(*ch));

    if (ch == NULL)
        abort();
    ch->conn = c;
    ch->wish = *wish;
    ch->owner = owner;
    ch->user = user;
    ch->callbacks.userdata = ch;
    ch->callbacks.channel_data_function = on_data;
    ch->callbacks.channel_eof_function = on_eof;
    ch->callbacks.channel_close_function = on_close;
    ssh_callbacks_init(&ch->callbacks);
    ch->next = c->chans;
    c->chans = ch;
    conn_kick(c);
    return ch;
}

void chan_close(struct chan *ch)
{
    ch->owner = NULL;
    conn_kick(ch->conn);
}

void chan_wake(struct chan *ch)
{
    conn_kick(ch->conn);
}

/* The callbacks go first: libssh keeps a channel until the server closed it
 * too, and would call into freed memory. */
static void detach(struct chan *ch)
{
    ch->owner = NULL;
    ch->state = CHAN_OVER;
    if (ch->channel == NULL)
        return;
    ssh_remove_channel_callbacks(ch->channel, &ch->callbacks);
    ssh_channel_free(ch->channel);
    ch->channel = NULL;
}

void chan_detach_all(struct conn *c)
{
    for (struct chan *ch = c->chans; ch != NULL; ch = ch->next)
        detach(ch);
}

void chan_free_all(struct conn *c)
{
    while (c->chans != NULL) {
        struct chan *ch = c->chans;

        c->chans = ch->next;
        free(ch);
    }
}

static enum step end(struct chan *ch, enum chan_end how, const char *what)
{
    const struct chan_owner *owner = ch->owner;
    struct err err;

    /* a dead connection is told by the connection, and until then the owner
     * still names this */
    if (owner != NULL && !compat_is_alive(ch->conn->session))
        return STEP_WAIT;
    ch->state = CHAN_OVER;
    if (owner == NULL)
        return STEP_WAIT;
    err_set(&err, how == CHAN_CLOSED ? CAUSE_LOST : CAUSE_REMOTE, "%s %s",
            ch->conn->route->address, what);
    ch->owner = NULL;
    owner->ended(ch->user, how, &err);
    return STEP_WAIT;
}

static enum step step_opening(struct chan *ch)
{
    int rc;

    if (ch->channel == NULL) {
        ch->channel = ssh_channel_new(ch->conn->session);
        if (ch->channel == NULL)
            return end(ch, CHAN_REFUSED, "got no channel from libssh");
        ssh_set_channel_callbacks(ch->channel, &ch->callbacks);
    }
    rc = ssh_channel_open_session(ch->channel);
    if (rc == SSH_AGAIN)
        return STEP_WAIT;
    if (rc != SSH_OK)
        return end(ch, CHAN_REFUSED, "opened no channel");
    ch->state = ch->wish.kind == CHAN_SHELL ? CHAN_PTY : CHAN_REQUEST;
    return STEP_GO;
}

/* A server that gives no terminal may still give a shell. */
static enum step step_pty(struct chan *ch)
{
    int rc = ssh_channel_request_pty_size(ch->channel, "vt100",
                                          (int)ch->wish.columns, CHAN_ROWS);

    if (rc == SSH_AGAIN)
        return STEP_WAIT;
    ch->state = CHAN_REQUEST;
    return STEP_GO;
}

static bool may_send(const struct chan *ch)
{
    const struct link_target *target = ch->conn->route->target;

    return target->may_send == NULL || target->may_send(target->may_send_user);
}

static int request(struct chan *ch)
{
    switch (ch->wish.kind) {
    case CHAN_EXEC:
        return ssh_channel_request_exec(ch->channel, ch->wish.command);
    case CHAN_SFTP:
        return ssh_channel_request_sftp(ch->channel);
    case CHAN_SHELL:
        break;
    }
    return ssh_channel_request_shell(ch->channel);
}

static enum step step_request(struct chan *ch)
{
    const struct chan_owner *owner = ch->owner;
    bool first = !ch->asked;
    int rc;

    if (first && !may_send(ch))
        return STEP_WAIT;
    rc = request(ch);
    ch->asked = true;
    if (first && ch->wish.kind == CHAN_EXEC)
        owner->sent(ch->user, strlen(ch->wish.command));
    if (ch->owner != owner) /* it closed us */
        return STEP_WAIT;
    if (rc == SSH_AGAIN)
        return STEP_WAIT;
    if (rc != SSH_OK)
        return end(ch, CHAN_DENIED,
                   ch->wish.kind == CHAN_SFTP   ? "offers no SFTP"
                   : ch->wish.kind == CHAN_EXEC ? "refused to run a command"
                                                : "refused a shell");
    ch->state = CHAN_IO;
    owner->opened(ch->user);
    return STEP_GO;
}

/* One packet's worth at a time, and only when the last one is out. */
static void write_some(struct chan *ch)
{
    const void *data;
    size_t len = 0;
    int n;

    if (ssh_get_poll_flags(ch->conn->session) & SSH_WRITE_PENDING)
        return;
    data = ch->owner->output(ch->user, &len);
    if (len == 0 || !may_send(ch))
        return;
    if (len > CHAN_WRITE_MAX)
        len = CHAN_WRITE_MAX;
    n = ssh_channel_write(ch->channel, data, (uint32_t)len);
    /* 0: the window is shut, or keys are exchanged anew */
    if (n > 0 && ch->owner != NULL)
        ch->owner->sent(ch->user, (size_t)n);
}

static enum step step_io(struct chan *ch)
{
    if (!ch->eof_came && !ch->closed_came)
        write_some(ch);
    return STEP_WAIT;
}

static enum step (*const steps[])(struct chan *) = {
    [CHAN_OPENING] = step_opening,
    [CHAN_PTY] = step_pty,
    [CHAN_REQUEST] = step_request,
    [CHAN_IO] = step_io,
};

/* What the callbacks noted, told outside of libssh. */
static void tell_end(struct chan *ch)
{
    if (ch->owner != NULL && ch->eof_came && !ch->eof_told) {
        ch->eof_told = true;
        ch->owner->eof(ch->user);
    }
    if (ch->owner != NULL && ch->closed_came && ch->state != CHAN_OVER)
        (void)end(ch, CHAN_CLOSED, "closed the channel");
}

static void chan_step(struct chan *ch)
{
    while (ch->owner != NULL && ch->state != CHAN_OVER &&
           steps[ch->state](ch) == STEP_GO)
        ;
    if (ch->state != CHAN_OPENING)
        tell_end(ch);
}

/* An owner may open and close channels meanwhile: none is freed before all
 * were asked. */
void chan_step_all(struct conn *c)
{
    struct chan **at = &c->chans;

    for (struct chan *ch = c->chans; ch != NULL; ch = ch->next)
        chan_step(ch);
    while (*at != NULL) {
        struct chan *ch = *at;

        if (ch->owner != NULL && ch->state != CHAN_OVER) {
            at = &ch->next;
            continue;
        }
        *at = ch->next;
        detach(ch);
        free(ch);
    }
}
