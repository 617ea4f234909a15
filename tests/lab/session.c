/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client may ask of a connection: login, channels, pty, shell, exec,
 * the SFTP subsystem.  Called back by libssh inside the pump.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/faults.h"
#include "tests/lab/record.h"
#include "tests/lab/server.h"

enum {
    OUT_CAP = 16 * 1024 * 1024
};

/* -- login ----------------------------------------------------------------- */

static bool is_locked(const struct conn *c, const struct lab_user *u)
{
    unsigned max = c->node->set.max_failed;

    return max && u->login_failed >= max;
}

static bool refused(struct conn *c, const char *user, const char *method)
{
    char subject[256];

    snprintf(subject, sizeof(subject), "%s %s", user, method);
    return faults_match(c->node, F_AUTH_LOST, subject) != NULL;
}

static int enter(struct conn *c, struct lab_user *u)
{
    u->login_ok++;
    c->node->logged_in += !c->authed;
    c->authed = true;
    lab_replace(&c->user, u->name);
    lab_changed(c->node->lab);
    return SSH_AUTH_SUCCESS;
}

static bool check_password(struct conn *c, const char *user,
                           const char *password, const char *method)
{
    struct lab_user *u = lab_user(c->node, user);

    if (!u)
        return false;
    if (u->password && !is_locked(c, u) && !refused(c, user, method) &&
        strcmp(u->password, password) == 0) {
        enter(c, u);
        return true;
    }
    u->login_failed++;
    lab_changed(c->node->lab);
    return false;
}

static int on_password(ssh_session session, const char *user,
                       const char *password, void *data)
{
    struct conn *c = data;

    (void)session;
    if (!c->node->set.auth_password)
        return SSH_AUTH_DENIED;
    return check_password(c, user, password, "password") ? SSH_AUTH_SUCCESS
                                                         : SSH_AUTH_DENIED;
}

/* The words are base64 and stand between blanks. */
static bool knows_key(const struct lab_user *u, struct ssh_key_struct *key)
{
    char *b64 = NULL;
    bool known = false;

    if (u->keys && ssh_pki_export_pubkey_base64(key, &b64) == SSH_OK)
        known = strstr(u->keys, b64) != NULL;
    ssh_string_free_char(b64);
    return known;
}

static int on_publickey(ssh_session session, const char *user,
                        struct ssh_key_struct *key, char state, void *data)
{
    struct conn *c = data;
    struct lab_user *u = lab_user(c->node, user);

    (void)session;
    if (!u || !c->node->set.auth_publickey || is_locked(c, u) ||
        !knows_key(u, key) || refused(c, user, "publickey"))
        return SSH_AUTH_DENIED;
    if (state == SSH_PUBLICKEY_STATE_NONE)
        return SSH_AUTH_SUCCESS;
    if (state != SSH_PUBLICKEY_STATE_VALID)
        return SSH_AUTH_DENIED;
    return enter(c, u);
}

static int on_none(ssh_session session, const char *user, void *data)
{
    (void)session, (void)user, (void)data;
    return SSH_AUTH_DENIED;
}

/* keyboard-interactive has no callback before libssh 0.12: by message. */
static int on_message(ssh_session session, ssh_message msg, void *data)
{
    static const char *prompts[] = {"Password: "};
    struct conn *c = data;
    char echo[] = {0};
    const char *answer;

    if (ssh_message_type(msg) != SSH_REQUEST_AUTH ||
        ssh_message_subtype(msg) != SSH_AUTH_METHOD_INTERACTIVE ||
        !c->node->set.auth_keyboard)
        return 1;
    if (!ssh_message_auth_kbdint_is_response(msg)) {
        /* the response itself names nobody */
        lab_replace(&c->user, ssh_message_auth_user(msg));
        ssh_message_auth_interactive_request(msg, "", "", 1, prompts, echo);
        return 0;
    }
    answer = ssh_userauth_kbdint_getanswer(session, 0);
    if (c->user && answer &&
        check_password(c, c->user, answer, "keyboard-interactive"))
        ssh_message_auth_reply_success(msg, 0);
    else
        ssh_message_reply_default(msg);
    return 0;
}

/* -- channels -------------------------------------------------------------- */

static int on_data(ssh_session session, ssh_channel channel, void *data,
                   uint32_t len, int is_stderr,
                   void *user) /* lint: allow params, libssh's */
{
    struct chan *chan = user;

    (void)session, (void)channel, (void)is_stderr;
    if (chan->kind == CHAN_TERMINAL)
        terminal_data(chan->terminal, data, len);
    else if (chan->kind == CHAN_FILER)
        filer_data(chan->filer, data, len);
    return (int)len;
}

static void on_eof(ssh_session session, ssh_channel channel, void *user)
{
    struct chan *chan = user;

    (void)session, (void)channel;
    if (chan->kind == CHAN_TERMINAL)
        terminal_eof(chan->terminal);
    else
        chan->finishing = true;
}

static void on_close(ssh_session session, ssh_channel channel, void *user)
{
    struct chan *chan = user;

    (void)session, (void)channel;
    chan->gone = true; /* freed by the sweep, not inside a callback */
}

