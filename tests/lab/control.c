/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket: visitors, lines in, JSON lines out.  Knows no command.
 */
#include "tests/lab/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lab/record.h"

enum {
    LINE_CAP = 1 << 16,
    MAX_WORDS = 64
};

struct ask {
    struct visitor *visitor; /* NULL: it has gone */
    struct lab *lab;
};

struct visitor {
    struct visitor *next;
    struct control *control;
    uv_pipe_t pipe;
    struct str in;
    struct ask *current; /* the command being served */
    struct later *next_line;
    char room[4096];
};

struct control {
    struct lab *lab;
    uv_pipe_t pipe;
    struct visitor *visitors;
    struct waiter *waiters;
    bool closing;
};

/* -- answers --------------------------------------------------------------- */

struct reply {
    uv_write_t req;
    char *text;
};

static void on_written(uv_write_t *req, int status)
{
    struct reply *r = req->data;

    (void)status;
    free(r->text);
    free(r);
}

static void serve_lines(struct visitor *v);

static void send_json(struct visitor *v, const json_t *body)
{
    struct reply *r = lab_calloc(1, sizeof(*r));
    char *json = json_dumps(body, JSON_COMPACT | JSON_PRESERVE_ORDER);
    uv_buf_t buf;

    if (!json || asprintf(&r->text, "%s\n", json) < 0)
        abort();
    free(json);
    buf = uv_buf_init(r->text, (unsigned)strlen(r->text));
    r->req.data = r;
    if (uv_write(&r->req, (uv_stream_t *)&v->pipe, &buf, 1, on_written) < 0)
        on_written(&r->req, 0);
}

static void on_next_line(void *user)
{
    struct visitor *v = user;

    v->next_line = NULL;
    serve_lines(v);
}

static void close_ask(struct ask *ask, json_t *body)
{
    struct visitor *v = ask->visitor;

    if (v) {
        v->current = NULL;
        send_json(v, body);
        /* Its next line is served from a callback of its own. */
        if (v->in.len > 0 && !v->next_line)
            v->next_line = later_start(ask->lab->loop, 0, on_next_line, v);
    }
    json_decref(body);
    free(ask);
}

void ask_answer(struct ask *ask, json_t *body)
{
    json_object_set_new(body, "ok", json_true());
    close_ask(ask, body);
}

void ask_fail(struct ask *ask, const char *fmt, ...)
{
    json_t *body = json_object();
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_object_set_new(body, "ok", json_false());
    json_object_set_new(body, "error", json_string(text));
    close_ask(ask, body);
}

struct lab *ask_lab(const struct ask *ask)
{
    return ask->lab;
}

/* -- lines ----------------------------------------------------------------- */

/* In place; blanks part words, both kinds of quotes keep them together. */
static int split(char *line, char **words)
{
    int n = 0;
    char *to = line;

    while (n < MAX_WORDS) {
        char quote = '\0';

        while (*line == ' ')
            line++;
        if (!*line)
            return n;
        words[n++] = to;
        for (; *line && (quote || *line != ' '); line++) {
            if (quote ? *line == quote : (*line == '\'' || *line == '"'))
                quote = quote ? '\0' : *line;
            else
                *to++ = *line;
        }
        if (*line)
            line++;
        *to++ = '\0';
    }
    return n;
}

static void serve_line(struct visitor *v, char *line)
{
    struct ask *ask = lab_calloc(1, sizeof(*ask));
    char *words[MAX_WORDS];
    int n;

    ask->visitor = v;
    ask->lab = v->control->lab;
    v->current = ask;
    n = split(line, words);
    if (n == 0)
        ask_fail(ask, "an empty line");
    else
        control_run(ask, words, n);
}

static void serve_lines(struct visitor *v)
{
    char *end;

    while (!v->current && v->in.len > 0 && (end = strchr(v->in.data, '\n'))) {
        size_t len = (size_t)(end - v->in.data);
        char *line = strndup(v->in.data, len);
        if (!line)
            abort();
        str_shift(&v->in, len + 1);
        serve_line(v, line);
        free(line);
    }
}

/* -- visitors -------------------------------------------------------------- */

static void on_gone(uv_handle_t *handle)
{
    struct visitor *v = handle->data;

    str_release(&v->in);
    free(v);
}

static void drop_visitor(struct visitor *v)
{
    struct visitor **p = &v->control->visitors;

    while (*p != v)
        p = &(*p)->next;
    *p = v->next;
    if (v->current) {
        v->current->visitor = NULL;
        waiters_drop(v->control->lab, v->current);
    }
    later_cancel(v->next_line);
    uv_close((uv_handle_t *)&v->pipe, on_gone);
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct visitor *v = handle->data;

    (void)size;
    *buf = uv_buf_init(v->room, sizeof(v->room));
}

static void on_input(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct visitor *v = stream->data;

    if (n < 0 || (n > 0 && str_addn(&v->in, buf->base, (size_t)n) < 0))
        drop_visitor(v);
    else
        serve_lines(v);
}

