/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/auth_pool.c - login steps that would block: signing with RSA,
 * and everything with the agent.
 *
 * libssh has no call that signs elsewhere, and speaks to the agent without
 * return.  So the whole step of this one session runs in a thread of the
 * pool: the loop takes its socket out of the poll and does not touch the
 * session until the thread is done (libssh allows one thread at a time).
 * The agent's socket is ours, so that a deadline can end a thread that waits
 * for an agent which waits for a person.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "transport/ssh_priv.h"

/* In the pool. */
static void run_call(uv_work_t *work)
{
    struct conn *c = work->data;

    c->auth.pool_rc = c->auth.call(c);
}

static void on_call_done(uv_work_t *work, int status)
{
    struct conn *c = work->data;

    c->in_pool = false;
    c->auth.pool_came = true;
    if (status != 0)
        c->auth.pool_rc = SSH_AUTH_ERROR;
    conn_step(c);
}

void auth_pool_start(struct conn *c, int (*call)(struct conn *c))
{
    uv_poll_stop(&c->poll);
    c->poll_events = 0;
    c->in_pool = true;
    c->auth.call = call;
    c->work.data = c;
    uv_queue_work(c->port->loop, &c->work, run_call, on_call_done);
}

/* In the pool: an agent whose line is full lets connect() wait. */
int auth_agent_open(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(name.sun_path))
        return -1;
    memcpy(name.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void auth_wake_pool(struct conn *c)
{
    int fd = __atomic_load_n(&c->auth.agent_fd, __ATOMIC_ACQUIRE);

    /* a call that did not begin yet is taken out of the pool's line */
    if (uv_cancel((uv_req_t *)&c->work) == 0)
        return;
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
}
