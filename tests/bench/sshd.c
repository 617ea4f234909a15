/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers, their keys and their end.
 */
#include "tests/bench/sshd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/bench/server.h"
#include "tests/bench/tree.h"

#define SSHD "/usr/sbin/sshd"

enum {
    EACH = 16, /* MAX_LISTEN_SOCKS */
    LISTEN_MS = 30000
};

static struct sshd *running; /* what an early end must not leave behind */

static void make_key(const char *dir, const char *name)
{
    const char *const argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N",
                                "",           "-f", name, NULL};

    if (tree_run(argv, dir, false).code != 0)
        die("ssh-keygen makes no key in %s", dir);
}

static FILE *file_in(const struct sshd *sshd, const char *name)
{
    char *path = text_of("%s/%s", sshd->dir, name);
    FILE *file = fopen(path, "we");

    if (!file)
        die("%s: %s", path, strerror(errno));
    free(path);
    return file;
}

static void trust_all(const struct sshd *sshd)
{
    char *path = text_of("%s/host.pub", sshd->dir);
    FILE *key = fopen(path, "re"), *known = file_in(sshd, "known_hosts");
    char line[512] = "", address[16];

    if (!key || !fgets(line, sizeof(line), key))
        die("%s cannot be read", path);
    for (unsigned i = 0; i < sshd->nodes; i++) {
        server_address(sshd->base, i, address);
        fprintf(known, "[%s]:%d %s", address, SERVER_PORT, line);
    }
    fclose(key);
    fclose(known);
    free(path);
}

static char *configure(const struct sshd *sshd, unsigned server)
{
    char *name = text_of("sshd%u.conf", server);
    FILE *file = file_in(sshd, name);
    char address[16];

    for (unsigned i = server * EACH; i < sshd->nodes && i < (server + 1) * EACH;
         i++) {
        server_address(sshd->base, i, address);
        fprintf(file, "ListenAddress %s\n", address);
    }
    fprintf(file,
            "Port %d\nHostKey %s/host\nPidFile none\nUsePAM no\n"
            "AuthorizedKeysFile %s/id_ed25519.pub\nStrictModes no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "PermitRootLogin prohibit-password\nMaxStartups 3000\n"
            "MaxSessions 100\nPrintMotd no\nPrintLastLog no\n"
            /* a home without anybody's .bashrc: it may take seconds */
            "SetEnv HOME=%s/files\n"
            "Subsystem sftp internal-sftp -d %s/files\n",
            SERVER_PORT, sshd->dir, sshd->dir, sshd->dir, sshd->dir);
    fclose(file);
    return name;
}

static pid_t spawn(const struct sshd *sshd, const char *config)
{
    const char *const argv[] = {SSHD, "-D",       "-f", config,
                                "-E", "sshd.log", NULL};
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (chdir(sshd->dir) < 0)
        _exit(127);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static bool answers(const char *address)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(SERVER_PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    inet_pton(AF_INET, address, &at.sin_addr);
    ok = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    close(fd);
    return ok;
}

/* Of a server that does not say when it is ready, asked until it answers. */
static void wait_until_ready(const struct sshd *sshd)
{
    uint64_t until = clock_mono_ms() + LISTEN_MS;
    char address[16];

    for (unsigned i = 0; i < sshd->nodes; i++) {
        server_address(sshd->base, i, address);
        while (!answers(address)) {
            if (clock_mono_ms() >= until)
                die("sshd does not listen on %s (%s)", address, sshd->dir);
            poll(NULL, 0, 10);
        }
    }
}

static void on_exit_stop(void)
{
    if (running)
        sshd_stop(running);
}

static const char *missing(const struct passwd *who)
{
    if (access(SSHD, X_OK) != 0)
        return "there is no " SSHD " (Debian: openssh-server)";
    if (!who || strstr(who->pw_shell, "nologin") ||
        strstr(who->pw_shell, "false"))
        return "who runs this may not log in here";
    return NULL;
}

struct sshd *sshd_start(unsigned nodes, const char **why)
{
    static bool registered;
    const struct passwd *who = getpwuid(getuid());
    struct sshd *sshd;
    char *files;

    if ((*why = missing(who)))
        return NULL;
    sshd = calloc(1, sizeof(*sshd));
    if (!sshd)
        abort();
    server_place(&sshd->dir, &sshd->base);
    snprintf(sshd->user, sizeof(sshd->user), "%s", who->pw_name);
    sshd->nodes = nodes < SSHD_NODES_MAX ? nodes : SSHD_NODES_MAX;
    running = sshd;
    if (!registered && atexit(on_exit_stop) == 0)
        registered = true;
    make_key(sshd->dir, "id_ed25519");
    make_key(sshd->dir, "host");
    files = text_of("%s/files", sshd->dir);
    if (mkdir(files, 0700) < 0)
        die("%s: %s", files, strerror(errno));
    free(files);
    trust_all(sshd);
    if (getuid() == 0) /* sshd's own, made by its service elsewhere */
        (void)mkdir("/run/sshd", 0755);
    for (unsigned i = 0; i * EACH < sshd->nodes; i++) {
        char *config = configure(sshd, i);

        sshd->pids[i] = spawn(sshd, config);
        free(config);
    }
    wait_until_ready(sshd);
    return sshd;
}

void sshd_stop(struct sshd *sshd)
{
    running = NULL;
    for (unsigned i = 0; i < SSHD_SERVERS_MAX; i++) {
        if (sshd->pids[i] <= 0)
            continue;
        kill(sshd->pids[i], SIGTERM);
        while (waitpid(sshd->pids[i], NULL, 0) < 0 && errno == EINTR)
            ;
    }
    server_remove(sshd->dir);
    free(sshd->dir);
    free(sshd->base);
    free(sshd);
}
