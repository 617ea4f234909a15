/* SPDX-License-Identifier: Apache-2.0
 *
 * `windows': when the clusters may be changed.  Nothing is contacted.
 */
#include "cli/app.h"
#include "cli/windows_view.h"
#include "core/base/clock.h"
#include "core/fleet/target.h"

int cmd_windows(struct app *app)
{
    struct inventory *inv = app_inventory(app);
    struct err err = {.cause = CAUSE_NONE};
    int64_t now = clock_wall_ms() / 1000;
    struct target target = {0};
    struct arena arena;
    struct table table;
    int code = EXIT_DONE;

    if (!inv)
        return EXIT_INPUT;
    arena_init(&arena);
    table_init(&table, windows_heads);
    if (target_clusters(inv, &arena, app->args.words, app->args.n_words,
                        &target, &err) < 0) {
        code = app_fail(app, &err);
    } else {
        for (size_t i = 0; i < target.n_clusters; i++)
            windows_view(&app->out, &table, target.clusters[i], now);
        if (!app->out.json)
            table_say(&table, &app->out);
    }
    table_release(&table);
    arena_release(&arena);
    return code;
}
