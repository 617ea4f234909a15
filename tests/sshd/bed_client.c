/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/bed_client.c - a loop, a port, and calls that wait.
 */
#include "tests/sshd/bed_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

const struct link_dialect client_dialect = {
    .pty_columns = 512,
    .prompt = "^[A-Za-z0-9][A-Za-z0-9_.-]*> ?$",
    .question = "\\([[:space:]]*Y[[:space:]]*/[[:space:]]*n[[:space:]]*\\)"
                "|Are you sure",
    .answer = "Y",
    .password_change = "new password",
    .channel_retry_ms = 50,
    .output_cap = 60000,
    .sftp_depth = 8,
};

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("no completion in %d ms", (int)BED_WAIT_MS);
}

void client_init(struct client *c, const struct port_options *options)
{
    static const struct port_options defaults = {.max_sessions = 0};

    /* libuv's first loop opens a pipe that stays for the process */
    assert_int_equal(uv_loop_init(&c->loop), 0);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    c->files_before = bed_open_files();
    assert_int_equal(uv_loop_init(&c->loop), 0);
    uv_timer_init(&c->loop, &c->deadline);
    c->port = port_new(&c->loop, options ? options : &defaults);
    c->ops = port_ops();
}

void client_release(struct client *c)
{
    assert_int_equal(port_sessions(c->port), 0);
    port_free(c->port);
    uv_close((uv_handle_t *)&c->deadline, NULL);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    assert_int_equal(bed_open_files(), c->files_before);
}

void client_target(struct link_target *t, const char *address, unsigned port,
                   const char *user)
{
    memset(t, 0, sizeof(*t));
    t->name = "node";
    t->address = address;
    t->port = port;
    t->user = user;
    t->connect_timeout_ms = 10000;
    t->command_timeout_ms = 10000;
    t->dialect = &client_dialect;
}

void client_on_done(void *user, const struct link_result *r)
{
    struct answer *a = user;

    a->times++;
    a->end = r->end;
    if (r->err != NULL)
        a->err = *r->err;
    a->len = r->len < sizeof(a->data) ? r->len : sizeof(a->data) - 1;
    if (a->len > 0)
        memcpy(a->data, r->data, a->len);
    a->data[a->len] = '\0';
    a->confirmed = r->confirmed;
    a->took_ms = r->took_ms;
    a->n_files = r->n_files;
    if (r->n_files > 0) {
        snprintf(a->first_file, sizeof(a->first_file), "%s", r->files[0].name);
        a->first_size = r->files[0].size;
    }
    assert_true((r->end == LINK_OK) == (r->err == NULL));
}

void client_wait_all(struct client *c, const struct answer *a, size_t n)
{
    uv_timer_start(&c->deadline, on_deadline, BED_WAIT_MS, 0);
    for (size_t i = 0; i < n; i++) {
        while (a[i].times == 0)
            uv_run(&c->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&c->deadline);
}

void client_wait(struct client *c, const struct answer *a)
{
    client_wait_all(c, a, 1);
}

struct link *client_open(struct client *c, const struct link_target *t)
{
    return c->ops->open(c->port, t);
}

static void on_closed(void *user)
{
    *(bool *)user = true;
}

void client_close(struct client *c, struct link *l)
{
    bool closed = false;

    c->ops->close(l, on_closed, &closed);
    assert_false(closed);
    uv_timer_start(&c->deadline, on_deadline, BED_WAIT_MS, 0);
    while (!closed)
        uv_run(&c->loop, UV_RUN_ONCE);
    uv_timer_stop(&c->deadline);
}

/* No completion inside the call. */
static void begun(struct client *c, const struct answer *a)
{
    assert_int_equal(a->times, 0);
    client_wait(c, a);
}

void client_connect(struct client *c, struct link *l, struct answer *a)
{
    memset(a, 0, sizeof(*a));
    c->ops->connect(l, client_on_done, a);
    begun(c, a);
}

void client_command(struct client *c, struct link *l, const char *text,
                    struct answer *a)
{
    const struct link_command command = {.text = text};

    memset(a, 0, sizeof(*a));
    c->ops->command(l, &command, client_on_done, a);
    begun(c, a);
}

void client_confirm(struct client *c, struct link *l, const char *text,
                    struct answer *a)
{
    const struct link_command command = {.text = text, .confirm = true};

    memset(a, 0, sizeof(*a));
    c->ops->command(l, &command, client_on_done, a);
    begun(c, a);
}

void client_put(struct client *c, struct link *l, const struct link_put *put,
                struct answer *a)
{
    memset(a, 0, sizeof(*a));
    c->ops->put(l, put, client_on_done, a);
    begun(c, a);
}

void client_get(struct client *c, struct link *l, const char *name, size_t cap,
                struct answer *a)
{
    memset(a, 0, sizeof(*a));
    c->ops->get(l, name, cap, client_on_done, a);
    begun(c, a);
}

void client_list(struct client *c, struct link *l, struct answer *a)
{
    memset(a, 0, sizeof(*a));
    c->ops->list(l, client_on_done, a);
    begun(c, a);
}

void client_remove(struct client *c, struct link *l, const char *name,
                   struct answer *a)
{
    memset(a, 0, sizeof(*a));
    c->ops->remove(l, name, client_on_done, a);
    begun(c, a);
}

void client_assert_end(const struct answer *a, enum link_end want,
                       const char *words, const char *file, int line)
{
    bool says = words == NULL || strstr(a->err.text, words) != NULL;

    if (a->end == want && a->times == 1 && says)
        return;
    print_error("end %d (want %d), told %u times, \"%s\" (want \"%s\")\n",
                (int)a->end, (int)want, a->times, a->err.text,
                words != NULL ? words : "");
    _fail(file, line);
}

void trial_target(struct link_target *target, const struct bed *b,
                  const struct bed_server *s)
{
    client_target(target, s->address, s->port, b->user);
    target->known_hosts = b->known;
    target->identity = b->key;
}

void trial_begin(struct trial *x, const struct bed *b,
                 const struct bed_server *s, const struct port_options *options)
{
    memset(x, 0, sizeof(*x));
    client_init(&x->c, options);
    trial_target(&x->target, b, s);
    x->l = client_open(&x->c, &x->target);
}

void trial_end(struct trial *x)
{
    client_close(&x->c, x->l);
    client_release(&x->c);
}
