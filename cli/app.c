/* SPDX-License-Identifier: Apache-2.0
 *
 * From argv to the last line.  Knows the commands only by their table.
 */
#include "cli/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/open_store.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/run/preflight.h"
#include "core/run/product.h"
#include "playbooks/registry.h"

json_t *app_text(const char *text)
{
    struct str visible;
    json_t *json;

    if (!text)
        return json_null();
    str_init(&visible, 1 << 20);
    str_add_visible(&visible, text, strlen(text), true);
    json = json_string(str_text(&visible));
    str_release(&visible);
    return json ? json : json_string("(not text)");
}

json_t *app_time(int64_t seconds)
{
    char text[CLOCK_TEXT_BYTES];

    if (seconds == 0)
        return json_null();
    clock_rfc3339(seconds * 1000, text);
    return json_string(text);
}

json_t *app_event(const char *event)
{
    char t[CLOCK_TEXT_BYTES];

    clock_rfc3339(clock_wall_ms(), t);
    return json_pack("{s:s, s:s}", "t", t, "event", event);
}

int app_exit_of(enum cause cause)
{
    switch (cause) {
    case CAUSE_REFUSED:
    case CAUSE_LOST:
    case CAUSE_REMOTE:
        return EXIT_REFUSED;
    case CAUSE_LOCKED:
        return EXIT_LOCKED;
    case CAUSE_CANCELED:
        return EXIT_INTERRUPTED;
    case CAUSE_NONE:
    case CAUSE_INPUT:
    case CAUSE_SYSTEM:
        break;
    }
    return EXIT_INPUT;
}

int app_fail(struct app *app, const struct err *err)
{
    out_error(&app->out, err->text);
    snprintf(app->final.detail, sizeof(app->final.detail), "%s", err->text);
    return app_exit_of(err->cause);
}

int app_failf(struct app *app, enum cause cause, const char *fmt, ...)
{
    struct err err = {.cause = cause};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err.text, sizeof(err.text), fmt, ap);
    va_end(ap);
    return app_fail(app, &err);
}

void app_quote(struct str *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_-./:=,@%+";

    if (*word && strspn(word, plain) == strlen(word)) {
        str_add(out, word);
        return;
    }
    str_addc(out, '\'');
    for (const char *p = word; *p; p++)
        if (*p == '\'')
            str_add(out, "'\\''");
        else
            str_addc(out, *p);
    str_addc(out, '\'');
}

/* A line to type must work when it is pasted: same inventory, same store. */
void app_self(const struct app *app, struct str *out)
{
    str_add(out, "certfleet");
    for (int i = OPT_INVENTORY; i <= OPT_STATE_DIR; i++) {
        if (!app->args.value[i])
            continue;
        str_add(out, i == OPT_INVENTORY ? " -i " : " --state-dir ");
        app_quote(out, app->args.value[i]);
    }
}

static void set_next(struct app *app, const struct str *line)
{
    snprintf(app->final.next, sizeof(app->final.next), "%s", str_text(line));
}

void app_next(struct app *app, const char *fmt, ...)
{
    static const char program[] = "certfleet ";
    struct str line, text;
    const char *rest;
    va_list ap;

    str_init(&text, sizeof(app->final.next));
    str_init(&line, sizeof(app->final.next));
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    rest = str_text(&text);
    if (strncmp(rest, program, strlen(program)) == 0) {
        app_self(app, &line);
        rest += strlen(program) - 1;
    }
    str_add(&line, rest);
    set_next(app, &line);
    str_release(&line);
    str_release(&text);
}

void app_next_again(struct app *app, const char *extra)
{
    struct str line;
    bool placed = false;

    str_init(&line, sizeof(app->final.next));
    str_add(&line, "certfleet");
    for (int i = 1; i < app->argc; i++) {
        if (strcmp(app->argv[i], "--") == 0 && !placed) {
            str_addf(&line, " %s", extra); /* behind it, it is no option */
            placed = true;
        }
        str_addc(&line, ' ');
        app_quote(&line, app->argv[i]);
    }
    if (!placed && *extra)
        str_addf(&line, " %s", extra);
    set_next(app, &line);
    str_release(&line);
}

static void tell_faults(struct app *app, const struct inventory *inv)
{
    struct str text;

    if (inv->n_faults == 0 || (app->out.quiet && inv->n_errors == 0))
        return;
    str_init(&text, 1 << 20);
    inventory_faults(inv, &text);
    out_warn(&app->out, "%s", str_text(&text));
    str_release(&text);
}

static struct inventory *read_inventory(const struct app *app, struct err *err)
{
    const struct inventory_options options = {
        .path = app->args.value[OPT_INVENTORY],
        .state_dir = app->args.value[OPT_STATE_DIR],
        .products = registry_words(),
        .checks = preflight_words(),
    };

    return inventory_read(&options, err);
}

bool app_inventory_anew(struct app *app)
{
    struct err err = {.cause = CAUSE_NONE};
    struct inventory *inv = read_inventory(app, &err);

    if (!inv || inv->n_errors) {
        inventory_free(inv);
        return false;
    }
    inventory_free(app->inventory);
    app->inventory = inv;
    return true;
}

struct inventory *app_inventory(struct app *app)
{
    struct err err = {.cause = CAUSE_NONE};

    if (app->inventory)
        return app->inventory;
    app->inventory = read_inventory(app, &err);
    if (!app->inventory) {
        app_fail(app, &err);
        app_next(app, "certfleet inventory sample");
        return NULL;
    }
    tell_faults(app, app->inventory);
    if (app->inventory->n_errors == 0)
        return app->inventory;
    app_failf(app, CAUSE_INPUT, "%s has %zu error%s", app->inventory->path,
              app->inventory->n_errors,
              app->inventory->n_errors == 1 ? "" : "s");
    return NULL;
}

