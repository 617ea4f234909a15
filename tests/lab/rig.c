/* SPDX-License-Identifier: Apache-2.0
 *
 * Children with pipes and deadlines.
 */
#include "tests/lab/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/str.h"

enum {
    MAX_ARGS = 64,
    TEXT_CAP = 64 << 20
};

static void broken(const char *what)
{
    fprintf(stderr, "rig: %s\n", what);
    abort();
}

/* -- children -------------------------------------------------------------- */

struct child {
    pid_t pid;
    int in, out;
};

static struct child spawn(const char *const *argv, bool errors)
{
    int in[2], out[2];
    struct child c;

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        broken("no pipe");
    c.pid = fork();
    if (c.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        if (errors)
            dup2(out[1], 2);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    c.in = in[1];
    c.out = out[0];
    return c;
}

/* 1: something came, 0: the end */
static int read_more(int fd, struct str *text, uint64_t until)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t now = clock_mono_ms();
    char buf[4096];
    ssize_t n;

    if (now >= until || poll(&p, 1, (int)(until - now)) <= 0) {
        fprintf(stderr, "rig: so far: %s\n", str_text(text));
        broken("the deadline has passed");
    }
    n = read(fd, buf, sizeof(buf));
    if (n > 0)
        str_addn(text, buf, (size_t)n);
    return n > 0;
}

static bool read_until(int fd, struct str *text, const char *wanted)
{
    uint64_t until = clock_mono_ms() + RIG_DEADLINE_MS;

    while (!strstr(str_text(text), wanted))
        if (!read_more(fd, text, until))
            return false;
    return true;
}