static void on_visitor(uv_stream_t *server, int status)
{
    struct control *c = server->data;
    struct visitor *v;

    if (status < 0)
        return;
    v = lab_calloc(1, sizeof(*v));
    v->control = c;
    v->next = c->visitors;
    c->visitors = v;
    str_init(&v->in, LINE_CAP);
    uv_pipe_init(c->lab->loop, &v->pipe, 0);
    v->pipe.data = v;
    if (uv_accept(server, (uv_stream_t *)&v->pipe) < 0)
        drop_visitor(v);
    else
        uv_read_start((uv_stream_t *)&v->pipe, on_room, on_input);
}

/* -- the socket ------------------------------------------------------------ */

static int socket_path(const char *dir, char *path, size_t size)
{
    return snprintf(path, size, "%s/control.sock", dir) < (int)size ? 0 : -1;
}

struct control *control_new(struct lab *lab, struct err *err)
{
    struct control *c = lab_calloc(1, sizeof(*c));
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int rc;

    c->lab = lab;
    lab->control = c;
    uv_pipe_init(lab->loop, &c->pipe, 0);
    c->pipe.data = c;
    if (socket_path(lab->dir, path, sizeof(path)) < 0) {
        err_set(err, CAUSE_INPUT, "%s: too long for a socket", lab->dir);
        return NULL;
    }
    unlink(path);
    rc = uv_pipe_bind(&c->pipe, path);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&c->pipe, 64, on_visitor);
    if (rc < 0) {
        err_set(err, CAUSE_SYSTEM, "%s: %s", path, uv_strerror(rc));
        return NULL;
    }
    return c;
}

static void on_closed(uv_handle_t *handle)
{
    struct control *c = handle->data;

    free(c);
}

void control_close(struct control *c)
{
    if (!c || c->closing)
        return;
    c->closing = true;
    waiters_drop(c->lab, NULL);
    while (c->visitors)
        drop_visitor(c->visitors);
    c->lab->control = NULL;
    uv_close((uv_handle_t *)&c->pipe, on_closed); /* unlinks the path */
}

/* -- waiting --------------------------------------------------------------- */

static void end_waiter(struct waiter *w)
{
    later_cancel(w->deadline);
    free(w->text);
    free(w->word);
    free(w);
}

void waiters_add(struct waiter *w)
{
    struct control *c = w->ask->lab->control;

    w->next = c->waiters;
    c->waiters = w;
}

void waiters_look(struct lab *lab)
{
    struct waiter **p = lab->control ? &lab->control->waiters : NULL;

    while (p && *p) {
        struct waiter *w = *p;
        json_t *told = json_object();
        if (!w->met(w, told)) {
            json_decref(told);
            p = &w->next;
            continue;
        }
        *p = w->next;
        ask_answer(w->ask, told);
        end_waiter(w);
    }
}

void waiters_drop(struct lab *lab, struct ask *ask)
{
    struct waiter **p = lab->control ? &lab->control->waiters : NULL;

    while (p && *p) {
        struct waiter *w = *p;
        if (ask && w->ask != ask) {
            p = &w->next;
            continue;
        }
        *p = w->next;
        ask_fail(w->ask, "the deadline has passed");
        end_waiter(w);
    }
}

void lab_changed(struct lab *lab)
{
    if (lab->control && lab->control->waiters && !lab->stopping)
        waiters_look(lab);
}

/* -- client side ------------------------------------------------------------
 */

static char *join_words(char **words, int n)
{
    struct str line;

    str_init(&line, LINE_CAP);
    for (int i = 0; i < n; i++)
        str_addf(&line, "%s%c%s%c", i ? " " : "",
                 strchr(words[i], '\'') ? '"' : '\'', words[i],
                 strchr(words[i], '\'') ? '"' : '\'');
    str_addc(&line, '\n');
    return str_take(&line);
}

static int print_answer(int fd)
{
    struct str text;
    char buf[4096];
    ssize_t n;
    json_t *answer;
    int rc;

    str_init(&text, 256u << 20);
    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        str_addn(&text, buf, (size_t)n);
        if (text.data[text.len - 1] == '\n')
            break;
    }
    fputs(str_text(&text), stdout);
    answer = json_loadb(str_text(&text), text.len, 0, NULL);
    rc = json_is_true(json_object_get(answer, "ok")) ? 0 : 1;
    json_decref(answer);
    str_release(&text);
    return rc;
}

int control_client(const char *dir, char **words, int n)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *line = join_words(words, n);
    int rc = 2;

    if (socket_path(dir, sa.sun_path, sizeof(sa.sun_path)) < 0 ||
        connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        fprintf(stderr, "certfleet-lab: %s: %s\n", sa.sun_path,
                strerror(errno));
    else if (write(fd, line, strlen(line)) == (ssize_t)strlen(line))
        rc = print_answer(fd);
    free(line);
    close(fd);
    return rc;
}
