/* SPDX-License-Identifier: Apache-2.0
 *
 * `runs' and `show'.  Reads the store only; never takes a lock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "cli/app.h"
#include "cli/console_model.h"
#include "cli/run_audit.h"
#include "cli/run_words.h"
#include "cli/table.h"

/* -- runs ---------------------------------------------------------------------
 */

struct listing {
    struct app *app;
    struct table table;
    size_t n;
};

static bool list_run(void *user, const struct store_run *run)
{
    struct listing *listing = user;
    struct str started;
    char code[16] = "";

    listing->n++;
    if (listing->app->out.json) {
        out_json(&listing->app->out, run_json(run));
        return !out_result_dead(&listing->app->out);
    }
    str_init(&started, 64);
    run_time(&started, run->started_ms);
    if (run->ended_ms)
        snprintf(code, sizeof(code), "%d", run->exit_code);
    table_add(&listing->table,
              (const char *const[]){run->id, str_text(&started), run->playbook,
                                    run->target, run_state(run), code,
                                    run->living  ? "yes"
                                    : run->holds ? "no, holds its clusters"
                                                 : "no"});
    str_release(&started);
    return true;
}

int cmd_runs(struct app *app)
{
    static const char *const heads[] = {"run",    "started", "playbook",
                                        "target", "outcome", "exit",
                                        "living", NULL};
    struct listing listing = {.app = app};
    struct err err = {.cause = CAUSE_NONE};
    struct store *store;
    int code = EXIT_DONE;

    if (!app_inventory(app))
        return EXIT_INPUT;
    store = app_store(app, NULL);
    if (!store)
        return app_exit_of(CAUSE_SYSTEM);
    table_init(&listing.table, heads);
    if (store_runs(store, NULL, list_run, &listing, &err) < 0)
        code = app_fail(app, &err);
    else if (listing.n == 0)
        out_say(&app->out, "no runs yet\n");
    else if (!app->out.json)
        table_say(&listing.table, &app->out);
    table_release(&listing.table);
    store_close(store);
    return code;
}

/* -- show ---------------------------------------------------------------------
 */

struct shown_cell {
    char *cluster, *node, *step, *walk, *state, *detail;
    int64_t began_ms, changed_ms;
};

struct show {
    struct app *app;
    struct store *store;
    char id[STORE_ID_BYTES];
    int64_t seq; /* last one shown */
    bool lines;  /* every record as a line */
    struct shown_cell *cells;
    size_t n_cells;
    struct run_audit audit;
    bool found, ended, living, waiting, told_cut;
    bool submitted; /* whoever signs has the requests */
    int exit_code;
    int failed; /* exit code of an error of ours, or 0 */
};

