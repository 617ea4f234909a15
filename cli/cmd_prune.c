/* SPDX-License-Identifier: Apache-2.0
 *
 * `prune': reads the nodes, lists their files, asks, deletes.
 *
 * It holds the clusters like a run while it works, and every deletion is in
 * the journal before it goes out: what is about to be done to a node is
 * always durable first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/drive.h"
#include "cli/prune_list.h"
#include "cli/scan.h"
#include "cli/table.h"
#include "core/base/clock.h"

enum {
    SECONDS_A_DAY = 86400
};

struct prune;
struct listed { /* a node whose files are being listed */
    struct prune *prune;
    const struct plan_cluster *pc;
    size_t node;
};

struct prune {
    struct app *app;
    struct session *session;
    const struct target *target;
    struct survey *survey; /* while its links are there */
    struct listed *nodes;  /* of the product being read */
    size_t n_nodes, listing;
    struct prune_list shown; /* what was asked about */
    struct prune_list now;   /* the second reading, under the lock */
    bool deleting;           /* the second reading */
    size_t at, deleted, failed, unread;
    char run[STORE_ID_BYTES];
    bool settled, yes; /* of the question, the lock, the end */
    int code;
};

static const struct node *node_of(const struct prune_file *file)
{
    return file->node;
}

/* -- deleting, one file after the other ---------------------------------- */

static void delete_next(struct prune *prune);

static void on_deleted(void *user, const struct link_result *result)
{
    struct prune *prune = user;
    const struct prune_file *file = &prune->now.files[prune->at];
    struct str text;

    str_init(&text, 4096);
    str_addf(&text, "node %s: ", node_of(file)->name);
    str_add_visible(&text, file->name, strlen(file->name), false);
    if (result->end == LINK_OK) {
        prune->deleted++;
        out_say(&prune->app->out, "%s deleted\n", str_text(&text));
    } else {
        prune->failed++;
        str_addf(&text, " was not deleted: %s",
                 result->err ? result->err->text : "no answer");
        out_error(&prune->app->out, str_text(&text));
    }
    str_release(&text);
    prune->at++;
    delete_next(prune);
}

static void on_intent(void *user, const struct err *err)
{
    struct prune *prune = user;
    const struct prune_file *file = &prune->now.files[prune->at];
    struct err late = {.cause = CAUSE_NONE};

    if (!err && store_may_act(prune->session->store, prune->run, &late) < 0)
        err = &late;
    if (err) {
        prune->code = app_fail(prune->app, err);
        scan_go(prune->session);
        return;
    }
    prune->session->links.ops->remove(survey_link(prune->survey, node_of(file)),
                                      file->name, on_deleted, prune);
}

static void delete_next(struct prune *prune)
{
    const struct prune_file *file;
    json_t *json;
    char *data;

    while (prune->at < prune->now.n && !prune->now.files[prune->at].goes)
        prune->at++;
    if (prune->at == prune->now.n || prune->session->n_signals) {
        scan_go(prune->session);
        return;
    }
    file = &prune->now.files[prune->at];
    json = json_pack("{s:s, s:o}", "event", "delete", "file",
                     app_text(file->name));
    data = json_dumps(json, JSON_COMPACT);
    const struct store_record record = {
        .run = prune->run,
        .cluster = node_of(file)->cluster->name,
        .node = node_of(file)->name,
        .kind = "act",
        .data = data,
    };
    store_append(prune->session->store, &record, on_intent, prune);
    free(data);
    json_decref(json);
}

/* -- listing -------------------------------------------------------------- */

static void decide(struct prune *prune, struct prune_list *list)
{
    const struct inventory *inv = prune->app->inventory;
    struct prune_rules rules = {.now = clock_wall_ms() / 1000,
                                .keep_days = inv->keep_days,
                                .keep_backups = inv->keep_backups};

    prune_decide(list, &rules);
}

static void on_all_listed(struct prune *prune)
{
    if (!prune->deleting) {
        scan_go(prune->session);
        return;
    }
    decide(prune, &prune->now);
    prune_only(&prune->now, &prune->shown);
    prune->at = 0;
    delete_next(prune);
}

static void take_files(const struct listed *node,
                       const struct link_result *result)
{
    const struct product *product = node->pc->plan->playbook->product;
    struct prune *prune = node->prune;
    struct view view = {.plan = node->pc, .node = node->node};
    struct prune_file file = {
        .cluster = node->pc->cluster,
        .node = node->pc->nodes[node->node].node,
    };

    for (size_t i = 0; i < result->n_files; i++) {
        const struct link_file *f = &result->files[i];

        file.generation = 0;
        file.backup = prune_is_backup(f->name);
        if (!file.backup && !product->is_ours(f->name, &file.generation))
            continue;
        file.mtime = f->mtime;
        file.size = f->size;
        file.in_use = product->in_use(&view, f->name);
        prune_add(prune->deleting ? &prune->now : &prune->shown, &file,
                  f->name);
    }
}

