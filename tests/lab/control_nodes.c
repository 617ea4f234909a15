/* SPDX-License-Identifier: Apache-2.0
 *
 * Control commands that do something to a node: power, clock, settings,
 * secrets, and a person at its keyboard.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/cluster.h"
#include "tests/lab/control_priv.h"
#include "tests/lab/mmp.h"
#include "tests/lab/server.h"

/* -- nodes -------------------------------------------------------------------
 */

void c_down(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    (void)n;
    if (!node)
        return;
    lab_node_down(node);
    control_done(ask);
}

void c_up(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    (void)n;
    if (!node)
        return;
    lab_node_up(node);
    control_done(ask);
}

void c_reboot(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    if (!node)
        return;
    lab_node_reboot(node, n > 2 ? control_number(w[2]) : 500);
    control_done(ask);
}

void c_cut(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    (void)n;
    if (!node)
        return;
    server_cut(node);
    control_done(ask);
}

void c_clock(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    (void)n;
    if (!node)
        return;
    if (*w[2] == '+' || *w[2] == '-')
        node->set.clock_offset_s += strtol(w[2], NULL, 10);
    else
        node->set.clock_offset_s = strtol(w[2], NULL, 10);
    lab_changed(node->lab);
    control_done(ask);
}

void c_set(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);
    struct err err;
    int rc;

    (void)n;
    if (!node)
        return;
    if (strcmp(w[2], "version") == 0) { /* an upgrade, as peers see it */
        lab_replace(&node->version, w[3]);
        control_done(ask);
        return;
    }
    rc = settings_set(&node->set, w[2], w[3], &err);
    if (rc > 0)
        control_done(ask);
    else if (rc == 0)
        ask_fail(ask, "no setting called %s", w[2]);
    else
        ask_fail(ask, "%s", err.text);
}

void c_sync(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    (void)n;
    if (!node)
        return;
    node->db.sync_frozen = strcmp(w[2], "off") == 0;
    if (node->db.sync_frozen)
        node->db.in_sync = false;
    lab_changed(node->lab);
    control_done(ask);
}

void c_password(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);
    struct lab_user *u = node ? lab_user(node, w[2]) : NULL;

    if (!node)
        return;
    if (!u) {
        ask_fail(ask, "no user called %s", w[2]);
        return;
    }
    if (n > 3)
        lab_replace(&u->password, w[3]);
    else
        u->must_change = true;
    control_done(ask);
}

void c_host_key(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);
    char *path = NULL;
    struct err err;

    (void)n;
    if (!node)
        return;
    if (asprintf(&path, "%s/host_changed_%s", node->lab->dir, node->name) < 0)
        abort();
    if (server_make_key(path, &err) < 0 ||
        server_host_key(node, path, &err) < 0)
        ask_fail(ask, "%s", err.text);
    else
        control_done(ask);
    free(path);
}

void c_calls(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    (void)n;
    if (!node)
        return;
    node->calls = control_number(w[2]);
    if (node->calls > node->most_calls)
        node->most_calls = node->calls;
    lab_changed(node->lab);
    control_done(ask);
}

void c_move(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);
    struct err err;

    (void)n;
    if (!node)
        return;
    if (db_move_primary(node, &err) < 0)
        ask_fail(ask, "%s", err.text);
    else
        control_done(ask);
}

/* -- a person at the keyboard -------------------------------------------------
 */

struct person {
    struct ask *ask;
    struct str out;
};

static void on_person_write(void *user, const char *text, size_t len)
{
    struct person *p = user;

    str_addn(&p->out, text, len);
}

static void leave(struct person *p)
{
    ask_answer(p->ask, control_with("output", json_string(str_text(&p->out))));
    str_release(&p->out);
    free(p);
}

static void on_person_done(void *user, bool drop)
{
    (void)drop;
    leave(user);
}

static void on_person_drop(void *user, bool flush)
{
    (void)flush;
    leave(user);
}

void c_foreign(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);
    struct person *p;
    struct mmp_sink sink = {.write = on_person_write,
                            .done = on_person_done,
                            .drop = on_person_drop,
                            .source = "foreign",
                            .login = "somebody"};

    (void)n;
    if (!node)
        return;
    if (!node->up) {
        ask_fail(ask, "%s is down", node->name);
        return;
    }
    p = lab_calloc(1, sizeof(*p));
    p->ask = ask;
    str_init(&p->out, 1 << 20);
    sink.user = p;
    mmp_start(node, &sink, w[2]);
}

void c_quit(struct ask *ask, char **w, int n)
{
    (void)w, (void)n;
    control_done(ask);
    kill(getpid(), SIGTERM);
}
