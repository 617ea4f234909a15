/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: makes a lab, serves it, or talks to one that runs.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/lab/config.h"
#include "tests/lab/control.h"
#include "tests/lab/engine.h"
#include "tests/lab/mmp.h"
#include "tests/lab/record.h"
#include "tests/lab/server.h"
#include "tests/lab/times.h"
#include "tests/lab/ucm.h"

enum {
    MAX_SETTINGS = 64
};

struct options {
    struct make_options make;
    const char *config, *ctl;
    bool made, until_eof, only_make, quiet;
    const char *settings[MAX_SETTINGS + 1];
    int n_settings;
};

struct program {
    struct lab *lab;
    uv_loop_t loop;
    uv_signal_t term, interrupt;
    uv_pipe_t input;
    bool has_input;
    size_t forming; /* clusters that the engine still brings up */
    bool quiet;
    int exit_code;
};

static const char usage_text[] =
    "usage: certfleet-lab --make D+C --dir DIR [options]   makes and serves\n"
    "       certfleet-lab LAB.INI --dir DIR [options]      serves\n"
    "       certfleet-lab --ctl DIR COMMAND...             talks to one\n"
    "  --make D+C     D database nodes and C connect-only ones a cluster\n"
    "  --make ucm:S+I a CUCM publisher, S subscribers, I nodes of IM&P; vos:S\n"
    "  --spare D+C    so many further nodes a cluster, standalone and empty\n"
    "  --services L   services of every node: all, or names by commas (none)\n"
    "  --servers L    instead: Windows servers, as cvp-server,cvp-oamp\n"
    "  --clusters N   that many clusters (1)\n"
    "  --base ADDR    first address (127.0.1.1)\n"
    "  --port N       SSH port of every node (2222)\n"
    "  --db-port N    database port of every node (5432)\n"
    "  --days N       the first certificates end in N days (10)\n"
    "  --key KIND     rsa:2048, rsa:3072, ec (ec)\n"
    "  --auth WHICH   password or key in certfleet.ini (password)\n"
    "  --engine NAME  sim or pg (sim); --postgres is --engine pg\n"
    "  --set K=V      a setting for every node; may be repeated\n"
    "  --times N      what appliances do takes an N-th of the field's time\n"
    "  --host-keys    one host key a node, instead of one for all\n"
    "  --only-make    writes the files and ends\n"
    "  --until-eof    ends when standard input does\n"
    "  --quiet        no `ready` line\n";

/* -- stopping -------------------------------------------------------------- */

static void write_verdict(struct lab *lab)
{
    json_t *v = verdict_json(lab);
    char *text = json_dumps(v, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    char *path = NULL;

    if (asprintf(&path, "%s/verdict.json", lab->dir) < 0)
        abort();
    make_write(path, text, strlen(text), 0644, NULL);
    free(path);
    free(text);
    json_decref(v);
}

static void on_settled(void *user, const struct err *why)
{
    struct program *p = user;

    (void)why;
    write_verdict(p->lab);
    uv_stop(&p->loop);
}

static void stop(struct program *p)
{
    if (p->lab->stopping)
        return;
    p->lab->stopping = true;
    if (p->lab->engine)
        p->lab->ops->settle(p->lab->engine, on_settled, p);
    else
        uv_stop(&p->loop);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    stop(signal->data);
}

static void on_input(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n < 0)
        stop(stream->data);
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char sink[256];

    (void)handle, (void)size;
    *buf = uv_buf_init(sink, sizeof(sink));
}

static void watch_for_end(struct program *p, bool until_eof)
{
    uv_signal_init(&p->loop, &p->term);
    uv_signal_init(&p->loop, &p->interrupt);
    p->term.data = p->interrupt.data = p;
    uv_signal_start(&p->term, on_signal, SIGTERM);
    uv_signal_start(&p->interrupt, on_signal, SIGINT);
    if (!until_eof)
        return;
    uv_pipe_init(&p->loop, &p->input, 0);
    p->input.data = p;
    p->has_input = true;
    if (uv_pipe_open(&p->input, STDIN_FILENO) == 0)
        uv_read_start((uv_stream_t *)&p->input, on_room, on_input);
}

/* Everything is closed in an order that leaves nothing behind: visitors,
 * timers (which fire at once now), the engine, our own handles. */
static void tear_down(struct program *p)
{
    struct lab *lab = p->lab;

    control_close(lab->control);
    for (size_t i = 0; i < lab->n_nodes; i++) {
        later_cancel(lab->nodes[i]->boot);
        lab->nodes[i]->boot = NULL;
        server_node_down(lab->nodes[i]);
        lab_node_services(lab->nodes[i], false);
    }
    mmp_release(lab, 0);
    while (later_hurry())
        uv_run(&p->loop, UV_RUN_NOWAIT);
    if (lab->engine)
        lab->ops->free(lab->engine);
    uv_close((uv_handle_t *)&p->term, NULL);
    uv_close((uv_handle_t *)&p->interrupt, NULL);
    if (p->has_input)
        uv_close((uv_handle_t *)&p->input, NULL);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    server_free(lab->server);
    lab_free(lab);
    uv_loop_close(&p->loop);
}

