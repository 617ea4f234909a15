/* SPDX-License-Identifier: Apache-2.0
 *
 * A PostgreSQL server of a test's own: in a folder that is gone afterwards,
 * reached by a socket in it (and by 127.0.0.1 where a port is wanted), as the
 * user postgres where we are root.  It dies with the test.
 */
#ifndef CERTFLEET_TEST_PG_SERVER_H
#define CERTFLEET_TEST_PG_SERVER_H

#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/remove_tree.h"

struct pg_server {
    char folder[96];
    char programs[128];
    pid_t pid; /* 0: not started */
    int port;  /* 0: by its socket alone */
};

/* Who a server is that root starts; false: nobody. */
static inline bool pg_server_user(uid_t *uid, gid_t *gid)
{
    struct passwd entry, *found = NULL;
    char room[4096];

    if (getpwnam_r("postgres", &entry, room, sizeof(room), &found) != 0 ||
        !found)
        return false;
    *uid = entry.pw_uid;
    *gid = entry.pw_gid;
    return true;
}

/* The newest that is installed; false: none. */
static inline bool pg_server_find(struct pg_server *pg)
{
    glob_t found;
    uid_t uid;
    gid_t gid;
    bool any;

    any = glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0;
    if (any) {
        snprintf(pg->programs, sizeof(pg->programs), "%s",
                 found.gl_pathv[found.gl_pathc - 1]);
        *strrchr(pg->programs, '/') = '\0';
    }
    globfree(&found);
    return any && (geteuid() != 0 || pg_server_user(&uid, &gid));
}

static inline void pg_server_exec(const struct pg_server *pg, const char *name,
                                  const char *const *args)
{
    const char *argv[32] = {"setpriv"};
    char program[160], log[128];
    size_t n = 1;
    int fd;

    snprintf(program, sizeof(program), "%s/%s", pg->programs, name);
    snprintf(log, sizeof(log), "%s/log", pg->folder);
    argv[n++] = "--pdeathsig=QUIT";
    if (geteuid() == 0) {
        argv[n++] = "--reuid=postgres";
        argv[n++] = "--regid=postgres";
        argv[n++] = "--clear-groups";
    }
    argv[n++] = program;
    for (; *args && n + 1 < 32; args++)
        argv[n++] = *args;
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0) {
        dup2(fd, 1);
        dup2(fd, 2);
    }
    if (chdir(pg->folder) == 0)
        execvp("setpriv", (char *const *)argv);
    _exit(127);
}

static inline pid_t pg_server_spawn(const struct pg_server *pg,
                                    const char *name, const char *const *args)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        pg_server_exec(pg, name, args);
    return pid;
}

static inline bool pg_server_run(const struct pg_server *pg, const char *name,
                                 const char *const *args)
{
    pid_t pid = pg_server_spawn(pg, name, args);
    int status = -1;

    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* For libpq; `more` stands behind, as "&options=...". */
static inline void pg_server_url(const struct pg_server *pg, const char *more,
                                 char *url, size_t size)
{
    snprintf(url, size, "postgresql://certfleet@/postgres?host=%s%s",
             pg->folder, more);
}

static inline bool pg_server_answers(const struct pg_server *pg)
{
    char url[256];

    pg_server_url(pg, "", url, sizeof(url));
    for (int i = 0; i < 600; i++) {
        if (PQping(url) == PQPING_OK)
            return true;
        if (waitpid(pg->pid, NULL, WNOHANG) == pg->pid)
            return false;
        poll(NULL, 0, 50); /* there is nothing of it to wait for */
    }
    return false;
}

static inline bool pg_server_up(struct pg_server *pg)
{
    char port[16], data[112];
    const char *args[] = {
        "-D", data,
        "-k", pg->folder,
        "-c", "fsync=off",
        "-c", pg->port ? "listen_addresses=127.0.0.1" : "listen_addresses=",
        "-p", port,
        NULL};

    snprintf(data, sizeof(data), "%s/data", pg->folder);
    snprintf(port, sizeof(port), "%d", pg->port ? pg->port : 5432);
    pg->pid = pg_server_spawn(pg, "postgres", args);
    return pg->pid > 0 && pg_server_answers(pg);
}

/* `how`: SIGINT ends it, SIGKILL is the loss of its machine. */
static inline void pg_server_down(struct pg_server *pg, int how)
{
    if (pg->pid <= 0)
        return;
    kill(pg->pid, how);
    waitpid(pg->pid, NULL, 0);
    pg->pid = 0;
}

static inline bool pg_server_start(struct pg_server *pg)
{
    const char *tmp = getenv("TMPDIR");
    char data[112];
    uid_t uid = 0;
    gid_t gid = 0;
    const char *const args[] = {
        "-D", data,   "-U",       "certfleet", "-A",        "trust",
        "-E", "UTF8", "--locale", "C",         "--no-sync", "--no-instructions",
        NULL};

    snprintf(pg->folder, sizeof(pg->folder), "%.60s/cf-pg-XXXXXX",
             tmp ? tmp : "/tmp");
    if (!mkdtemp(pg->folder))
        return false;
    if (geteuid() == 0 &&
        (!pg_server_user(&uid, &gid) || chown(pg->folder, uid, gid) < 0))
        return false;
    snprintf(data, sizeof(data), "%s/data", pg->folder);
    return pg_server_run(pg, "initdb", args) && pg_server_up(pg);
}

static inline void pg_server_stop(struct pg_server *pg)
{
    pg_server_down(pg, SIGINT);
    if (pg->folder[0])
        remove_tree(pg->folder);
}

/* One statement or several, as another hand would; -1 when it gives no number.
 */
static inline long long pg_server_ask(const char *url, const char *sql)
{
    PGconn *conn = PQconnectdb(url);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    long long n = -1;

    if (status == PGRES_TUPLES_OK && PQntuples(result))
        n = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fprintf(stderr, "%s\n", PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
    return n;
}

#endif
