/* SPDX-License-Identifier: Apache-2.0
 *
 * A line from the terminal without echo.  Knows no reference and no cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/fleet/secret_priv.h"

enum {
    LINE_BYTES = 1024
};
enum answer {
    ANSWER_LINE,
    ANSWER_NONE,
    ANSWER_LONG,
    ANSWER_SIGNAL
};

/* All that would end or stop us with the echo off. */
static const struct {
    int signo;
    bool stops; /* and goes on later: then the question is put again */
} caught[] = {
    {SIGINT, false},  {SIGTERM, false}, {SIGHUP, false},
    {SIGQUIT, false}, {SIGPIPE, false}, {SIGALRM, false},
    {SIGTSTP, true},  {SIGTTIN, true},  {SIGTTOU, true},
};
enum {
    CAUGHT = sizeof(caught) / sizeof(caught[0])
};
static volatile sig_atomic_t pending[CAUGHT];

static void on_signal(int signo)
{
    for (size_t i = 0; i < CAUGHT; i++)
        if (caught[i].signo == signo)
            pending[i] = 1;
}

/* SIGTTOU came: the terminal is another's, with settings of its own. */
static bool is_background(void)
{
    for (size_t i = 0; i < CAUGHT; i++)
        if (pending[i] && caught[i].signo == SIGTTOU)
            return true;
    return false;
}

static bool is_pending(bool stops)
{
    for (size_t i = 0; i < CAUGHT; i++)
        if (pending[i] && caught[i].stops == stops)
            return true;
    return false;
}

/* What is put back when the terminal is. */
struct saved {
    struct sigaction actions[CAUGHT];
    sigset_t mask;
};

/* Signals that were ignored (nohup) stay ignored.  The rest wait, so that none
 * slips in between the look at `pending` and the wait for a line; but those
 * that our own calls raise in the background must not: blocked, they would
 * let us write over the shell's terminal. */
static void catch_signals(struct saved *saved)
{
    struct sigaction act = {.sa_handler = on_signal}; /* no SA_RESTART */
    sigset_t block;

    sigemptyset(&act.sa_mask);
    sigemptyset(&block);
    for (size_t i = 0; i < CAUGHT; i++) {
        pending[i] = 0;
        if (caught[i].signo != SIGTTIN && caught[i].signo != SIGTTOU)
            sigaddset(&block, caught[i].signo);
    }
    sigprocmask(SIG_BLOCK, &block, &saved->mask);
    for (size_t i = 0; i < CAUGHT; i++) {
        sigaction(caught[i].signo, NULL, &saved->actions[i]);
        if (saved->actions[i].sa_handler != SIG_IGN)
            sigaction(caught[i].signo, &act, NULL);
    }
}

static void release_signals(const struct saved *saved)
{
    for (size_t i = 0; i < CAUGHT; i++)
        sigaction(caught[i].signo, &saved->actions[i], NULL);
    sigprocmask(SIG_SETMASK, &saved->mask, NULL);
    for (size_t i = 0; i < CAUGHT; i++)
        if (pending[i])
            kill(getpid(), caught[i].signo);
}

/* A terminal that is gone is noticed by the read that follows. */
static void say(int tty, const char *what)
{
    struct str text;
    ssize_t n;

    str_init(&text, 512);
    str_add_visible(&text, what, strlen(what), false);
    str_add(&text, ": ");
    n = write(tty, str_text(&text), text.len);
    (void)n;
    str_release(&text);
}

/* One byte; -1 with EINTR when a signal came first. */
static ssize_t wait_byte(int tty, const sigset_t *mask, char *c)
{
    struct pollfd p = {.fd = tty, .events = POLLIN};

    return ppoll(&p, 1, NULL, mask) < 0 ? -1 : read(tty, c, 1);
}

/* The line into `s`, its length into s->len. */
static enum answer read_line(int tty, const sigset_t *mask, struct secret *s)
{
    size_t got = 0;
    char c = '\0';

    while (!is_pending(false) && !is_pending(true)) {
        ssize_t n = wait_byte(tty, mask, &c);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ANSWER_NONE;
        if (c == '\n' || c == '\r') {
            s->len = got < s->len ? got : s->len;
            return got <= s->len ? ANSWER_LINE : ANSWER_LONG;
        }
        if (got < s->len)
            s->data[got] = (unsigned char)c;
        got++;
    }
    return ANSWER_SIGNAL;
}

static enum answer ask(int tty, const char *what, const sigset_t *mask,
                       struct secret *s)
{
    enum answer answer = ANSWER_NONE;
    struct termios before, quiet;
    ssize_t n;

    if (tcgetattr(tty, &before) < 0)
        return ANSWER_NONE;
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    if (tcsetattr(tty, TCSAFLUSH, &quiet) == 0) {
        say(tty, what);
        answer = read_line(tty, mask, s);
        n = write(tty, "\n", 1);
        (void)n;
    } else if (errno == EINTR) {
        return ANSWER_SIGNAL;
    }
    while (tcsetattr(tty, TCSAFLUSH, &before) < 0 && errno == EINTR &&
           !is_background())
        ;
    return answer;
}

static struct secret *refuse(enum answer answer, struct secret *s,
                             struct err *err)
{
    if (answer == ANSWER_SIGNAL)
        err_set(err, CAUSE_CANCELED, "interrupted while it was asked for");
    else if (answer == ANSWER_LONG)
        err_set(err, CAUSE_INPUT, "over %d bytes were typed", LINE_BYTES);
    else
        err_set(err, CAUSE_INPUT, "the terminal gave no line");
    secret_free(s);
    return NULL;
}

struct secret *secret_prompt(const char *what, struct err *err)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct saved saved;
    enum answer answer;
    struct secret *s;

    if (tty < 0) {
        err_set(err, CAUSE_INPUT,
                "it is to be asked for, but there is no terminal");
        return NULL;
    }
    s = secret_new(LINE_BYTES);
    do {
        catch_signals(&saved);
        answer = ask(tty, what, &saved.mask, s);
        if (is_pending(false))
            answer = ANSWER_SIGNAL;
        release_signals(&saved); /* a stop happens here */
    } while (answer == ANSWER_SIGNAL && !is_pending(false));
    close(tty);
    return answer == ANSWER_LINE ? s : refuse(answer, s, err);
}
