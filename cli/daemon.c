/* SPDX-License-Identifier: Apache-2.0
 *
 * A child at a time, and the wait between two.
 */
#include "cli/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "cli/daemon_metrics.h"
#include "cli/metrics_http.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/fleet/window.h"

enum {
    PASS_EVERY_S = 3600
};

struct daemon {
    struct app *app;
    uv_loop_t loop;
    uv_signal_t signals[3];
    uv_timer_t timer;
    uv_process_t child;
    bool running, again, stop;
    char **argv;
    bool (*wanted)(struct app *app);
    int64_t next_pass_ms; /* clock_boot_ms() */
    int64_t look_s;       /* between two looks for runs that lost theirs; 0: a
                             store without other controllers */
    struct metrics_http *http; /* NULL: nobody is answered */
    struct daemon_facts facts;
};

/* -- one pass -------------------------------------------------------------- */

static void pass_later(struct daemon *daemon);

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static void on_child_closed(uv_handle_t *handle)
{
    struct daemon *daemon = handle->data;

    daemon->running = false;
    pass_later(daemon);
}

/* What the pass could not say itself, unless it was asked to end. */
static void say_end(const struct daemon *daemon, int64_t status, int number)
{
    if (daemon->stop)
        log_debug("the pass has ended, as it was asked to");
    else if (number)
        out_warn(&daemon->app->out,
                 "certfleet: a pass was ended by signal %d\n", number);
    else if (status == EXIT_INPUT)
        out_warn(&daemon->app->out,
                 "certfleet: a pass could not begin: see above; tried again\n");
}

static void on_pass_ended(uv_process_t *child, int64_t status, int number)
{
    struct daemon *daemon = child->data;

    daemon->facts.running = false;
    daemon->facts.pass_ended = now_s();
    daemon->facts.last_exit = number ? -1 : status;
    say_end(daemon, status, number);
    uv_close((uv_handle_t *)child, on_child_closed);
}

static void begin_pass(struct daemon *daemon)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data = {.fd = 1}},
        {.flags = UV_INHERIT_FD, .data = {.fd = 2}},
    };
    const uv_process_options_t options = {
        .exit_cb = on_pass_ended,
        .file = "/proc/self/exe",
        .args = daemon->argv,
        .flags = UV_PROCESS_DETACHED, /* Ctrl-C comes from us, and once */
        .stdio = stdio,
        .stdio_count = 3,
    };
    int rc = uv_spawn(&daemon->loop, &daemon->child, &options);

    daemon->child.data = daemon;
    daemon->running = true;
    daemon->facts.running = rc == 0;
    daemon->facts.pass_began = now_s();
    daemon->facts.next_pass = 0;
    if (rc < 0) {
        out_warn(&daemon->app->out, "certfleet: no pass can begin: %s\n",
                 uv_strerror(rc));
        uv_close((uv_handle_t *)&daemon->child, on_child_closed);
    }
}

static void look_later(struct daemon *daemon);

static bool is_wanted(struct daemon *daemon)
{
    const struct inventory *inv = daemon->app->inventory;
    bool wanted = daemon->look_s > 0 && daemon->wanted(daemon->app);

    if (!wanted)
        daemon->look_s = inv->store ? inv->store_lease_s : 0;
    else if (daemon->look_s < PASS_EVERY_S) /* it did not help last time? */
        daemon->look_s *= 2;
    return wanted;
}

static void on_timer(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;

    if (daemon->running || daemon->stop)
        return;
    if ((int64_t)clock_boot_ms() >= daemon->next_pass_ms || is_wanted(daemon))
        begin_pass(daemon);
    else
        look_later(daemon);
}

/* -- when ------------------------------------------------------------------ */

/* Until a window of any cluster opens, or an hour.  A faulty inventory is told
 * by the pass that finds it; until it is mended the windows are the old ones.
 */
static int64_t wait_s(const struct daemon *daemon)
{
    int64_t now = now_s(), wait = PASS_EVERY_S;
    const struct inventory *inv;

    app_inventory_anew(daemon->app);
    inv = daemon->app->inventory;
    for (size_t i = 0; i < inv->n_clusters; i++) {
        const struct windows *windows = inv->clusters[i]->windows;
        struct window_span span;

        if (windows && windows_next(windows, now, &span) && span.begin > now &&
            span.begin - now < wait)
            wait = span.begin - now;
    }
    return wait;
}