static void set(char **where, const char *text)
{
    free(*where);
    *where = text ? strdup(text) : NULL;
    if (text && !*where)
        abort();
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static struct shown_cell *find_cell(struct show *show,
                                    const struct store_entry *entry,
                                    const struct cell_change *change)
{
    const struct store_record *r = &entry->record;
    struct shown_cell *c;

    for (size_t i = 0; i < show->n_cells; i++) {
        c = &show->cells[i];
        if (same(c->cluster, r->cluster) && same(c->node, r->node) &&
            same(c->step, r->step) && same(c->walk, change->walk))
            return c;
    }
    show->cells =
        realloc(show->cells, (show->n_cells + 1) * sizeof(*show->cells));
    if (!show->cells)
        abort();
    c = &show->cells[show->n_cells++];
    memset(c, 0, sizeof(*c));
    set(&c->cluster, r->cluster);
    set(&c->node, r->node);
    set(&c->step, r->step);
    set(&c->walk, change->walk);
    c->began_ms = entry->t_ms;
    return c;
}

static void note_cell(struct show *show, const struct store_entry *entry,
                      const struct cell_change *change)
{
    struct shown_cell *cell = find_cell(show, entry, change);

    /* pending again, and not for the next to begin it */
    set(&cell->state, same(change->event, "halt") ? "waiting" : change->to);
    if (change->detail && *change->detail)
        set(&cell->detail, change->detail);
    cell->changed_ms = entry->t_ms;
}

static bool show_entry(void *user, const struct store_entry *entry)
{
    struct show *show = user;
    struct cell_change change;
    struct str line;
    bool is_cell;

    show->seq = entry->seq;
    show->submitted |= same(entry->record.kind, "submitted");
    run_audit_take(&show->audit, entry);
    if (show->app->out.json) {
        out_json(&show->app->out, entry_json(entry));
        return true;
    }
    is_cell = entry_cell(entry, &change);
    if (is_cell) {
        note_cell(show, entry, &change);
        json_decref(change.data);
    }
    if (is_cell && !show->lines)
        return true;
    str_init(&line, 1 << 16);
    entry_line(entry, &line);
    out_say(&show->app->out, "%s\n", str_text(&line));
    str_release(&line);
    return true;
}

static void say_cells(struct show *show)
{
    static const char *const heads[] = {"started", "took",    "cluster", "step",
                                        "node",    "outcome", "detail",  NULL};
    struct table table;

    if (show->n_cells == 0)
        return;
    table_init(&table, heads);
    for (size_t i = 0; i < show->n_cells; i++) {
        const struct shown_cell *c = &show->cells[i];
        bool back = c->walk && strcmp(c->walk, "back") == 0;
        struct str started, took, step;

        str_init(&started, 64);
        str_init(&took, 64);
        str_init(&step, 256);
        run_time(&started, c->began_ms);
        model_duration(&took, c->changed_ms - c->began_ms);
        str_addf(&step, "%s%s", c->step, back ? " (back)" : "");
        table_add(&table, (const char *const[]){
                              str_text(&started), str_text(&took), c->cluster,
                              str_text(&step), c->node, c->state, c->detail});
        str_release(&started);
        str_release(&took);
        str_release(&step);
    }
    out_say(&show->app->out, "\n");
    table_say(&table, &show->app->out);
    table_release(&table);
}

static void free_cells(struct show *show)
{
    for (size_t i = 0; i < show->n_cells; i++) {
        struct shown_cell *c = &show->cells[i];
        free(c->cluster);
        free(c->node);
        free(c->step);
        free(c->walk);
        free(c->state);
        free(c->detail);
    }
    free(show->cells);
}

static void say_run(struct app *app, const struct store_run *run)
{
    struct str text;

    str_init(&text, 1 << 16);
    str_addf(&text, "run       %s\nplaybook  %s\ntarget    ", run->id,
             run->playbook);
    str_add_visible(&text, run->target, strlen(run->target), false);
    if (run->inputs && strcmp(run->inputs, "{}") != 0) {
        str_add(&text, "\ninputs    ");
        str_add_visible(&text, run->inputs, strlen(run->inputs), false);
    }
    str_addf(&text, "\nby        %s@%s\nstarted   ",
             run->user ? run->user : "?", run->host ? run->host : "?");
    run_time(&text, run->started_ms);
    str_add(&text, "\nended     ");
    run_time(&text, run->ended_ms);
    str_addf(&text, "\noutcome   %s", run_state(run));
    if (run->ended_ms)
        str_addf(&text, ", exit %d", run->exit_code);
    if (run->holds && !run->living)
        str_add(&text, ", still holds its clusters");
    out_say(&app->out, "%s\n\n", str_text(&text));
    str_release(&text);
}

static bool take_run(void *user, const struct store_run *run)
{
    struct show *show = user;
    bool first = !show->found;

    show->found = true;
    show->ended = run->ended_ms != 0;
    show->living = run->living;
    show->exit_code = run->exit_code;
    show->waiting = same(run->outcome, "waiting");
    if (first && show->app->out.json)
        out_json(&show->app->out, run_json(run));
    else if (first)
        say_run(show->app, run);
    return false;
}

static int read_run(struct show *show)
{
    struct err err = {.cause = CAUSE_NONE};

    /* the row first: what it says ended has all its records already */
    if (store_runs(show->store, show->id, take_run, show, &err) < 0 ||
        store_journal(show->store, show->id, show->seq, show_entry, show,
                      &err) < 0) {
        show->failed = app_fail(show->app, &err);
        return -1;
    }
    return 0;
}

/* -- show -f
 * ------------------------------------------------------------------- */

enum {
    FOLLOW_MS = 250
};

struct follow {
    struct show *show;
    uv_timer_t timer;
    uv_signal_t signals[2];
    bool interrupted;
    bool gone; /* its process, at the look before */
};

static void stop_following(struct follow *follow)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&follow->timer,
                              (uv_handle_t *)&follow->signals[0],
                              (uv_handle_t *)&follow->signals[1]};

    for (size_t i = 0; i < 3; i++)
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], NULL);
}

