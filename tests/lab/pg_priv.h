/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/pg_priv.h - the insides of the PostgreSQL engine.
 *
 *   pg_place.c    programs, user, folders, files
 *   pg_proc.c     children, by uv_spawn behind setpriv
 *   pg_console.c  a psql that stays: a line of SQL in, a line of answer out
 *   pg_config.c   what PostgreSQL reads
 *   pg_job.c      what is done to a node: rows of steps, one job at a time
 *   pg_server.c   steps around one server
 *   pg_steps.c    the other steps, and the tables of them
 *   pg_boot.c     the first state
 *   pg_rows.c     the writer, who is in sync, what each copy holds
 *   pg.c          the engine's table
 * Nothing here blocks, except at creation and at the end.  No library of
 * PostgreSQL is used, only its programs (15 or newer), so that it always
 * builds.
 */
#ifndef CERTFLEET_LAB_PG_PRIV_H
#define CERTFLEET_LAB_PG_PRIV_H

#include "core/base/str.h"
#include "tests/lab/engine.h"
#include "tests/lab/pg.h"

enum {
    PG_PATH = 1024,
    PG_ARGS = 24,
    PG_FIRST_ROWS = 1000,
    PG_JOB_MS = 60000 /* for any one step */
};

struct pg_proc;
struct pg_console;
struct pg_job;

/* Where it all happens. */
struct pg_place {
    char programs[PG_PATH]; /* the folder of postgres, initdb, psql ... */
    char base[PG_PATH];     /* made by us, removed by us */
    bool as_root;           /* then children run as the user postgres */
    unsigned uid, gid;
};

/* lab_node.engine_data, and one more without a node: the template. */
struct pg_node {
    struct engine *engine;
    struct lab_node *node; /* NULL: the template */
    char folder[PG_PATH];  /* data/, certs/, postgresql.conf, log */
    struct pg_proc *server;
    bool ready;       /* the server takes connections */
    bool is_stopping; /* its end is no surprise */
    bool dead;        /* no power */
    struct pg_console *console;
    bool is_asking;            /* the console has an open question */
    struct lab_node *followed; /* it streams from there; NULL: it leads */
    bool is_streaming;         /* as the one it follows sees it */
    uint64_t counted_ms;       /* when the last count was asked for */
    uint64_t missing;          /* acknowledged rows that it lacks */
    bool is_uncounted;         /* stopped since: settle counts */
    struct pg_job *jobs;       /* the first one runs */
};

/* lab_cluster.engine_data: its writer. */
struct pg_writer {
    struct lab_cluster *cluster;
    struct lab_node *to; /* where it is connected */
    struct pg_console *console;
    bool is_waiting; /* for an acknowledgement of rows up to... */
    uint64_t asked;
    uint64_t last_ms;  /* rows are due since then */
    uint64_t retry_ms; /* no new connection before */
};

struct engine {
    struct lab *lab;
    struct pg_place place;
    struct pg_node template; /* a fresh database that all start from */
    bool has_template;
    struct pg_proc *procs;
    struct pg_settle *settles;
    struct pg_boot *boots;
    unsigned handles; /* of ours that libuv has not closed yet */
    unsigned paused;  /* the writers */
    uv_timer_t tick;
    bool ending;
};

struct pg_node *pg_node(struct lab_node *node);
/* NULL: not a database node of which the server answers */
struct pg_node *pg_living(struct lab_node *node);

/* -- pg_place.c ------------------------------------------------------------ */

int pg_place_make(struct pg_place *place, struct lab *lab, struct err *err);
void pg_place_remove(struct pg_place *place, struct lab *lab);
/* A file, or a folder, that the servers own. */
int pg_place_write(struct pg_place *place, const char *path, const void *data,
                   size_t len, struct err *err);
int pg_place_folder(struct pg_place *place, const char *path, struct err *err);
void pg_path(char to[PG_PATH], const char *folder, const char *name);

/* -- pg_proc.c ------------------------------------------------------------- */

/* Once, when it has ended and all its output is here; then it is freed.
 * code: 0, its exit code, or 128 + signal. */
typedef void pg_exit_f(struct pg_proc *proc, void *user, int code);
typedef void pg_line_f(void *user, const char *line);

struct pg_spawn {
    const char *program; /* in place.programs; with a slash: any */
    const char *args[PG_ARGS];
    const char *log; /* output goes to this file; NULL: it is collected */
    bool has_input;
    bool is_server;     /* SIGQUIT when the lab dies, else SIGKILL */
    pg_line_f *on_line; /* each line of its output instead of collecting */
    pg_exit_f *on_exit;
    void *user;
};

/* NULL and no callback on error. */
struct pg_proc *pg_proc_start(struct engine *e, const struct pg_spawn *how,
                              struct err *err);
void pg_proc_kill(struct pg_proc *proc, int signal);
bool pg_proc_is_server(const struct pg_proc *proc);
struct pg_proc *pg_proc_next(const struct pg_proc *proc); /* of the engine's */
int pg_proc_pid(const struct pg_proc *proc);
int pg_proc_type(struct pg_proc *proc, const char *text);
void pg_proc_finish(struct pg_proc *proc, const char *text); /* and EOF */
/* What it wrote, for on_exit: output; the last telling line of its errors. */
const char *pg_proc_output(const struct pg_proc *proc);
void pg_proc_complaint(const struct pg_proc *proc, char *text, size_t size);

