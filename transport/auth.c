/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/auth.c - the states of a login: keys, agent, password,
 * keyboard-interactive, in that order and only what the server offers.  It
 * must not know what the login is for.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/secret.h"
#include "transport/compat.h"
#include "transport/ssh_priv.h"

enum {
    TRIED_MAX = 600
};

void auth_init(struct conn *c)
{
    memset(&c->auth, 0, sizeof(c->auth));
    c->auth.agent_fd = -1;
    str_init(&c->auth.tried, TRIED_MAX);
}

void auth_release(struct conn *c)
{
    str_release(&c->auth.tried);
}

void auth_abandon(struct conn *c)
{
    keyring_leave(&c->auth.want);
    if (c->auth.sent && c->end != LINK_CANCELED)
        login_unanswered(&c->auth.login);
    c->auth.sent = false;
    login_leave(&c->auth.login);
}

static void note_tried(struct conn *c, const char *what, const char *detail)
{
    str_addf(&c->auth.tried, "%s%s%s%s%s", c->auth.tried.len ? ", " : "", what,
             *detail ? " (" : "", detail, *detail ? ")" : "");
}

static enum step refuse(struct conn *c)
{
    const char *tried = str_text(&c->auth.tried);
    unsigned offered = c->auth.offered;

    return conn_failf(
        c, LINK_REFUSED, false,
        "%s let user %s not log in: tried %s; it offers%s%s%s.  Give the "
        "right identity, agent or password",
        c->route->address, c->route->user, *tried ? tried : "nothing",
        offered & SSH_AUTH_METHOD_PUBLICKEY ? " publickey" : "",
        offered & SSH_AUTH_METHOD_PASSWORD ? " password" : "",
        offered & SSH_AUTH_METHOD_INTERACTIVE ? " keyboard-interactive" : "");
}

static enum step finish(struct conn *c)
{
    login_leave(&c->auth.login);
    pool_give(&c->port->proxies, &c->proxy_slot);
    uv_timer_stop(&c->timer);
    str_release(&c->auth.tried);
    conn_enter(c, CONN_READY);
    c->owner->ready(c->user);
    return STEP_GO;
}

static bool wants_agent(const struct conn *c)
{
    return !c->auth.agent_done && !c->without_agent &&
           route_agent(c->route) != NULL;
}

/* The next login that we have and the server offers. */
static enum step next_method(struct conn *c)
{
    struct auth *a = &c->auth;
    bool has_password = c->route->target->password != NULL;
    bool required;

    if (a->offered & SSH_AUTH_METHOD_PUBLICKEY) {
        a->key_path = route_identity(c->route, a->next_key, &required);
        if (a->key_path != NULL) {
            a->next_key++;
            conn_enter(c, CONN_KEY_LOAD);
            return STEP_GO;
        }
        if (wants_agent(c)) {
            a->agent_done = true;
            conn_enter(c, CONN_AGENT);
            return STEP_GO;
        }
    }
    a->gate_for_kbdint = !(a->offered & SSH_AUTH_METHOD_PASSWORD);
    if (has_password && !a->password_done && !a->gate_for_kbdint) {
        a->password_done = true;
    } else if (has_password && !a->kbdint_done && !a->password_done &&
               (a->offered & SSH_AUTH_METHOD_INTERACTIVE)) {
        a->kbdint_done = true;
    } else {
        return refuse(c);
    }
    conn_enter(c, CONN_GATE);
    return STEP_GO;
}

/* What every method's answer means, but for a password's. */
static enum step take_answer(struct conn *c, int rc)
{
    if (rc == SSH_AUTH_AGAIN)
        return conn_wait(c);
    if (rc == SSH_AUTH_SUCCESS)
        return finish(c);
    if (rc == SSH_AUTH_DENIED || rc == SSH_AUTH_PARTIAL) {
        c->auth.offered = (unsigned)ssh_userauth_list(c->session, NULL);
        return next_method(c);
    }
    if (conn_wait(c) == STEP_GO)
        return STEP_GO;
    return conn_failf(c, LINK_UNSENT, true, "the login at %s failed: %s",
                      c->route->address, ssh_get_error(c->session));
}

enum step auth_step_none(struct conn *c)
{
    return take_answer(c, ssh_userauth_none(c->session, NULL));
}

