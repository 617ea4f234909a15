/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab as a child.
 */
#include "tests/bench/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"

enum {
    ARGS_MAX = 48,
    READY_MS = 600000 /* 400 RSA keys on a busy machine */
};

static struct server *running; /* what an early end must not leave behind */

void die(const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fputs("certfleet-bench: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(2);
}

char *text_of(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    va_end(ap);
    return text;
}

void server_address(const char *base, unsigned i, char text[16])
{
    struct in_addr a;
    uint32_t next;

    if (inet_pton(AF_INET, base, &a) != 1)
        die("%s is no address", base);
    next = ntohl(a.s_addr);
    for (unsigned k = 0; k < i; k++) {
        next++;
        while ((next & 255) == 0 || (next & 255) == 255)
            next++;
    }
    a.s_addr = htonl(next);
    inet_ntop(AF_INET, &a, text, 16);
}

void server_place(char **dir, char **base)
{
    static unsigned serial;
    unsigned who = (unsigned)getpid() * 4 + serial++ % 4;

    *dir = text_of("/tmp/certfleet-bench.XXXXXX");
    if (!mkdtemp(*dir))
        die("no folder: %s", strerror(errno));
    /* a few hundred nodes need more than the last number */
    *base = text_of("127.%u.%u.1", 32 + who / 64 % 192, who % 64 * 4);
}

static struct server *make_place(void)
{
    struct server *server = calloc(1, sizeof(*server));

    if (!server)
        abort();
    server_place(&server->dir, &server->base);
    return server;
}

static void wait_until_ready(struct server *server, int out)
{
    struct pollfd p = {.fd = out, .events = POLLIN};
    uint64_t until = clock_mono_ms() + READY_MS;
    char said[512] = "";
    size_t len = 0;

    while (!strstr(said, "ready\n")) {
        ssize_t n = -1;

        if (clock_mono_ms() < until && poll(&p, 1, 1000) >= 0) {
            if (!p.revents)
                continue;
            n = read(out, said + len, sizeof(said) - 1 - len);
        }
        if (n <= 0)
            die("the lab did not start (%s)", server->dir);
        len += (size_t)n;
        said[len] = '\0';
    }
}

static void on_exit_stop(void)
{
    if (running)
        server_stop(running, NULL);
}

struct server *server_start(const char *const *args)
{
    static bool registered;
    struct server *server = make_place();
    char *port = text_of("%d", SERVER_PORT);
    char *db_port = text_of("%d", SERVER_DB_PORT);
    const char *argv[ARGS_MAX] = {LAB_PROGRAM, "--dir",      server->dir,
                                  "--base",    server->base, "--port",
                                  port,        "--db-port",  db_port,
                                  "--auth",    "key",        "--until-eof"};
    int in[2], out[2];
    size_t n = 12;

    while (*args && n < ARGS_MAX - 1)
        argv[n++] = *args++;
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        die("no pipe: %s", strerror(errno));
    server->pid = fork();
    if (server->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server->in = in[1];
    running = server;
    if (!registered && atexit(on_exit_stop) == 0)
        registered = true;
    wait_until_ready(server, out[0]);
    close(out[0]);
    free(port);
    free(db_port);
    return server;
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

void server_remove(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void server_stop(struct server *server, json_t **verdict)
{
    char *path = text_of("%s/verdict.json", server->dir);

    running = NULL;
    close(server->in);
    while (waitpid(server->pid, NULL, 0) < 0)
        if (errno != EINTR)
            die("waitpid: %s", strerror(errno));
    if (verdict)
        *verdict = json_load_file(path, 0, NULL);
    server_remove(server->dir);
    free(path);
    free(server->dir);
    free(server->base);
    free(server);
}