static int on_pty(ssh_session session, ssh_channel channel, const char *term,
                  int width, int height, int px, int py,
                  void *user) /* lint: allow params, libssh's */
{
    struct chan *chan = user;

    (void)session, (void)channel, (void)term;
    (void)width, (void)height, (void)px, (void)py;
    chan->pty = true;
    return 0;
}

static int on_window(ssh_session session, ssh_channel channel, int width,
                     int height, int px, int py,
                     void *user) /* lint: allow params, libssh's */
{
    (void)session, (void)channel, (void)user;
    (void)width, (void)height, (void)px, (void)py;
    return 0;
}

static bool may_start(struct chan *chan, const char *what)
{
    return chan->kind == CHAN_NONE &&
           !faults_match(chan->conn->node, F_CHANNEL_REFUSED, what);
}

static int on_shell(ssh_session session, ssh_channel channel, void *user)
{
    struct chan *chan = user;

    (void)session, (void)channel;
    if (!may_start(chan, "shell"))
        return 1;
    chan->kind = CHAN_TERMINAL;
    chan->terminal = terminal_shell(chan);
    return 0;
}

static int on_exec(ssh_session session, ssh_channel channel,
                   const char *command, void *user)
{
    struct chan *chan = user;
    char what[256];

    (void)session, (void)channel;
    snprintf(what, sizeof(what), "exec %s", command);
    if (!may_start(chan, what))
        return 1;
    chan->kind = CHAN_TERMINAL;
    chan->terminal = terminal_exec(chan, command);
    return 0;
}

static int on_subsystem(ssh_session session, ssh_channel channel,
                        const char *name, void *user)
{
    struct chan *chan = user;

    (void)session, (void)channel;
    if (strcmp(name, "sftp") != 0 || !may_start(chan, "sftp"))
        return 1;
    chan->kind = CHAN_FILER;
    chan->filer = filer_new(chan);
    return 0;
}

static int on_env(ssh_session session, ssh_channel channel, const char *name,
                  const char *value, void *user)
{
    (void)session, (void)channel, (void)name, (void)value, (void)user;
    return 1;
}

static int on_wontblock(ssh_session session, ssh_channel channel,
                        uint32_t bytes, void *user)
{
    (void)session, (void)channel, (void)bytes, (void)user;
    return 0; /* the sweep writes after every pump */
}

static void set_callbacks(struct chan *chan)
{
    struct ssh_channel_callbacks_struct *cb = &chan->callbacks;

    cb->userdata = chan;
    cb->channel_data_function = on_data;
    cb->channel_eof_function = on_eof;
    cb->channel_close_function = on_close;
    cb->channel_pty_request_function = on_pty;
    cb->channel_pty_window_change_function = on_window;
    cb->channel_shell_request_function = on_shell;
    cb->channel_exec_request_function = on_exec;
    cb->channel_subsystem_request_function = on_subsystem;
    cb->channel_env_request_function = on_env;
    cb->channel_write_wontblock_function = on_wontblock;
    ssh_callbacks_init(cb);
    ssh_set_channel_callbacks(chan->channel, cb);
}

/* "acano has problems with too fast channel creations" (facts/cms.md 1.2) */
static bool is_too_fast(const struct conn *c)
{
    return c->node->set.channel_gap_ms && c->channel_closed_ms &&
           lab_age_ms(c->node->lab) - c->channel_closed_ms <
               c->node->set.channel_gap_ms;
}

static ssh_channel on_open(ssh_session session, void *data)
{
    struct conn *c = data;
    struct chan *chan;
    ssh_channel channel;

    if (is_too_fast(c) || faults_match(c->node, F_CHANNEL_REFUSED, "session"))
        return NULL;
    channel = ssh_channel_new(session);
    if (!channel)
        return NULL;
    chan = lab_calloc(1, sizeof(*chan));
    chan->conn = c;
    chan->channel = channel;
    str_init(&chan->out, OUT_CAP);
    chan->next = c->chans;
    c->chans = chan;
    set_callbacks(chan);
    return channel;
}

void session_release_chan(struct chan *chan)
{
    terminal_free(chan->terminal);
    filer_free(chan->filer);
    ssh_remove_channel_callbacks(chan->channel, &chan->callbacks);
    ssh_channel_free(chan->channel);
    str_release(&chan->out);
    free(chan);
}

void session_setup(struct conn *c)
{
    const struct lab_settings *s = &c->node->set;
    struct ssh_server_callbacks_struct *cb = &c->callbacks;
    unsigned methods = 0;

    if (s->auth_password)
        methods |= SSH_AUTH_METHOD_PASSWORD;
    if (s->auth_publickey)
        methods |= SSH_AUTH_METHOD_PUBLICKEY;
    if (s->auth_keyboard)
        methods |= SSH_AUTH_METHOD_INTERACTIVE;
    ssh_set_auth_methods(c->session, (int)methods);
    cb->userdata = c;
    cb->auth_none_function = on_none;
    cb->auth_password_function = on_password;
    cb->auth_pubkey_function = on_publickey;
    cb->channel_open_request_session_function = on_open;
    ssh_callbacks_init(cb);
    ssh_set_server_callbacks(c->session, cb);
    if (s->auth_keyboard)
        ssh_set_message_callback(c->session, on_message, c);
}
