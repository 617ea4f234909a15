/* SPDX-License-Identifier: Apache-2.0
 *
 * A writer thread, so that the loop's thread never waits for a terminal.  It
 * takes the whole queue at a time and writes it without the lock.
 */
#include "cli/out_pipe.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct out_pipe {
    int fd;
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t thread;
    bool started, stopping, dead;
    char *queue;
    size_t len, room, in_flight;
    unsigned long dropped;
};

struct out_pipe *out_pipe_new(int fd)
{
    struct out_pipe *pipe = calloc(1, sizeof(*pipe));

    if (!pipe)
        abort();
    pipe->fd = fd;
    pthread_mutex_init(&pipe->lock, NULL);
    pthread_cond_init(&pipe->more, NULL);
    return pipe;
}

void out_pipe_free(struct out_pipe *pipe)
{
    if (!pipe)
        return;
    out_pipe_stop(pipe);
    pthread_mutex_destroy(&pipe->lock);
    pthread_cond_destroy(&pipe->more);
    free(pipe->queue);
    free(pipe);
}

/* Somebody else may have made the descriptor non-blocking: then wait. */
static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return false;
        } else if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return true;
}

static void *write_queue(void *arg)
{
    struct out_pipe *pipe = arg;

    pthread_mutex_lock(&pipe->lock);
    for (;;) {
        while (pipe->len == 0 && !pipe->stopping)
            pthread_cond_wait(&pipe->more, &pipe->lock);
        if (pipe->len == 0)
            break;
        char *data = pipe->queue;
        size_t len = pipe->len;
        bool dead = pipe->dead;
        pipe->queue = NULL;
        pipe->len = pipe->room = 0;
        pipe->in_flight = len;
        pthread_mutex_unlock(&pipe->lock);
        bool ok = !dead && write_all(pipe->fd, data, len);
        free(data);
        pthread_mutex_lock(&pipe->lock);
        pipe->in_flight = 0;
        pipe->dead |= !ok;
    }
    pthread_mutex_unlock(&pipe->lock);
    return NULL;
}

/* Signals are the loop's: the writer blocks them all. */
void out_pipe_start(struct out_pipe *pipe)
{
    sigset_t all, before;

    if (pipe->started)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pipe->stopping = false;
    pipe->started = pthread_create(&pipe->thread, NULL, write_queue, pipe) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void out_pipe_stop(struct out_pipe *pipe)
{
    if (!pipe->started)
        return;
    pthread_mutex_lock(&pipe->lock);
    pipe->stopping = true;
    pthread_cond_signal(&pipe->more);
    pthread_mutex_unlock(&pipe->lock);
    pthread_join(pipe->thread, NULL);
    pipe->started = false;
}

static void add(struct out_pipe *pipe, const void *data, size_t len)
{
    if (pipe->len + len > pipe->room) {
        size_t room = (pipe->len + len) * 2;
        char *grown = realloc(pipe->queue, room);
        if (!grown)
            abort();
        pipe->queue = grown;
        pipe->room = room;
    }
    memcpy(pipe->queue + pipe->len, data, len);
    pipe->len += len;
}

static void queue(struct out_pipe *pipe, const void *data, size_t len,
                  bool must)
{
    size_t waiting = pipe->len + pipe->in_flight;

    if (waiting + len > (must ? OUT_PIPE_HARD : OUT_PIPE_SOFT)) {
        pipe->dropped++;
        return;
    }
    if (pipe->dropped && !must) {
        char note[80];
        int n = snprintf(note, sizeof(note),
                         "(%lu pieces of text were dropped: nobody read)\n",
                         pipe->dropped);
        add(pipe, note, (size_t)n);
        pipe->dropped = 0;
    }
    add(pipe, data, len);
    pthread_cond_signal(&pipe->more);
}

void out_pipe_write(struct out_pipe *pipe, const void *data, size_t len,
                    bool must)
{
    if (len == 0)
        return;
    if (!pipe->started) {
        if (!pipe->dead && !write_all(pipe->fd, data, len))
            pipe->dead = true;
        return;
    }
    pthread_mutex_lock(&pipe->lock);
    if (!pipe->dead)
        queue(pipe, data, len, must);
    pthread_mutex_unlock(&pipe->lock);
}

size_t out_pipe_waiting(struct out_pipe *pipe)
{
    size_t waiting;

    pthread_mutex_lock(&pipe->lock);
    waiting = pipe->len + pipe->in_flight;
    pthread_mutex_unlock(&pipe->lock);
    return waiting;
}

bool out_pipe_is_dead(struct out_pipe *pipe)
{
    bool dead;

    pthread_mutex_lock(&pipe->lock);
    dead = pipe->dead;
    pthread_mutex_unlock(&pipe->lock);
    return dead;
}

int out_pipe_fd(const struct out_pipe *pipe)
{
    return pipe->fd;
}
