/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes there and back, one process a connection.
 */
#include "tests/scenario/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool pass(int from, int to)
{
    char buf[16384];
    ssize_t n = read(from, buf, sizeof(buf)), done = 0;

    while (done < n) {
        ssize_t put = write(to, buf + done, (size_t)(n - done));
        if (put <= 0)
            return false;
        done += put;
    }
    return n > 0;
}

static _Noreturn void carry(int client, const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    struct pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    if (connect(server, (struct sockaddr *)&at, sizeof(at)) < 0)
        _exit(1);
    while (poll(fds, 2, -1) > 0) {
        if (fds[0].revents && !pass(client, server))
            break;
        if (fds[1].revents && !pass(server, client))
            break;
    }
    _exit(0);
}

static _Noreturn void serve(int listener, const char *path)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int client = accept(listener, NULL, NULL);

        if (client < 0)
            _exit(1);
        if (fork() == 0)
            carry(client, path);
        close(client);
    }
}

void relay_start(struct relay *relay, const char *path)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    relay->port = ntohs(at.sin_port);
    relay->group = fork();
    assert_true(relay->group >= 0);
    if (relay->group == 0) {
        setpgid(0, 0);
        serve(listener, path);
    }
    setpgid(relay->group, relay->group);
    close(listener);
}

void relay_cut(struct relay *relay)
{
    assert_int_equal(kill(-relay->group, SIGSTOP), 0);
}

void relay_end(struct relay *relay)
{
    if (relay->group <= 0)
        return;
    kill(-relay->group, SIGKILL);
    waitpid(relay->group, NULL, 0);
    relay->group = 0;
}
