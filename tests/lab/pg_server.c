/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps around one server: it starts, is ready, reads its configuration anew,
 * is stopped, is killed.  Knows nothing of other nodes.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/lab/pg_priv.h"
#include "tests/lab/record.h"

enum {
    STOP_MS = 10000,
    READY_MS = 30000
};

/* The last FATAL line of its log. */
static void why_dead(struct pg_node *pn, char *text, size_t size)
{
    const char *line = "the server has ended", *at;
    char path[PG_PATH];
    struct secret *s;

    pg_path(path, pn->folder, "log");
    s = file_read(path, 16 << 20, NULL);
    for (at = s ? secret_text(s) : NULL; at && (at = strstr(at, "FATAL:  "));)
        line = at += strlen("FATAL:  ");
    snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
    secret_free(s);
}

static void on_server_exit(struct pg_proc *proc, void *user, int code)
{
    struct pg_node *pn = user;
    char text[256];

    (void)proc;
    pn->server = NULL;
    pn->is_streaming = false;
    pn->is_uncounted = true;
    if (!pn->is_stopping && pn->ready && !pn->engine->ending) {
        why_dead(pn, text, sizeof(text));
        record_violation(pn->node, "lab", false,
                         "its server ended by itself (%d): %s", code, text);
    }
    pn->ready = false;
    pg_console_close(pn->console);
    lab_changed(pn->engine->lab);
}

void pg_s_start(struct pg_job *job)
{
    struct pg_node *pn = job->at;
    char data[PG_PATH], config[PG_PATH + 16], log[PG_PATH], conf[PG_PATH];
    struct pg_spawn how = {
        .program = "postgres",
        .args = {"-D", data, "-c", config},
        .log = log,
        .is_server = true,
        .on_exit = on_server_exit,
        .user = pn,
    };
    struct err why;

    pg_in_folder(job, "data", data);
    pg_in_folder(job, "log", log);
    pg_in_folder(job, "postgresql.conf", conf);
    snprintf(config, sizeof(config), "config_file=%s", conf);
    pn->is_stopping = pn->is_uncounted = false;
    pn->server = pg_proc_start(pn->engine, &how, &why);
    if (pn->server)
        pg_job_next(job);
    else
        pg_job_refuse(job, &why);
}

/* Line 1 of postmaster.pid is whose it is, line 8 how far it has come. */
static bool says_ready(struct pg_node *pn)
{
    char path[PG_PATH];
    struct secret *s;
    const char *at;
    bool is_ready;

    pg_path(path, pn->folder, "data/postmaster.pid");
    s = file_read(path, 4096, NULL);
    at = s ? secret_text(s) : "";
    is_ready = strtol(at, NULL, 10) == pg_proc_pid(pn->server);
    for (int line = 1; at && line < 8; line++) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    is_ready = is_ready && at &&
               (strncmp(at, "ready", 5) == 0 || strncmp(at, "standby", 7) == 0);
    secret_free(s);
    return is_ready;
}

int pg_is_ready(struct pg_job *job)
{
    struct pg_node *pn = job->at;
    char text[256];

    if (!pn->server) {
        why_dead(pn, text, sizeof(text));
        pg_job_fail(job, "%s", text);
        return -1;
    }
    pn->ready = pn->ready || says_ready(pn);
    return pn->ready;
}

void pg_s_await_ready(struct pg_job *job)
{
    pg_job_await(job, pg_is_ready, READY_MS, "start of the server");
}

void pg_end_server(struct pg_node *pn, int signal)
{
    pn->is_stopping = true;
    if (pn->server)
        pg_proc_kill(pn->server, signal);
}

void pg_s_stop(struct pg_job *job)
{
    pg_end_server(job->at, SIGINT); /* fast: clients are sent away */
    pg_job_next(job);
}

void pg_s_kill(struct pg_job *job)
{
    pg_end_server(job->at, SIGQUIT); /* as a power cut: no checkpoint */
    pg_job_next(job);
}

static int is_stopped(struct pg_job *job)
{
    return job->at->server == NULL;
}

void pg_s_await_stopped(struct pg_job *job)
{
    pg_job_await(job, is_stopped, STOP_MS, "stop of the server");
}

void pg_s_reload(struct pg_job *job)
{
    struct pg_node *pn = job->at;

    if (!pg_is_follower(pn)) {
        pg_job_fail(job, "this copy has led");
    } else if (pn->server) {
        pg_proc_kill(pn->server, SIGHUP);
        pg_job_next(job);
    } else {
        pg_s_start(job);
    }
}
