/* SPDX-License-Identifier: Apache-2.0
 *
 * `store migrate': from the store that the inventory names to another one.
 */
#include <string.h>

#include "cli/app.h"
#include "cli/open_store.h"

/* "sqlite": in state_dir. */
static struct store *open_target(struct app *app, const char *word,
                                 struct err *err)
{
    struct inventory other = *app->inventory;

    other.store = strcmp(word, "sqlite") == 0 ? NULL : word;
    return open_store(&other, NULL, err);
}

static int check_other(const struct app *app, const char *word, struct err *err)
{
    const char *now = app->inventory->store ? app->inventory->store : "sqlite";

    if (strcmp(now, word) != 0)
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "%s is where the inventory has it now: nothing to do", word);
}

static int tell(struct app *app, const char *word,
                const struct store_moved *moved)
{
    json_t *event = app_event("moved");

    json_object_set_new(event, "to", app_text(word));
    json_object_set_new(event, "records", json_integer(moved->records));
    json_object_set_new(event, "runs", json_integer(moved->runs));
    json_object_set_new(event, "head", app_text(moved->head.hash));
    out_json(&app->out, event);
    out_say(&app->out,
            "%lld record%s of %lld run%s moved to %s; there, too, each follows "
            "from the one before\n",
            (long long)moved->records, moved->records == 1 ? "" : "s",
            (long long)moved->runs, moved->runs == 1 ? "" : "s", word);
    if (moved->head.seq)
        out_say(&app->out, "head %lld:%s\n", (long long)moved->head.seq,
                moved->head.hash);
    if (strcmp(word, "sqlite") == 0)
        out_say(&app->out,
                "now take `store' out of the inventory of every controller; "
                "what is in the server stays there, and no run begins in it\n");
    else
        out_say(&app->out,
                "now write `store = %s' into the inventory of every "
                "controller; certfleet.db stays, and no run begins in it\n",
                word);
    return EXIT_DONE;
}

int cmd_store_migrate(struct app *app)
{
    const char *word = app->args.words[0];
    struct store *from = NULL, *to = NULL;
    struct err err = {.cause = CAUSE_NONE};
    struct store_moved moved;
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    if (check_other(app, word, &err) == 0 &&
        (from = open_store(app->inventory, NULL, &err)) &&
        (to = open_target(app, word, &err)) &&
        store_migrate(from, to, &moved, &err) == 0)
        code = tell(app, word, &moved);
    else
        code = app_fail(app, &err);
    store_close(to);
    store_close(from);
    return code;
}