/* -- starting -------------------------------------------------------------- */

static void raise_limits(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int listen_all(struct lab *lab, struct err *err)
{
    for (size_t i = 0; i < lab->n_nodes; i++) {
        struct lab_node *n = lab->nodes[i];
        if (n->host_key_path && (server_make_key(n->host_key_path, err) < 0 ||
                                 server_host_key(n, n->host_key_path, err) < 0))
            return -1;
        if (n->up && server_node_up(n, err) < 0)
            return -1;
        if (n->up)
            lab_node_services(n, true);
    }
    return 0;
}

static void on_formed(void *user, const struct err *why)
{
    struct program *p = user;

    if (why) {
        fprintf(stderr, "certfleet-lab: %s\n", why->text);
        p->exit_code = 1;
        stop(p);
    }
    if (--p->forming == 0 && p->exit_code == 0 && !p->quiet) {
        puts("ready");
        fflush(stdout);
    }
}

static void form_all(struct program *p)
{
    struct lab *lab = p->lab;

    p->forming = lab->n_clusters;
    for (size_t i = 0; i < lab->n_clusters; i++) {
        struct lab_cluster *c = lab->clusters[i];
        lab->ops->bootstrap(lab->engine, c, c->last_primary, on_formed, p);
    }
}

static int start(struct program *p, const struct options *o, const char *config,
                 struct err *err)
{
    char *engine = lab_strdup(o->make.engine);
    int rc = config_read(p->lab, config, &engine, err);

    p->lab->ops = engine_find(engine);
    if (rc == 0 && !p->lab->ops)
        rc = err_set(err, CAUSE_INPUT, "no engine called %s", engine);
    free(engine);
    if (rc < 0)
        return -1;
    p->lab->server = server_new(p->lab, err);
    if (!p->lab->server || ucm_begin(p->lab, err) < 0 ||
        listen_all(p->lab, err) < 0)
        return -1;
    p->lab->control = control_new(p->lab, err);
    p->lab->engine = p->lab->control ? p->lab->ops->create(p->lab, err) : NULL;
    if (!p->lab->engine)
        return -1;
    form_all(p);
    return 0;
}

static int serve(const struct options *o, const char *config)
{
    struct program p = {.quiet = o->quiet};
    struct err err;

    raise_limits();
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&p.loop);
    p.lab = lab_new(&p.loop, o->make.dir);
    watch_for_end(&p, o->until_eof);
    if (start(&p, o, config, &err) < 0) {
        fprintf(stderr, "certfleet-lab: %s\n", err.text);
        p.exit_code = 1;
    } else
        uv_run(&p.loop, UV_RUN_DEFAULT);
    p.lab->stopping = true;
    tear_down(&p);
    return p.exit_code;
}

/* -- the command line ------------------------------------------------------ */

enum {
    O_MAKE = 256,
    O_CLUSTERS,
    O_SPARE,
    O_SERVICES,
    O_SERVERS,
    O_BASE,
    O_PORT,
    O_DB_PORT,
    O_DAYS,
    O_KEY,
    O_AUTH,
    O_ENGINE,
    O_POSTGRES,
    O_SET,
    O_TIMES,
    O_HOST_KEYS,
    O_ONLY_MAKE,
    O_UNTIL_EOF,
    O_QUIET,
    O_DIR,
    O_CTL,
    O_HELP
};

/* clang-format off */
static const struct option long_options[] = {
    { "make", required_argument, NULL, O_MAKE },
    { "spare", required_argument, NULL, O_SPARE },
    { "services", required_argument, NULL, O_SERVICES },
    { "servers", required_argument, NULL, O_SERVERS },
    { "clusters", required_argument, NULL, O_CLUSTERS },
    { "base", required_argument, NULL, O_BASE },
    { "port", required_argument, NULL, O_PORT },
    { "db-port", required_argument, NULL, O_DB_PORT },
    { "days", required_argument, NULL, O_DAYS },
    { "key", required_argument, NULL, O_KEY },
    { "auth", required_argument, NULL, O_AUTH },
    { "engine", required_argument, NULL, O_ENGINE },
    { "postgres", no_argument, NULL, O_POSTGRES },
    { "set", required_argument, NULL, O_SET },
    { "times", required_argument, NULL, O_TIMES },
    { "host-keys", no_argument, NULL, O_HOST_KEYS },
    { "only-make", no_argument, NULL, O_ONLY_MAKE },
    { "until-eof", no_argument, NULL, O_UNTIL_EOF },
    { "quiet", no_argument, NULL, O_QUIET },
    { "dir", required_argument, NULL, O_DIR },
    { "ctl", required_argument, NULL, O_CTL },
    { "help", no_argument, NULL, O_HELP },
    { NULL, 0, NULL, 0 },
};
/* clang-format on */

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

