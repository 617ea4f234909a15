/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_shell.c - commands in a shell that stays: dialog.h gets its
 * bytes and its clock here.  It must not know how prompts look.
 */
#include <stdlib.h>

#include "core/base/clock.h"
#include "transport/link_priv.h"

enum {
    PTY_COLUMNS = 1000
};

void shell_drop(struct lane *lane)
{
    if (lane->shell != NULL)
        chan_close(lane->shell);
    lane->shell = NULL;
    if (lane->dialog != NULL)
        dialog_release(lane->dialog);
    free(lane->dialog);
    lane->dialog = NULL;
    if (lane->paused_for == PAUSE_QUIET)
        lane_unpause(lane);
}

static const char *address(const struct lane *lane)
{
    return lane->link->route.address;
}

/* What a failed dialog means for the command that it was for. */
static enum link_end end_of_failure(const struct lane *lane)
{
    if (dialog_failure(lane->dialog) == DIALOG_NEW_PASSWORD)
        return LINK_REFUSED;
    return lane->typed && lane->current->sent ? LINK_LOST : LINK_UNSENT;
}

static void fail(struct lane *lane)
{
    struct err err;
    enum link_end end = end_of_failure(lane);
    /* as in link_command.c: it may go on sending */
    bool floods = dialog_failure(lane->dialog) == DIALOG_TOO_LONG ||
                  dialog_failure(lane->dialog) == DIALOG_NO_PROMPT;

    err_set(&err, end == LINK_REFUSED ? CAUSE_REFUSED : CAUSE_LOST,
            "\"%s\" at %s: %s", lane->current->command.text, address(lane),
            dialog_failure_text(lane->dialog));
    shell_drop(lane);
    command_settle(lane, end, &err);
    if (end == LINK_REFUSED || floods)
        lane_drop(lane);
    lane_kick(lane);
}

static void finish(struct lane *lane)
{
    struct request *r = lane->current;
    size_t len;
    const char *text = dialog_answer(lane->dialog, &len);

    str_addn(&r->out, text, len);
    r->result.confirmed = dialog_was_confirmed(lane->dialog);
    lane->served = true;
    command_settle(lane, LINK_OK, NULL);
    lane_kick(lane);
}

/* What makes the shell fit for us, once; then the command. */
static void type_next(struct lane *lane)
{
    const struct link_command *command = &lane->current->command;
    const char *opening = lane->link->target->dialect->opening;

    if (opening != NULL && !lane->shell_open) {
        lane->shell_open = true;
        dialog_command(lane->dialog, opening, false);
        return;
    }
    lane->typed = true;
    dialog_offer(lane->dialog, command->answer, command->paste);
    dialog_command(lane->dialog, command->text, command->confirm);
}

/* After whatever changed the dialog. */
static void drive(struct lane *lane)
{
    struct dialog *d = lane->dialog;
    unsigned ms;

    if (lane->current == NULL)
        return;
    if (dialog_state(d) == DIALOG_FAILED) {
        fail(lane);
        return;
    }
    if (dialog_state(d) == DIALOG_READY && lane->typed) {
        finish(lane);
        return;
    }
    if (dialog_state(d) == DIALOG_READY)
        type_next(lane);
    chan_wake(lane->shell);
    ms = dialog_quiet_ms(d);
    if (ms != 0)
        lane_pause(lane, PAUSE_QUIET, ms);
    else
        lane_unpause(lane);
}

void shell_on_quiet(struct lane *lane)
{
    if (lane->dialog == NULL)
        return;
    dialog_quiet(lane->dialog);
    drive(lane);
}

static void on_opened(void *user)
{
    drive(user);
}

static void on_data(void *user, const char *data, size_t len)
{
    struct lane *lane = user;

    if (lane->current != NULL)
        lane->current->last_ms = clock_mono_ms();
    dialog_feed(lane->dialog, data, len);
    drive(lane);
}

static void on_eof(void *user)
{
    (void)user; /* `ended` follows, or the deadline */
}

static void on_ended(void *user, enum chan_end how, const struct err *err)
{
    struct lane *lane = user;
    struct request *r = lane->current;

    lane->shell = NULL; /* it is gone */
    shell_drop(lane);
    if (r == NULL)
        return;
    if (how == CHAN_REFUSED) {
        command_chan_refused(lane, err);
        return;
    }
    if (how == CHAN_DENIED)
        command_settle(lane, LINK_FAILED, err);
    else
        command_settle(lane, r->sent ? LINK_LOST : LINK_UNSENT, err);
    lane_kick(lane);
}

static const void *output(void *user, size_t *len)
{
    const struct lane *lane = user;

    return dialog_output(lane->dialog, len);
}

/* What is typed to find the prompt is not the command. */
static void on_sent(void *user, size_t n)
{
    struct lane *lane = user;
    struct request *r = lane->current;

    dialog_sent(lane->dialog, n);
    if (r != NULL && lane->typed && !r->sent) {
        r->sent = true;
        r->sent_ms = clock_mono_ms();
    }
    drive(lane);
}

static const struct chan_owner shell_owner = {
    .opened = on_opened,
    .data = on_data,
    .eof = on_eof,
    .ended = on_ended,
    .output = output,
    .sent = on_sent,
};

static int open_shell(struct lane *lane, struct err *err)
{
    const struct link_dialect *dialect = lane->link->target->dialect;
    struct chan_wish wish = {.kind = CHAN_SHELL,
                             .columns = dialect->pty_columns};
    struct dialog_rules *rules =
        port_dialog_rules(lane->link->port, dialect, err);

    if (rules == NULL)
        return -1;
    lane->shell_open = false;
    lane->dialog = malloc(sizeof(*lane->dialog));
    if (lane->dialog == NULL)
        abort();
    dialog_init(lane->dialog, rules, command_cap(lane));
    if (wish.columns == 0)
        wish.columns = PTY_COLUMNS;
    lane->shell = chan_open(lane->conn, &wish, &shell_owner, lane);
    return 0;
}

void shell_start(struct lane *lane)
{
    struct err err;

    lane->typed = false;
    if (lane->shell != NULL) {
        drive(lane);
    } else if (open_shell(lane, &err) != 0) {
        command_settle(lane, LINK_UNSENT, &err);
        lane_kick(lane);
    }
}