static int finish(struct child *c, struct str *text)
{
    uint64_t until = clock_mono_ms() + RIG_DEADLINE_MS;
    int status;

    close(c->in);
    while (read_more(c->out, text, until))
        ;
    close(c->out);
    while (waitpid(c->pid, &status, 0) < 0)
        if (errno != EINTR)
            broken("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A child that has ended reads no more: that is the test's matter. */
static void type(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0 && errno != EPIPE)
        broken("cannot write");
}

int rig_run(const char *const *argv)
{
    struct child c = spawn(argv, true);
    struct str text;
    int code;

    str_init(&text, TEXT_CAP);
    code = finish(&c, &text);
    str_release(&text);
    return code;
}

/* -- the lab --------------------------------------------------------------- */

static char *make_text(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    va_end(ap);
    return text;
}

const char *rig_place(void)
{
    const char *place = getenv("TMPDIR");

    return place && *place == '/' ? place : "/tmp";
}

struct rig *rig_start(const char *program, const char *const *args)
{
    static unsigned serial;
    struct rig *rig = calloc(1, sizeof(*rig));
    const char *argv[MAX_ARGS] = {program};
    /* eight at a time: the ninth takes the address of the first, gone */
    unsigned who = (unsigned)getpid() * 8 + serial++ % 8;
    struct child c;
    struct str text;
    int n = 1;

    rig->dir = make_text("%s/certfleet-lab.XXXXXX", rig_place());
    if (!mkdtemp(rig->dir))
        broken("no folder");
    rig->base = make_text("127.%u.%u.1", 32 + who / 256 % 192, who % 256);
    signal(SIGPIPE, SIG_IGN);
    while (*args && n < MAX_ARGS - 6)
        argv[n++] = *args++;
    argv[n++] = "--dir";
    argv[n++] = rig->dir;
    argv[n++] = "--base";
    argv[n++] = rig->base;
    argv[n++] = "--until-eof";
    c = spawn(argv, false);
    rig->pid = c.pid;
    rig->in = c.in;
    rig->out = c.out;
    str_init(&text, TEXT_CAP);
    if (!read_until(rig->out, &text, "ready\n"))
        broken("the lab did not start");
    str_release(&text);
    return rig;
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

int rig_stop(struct rig *rig, json_t **verdict)
{
    struct child c = {rig->pid, rig->in, rig->out};
    char *path = make_text("%s/verdict.json", rig->dir);
    struct str text;
    int code;

    str_init(&text, TEXT_CAP);
    code = finish(&c, &text);
    str_release(&text);
    if (verdict)
        *verdict = json_load_file(path, 0, NULL);
    free(path);
    nftw(rig->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(rig->dir);
    free(rig->base);
    free(rig);
    return code;
}

/* -- control ----------------------------------------------------------------
 */

static json_t *ask(struct rig *rig, const char *line)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct str text;
    json_t *answer;

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/control.sock", rig->dir);
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        broken("no control socket");
    type(fd, line);
    type(fd, "\n");
    str_init(&text, TEXT_CAP);
    if (!read_until(fd, &text, "\n"))
        broken("no answer");
    answer = json_loads(str_text(&text), 0, NULL);
    if (!answer)
        broken("the answer is no JSON");
    str_release(&text);
    close(fd);
    return answer;
}

json_t *rig_ask(struct rig *rig, const char *fmt, ...)
{
    char line[4096];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    return ask(rig, line);
}

bool rig_do(struct rig *rig, const char *fmt, ...)
{
    char line[4096];
    json_t *answer;
    va_list ap;
    bool ok;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    answer = ask(rig, line);
    ok = json_is_true(json_object_get(answer, "ok"));
    if (!ok)
        fprintf(stderr, "rig: %s: %s\n", line,
                json_string_value(json_object_get(answer, "error")));
    json_decref(answer);
    return ok;
}

/* -- OpenSSH -----------------------------------------------------------------
 */

void rig_address(const struct rig *rig, unsigned n, char text[16])
{
    const char *dot = strrchr(rig->base, '.');

    snprintf(text, 16, "%.*s.%u", (int)(dot - rig->base), rig->base, n);
}

enum {
    SSH_ARGS = 24
};
struct client_line {
    const char *argv[SSH_ARGS];
    char known[300], identity[300], target[64];
    int n;
};

static void add(struct client_line *s, const char *word)
{
    s->argv[s->n++] = word;
}

static void begin(struct client_line *s, struct rig *rig, const char *program)
{
    memset(s, 0, sizeof(*s));
    snprintf(s->known, sizeof(s->known), "UserKnownHostsFile=%s/known_hosts",
             rig->dir);
    snprintf(s->identity, sizeof(s->identity), "IdentityFile=%s/id_ed25519",
             rig->dir);
    add(s, program);
    add(s, "-F");
    add(s, "none");
    add(s, "-oLogLevel=ERROR");
    add(s, "-oKexAlgorithms=curve25519-sha256");
    add(s, "-oStrictHostKeyChecking=yes");
    add(s, "-oPort=2222");
    add(s, "-o");
    add(s, s->known);
}

static void with_key(struct client_line *s)
{
    add(s, "-oBatchMode=yes");
    add(s, "-oIdentitiesOnly=yes");
    add(s, "-o");
    add(s, s->identity);
}

static void target(struct client_line *s, struct rig *rig, unsigned node)
{
    char address[16];

    rig_address(rig, node, address);
    snprintf(s->target, sizeof(s->target), "admin@%s", address);
    add(s, s->target);
}

char *rig_ssh(struct rig *rig, unsigned node, const char *command, int *code)
{
    struct client_line s;
    struct child c;
    struct str text;
    int rc;

    begin(&s, rig, "ssh");
    with_key(&s);
    target(&s, rig, node);
    add(&s, command);
    c = spawn(s.argv, true);
    close(c.in);
    c.in = -1;
    str_init(&text, TEXT_CAP);
    rc = finish(&c, &text);
    if (code)
        *code = rc;
    return str_take(&text);
}

char *rig_dialog(struct rig *rig, unsigned node, const char *command,
                 const char *answer)
{
    struct client_line s;
    struct child c;
    struct str text;
    size_t seen;
    uint64_t until = clock_mono_ms() + RIG_DEADLINE_MS;

    begin(&s, rig, "ssh");
    with_key(&s);
    add(&s, "-tt");
    target(&s, rig, node);
    c = spawn(s.argv, true);
    str_init(&text, TEXT_CAP);
    /* The end may come at any point: the caller reads how far it went. */
    if (!read_until(c.out, &text, "> "))
        goto out;
    type(c.in, command);
    type(c.in, "\r");
    if (answer) {
        if (!read_until(c.out, &text, "(Y/n)"))
            goto out;
        type(c.in, answer);
        type(c.in, "\r");
    }
    seen = text.len; /* the next prompt comes behind it */
    while (text.len <= seen + 2 || strcmp(text.data + text.len - 2, "> ") != 0)
        if (!read_more(c.out, &text, until))
            break;
    type(c.in, "exit\r");
out:
    finish(&c, &text);
    return str_take(&text);
}

int rig_sftp(struct rig *rig, unsigned node, const char *batch)
{
    struct client_line s;
    struct child c;
    struct str text;
    int code;

    begin(&s, rig, "sftp");
    with_key(&s);
    add(&s, "-b-");
    target(&s, rig, node);
    c = spawn(s.argv, true);
    type(c.in, batch);
    str_init(&text, TEXT_CAP);
    code = finish(&c, &text);
    str_release(&text);
    return code;
}

int rig_login(struct rig *rig, unsigned node, const char *method,
              const char *password)
{
    char *path = make_text("%s/askpass", rig->dir);
    char *script = make_text("#!/bin/sh\necho '%s'\n", password);
    char *methods = make_text("-oPreferredAuthentications=%s", method);
    struct client_line s;
    struct child c;
    struct str text;
    int code;

    if (file_write(path, script, strlen(script), 0700, false, NULL) < 0)
        broken("no askpass");
    setenv("SSH_ASKPASS", path, 1);
    setenv("SSH_ASKPASS_REQUIRE", "force", 1);
    begin(&s, rig, "ssh");
    add(&s, methods);
    add(&s, "-oNumberOfPasswordPrompts=1");
    target(&s, rig, node);
    add(&s, "version");
    c = spawn(s.argv, true);
    str_init(&text, TEXT_CAP);
    code = finish(&c, &text);
    str_release(&text);
    free(path);
    free(script);
    free(methods);
    return code;
}
