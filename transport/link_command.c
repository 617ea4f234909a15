/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_command.c - commands, one at a time: by exec here, or
 * handed to the shell (link_shell.c).  It must not know files.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "transport/link_priv.h"
#include "transport/login_shell.h"

enum {
    OUTPUT_CAP_DEFAULT = 4 * 1024 * 1024,
    EOF_GRACE_MS = 1000,    /* from the end of data to the channel's close */
    CHANNEL_RETRY_MS = 100, /* when the dialect names no time */
    LOGIN_WORDS_MAX = 1024, /* a login's complaint is short */
    SHELL_WORDS_MAX = 200,
};

static const struct chan_owner exec_owner;

size_t command_cap(const struct lane *lane)
{
    size_t cap = lane->link->target->dialect->output_cap;

    return cap != 0 ? cap : OUTPUT_CAP_DEFAULT;
}

static const char *address(const struct lane *lane)
{
    return lane->link->route.address;
}

static void forget_chan(struct lane *lane)
{
    if (lane->chan != NULL)
        chan_close(lane->chan);
    lane->chan = NULL;
    lane->chan_opened = false;
    lane->asking_shell = false;
    typed_forget(lane);
}

void command_settle(struct lane *lane, enum link_end end, const struct err *err)
{
    struct request *r = lane->current;

    uv_timer_stop(&lane->deadline);
    lane_unpause(lane);
    lane->current = NULL;
    lane->typed = false;
    lane->chan_retried = false;
    if (r == NULL)
        return;
    r->result.data = str_text(&r->out);
    r->result.len = r->out.len;
    request_settle(r, end, err);
}

void command_reset(struct lane *lane, const struct err *why)
{
    struct request *r = lane->current;

    forget_chan(lane);
    shell_drop(lane);
    lane->typed = false;
    if (r == NULL)
        return;
    if (r->sent) {
        struct err err = *why;

        err_context(&err, "\"%s\" was sent, its answer did not come",
                    r->command.text);
        err.cause = CAUSE_LOST;
        command_settle(lane, LINK_LOST, &err);
        return;
    }
    lane->current = NULL;
    lane_again(lane, r, why);
}

static void on_deadline(uv_timer_t *timer)
{
    command_on_deadline(timer->data);
}

void command_on_deadline(struct lane *lane)
{
    struct request *r = lane->current;
    struct err err;

    if (r == NULL)
        return;
    err_set(&err, CAUSE_LOST, "no %s to \"%s\" from %s in %u s",
            r->sent ? "whole answer" : "channel", r->command.text,
            address(lane), (lane_timeout_ms(lane) + 999) / 1000);
    command_settle(lane, r->sent ? LINK_LOST : LINK_UNSENT, &err);
    lane_drop(lane);
    lane_kick(lane);
}

void command_chan_refused(struct lane *lane, const struct err *err)
{
    unsigned ms = lane->link->target->dialect->channel_retry_ms;

    if (!lane->chan_retried) {
        lane->chan_retried = true;
        lane_pause(lane, PAUSE_CHANNEL, ms != 0 ? ms : CHANNEL_RETRY_MS);
        return;
    }
    command_settle(lane, LINK_UNSENT, err);
    lane_kick(lane);
}

/* The end of the output of the first command may be a login's words instead:
 * sshd says so when a password has expired. */
static bool is_login_complaint(struct lane *lane, const struct request *r)
{
    struct link *l = lane->link;
    struct dialog_rules *rules;
    struct err err;

    if (lane->served || r->out.len > LOGIN_WORDS_MAX)
        return false;
    rules = port_dialog_rules(l->port, l->target->dialect, &err);
    return rules != NULL && dialog_is_password_change(rules, str_text(&r->out));
}

/* \r\n is written by some over exec too. */
static void join_line_ends(struct str *s)
{
    size_t to = 0;

    for (size_t i = 0; i < s->len; i++) {
        if (s->data[i] == '\r' && i + 1 < s->len && s->data[i + 1] == '\n')
            continue;
        s->data[to++] = s->data[i];
    }
    if (s->data != NULL)
        s->data[to] = '\0';
    s->len = to;
}

static void exec_start(struct lane *lane);

/* The command itself was not sent yet. */
static void take_shell(struct lane *lane)
{
    struct request *r = lane->current;
    const struct link_dialect *dialect = lane->link->target->dialect;
    struct str shown;
    struct err err;

    lane->login_shell =
        login_shell_find(dialect->shells, str_text(&r->out), r->out.len);
    if (lane->login_shell) {
        str_reset(&r->out);
        exec_start(lane);
        return;
    }
    str_init(&shown, SHELL_WORDS_MAX);
    str_add_visible(&shown, str_text(&r->out), r->out.len, false);
    err_set(&err, CAUSE_REFUSED,
            "%s has a login shell that is none of those known here: to "
            "\"%s\" it says \"%s\"",
            address(lane), dialect->shell_question, str_text(&shown));
    str_release(&shown);
    command_settle(lane, LINK_REFUSED, &err);
    lane_drop(lane);
    lane_kick(lane);
}

