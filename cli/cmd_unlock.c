/* SPDX-License-Identifier: Apache-2.0
 *
 * `unlock': abandons a dead run's hold on a cluster.
 */
#include <string.h>

#include "cli/app.h"

static int unlock(struct app *app, struct store *store)
{
    const char *cluster = app->args.words[0];
    struct err err = {.cause = CAUSE_NONE};
    char id[STORE_ID_BYTES];

    if (store_find(store, app->args.value[OPT_RUN], id, &err) < 0 ||
        store_unlock(store, cluster, id, &err) < 0) {
        int code = app_fail(app, &err);
        if (err.cause == CAUSE_LOCKED)
            app_next(app, "certfleet show -f %s", id);
        else
            app_next(app, "certfleet runs");
        return code;
    }
    memcpy(app->final.run, id, sizeof(id));
    out_say(&app->out,
            "cluster %s is free; run %s is abandoned, its nodes stay as they "
            "are\n",
            cluster, id);
    app_next(app, "certfleet check %s", cluster);
    return EXIT_DONE;
}

/* A cluster that left the inventory can still be held: the store decides. */
int cmd_unlock(struct app *app)
{
    int code;

    if (!args_has(&app->args, OPT_RUN)) {
        code = app_failf(app, CAUSE_INPUT,
                         "--run RUN is needed: the run that you abandon");
        app_next(app, "certfleet runs");
        return code;
    }
    return app_with_store(app, unlock);
}