static void on_listed(void *user, const struct link_result *result)
{
    struct listed *node = user;
    struct prune *prune = node->prune;

    if (result->end == LINK_OK) {
        take_files(node, result);
    } else {
        prune->unread++;
        out_warn(&prune->app->out,
                 "node %s: its files could not be listed; nothing is "
                 "deleted there\n",
                 node->pc->nodes[node->node].node->name);
    }
    if (--prune->listing == 0)
        on_all_listed(prune);
}

static void tell_unreachable(struct prune *prune, const struct plan_node *pn)
{
    const char *why = pn->facts->err.text;
    struct str text;

    str_init(&text, 4096);
    str_add_visible(&text, why, strlen(why), false);
    out_warn(&prune->app->out,
             "node %s could not be read, nothing is deleted there: %s\n",
             pn->node->name, str_text(&text));
    str_release(&text);
}

static void on_node(void *user, const struct view *view)
{
    struct prune *prune = user;
    const struct plan_node *pn = &view->plan->nodes[view->node];

    if (pn->facts->unreachable) {
        tell_unreachable(prune, pn);
        prune->unread++;
        return;
    }
    if (!view->plan->plan->playbook->product->is_ours)
        return;
    prune->nodes =
        realloc(prune->nodes, (prune->n_nodes + 1) * sizeof(*prune->nodes));
    if (!prune->nodes)
        abort();
    prune->nodes[prune->n_nodes++] =
        (struct listed){prune, view->plan, view->node};
}

static void on_read(void *user, struct survey *survey, const struct plan *plan)
{
    struct prune *prune = user;

    (void)plan;
    prune->survey = survey;
    prune->listing = prune->n_nodes;
    prune_release(&prune->now);
    if (prune->n_nodes == 0)
        scan_go(prune->session);
    for (size_t i = 0; i < prune->n_nodes; i++) {
        const struct listed *n = &prune->nodes[i];

        prune->session->links.ops->list(
            survey_link(survey, n->pc->nodes[n->node].node), on_listed,
            &prune->nodes[i]);
    }
    prune->n_nodes = 0; /* the next product begins anew */
}

static int read_all(struct prune *prune)
{
    struct scan_options options = {
        .target = prune->target,
        .on_node = on_node,
        .on_read = on_read,
        .user = prune,
    };

    prune->unread = 0;
    return scan_run(prune->session, &options);
}

/* -- the list and the question ----------------------------------------------
 */

static void say_list(struct prune *prune)
{
    static const char *const heads[] = {"cluster", "node",  "file",
                                        "days",    "bytes", NULL};
    int64_t now = clock_wall_ms() / 1000;
    struct table table;

    table_init(&table, heads);
    for (size_t i = 0; i < prune->shown.n; i++) {
        const struct prune_file *f = &prune->shown.files[i];
        char days[32], bytes[32];

        if (!f->goes)
            continue;
        snprintf(days, sizeof(days), "%lld",
                 (long long)((now - f->mtime) / SECONDS_A_DAY));
        snprintf(bytes, sizeof(bytes), "%" PRIu64, f->size);
        table_add(&table, (const char *const[]){node_of(f)->cluster->name,
                                                node_of(f)->name, f->name, days,
                                                bytes});
    }
    table_say(&table, &prune->app->out);
    table_release(&table);
}

static void tell_list_json(struct prune *prune)
{
    for (size_t i = 0; i < prune->shown.n; i++) {
        const struct prune_file *f = &prune->shown.files[i];
        json_t *json;

        if (!f->goes)
            continue;
        json = app_event("prune");
        json_object_set_new(json, "cluster",
                            app_text(node_of(f)->cluster->name));
        json_object_set_new(json, "node", app_text(node_of(f)->name));
        json_object_set_new(json, "file", app_text(f->name));
        json_object_set_new(json, "mtime", app_time(f->mtime));
        json_object_set_new(json, "bytes", json_integer((json_int_t)f->size));
        out_json(&prune->app->out, json);
    }
}

static void on_answer(void *user, bool yes)
{
    struct prune *prune = user;

    prune->yes = yes;
    prune->settled = true;
}