static void finish_exec(struct lane *lane)
{
    struct request *r = lane->current;
    bool asked = lane->asking_shell;
    struct err err;

    forget_chan(lane);
    join_line_ends(&r->out);
    if (is_login_complaint(lane, r)) {
        err_set(&err, CAUSE_REFUSED,
                "%s asks user %s for a new password: log in by hand once, "
                "set it, and give the new one here",
                address(lane), lane->link->route.user);
        command_settle(lane, LINK_REFUSED, &err);
        lane_drop(lane);
    } else if (asked) {
        take_shell(lane);
        return;
    } else {
        lane->served = true;
        command_settle(lane, LINK_OK, NULL);
    }
    lane_kick(lane);
}

static void on_exec_opened(void *user)
{
    struct lane *lane = user;

    lane->chan_opened = true;
}

/* The command still waits for an answer: its connection goes with it. */
static void refuse_typing(struct lane *lane, struct err *err)
{
    err_context(err, "\"%s\" at %s", lane->current->command.text,
                address(lane));
    command_settle(lane, LINK_REFUSED, err);
    lane_drop(lane);
    lane_kick(lane);
}

/* Over the cap the connection goes, not the channel alone: a node need not
 * care that a channel was closed, nor for its window, and libssh would keep
 * what it goes on sending. */
static void on_exec_data(void *user, const char *data, size_t len)
{
    struct lane *lane = user;
    struct request *r = lane->current;
    struct err err;

    if (r == NULL)
        return;
    r->last_ms = clock_mono_ms();
    if (str_addn(&r->out, data, len) == 0) {
        if (lane->asking_shell)
            return;
        switch (typed_answer(lane, &err)) {
        case -1:
            refuse_typing(lane, &err);
            break;
        case 1:
            chan_wake(lane->chan);
            break;
        }
        return;
    }
    err_set(&err, CAUSE_LOST,
            "\"%s\" at %s printed more than %zu bytes: cut off, whether it "
            "did its work is unknown",
            r->command.text, address(lane), r->out.cap);
    command_settle(lane, lane->asking_shell ? LINK_UNSENT : LINK_LOST, &err);
    lane_drop(lane);
    lane_kick(lane);
}

static void on_exec_eof(void *user)
{
    lane_pause(user, PAUSE_EOF, EOF_GRACE_MS);
}

static void on_exec_ended(void *user, enum chan_end how, const struct err *err)
{
    struct lane *lane = user;
    bool opened = lane->chan_opened, asked = lane->asking_shell;

    lane->chan = NULL; /* it is gone */
    lane->chan_opened = false;
    if (how == CHAN_REFUSED) {
        command_chan_refused(lane, err);
    } else if (how == CHAN_CLOSED && opened) {
        finish_exec(lane);
    } else {
        command_settle(lane,
                       asked                ? LINK_UNSENT
                       : how == CHAN_DENIED ? LINK_FAILED
                                            : LINK_LOST,
                       err);
        lane_kick(lane);
    }
}

static void on_exec_sent(void *user, size_t n)
{
    struct lane *lane = user;
    struct request *r = lane->current;

    if (lane->asking_shell)
        return;
    if (lane->chan_opened) {
        typed_sent(lane, n);
    } else if (!r->sent) {
        r->sent = true;
        r->sent_ms = clock_mono_ms();
    }
}

static const void *exec_output(void *user, size_t *len)
{
    return typed_output(user, len);
}

static const struct chan_owner exec_owner = {
    .opened = on_exec_opened,
    .data = on_exec_data,
    .eof = on_exec_eof,
    .ended = on_exec_ended,
    .output = exec_output,
    .sent = on_exec_sent,
};

static void exec_start(struct lane *lane)
{
    const struct link_dialect *dialect = lane->link->target->dialect;
    const struct link_shell *shell = lane->login_shell;
    const char *before = shell ? shell->before : dialect->exec_before;
    const char *after = shell ? shell->after : dialect->exec_after;
    struct chan_wish wish = {.kind = CHAN_EXEC};

    lane->asking_shell = dialect->shells && !shell;
    str_reset(&lane->current->out);
    str_reset(&lane->line_out);
    if (lane->asking_shell)
        str_add(&lane->line_out, dialect->shell_question);
    else
        str_addf(&lane->line_out, "%s%s%s", before ? before : "",
                 lane->current->command.text, after ? after : "");
    wish.command = str_text(&lane->line_out);
    typed_forget(lane);
    lane->chan_opened = false;
    lane->chan = chan_open(lane->conn, &wish, &exec_owner, lane);
}

static void start(struct lane *lane)
{
    const struct request *r = lane->current;

    if (r->command.confirm || lane->link->target->dialect->shell_commands)
        shell_start(lane);
    else
        exec_start(lane);
}

void command_on_pause(struct lane *lane, enum lane_pause why)
{
    if (why == PAUSE_QUIET)
        shell_on_quiet(lane);
    else if (why == PAUSE_CHANNEL && lane->current != NULL)
        start(lane);
    else if (why == PAUSE_EOF && lane->current != NULL)
        finish_exec(lane);
}

void command_serve(struct lane *lane)
{
    while (lane->current == NULL && lane->line.first != NULL &&
           !lane->dropping) {
        struct request *r = line_take(&lane->line);

        if (r->kind == REQUEST_CONNECT) {
            request_settle(r, LINK_OK, NULL);
            continue;
        }
        lane->current = r;
        r->out.cap = command_cap(lane);
        uv_timer_start(&lane->deadline, on_deadline, lane_timeout_ms(lane), 0);
        start(lane);
    }
}
