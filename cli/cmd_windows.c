/* SPDX-License-Identifier: Apache-2.0
 *
 * `windows': when the clusters may be changed, and what `run' would begin then.
 * Nothing is contacted.
 */
#include "cli/app.h"
#include "cli/forecast.h"
#include "cli/windows_view.h"
#include "core/base/clock.h"

static void show_windows(const struct renew *renew)
{
    struct out *out = &renew->app->out;
    struct table table;

    table_init(&table, windows_heads);
    for (size_t i = 0; i < renew->target.n_clusters; i++)
        windows_view(out, &table, renew->target.clusters[i], renew->now);
    if (!out->json)
        table_say(&table, out);
    table_release(&table);
}

int cmd_windows(struct app *app)
{
    struct renew renew = {.app = app, .now = clock_wall_ms() / 1000};
    struct err err = {.cause = CAUSE_NONE};
    struct forecast forecast;
    int code = EXIT_DONE;

    if (!app_inventory(app))
        return EXIT_INPUT;
    arena_init(&renew.arena);
    if (renew_read_words(&renew, app->args.words, &err) < 0 ||
        forecast_make(&renew, &forecast, &err) < 0) {
        code = app_fail(app, &err);
    } else {
        show_windows(&renew);
        forecast_show(&renew, &forecast);
    }
    arena_release(&renew.arena);
    return code;
}