/* Ctrl-C at the question is a no. */
static int ask(struct prune *prune)
{
    struct ask *question;

    prune->settled = false;
    if (args_has(&prune->app->args, OPT_YES))
        return EXIT_DONE;
    question = ask_start(
        &prune->session->loop, &prune->app->out,
        "Delete these files? Only `yes' is accepted:", on_answer, prune);
    while (!prune->settled && prune->session->n_signals == 0)
        if (uv_run(&prune->session->loop, UV_RUN_ONCE) == 0)
            break;
    if (!prune->settled)
        ask_cancel(question);
    if (prune->session->n_signals)
        return EXIT_INTERRUPTED;
    if (prune->yes)
        return EXIT_DONE;
    return app_failf(prune->app, CAUSE_REFUSED,
                     "not confirmed: nothing was deleted");
}

/* -- the lock
 * ------------------------------------------------------------------ */

static void on_stored(void *user, const struct err *err)
{
    struct prune *prune = user;

    if (err)
        prune->code = app_fail(prune->app, err);
    prune->settled = true;
}

static int begin(struct prune *prune)
{
    size_t n = prune->target->n_clusters;
    const char **names = calloc(n + 1, sizeof(*names));
    struct str target;
    struct store_run run = {
        .id = prune->run, .playbook = "prune", .inputs = "{}"};

    if (!names)
        abort();
    str_init(&target, 1 << 16);
    for (size_t i = 0; i < n; i++) {
        names[i] = prune->target->clusters[i]->name;
        str_addf(&target, "%s%s", i ? " " : "", names[i]);
    }
    run.target = str_text(&target);
    store_new_id(prune->run);
    prune->settled = false;
    store_begin(prune->session->store, &run, &(struct store_names){names, n},
                on_stored, prune);
    session_turn(prune->session, &prune->settled);
    str_release(&target);
    free(names);
    if (prune->code == EXIT_DONE)
        memcpy(prune->app->final.run, prune->run, sizeof(prune->run));
    return prune->code;
}

/* `ok' in the store: the clusters' certificates are as they were. */
static int end(struct prune *prune, int code)
{
    if (code == EXIT_DONE && prune->code != EXIT_DONE)
        code = prune->code;
    if (code == EXIT_DONE && (prune->failed || prune->unread))
        code = EXIT_INCOMPLETE;
    prune->code = code;
    prune->settled = false;
    store_end(prune->session->store,
              &(struct store_ending){
                  .run = prune->run, .outcome = "ok", .exit_code = code},
              on_stored, prune);
    session_turn(prune->session, &prune->settled);
    out_say(&prune->app->out, "%zu file%s deleted\n", prune->deleted,
            prune->deleted == 1 ? "" : "s");
    if (prune->code == EXIT_INCOMPLETE)
        app_next_again(prune->app, "");
    return prune->code;
}

/* -- the command
 * ---------------------------------------------------------------- */

/* Read, show, ask; then lock and read again: what goes is what was shown and
 * is still unused now that no run can begin. */
static int prune_all(struct prune *prune)
{
    size_t n = 0;
    int code = read_all(prune);

    if (code != EXIT_DONE)
        return code;
    decide(prune, &prune->shown);
    for (size_t i = 0; i < prune->shown.n; i++)
        n += prune->shown.files[i].goes;
    if (n == 0) {
        out_say(&prune->app->out, "nothing to delete\n");
        return prune->unread ? EXIT_REFUSED : EXIT_DONE;
    }
    if (prune->app->out.json)
        tell_list_json(prune);
    say_list(prune);
    code = ask(prune);
    if (code == EXIT_DONE)
        code = begin(prune);
    if (code != EXIT_DONE)
        return code;
    prune->deleting = true;
    return end(prune, read_all(prune));
}

static int prune_target(struct app *app, const struct target *target)
{
    struct session session;
    struct prune prune = {.app = app, .session = &session, .target = target};
    int code = drive_may_ask(app);

    if (code == EXIT_DONE)
        code = session_open(&session, app, true);
    if (code != EXIT_DONE)
        return code;
    code = prune_all(&prune);
    session_close(&session);
    prune_release(&prune.shown);
    prune_release(&prune.now);
    free(prune.nodes);
    return code;
}

int cmd_prune(struct app *app)
{
    struct err err = {.cause = CAUSE_NONE};
    struct target target = {0};
    struct arena arena;
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    arena_init(&arena);
    if (target_clusters(app->inventory, &arena, app->args.words,
                        app->args.n_words, &target, &err) < 0)
        code = app_fail(app, &err);
    else
        code = prune_target(app, &target);
    arena_release(&arena);
    return code;
}