static void on_key_loaded(struct key_want *want)
{
    struct conn *c =
        (struct conn *)((char *)want - offsetof(struct conn, auth.want));

    conn_step(c);
}

/* A key that the user named must be there; one that ssh_config or we thought
 * of is left out. */
static enum step take_key(struct conn *c)
{
    struct auth *a = &c->auth;
    const struct key_want *w = &a->want;
    bool required;

    (void)route_identity(c->route, 0, &required);
    if (w->key != NULL) {
        note_tried(c, "key", a->key_path);
        conn_enter(c, CONN_KEY);
        return STEP_GO;
    }
    if (required)
        return conn_fail(c, LINK_REFUSED, false, w->err);
    log_debug("%s: %s", c->route->target->name, w->err->text);
    return next_method(c);
}

enum step auth_step_key_load(struct conn *c)
{
    struct auth *a = &c->auth;

    if (a->want.entry != NULL) /* asked before: loaded, or the socket woke */
        return a->want.err != NULL ? (keyring_leave(&a->want), take_key(c))
                                   : conn_pump(c);
    memset(&a->want, 0, sizeof(a->want));
    a->want.loaded = on_key_loaded;
    if (!keyring_ask(c->port->keys, &a->want, a->key_path,
                     c->route->target->passphrase))
        return STEP_WAIT;
    keyring_leave(&a->want);
    return take_key(c);
}

static int sign(struct conn *c)
{
    return ssh_userauth_publickey(c->session, NULL, c->auth.want.key);
}

/* The first call signs; the later ones only wait for the answer. */
enum step auth_step_key(struct conn *c)
{
    struct auth *a = &c->auth;
    int rc;

    if (!a->signing && key_is_slow(a->want.key)) {
        a->signing = true;
        auth_pool_start(c, sign);
        return STEP_WAIT;
    }
    rc = a->pool_came ? a->pool_rc : sign(c);
    a->pool_came = false;
    if (rc != SSH_AUTH_AGAIN)
        a->signing = false;
    return take_answer(c, rc);
}

/* In the pool.  The descriptor is libssh's once it was given. */
static int ask_agent(struct conn *c)
{
    int fd;

    if (c->auth.agent_fd < 0) {
        fd = auth_agent_open(route_agent(c->route));
        if (fd < 0)
            return SSH_AUTH_DENIED;
        ssh_set_agent_socket(c->session, fd);
        __atomic_store_n(&c->auth.agent_fd, fd, __ATOMIC_RELEASE);
    }
    return ssh_userauth_agent(c->session, NULL);
}

enum step auth_step_agent(struct conn *c)
{
    struct auth *a = &c->auth;

    if (!a->pool_came) {
        if (a->tried.len == 0 || strstr(str_text(&a->tried), "agent") == NULL)
            note_tried(c, "agent", "");
        auth_pool_start(c, ask_agent);
        return STEP_WAIT;
    }
    a->pool_came = false;
    if (!compat_is_alive(c->session))
        c->blame_agent = true;
    return take_answer(c, a->pool_rc);
}

static void on_turn(uv_timer_t *timer)
{
    struct conn *c = timer->data;

    conn_clock_go(c);
    conn_step(c);
}

static void on_turn_told(struct login *login)
{
    struct conn *c =
        (struct conn *)((char *)login - offsetof(struct conn, auth.login));

    uv_timer_start(&c->timer, on_turn, 0, 0);
}

enum step auth_step_gate(struct conn *c)
{
    struct auth *a = &c->auth;
    struct err err;

    a->login.place = c->route->address;
    a->login.turn = on_turn_told;
    if (a->login.waiting)
        return conn_pump(c);
    switch (login_ask(c->port->logins, &a->login, c->route->user,
                      c->route->target->password)) {
    case LOGIN_WAIT:
        conn_clock_stop(c);
        return conn_pump(c);
    case LOGIN_REFUSED:
        login_reason(&a->login, &err);
        return conn_fail(c, LINK_REFUSED, false, &err);
    case LOGIN_GO:
        break;
    }
    conn_enter(c, a->gate_for_kbdint ? CONN_KBDINT : CONN_PASSWORD);
    return STEP_GO;
}

