/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels are counted, listed, and compared with the one that was asked for.
 * Knows nothing of what they mean.
 */
#include "tests/prove/point.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/prove/powercut.h"

enum {
    MOST_LABELS = 4096,
    MOST_ANSWER = 4096
};

static const char *wanted;
static size_t wanted_nth;
static int list_fd = -1;
static char *seen[MOST_LABELS];
static size_t n_seen;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static _Noreturn void broken(const char *what)
{
    perror(what);
    abort();
}

void point_set_up(void)
{
    const char *list = getenv("CRASH_LIST");
    const char *nth = getenv("CRASH_NTH");

    wanted = getenv("CRASH_AT");
    wanted_nth = nth ? strtoul(nth, NULL, 10) : 0;
    if (list)
        list_fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (list && list_fd < 0)
        broken(list);
    if (getenv("CRASH_POWER"))
        powercut_set_up();
}

_Noreturn void point_die(void)
{
    powercut_strike();
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* -- labels --------------------------------------------------------------- */

static size_t times(const char *label)
{
    size_t n = 0;

    for (size_t i = 0; i < n_seen; i++)
        n += strcmp(seen[i], label) == 0;
    return n;
}

/* The first time keeps its label, the n-th gets a number. */
static void number(char *label)
{
    size_t n = times(label), len = strlen(label);

    if (n_seen == MOST_LABELS)
        broken("too many points");
    seen[n_seen++] = strdup(label);
    if (n > 0)
        snprintf(label + len, POINT_BYTES - len, " #%zu", n + 1);
}

static bool reach(bool once, const char *fmt, va_list ap)
{
    char label[POINT_BYTES];
    bool is_it = false;

    pthread_mutex_lock(&guard); /* the pool has points, too */
    vsnprintf(label, sizeof(label), fmt, ap);
    if (!once || times(label) == 0) {
        number(label);
        is_it = n_seen == wanted_nth || (wanted && strcmp(label, wanted) == 0);
        if (list_fd >= 0 && dprintf(list_fd, "%s\n", label) < 0)
            broken("list of points");
    }
    pthread_mutex_unlock(&guard);
    return is_it;
}

bool point_reached(const char *fmt, ...)
{
    va_list ap;
    bool is_it;

    va_start(ap, fmt);
    is_it = reach(false, fmt, ap);
    va_end(ap);
    return is_it;
}

void point(const char *fmt, ...)
{
    va_list ap;
    bool is_it;

    va_start(ap, fmt);
    is_it = reach(false, fmt, ap);
    va_end(ap);
    if (is_it)
        point_die();
}

void point_once(const char *fmt, ...)
{
    va_list ap;
    bool is_it;

    va_start(ap, fmt);
    is_it = reach(true, fmt, ap);
    va_end(ap);
    if (is_it)
        point_die();
}

/* -- the lab says when ---------------------------------------------------- */

/* One command, one line of JSON as answer; blocks until it is there. */
static json_t *ask_lab(const char *line)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[MOST_ANSWER] = "";
    size_t len = 0;
    ssize_t n = 1;

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/control.sock",
             getenv("HOME"));
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
        dprintf(fd, "%s\n", line) < 0)
        broken("the lab");
    while (len < sizeof(answer) && !memchr(answer, '\n', len) && n > 0) {
        n = read(fd, answer + len, sizeof(answer) - len);
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return json_loadb(answer, len, 0, NULL);
}

static void *wait_and_die(void *line)
{
    json_t *answer = ask_lab(line);

    if (json_is_true(json_object_get(answer, "ok")))
        point_die();
    json_decref(answer);
    free(line);
    return NULL;
}

void point_die_when(const char *kind, const char *trap)
{
    json_t *answer = ask_lab(trap);
    long long id = json_integer_value(json_object_get(answer, "id"));
    char *line = NULL;
    sigset_t all, before;
    pthread_t thread;

    if (id == 0)
        broken(trap);
    json_decref(answer);
    if (asprintf(&line, "wait %s %lld", kind, id) < 0)
        abort();
    /* signals are for the loop's thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, wait_and_die, line) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_detach(thread);
}