/* -- pg_console.c ---------------------------------------------------------- */

/* `line` is NULL when the connection was lost before the answer. */
typedef void pg_answer_f(void *user, const char *line);

/* `gone` points to the console pointer that is set to NULL at its end. */
struct pg_console *pg_console_open(struct engine *e, const char *conninfo,
                                   struct pg_console **gone);
/* One statement that returns exactly one row of one column. */
void pg_console_ask(struct pg_console *console, const char *sql,
                    pg_answer_f *fn, void *user);
void pg_console_close(struct pg_console *console); /* NULL is fine */

/* -- pg_job.c -------------------------------------------------------------- */

typedef void pg_step_f(struct pg_job *job);
/* 1: met, 0: not yet, -1: it has called pg_job_fail. */
typedef int pg_check_f(struct pg_job *job);

struct pg_job {
    struct pg_job *next;
    struct pg_node *at;
    struct lab_node *peer; /* who is joined, followed or connected to */
    pg_step_f *const *steps;
    pg_step_f *const *otherwise; /* after a failure */
    bool forgives;               /* `otherwise` can still end well */
    engine_done_f *done;         /* NULL: nobody waits */
    void *user;
    bool has_failed;
    struct err why;
    uv_timer_t timer;
    pg_check_f *check;
    const char *awaited;
    uint64_t until;
    struct pg_proc *child;
    const char *input; /* for the next child; static */
    void (*on_output)(struct pg_job *job, const char *text); /* of it */
    bool is_started;
};

/* What a job is made from; copied. */
struct pg_order {
    struct pg_node *at;
    struct lab_node *peer;
    pg_step_f *const *steps, *const *otherwise; /* NULL-ended */
    bool forgives;
    engine_done_f *done;
    void *user;
};

void pg_job_add(const struct pg_order *order);
/* What the node does now, and all that wait, fail. */
void pg_job_abort_all(struct pg_node *at);

/* For steps: each ends with exactly one of these. */
void pg_job_next(struct pg_job *job);
void pg_job_fail(struct pg_job *job, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void pg_job_refuse(struct pg_job *job, const struct err *why);
/* Next when `check` is met; fails after `ms`. */
void pg_job_await(struct pg_job *job, pg_check_f *check, unsigned ms,
                  const char *what);
/* Next when the child ends well. */
void pg_job_run(struct pg_job *job, const char *program,
                const char *const *args);

/* -- pg_config.c ----------------------------------------------------------- */

/* libpq's words for a connection of `from` (its certificates) to `to`. */
void pg_conninfo(struct str *out, struct lab_node *from, struct lab_node *to);
/* The same of the node's own administrator. */
void pg_conninfo_local(struct str *out, struct pg_node *pn);
/* The copied certificates; the files of a server that follows pn->followed. */
int pg_write_certs(struct pg_node *pn, struct err *err);
int pg_write_config(struct pg_node *pn, struct err *err);

/* -- pg_server.c ----------------------------------------------------------- */

pg_step_f pg_s_start, pg_s_await_ready, pg_s_reload;
pg_step_f pg_s_stop, pg_s_kill, pg_s_await_stopped;
pg_check_f pg_is_ready;
void pg_end_server(struct pg_node *pn, int signal);

/* -- pg_steps.c ------------------------------------------------------------ */

void pg_in_folder(struct pg_job *job, const char *name, char path[PG_PATH]);
bool pg_is_follower(struct pg_node *pn); /* its copy is a standby's */

/* The tables of steps, each NULL-ended. */
extern pg_step_f *const pg_initialize_steps[];
extern pg_step_f *const pg_join_steps[];
extern pg_step_f *const pg_connect_steps[];
extern pg_step_f *const pg_stop_steps[];     /* in good order */
extern pg_step_f *const pg_kill_steps[];     /* power lost, or a failure */
extern pg_step_f *const pg_start_steps[];    /* power back, nobody leads */
extern pg_step_f *const pg_follow_steps[];   /* with the copy it has */
extern pg_step_f *const pg_refetch_steps[];  /* with a new copy */
extern pg_step_f *const pg_promote_steps[];  /* peer: who led, or NULL */
extern pg_step_f *const pg_count_steps[];    /* a copy without a server */
extern pg_step_f *const pg_template_steps[]; /* of the template only */
extern pg_step_f *const pg_first_steps[];    /* a copy of the template */
extern pg_step_f *const pg_lead_steps[];     /* ... that leads */
extern pg_step_f *const pg_trail_steps[];    /* ... that follows `peer` */

/* -- pg_boot.c ------------------------------------------------------------- */

void pg_bootstrap(struct engine *e, struct lab_cluster *cluster,
                  struct lab_node *primary, engine_done_f *done, void *user);

/* -- pg_rows.c ------------------------------------------------------------- */

void pg_rows_start(struct engine *e);
void pg_rows_end(struct engine *e); /* settles fail, consoles close */
void pg_rows_settle(struct engine *e, engine_done_f *done, void *user);

#endif