/* The server said no, by an answer or by hanging up with a reason: never
 * again (login.h). */
static enum step password_refused(struct conn *c)
{
    struct err err;

    c->auth.sent = false;
    login_refused(&c->auth.login);
    login_reason(&c->auth.login, &err);
    return conn_fail(c, LINK_REFUSED, false, &err);
}

static enum step new_password_wanted(struct conn *c)
{
    c->auth.sent = false;
    return conn_failf(c, LINK_REFUSED, false,
                      "%s asks user %s for a new password: log in by hand "
                      "once, set it, and give the new one here",
                      c->route->address, c->route->user);
}

static enum step password_lost(struct conn *c)
{
    if (compat_is_password_change(c->session))
        return new_password_wanted(c);
    if (compat_is_disconnected_by_peer(c->session))
        return password_refused(c);
    /* no second try by ourselves: it may have been a no */
    return conn_failf(c, LINK_UNSENT, false,
                      "the connection to %s ended after the password of user "
                      "%s was sent, without an answer: %s",
                      c->route->address, c->route->user,
                      ssh_get_error(c->session));
}

static enum step take_password_answer(struct conn *c, int rc)
{
    if (rc == SSH_AUTH_AGAIN && compat_is_alive(c->session))
        return STEP_WAIT;
    if (rc == SSH_AUTH_SUCCESS || rc == SSH_AUTH_PARTIAL) {
        c->auth.sent = false;
        login_accepted(&c->auth.login);
        return take_answer(c, rc);
    }
    if (rc == SSH_AUTH_DENIED)
        return password_refused(c);
    return password_lost(c);
}

enum step auth_step_password(struct conn *c)
{
    const char *text = secret_text(c->route->target->password);

    if (!c->auth.sent)
        note_tried(c, "password", "");
    c->auth.sent = true;
    return take_password_answer(c,
                                ssh_userauth_password(c->session, NULL, text));
}

/* PAM's words, and the dialect's. */
static bool is_new_password(struct conn *c, const char *text)
{
    static const char *const words[] = {"new password", "current password",
                                        "change your password",
                                        "password has expired"};
    struct err err;
    struct dialog_rules *rules =
        port_dialog_rules(c->port, c->route->target->dialect, &err);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(text, words[i]) != NULL)
            return true;
    }
    return rules != NULL && dialog_is_password_change(rules, text);
}

static enum step refuse_prompt(struct conn *c, const char *prompt)
{
    struct str shown;

    c->auth.sent = false;
    str_init(&shown, 200);
    str_add_visible(&shown, prompt, strlen(prompt), false);
    conn_failf(c, LINK_REFUSED, false,
               "%s asks user %s what cannot be answered here: %s",
               c->route->address, c->route->user, str_text(&shown));
    str_release(&shown);
    return STEP_GO;
}

/* One hidden question, once: that is the password.  No question at all is
 * only a message. */
static enum step answer_prompts(struct conn *c)
{
    ssh_session s = c->session;
    int n = ssh_userauth_kbdint_getnprompts(s);
    const char *words = ssh_userauth_kbdint_getinstruction(s);
    const char *prompt;
    char echo = 0;

    if (n == 0)
        return STEP_GO;
    prompt = ssh_userauth_kbdint_getprompt(s, 0, &echo);
    if (prompt == NULL)
        prompt = "";
    if (is_new_password(c, prompt) || (words && is_new_password(c, words)))
        return new_password_wanted(c);
    if (n > 1 || echo || c->auth.kbdint_answered)
        return refuse_prompt(c, prompt);
    c->auth.kbdint_answered = true;
    c->auth.sent = true;
    note_tried(c, "keyboard-interactive", "");
    if (ssh_userauth_kbdint_setanswer(
            s, 0, secret_text(c->route->target->password)) != 0)
        return conn_failf(c, LINK_UNSENT, false, "libssh takes no answer");
    return STEP_GO;
}

enum step auth_step_kbdint(struct conn *c)
{
    int rc = ssh_userauth_kbdint(c->session, NULL, NULL);

    if (rc == SSH_AUTH_INFO)
        return answer_prompts(c);
    if (c->auth.kbdint_answered)
        return take_password_answer(c, rc);
    return take_answer(c, rc);
}