/* A run whose process is gone will write no more; but it may have written its
 * end after the row was read and before its process was looked for: only what
 * a second look finds unended, too, has no end. */
static void on_look(uv_timer_t *timer)
{
    struct follow *follow = timer->data;
    struct show *show = follow->show;
    bool gone_before = follow->gone;

    if (read_run(show) < 0 || show->ended || out_result_dead(&show->app->out)) {
        stop_following(follow);
        return;
    }
    follow->gone = !show->living;
    if (follow->gone && gone_before)
        stop_following(follow);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct follow *follow = handle->data;

    (void)number;
    follow->interrupted = true;
    stop_following(follow);
}

static int follow_exit(struct follow *follow)
{
    struct show *show = follow->show;
    struct app *app = show->app;

    if (show->failed)
        return show->failed;
    if (show->ended)
        return show->exit_code;
    if (follow->interrupted) {
        out_warn(&app->out, "the run goes on\n");
        app_next(app, "certfleet show -f %s", show->id);
        return EXIT_INTERRUPTED;
    }
    if (show->living)
        return EXIT_DONE; /* nobody reads us any more */
    app_next(app, "certfleet resume %s", show->id);
    app_failf(app, CAUSE_LOST, "the process of run %s is gone", show->id);
    return EXIT_INCOMPLETE;
}

static int follow_run(struct show *show)
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    struct follow follow = {.show = show};
    uv_loop_t loop;

    if (uv_loop_init(&loop) < 0)
        return app_failf(show->app, CAUSE_SYSTEM, "no event loop");
    uv_timer_init(&loop, &follow.timer);
    follow.timer.data = &follow;
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&loop, &follow.signals[i]);
        follow.signals[i].data = &follow;
        uv_signal_start(&follow.signals[i], on_signal, numbers[i]);
    }
    uv_timer_start(&follow.timer, on_look, 0, FOLLOW_MS);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return follow_exit(&follow);
}

static int show_once(struct show *show)
{
    if (read_run(show) < 0)
        return show->failed;
    if (show->app->out.json) {
        run_audit_tell(&show->audit, &show->app->out);
    } else {
        say_cells(show);
        run_audit_say(&show->audit, &show->app->out);
    }
    if (!show->ended && !show->living)
        app_next(show->app, "certfleet resume %s", show->id);
    else if (show->ended && show->waiting && show->submitted)
        app_next(show->app, "certfleet resume %s", show->id);
    else if (show->ended && show->waiting)
        app_next(show->app, "certfleet issue %s FILE...", show->id);
    return EXIT_DONE;
}

static int show_run(struct app *app, struct store *store)
{
    struct show show = {.app = app, .store = store};
    struct err err = {.cause = CAUSE_NONE};
    bool follow = args_has(&app->args, OPT_FOLLOW);
    int code;

    run_audit_init(&show.audit);
    show.lines = follow || args_has(&app->args, OPT_VERBOSE);
    if (store_find(store, app->args.words[0], show.id, &err) < 0) {
        app_next(app, "certfleet runs");
        code = app_fail(app, &err);
    } else {
        memcpy(app->final.run, show.id, sizeof(show.id));
        code = follow ? follow_run(&show) : show_once(&show);
    }
    free_cells(&show);
    run_audit_release(&show.audit);
    return code;
}

int cmd_show(struct app *app)
{
    return app_with_store(app, show_run);
}
