/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/bed.c - servers and what they need.  It must not know the code
 * under test.
 */
#include "tests/sshd/bed.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"

#define SSHD "/usr/sbin/sshd"

void bed_path(const struct bed *b, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", b->dir, name);
}

void bed_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t len = strlen(text);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
}

char *bed_read(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    int c;

    while (f != NULL && (c = getc(f)) != EOF)
        putc(c, to);
    if (f != NULL)
        fclose(f);
    fclose(to);
    return text;
}

/* A child that ends when we do, whatever ends us. */
pid_t bed_start(char *const argv[], const char *out)
{
    pid_t pid = fork();
    int fd;

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    fd = open(out, O_RDWR | O_CREAT | O_APPEND, 0600);
    dup2(fd, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    execvp(argv[0], argv);
    _exit(127);
}

int bed_run(char *const argv[])
{
    pid_t pid = bed_start(argv, "/dev/null");
    int status;

    assert_true(pid > 0);
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* The first line that a program prints; "" when it fails. */
void bed_first_line(char *const argv[], char *line, size_t room)
{
    char path[] = "/tmp/cf-sshd-out-XXXXXX";
    int status = -1, fd = mkstemp(path);
    pid_t pid = bed_start(argv, path);
    ssize_t n = 0;

    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    if (status == 0)
        n = read(fd, line, room - 1);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    close(fd);
    (void)remove(path);
}

/* An event is waited for, with a deadline: the folder changes. */
static void wait_until(const char *folder, bool (*is_so)(const void *),
                       const void *user)
{
    char events[4096];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t until = clock_mono_ms() + BED_WAIT_MS;

    assert_true(fd >= 0);
    assert_true(inotify_add_watch(fd, folder,
                                  IN_CREATE | IN_MODIFY | IN_MOVED_TO) >= 0);
    while (!is_so(user)) {
        uint64_t now = clock_mono_ms();

        if (now >= until)
            fail_msg("waited in vain in %s", folder);
        (void)poll(&p, 1, (int)(until - now));
        (void)!read(fd, events, sizeof(events));
    }
    close(fd);
}

static bool file_is_there(const void *path)
{
    return access(path, F_OK) == 0;
}

void bed_wait_file(const char *path)
{
    char folder[256];

    snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = '\0';
    wait_until(folder, file_is_there, path);
}

unsigned bed_count_log(const struct bed_server *s, const char *words)
{
    char *text = bed_read(s->log);
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        n++;
    free(text);
    return n;
}

struct log_words {
    const struct bed_server *server;
    const char *words;
    unsigned n;
};

static bool log_has(const void *user)
{
    const struct log_words *w = user;

    return bed_count_log(w->server, w->words) >= w->n;
}

void bed_wait_log(const struct bed_server *s, const char *words, unsigned n)
{
    const struct log_words w = {s, words, n};
    char folder[256];

    snprintf(folder, sizeof(folder), "%s", s->log);
    *strrchr(folder, '/') = '\0';
    wait_until(folder, log_has, &w);
}

static bool have_shell(const struct passwd *pw)
{
    const char *shell = pw != NULL ? pw->pw_shell : "";

    if (strstr(shell, "nologin") == NULL && strstr(shell, "false") == NULL)
        return true;
    print_message("skipped: who runs this may not log in here\n");
    return false;
}

static bool have_tools(void)
{
    char *const keygen[] = {"ssh-keygen", "-?", NULL};

    if (access(SSHD, X_OK) != 0) {
        print_message("skipped: there is no " SSHD "\n");
        return false;
    }
    if (bed_run(keygen) == 127) {
        print_message("skipped: there is no ssh-keygen\n");
        return false;
    }
    return true;
}

static void end_process(pid_t pid)
{
    int status;

    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
}

void bed_stop(struct bed_server *s)
{
    if (s->pid <= 0)
        return;
    (void)bed_kill_sessions(s, SIGKILL);
    end_process(s->pid);
    s->pid = 0;
}

void bed_free(struct bed *b)
{
    char *const remove_dir[] = {"rm", "-rf", b->dir, NULL};
    char *const remove_user[] = {"userdel", BED_USER, NULL};

    for (unsigned i = 0; i < b->n_servers; i++)
        bed_stop(&b->servers[i]);
    end_process(b->agent);
    (void)bed_run(remove_dir);
    if (b->has_user)
        (void)bed_run(remove_user);
    free(b);
    /* whatever was started here was waited for */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

bool bed_make_user(struct bed *b)
{
    char *const old[] = {"userdel", BED_USER, NULL};
    /* of BED_PASSWORD; made by openssl passwd -6 */
    char hash[256] = "";
    char *const add[] = {"useradd", "-M", "-d", b->dir,   "-s",
                         "/bin/sh", "-p", hash, BED_USER, NULL};
    char *const passwd[] = {"openssl", "passwd", "-6", BED_PASSWORD, NULL};

    if (!b->is_root) {
        print_message("skipped: only root can make a user for passwords\n");
        return false;
    }
    bed_first_line(passwd, hash, sizeof(hash));
    (void)bed_run(old);
    b->has_user = hash[0] != '\0' && bed_run(add) == 0;
    if (!b->has_user)
        print_message("skipped: useradd fails here\n");
    return b->has_user;
}

struct bed *bed_new(void)
{
    struct bed *b;
    const struct passwd *pw = getpwuid(getuid());
    char path[256];

    if (!have_tools() || !have_shell(pw))
        return NULL;
    b = calloc(1, sizeof(*b));
    assert_non_null(b);
    b->is_root = getuid() == 0;
    snprintf(b->user, sizeof(b->user), "%s", pw ? pw->pw_name : "root");
    snprintf(b->dir, sizeof(b->dir), "/tmp/cf-sshd-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    assert_int_equal(chmod(b->dir, 0755), 0);
    bed_path(b, "authorized", path);
    bed_write(path, "");
    bed_path(b, "files", path);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(chmod(path, 0777), 0);
    bed_path(b, "known", b->known);
    bed_make_key(b, "id", "ed25519", "", b->key);
    if (b->is_root) /* sshd's own, made by its service elsewhere */
        (void)mkdir("/run/sshd", 0755);
    return b;
}

unsigned bed_free_port(const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    close(fd);
    return ntohs(in.sin_port);
}

static void write_config(const struct bed *b, const struct bed_server *s,
                         const char *path, const char *lines)
{
    char addresses[64], host_key[128];
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    snprintf(addresses, sizeof(addresses), "%s", s->address);
    for (char *save, *a = strtok_r(addresses, " ", &save); a != NULL;
         a = strtok_r(NULL, " ", &save))
        fprintf(f, "ListenAddress %s\n", a);
    snprintf(host_key, sizeof(host_key), "%s", s->host_key);
    host_key[strlen(host_key) - 4] = '\0'; /* without .pub */
    fprintf(f, "Port %u\nHostKey %s\nPidFile none\n", s->port, host_key);
    /* the first value counts: a test's own lines go before ours */
    fprintf(f, "%s\n", lines ? lines : "");
    fprintf(f,
            "AuthorizedKeysFile %s/authorized\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin yes\n"
            "MaxStartups 3000\nMaxSessions 100\nLogLevel VERBOSE\n"
            "PrintMotd no\nPrintLastLog no\n"
            /* a home without anybody's .bashrc: it may take seconds */
            "SetEnv HOME=%s\n",
            b->dir, b->dir);
    if (lines == NULL || strstr(lines, "Subsystem") == NULL)
        fprintf(f, "Subsystem sftp internal-sftp -d %s/files\n", b->dir);
    fclose(f);
}

struct bed_server *bed_serve(struct bed *b, const char *address,
                             const char *lines)
{
    struct bed_server *s = &b->servers[b->n_servers];
    char config[256], key[256], first[64];
    char *argv[] = {SSHD, "-D", "-f", config, "-E", s->log, NULL};
    char *keygen[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N",
                      "",           "-f", key,  NULL};

    assert_true(b->n_servers < BED_SERVERS_MAX);
    snprintf(s->address, sizeof(s->address), "%s", address);
    snprintf(first, sizeof(first), "%s", address);
    first[strcspn(first, " ")] = '\0';
    s->port = bed_free_port(first);
    snprintf(config, sizeof(config), "%s/sshd%u.conf", b->dir, b->n_servers);
    snprintf(key, sizeof(key), "%s/host%u", b->dir, b->n_servers);
    snprintf(s->host_key, sizeof(s->host_key), "%.110s.pub", key);
    snprintf(s->log, sizeof(s->log), "%s/sshd%u.log", b->dir, b->n_servers);
    b->n_servers++;
    assert_int_equal(bed_run(keygen), 0);
    write_config(b, s, config, lines);
    bed_write(s->log, "");
    s->pid = bed_start(argv, "/dev/null");
    bed_wait_log(s, "Server listening", 1);
    s->address[strcspn(s->address, " ")] = '\0';
    return s;
}

static pid_t parent_of(pid_t pid)
{
    char path[64], line[512];
    FILE *f;
    pid_t parent = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    if (fgets(line, sizeof(line), f) != NULL && strrchr(line, ')') != NULL)
        parent = (pid_t)strtol(strrchr(line, ')') + 4, NULL, 10); /* ") S " */
    fclose(f);
    return parent;
}

static bool is_below(pid_t pid, pid_t top)
{
    for (int depth = 0; depth < 8 && pid > 1; depth++) {
        pid = parent_of(pid);
        if (pid == top)
            return true;
    }
    return false;
}

unsigned bed_kill_sessions(const struct bed_server *s, int sig)
{
    pid_t found[1024];
    unsigned n = 0;
    DIR *d = opendir("/proc");
    const struct dirent *e;

    assert_non_null(d);
    /* all first: a dead parent hides its children */
    while ((e = readdir(d)) != NULL && n < 1024) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

        if (pid > 1 && is_below(pid, s->pid))
            found[n++] = pid;
    }
    closedir(d);
    for (unsigned i = 0; i < n; i++)
        (void)kill(found[i], sig);
    return n;
}

unsigned bed_open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}