static bool take_shape(struct options *o, const char *text)
{
    const char *plus = strchr(text, '+');

    o->made = true;
    o->make.ucm = text[strcspn(text, ":")] ? text : NULL;
    o->make.databases = o->make.ucm ? 1 + number(text + 4) : number(text);
    o->make.connects = plus ? number(plus + 1) : 0;
    return o->make.databases + o->make.connects > 0;
}

static void take_spare(struct options *o, const char *text)
{
    const char *plus = strchr(text, '+');

    o->make.spare_databases = number(text);
    o->make.spare_connects = plus ? number(plus + 1) : 0;
}

static bool take_setting(struct options *o, const char *text)
{
    if (!strchr(text, '=') || o->n_settings == MAX_SETTINGS)
        return false;
    o->settings[o->n_settings++] = text;
    return true;
}

static bool take_times(struct options *o, unsigned by)
{
    const char *list[TIMES_MAX];
    size_t n = times_settings(by, list);
    bool ok = by > 0;

    for (size_t i = 0; i < n && ok; i++)
        ok = take_setting(o, list[i]);
    return ok;
}

/* What --make wants; false: not one of these. */
static bool take_make(struct options *o, int c, const char *arg)
{
    switch (c) {
    case O_SPARE:
        take_spare(o, arg);
        return true;
    case O_SERVICES:
        o->make.services = arg;
        return true;
    case O_SERVERS:
        o->make.servers = arg;
        return o->made = true;
    case O_CLUSTERS:
        o->make.clusters = number(arg);
        return true;
    case O_BASE:
        o->make.base = arg;
        return true;
    case O_PORT:
        o->make.port = number(arg);
        return true;
    case O_DB_PORT:
        o->make.db_port = number(arg);
        return true;
    case O_DAYS:
        o->make.days = (int)strtol(arg, NULL, 10);
        return true;
    case O_KEY:
        o->make.key = arg;
        return true;
    case O_AUTH:
        o->make.auth = arg;
        return true;
    case O_ENGINE:
        o->make.engine = arg;
        return true;
    case O_POSTGRES:
        o->make.engine = "pg";
        return true;
    case O_HOST_KEYS:
        o->make.own_host_keys = true;
        return true;
    default:
        return false;
    }
}

static bool take_option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case O_MAKE:
        return take_shape(o, arg);
    case O_SET:
        return take_setting(o, arg);
    case O_TIMES:
        return take_times(o, number(arg));
    case O_ONLY_MAKE:
        o->only_make = true;
        return true;
    case O_UNTIL_EOF:
        o->until_eof = true;
        return true;
    case O_QUIET:
        o->quiet = true;
        return true;
    case O_DIR:
        o->make.dir = arg;
        return true;
    case O_CTL:
        o->ctl = arg;
        return true;
    default:
        return take_make(o, c, arg);
    }
}

static int run(struct options *o)
{
    char *config = NULL;
    struct err err;
    int rc;

    o->make.settings = o->settings;
    if (!o->make.dir || (!o->made && !o->config)) {
        fputs(usage_text, stderr);
        return 2;
    }
    if (o->made && make_lab(&o->make, &err) < 0) {
        fprintf(stderr, "certfleet-lab: %s\n", err.text);
        return 1;
    }
    if (o->made && o->only_make)
        return 0;
    if (!o->made && file_make_folders(o->make.dir, &err) < 0)
        return 1;
    if (asprintf(&config, "%s/lab.ini", o->make.dir) < 0)
        abort();
    rc = serve(o, o->made ? config : o->config);
    free(config);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o = {.make = {.clusters = 1,
                                 .base = "127.0.1.1",
                                 .port = 2222,
                                 .db_port = 5432,
                                 .days = 10,
                                 .key = "ec",
                                 .auth = "password",
                                 .engine = "sim"}};
    int c;

    while ((c = getopt_long(argc, argv, "+", long_options, NULL)) != -1)
        if (c == O_HELP) {
            fputs(usage_text, stdout);
            return 0;
        } else if (!take_option(&o, c, optarg ? optarg : "")) {
            fputs(usage_text, stderr);
            return 2;
        }
    if (o.ctl)
        return control_client(o.ctl, argv + optind, argc - optind);
    if (optind < argc)
        o.config = argv[optind++];
    while ((c = getopt_long(argc, argv, "+", long_options, NULL)) != -1)
        if (!take_option(&o, c, optarg ? optarg : "")) {
            fputs(usage_text, stderr);
            return 2;
        }
    return run(&o);
}