static void look_later(struct daemon *daemon)
{
    int64_t ms = daemon->next_pass_ms - (int64_t)clock_boot_ms();

    if (daemon->look_s > 0 && ms > daemon->look_s * 1000)
        ms = daemon->look_s * 1000;
    uv_timer_start(&daemon->timer, on_timer, ms > 0 ? (uint64_t)ms : 0, 0);
}

static void end(struct daemon *daemon)
{
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
    uv_close((uv_handle_t *)&daemon->timer, NULL);
    metrics_http_free(daemon->http);
    daemon->http = NULL;
}

static void pass_later(struct daemon *daemon)
{
    int64_t seconds = daemon->again ? 0 : wait_s(daemon);

    if (daemon->stop) {
        end(daemon);
        return;
    }
    daemon->again = false;
    daemon->next_pass_ms = (int64_t)clock_boot_ms() + seconds * 1000;
    if (daemon->look_s == 0 && daemon->app->inventory->store)
        daemon->look_s = daemon->app->inventory->store_lease_s;
    daemon->facts.next_pass = now_s() + seconds;
    look_later(daemon);
}

/* -- signals --------------------------------------------------------------- */

static void on_hup(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;

    (void)number;
    daemon->again = true; /* after the pass under way, or now */
    if (!daemon->running)
        pass_later(daemon);
}

static void on_term(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;

    if (daemon->running)
        uv_process_kill(&daemon->child, number);
    else if (!daemon->stop)
        end(daemon);
    daemon->stop = true;
}

static void start_signals(struct daemon *daemon)
{
    static const struct {
        int number;
        uv_signal_cb cb;
    } rows[3] = {{SIGHUP, on_hup}, {SIGTERM, on_term}, {SIGINT, on_term}};

    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&daemon->loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        uv_signal_start(&daemon->signals[i], rows[i].cb, rows[i].number);
    }
}

/* Is it an option of the daemon's own; is its value the next word? */
static bool is_ours(const char *word, bool *has_value)
{
    static const char listen[] = "--metrics-listen";

    *has_value = strcmp(word, listen) == 0;
    return *has_value || strcmp(word, "--daemon") == 0 ||
           (strncmp(word, listen, sizeof(listen) - 1) == 0 &&
            word[sizeof(listen) - 1] == '=');
}

/* The same words but those. */
static char **words(const struct app *app)
{
    char **argv = calloc((size_t)app->argc + 1, sizeof(*argv));
    size_t n = 0;

    if (!argv)
        abort();
    for (int i = 0; i < app->argc; i++) {
        bool has_value;

        if (!is_ours(app->argv[i], &has_value))
            argv[n++] = app->argv[i];
        else if (has_value)
            i++;
    }
    return argv;
}

static bool add_metrics(void *user, struct str *out)
{
    struct daemon *daemon = user;

    return daemon_metrics(daemon->app, &daemon->facts, out);
}

/* True: nobody wants it, or it stands. */
static bool listen_for_scrapes(struct daemon *daemon, struct err *err)
{
    const char *where = daemon->app->args.value[OPT_METRICS_LISTEN];

    if (!where)
        return true;
    daemon->http =
        metrics_http_new(&daemon->loop, where, add_metrics, daemon, err);
    if (daemon->http)
        out_say(&daemon->app->out, "/metrics is answered on port %u\n",
                metrics_http_port(daemon->http));
    return daemon->http != NULL;
}

int daemon_run(struct app *app, bool (*wanted)(struct app *app))
{
    struct daemon daemon = {
        .app = app, .wanted = wanted, .facts.started = now_s()};
    struct err err = {.cause = CAUSE_NONE};

    if (uv_loop_init(&daemon.loop) < 0)
        return app_failf(app, CAUSE_SYSTEM, "no event loop can be made");
    if (!listen_for_scrapes(&daemon, &err)) {
        uv_loop_close(&daemon.loop);
        return app_fail(app, &err);
    }
    daemon.argv = words(app);
    uv_timer_init(&daemon.loop, &daemon.timer);
    daemon.timer.data = &daemon;
    start_signals(&daemon);
    begin_pass(&daemon);
    uv_run(&daemon.loop, UV_RUN_DEFAULT);
    uv_loop_close(&daemon.loop);
    free(daemon.argv);
    return EXIT_DONE;
}
