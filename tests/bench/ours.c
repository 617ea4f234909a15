/* SPDX-License-Identifier: Apache-2.0
 *
 * The measured work by core/link.h, as a run does it: host keys from a store,
 * the list of logins asked for, deadlines, two connections a node.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/server.h"
#include "tests/bench/worker.h"
#include "transport/port.h"

enum {
    WAVE = 250
};

struct crowd;
typedef void member_start_f(struct crowd *crowd, size_t i);

struct member {
    struct crowd *crowd;
    struct link *link;
    struct link_target target;
    char address[16];
    char names[WORK_FILE_COUNT][40];
    unsigned waiting; /* requests in flight */
    unsigned commands;
    bool failed;
};

struct crowd {
    const struct work *work;
    uv_loop_t loop;
    struct link_port *port;
    const struct link_ops *ops;
    struct link_dialect dialect;
    char *identity, *known_hosts, *payload;
    struct member *members;
    size_t n;
    size_t busy; /* members with something in flight */
};

/* What playbooks/cms says of the appliance; the shell is the bench's wish. */
static const struct link_dialect dialect = {
    .pty_columns = 512,
    .prompt = "(^|\n)[A-Za-z0-9][A-Za-z0-9._-]*> ?$",
    .question = "\\[Y/n\\]",
    .answer = "Y",
    .password_change = "new password",
    .channel_retry_ms = 100,
    .output_cap = 4 * 1024 * 1024,
    .sftp_depth = 8,
};

static const struct link_command command = {.text = WORK_COMMAND};

static void on_done(void *user, const struct link_result *result)
{
    struct member *m = user;

    if (result->end != LINK_OK && !m->failed) {
        fprintf(stderr, "%s: %s\n", m->address, result->err->text);
        m->failed = true;
    }
    if (m->commands > 0 && !m->failed) {
        m->commands--;
        m->crowd->ops->command(m->link, &command, on_done, m);
        return;
    }
    if (--m->waiting == 0)
        m->crowd->busy--;
}

static void begin(struct member *m, unsigned requests)
{
    m->crowd->busy += m->waiting == 0;
    m->waiting += requests;
}

static void start_login(struct crowd *crowd, size_t i)
{
    struct member *m = &crowd->members[i];

    begin(m, 1);
    crowd->ops->connect(m->link, on_done, m);
}

static void start_command(struct crowd *crowd, size_t i)
{
    struct member *m = &crowd->members[i];

    begin(m, 1);
    crowd->ops->command(m->link, &command, on_done, m);
}

/* One after the other, as a playbook does: the next when the last has its
 * answer. */
static void start_commands(struct crowd *crowd, size_t i)
{
    crowd->members[i].commands = crowd->work->commands - 1;
    start_command(crowd, i);
}

static void start_push(struct crowd *crowd, size_t i)
{
    struct member *m = &crowd->members[i];

    begin(m, WORK_FILE_COUNT);
    for (size_t f = 0; f < WORK_FILE_COUNT; f++) {
        const struct link_put put = {.name = m->names[f],
                                     .data = crowd->payload,
                                     .len = WORK_FILE_BYTES};

        crowd->ops->put(m->link, &put, on_done, m);
    }
}

static void start_files(struct crowd *crowd, size_t i)
{
    start_command(crowd, i);
    start_push(crowd, i);
}

/* The members from `from` to `to` do this, all at once; back when all have
 * done it. */
static void all(struct crowd *crowd, size_t from, size_t to,
                member_start_f *start)
{
    for (size_t i = from; i < to; i++)
        start(crowd, i);
    while (crowd->busy > 0)
        uv_run(&crowd->loop, UV_RUN_ONCE);
}

/* Where all nodes are one machine each has files of its own: their sizes are
 * asked for afterwards. */
static void name_files(struct member *m)
{
    bool shared = m->crowd->work->kind == WORK_PUSH;
    char name[16];

    for (unsigned i = 0; i < WORK_FILE_COUNT; i++) {
        work_file_name(i, name);
        snprintf(m->names[i], sizeof(m->names[i]), "%s%s%s",
                 shared ? m->address : "", shared ? "-" : "", name);
    }
}

/* So many logins at a time that none waits for its turn until its deadline,
 * however slow the machine: what is measured is what they cost open. */
static void in_waves(struct crowd *crowd, size_t to)
{
    for (size_t i = 0; i < to; i += WAVE)
        all(crowd, i, i + WAVE < to ? i + WAVE : to, start_command);
}