struct store *app_store(struct app *app, struct uv_loop_s *loop)
{
    struct err err = {.cause = CAUSE_NONE};
    struct store *store = open_store(app->inventory, loop, &err);

    if (!store)
        app_fail(app, &err);
    return store;
}

int app_with_store(struct app *app,
                   int (*work)(struct app *app, struct store *store))
{
    struct store *store;
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    store = app_store(app, NULL);
    if (!store)
        return app_exit_of(CAUSE_SYSTEM);
    code = work(app, store);
    store_close(store);
    return code;
}

static const char *outcome_of(int code)
{
    for (const struct exit_row *row = exit_rows; row->meaning; row++)
        if (row->code == code)
            return row->outcome;
    return "error";
}

static json_t *result_json(const struct app *app, int code)
{
    const struct app_final *final = &app->final;
    json_t *event = app_event("result");

    json_object_set_new(
        event, "outcome",
        json_string(final->outcome ? final->outcome : outcome_of(code)));
    json_object_set_new(event, "exit", json_integer(code));
    json_object_set_new(event, "run",
                        app_text(*final->run ? final->run : NULL));
    json_object_set_new(event, "next",
                        app_text(*final->next ? final->next : NULL));
    json_object_set_new(event, "way_back_until",
                        app_time(final->way_back_until));
    json_object_set_new(event, "clusters",
                        final->clusters ? json_incref(final->clusters)
                                        : json_array());
    if (final->longest_turn_wall_us)
        json_object_set_new(
            event, "longest_turn_us",
            json_pack("{s:I, s:I}", "cpu",
                      (json_int_t) final->longest_turn_cpu_us, "wall",
                      (json_int_t) final->longest_turn_wall_us));
    if (*final->detail)
        json_object_set_new(event, "detail", app_text(final->detail));
    return event;
}

/* The last line: what to type next.  With an exit code that is not 0 it
 * belongs to the errors. */
static void tell_end(struct app *app, int code)
{
    struct str next;

    out_sync(&app->out);
    if (*app->final.other)
        out_warn(&app->out, "instead of going on, it can be taken back: %s\n",
                 app->final.other);
    if (*app->final.next) {
        str_init(&next, sizeof(app->final.next) * 4);
        str_add_visible(&next, app->final.next, strlen(app->final.next), false);
        if (code != EXIT_DONE)
            out_warn(&app->out, "next: %s\n", str_text(&next));
        else if (!app->out.quiet)
            out_say(&app->out, "next: %s\n", str_text(&next));
        str_release(&next);
    }
    if (app->out.json)
        out_json(&app->out, result_json(app, code));
}

void app_leave(struct app *app, int code)
{
    tell_end(app, code);
    out_sync(&app->out);
    _exit(code);
}

static int tell_help(struct app *app)
{
    struct str text;

    str_init(&text, 1 << 18);
    if (app->args.command)
        help_command(app->args.group, app->args.command, &text);
    else
        help_overview(&text);
    out_say(&app->out, "%s", str_text(&text));
    str_release(&text);
    return EXIT_DONE;
}

static int no_command(struct app *app)
{
    struct str text;

    str_init(&text, 1 << 18);
    help_overview(&text);
    out_warn(&app->out, "%s", str_text(&text));
    str_release(&text);
    snprintf(app->final.detail, sizeof(app->final.detail), "no command");
    return EXIT_INPUT;
}

static int dispatch(struct app *app)
{
    if (args_has(&app->args, OPT_VERSION))
        return cmd_version(app);
    if (args_has(&app->args, OPT_HELP))
        return tell_help(app);
    if (!app->args.command)
        return no_command(app);
    return app->args.command->run(app);
}

static void set_up(struct app *app)
{
    const char *color = app->args.value[OPT_COLOR];
    struct out_options options = {
        .fd_result = 1,
        .fd_text = 2,
        .json = args_has(&app->args, OPT_JSON),
        .quiet = args_has(&app->args, OPT_QUIET),
        .color = !color || strcmp(color, "auto") == 0 ? OUT_COLOR_AUTO
                 : strcmp(color, "always") == 0       ? OUT_COLOR_ALWAYS
                                                      : OUT_COLOR_NEVER,
    };
    unsigned verbose = app->args.count[OPT_VERBOSE];

    out_init(&app->out, &options);
    log_set_level(options.quiet  ? LOG_QUIET
                  : verbose >= 2 ? LOG_DEBUG_LEVEL
                  : verbose == 1 ? LOG_INFO_LEVEL
                                 : LOG_WARN_LEVEL);
}

int app_main(int argc, char *const *argv)
{
    struct app app = {.argc = argc, .argv = argv};
    struct err err = {.cause = CAUSE_NONE};
    int rc = args_read(&app.args, commands, argc, argv, &err);
    int code;

    set_up(&app);
    if (rc < 0) {
        code = app_fail(&app, &err);
        app_next(&app, "certfleet help%s%s%s%s", app.args.group ? " " : "",
                 app.args.group ? app.args.group->name : "",
                 app.args.command ? " " : "",
                 app.args.command ? app.args.command->name : "");
    } else {
        code = dispatch(&app);
    }
    tell_end(&app, code);
    inventory_free(app.inventory);
    json_decref(app.final.clusters);
    out_release(&app.out);
    args_release(&app.args);
    return code;
}