static void make_member(struct crowd *crowd, size_t i)
{
    struct member *m = &crowd->members[i];

    m->crowd = crowd;
    server_address(crowd->work->base, (unsigned)i % crowd->work->nodes,
                   m->address);
    name_files(m);
    m->target = (struct link_target){.name = m->address,
                                     .address = m->address,
                                     .port = SERVER_PORT,
                                     .user = crowd->work->user,
                                     .identity = crowd->identity,
                                     .identity_required = true,
                                     .known_hosts = crowd->known_hosts,
                                     .connect_timeout_ms = 60000,
                                     .command_timeout_ms = 60000,
                                     .dialect = &crowd->dialect};
    m->link = crowd->ops->open(crowd->port, &m->target);
}

static void crowd_init(struct crowd *crowd, const struct work *work)
{
    /* the crowd, two connections a node, and one that is not counted */
    const struct port_options options = {.max_sessions =
                                             2 * (work->sessions + 1)};

    memset(crowd, 0, sizeof(*crowd));
    crowd->work = work;
    crowd->dialect = dialect;
    crowd->dialect.shell_commands = work->kind == WORK_SHELL;
    crowd->identity = text_of("%s/id_ed25519", work->dir);
    crowd->known_hosts = text_of("%s/known_hosts", work->dir);
    crowd->payload = malloc(WORK_FILE_BYTES);
    crowd->n = work->sessions + 1;
    crowd->members = calloc(crowd->n, sizeof(*crowd->members));
    if (!crowd->payload || !crowd->members)
        abort();
    memset(crowd->payload, 'x', WORK_FILE_BYTES);
    uv_loop_init(&crowd->loop);
    crowd->ops = port_ops();
    crowd->port = port_new(&crowd->loop, &options);
    for (size_t i = 0; i < crowd->n; i++)
        make_member(crowd, i);
}

static void on_closed(void *user)
{
    struct crowd *crowd = user;

    crowd->busy--;
}

static void crowd_release(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->n; i++) {
        crowd->busy++;
        crowd->ops->close(crowd->members[i].link, on_closed, crowd);
    }
    while (crowd->busy > 0)
        uv_run(&crowd->loop, UV_RUN_ONCE);
    port_free(crowd->port);
    uv_run(&crowd->loop, UV_RUN_DEFAULT);
    uv_loop_close(&crowd->loop);
    free(crowd->identity);
    free(crowd->known_hosts);
    free(crowd->payload);
    free(crowd->members);
}

static void measure_hold(struct crowd *crowd, struct tally *tally)
{
    uint64_t files, began;

    /* one more session than is counted: code and tables are loaded then */
    all(crowd, crowd->n - 1, crowd->n, start_command);
    tally->before_kb = worker_resident_kb();
    files = worker_open_files();
    began = worker_now_us();
    if (crowd->work->kind == WORK_CROWD)
        in_waves(crowd, crowd->n - 1);
    else
        all(crowd, 0, crowd->n - 1, start_command);
    tally->wall_us = worker_now_us() - began;
    tally->files = worker_open_files() - files;
    if (crowd->work->kind == WORK_CROWD)
        all(crowd, 0, crowd->n - 1, start_command);
    tally->after_kb = worker_resident_kb();
}

static void measure(struct crowd *crowd, struct tally *tally)
{
    static member_start_f *const starts[WORK_KINDS] = {
        [WORK_LOGIN] = start_login,    [WORK_EXEC] = start_command,
        [WORK_FILES] = start_files,    [WORK_EXECS] = start_commands,
        [WORK_SHELL] = start_commands, [WORK_PUSH] = start_push,
    };
    enum work_kind kind = crowd->work->kind;
    uint64_t began;

    if (kind == WORK_HOLD || kind == WORK_CROWD) {
        measure_hold(crowd, tally);
        return;
    }
    if (kind == WORK_EXECS || kind == WORK_SHELL)
        all(crowd, 0, crowd->n - 1, start_command); /* they are open then */
    began = worker_now_us();
    all(crowd, 0, crowd->n - 1, starts[kind]);
    tally->wall_us = worker_now_us() - began;
}

int ours_run(const struct work *work, struct tally *tally)
{
    struct crowd crowd;

    crowd_init(&crowd, work);
    measure(&crowd, tally);
    for (size_t i = 0; i + 1 < crowd.n; i++)
        tally->ok += !crowd.members[i].failed;
    crowd_release(&crowd);
    return tally->ok == work->sessions ? 0 : 1;
}
