/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked for, before any packet.
 */
#include "cli/request.h"
#include "cli/renew.h"
#include "playbooks/registry.h"

#include <stdlib.h>
#include <string.h>

#include "core/fleet/suggest.h"
#include "core/fleet/target.h"

const struct playbook *request_playbook(const char *id, struct err *err)
{
    const struct playbook *playbook = registry_playbook(id);
    struct suggest near;

    if (playbook)
        return playbook;
    suggest_start(&near, id);
    for (const struct playbook *const *p = registry_playbooks(); *p; p++)
        suggest_offer(&near, (*p)->id);
    suggest_offer(&near, RENEW_ID);
    suggest_fail(&near, "there is no playbook", err);
    return NULL;
}

int request_check_step(const struct playbook *playbook, const char *step,
                       struct err *err)
{
    struct suggest near;

    if (!step)
        return 0;
    suggest_start(&near, step);
    for (size_t i = 0; i < playbook->n_steps; i++) {
        const char *id = playbook->steps[i].id;
        if (strcmp(id, step) == 0)
            return 0;
        /* the same id may stand in several rows */
        if (i == 0 || strcmp(id, playbook->steps[i - 1].id) != 0)
            suggest_offer(&near, id);
    }
    suggest_fail(&near, "there is no step", err);
    return err_context(err, "--until %s", step);
}

static const char *join_words(struct arena *arena, const char *const *words)
{
    const char *text = "";

    for (; *words; words++)
        text = arena_printf(arena, "%s%s%s", text, *text ? " " : "", *words);
    return text;
}

static size_t count(const char *const *words)
{
    size_t n = 0;

    while (words[n])
        n++;
    return n;
}

static int find_clusters(struct request *request,
                         const struct inventory *inventory,
                         const char *const *words, struct err *err)
{
    struct target target = {0};

    if (target_clusters(inventory, &request->arena, words, count(words),
                        &target, err) < 0)
        return -1;
    request->plan.inventory = inventory;
    request->plan.clusters = target.clusters;
    request->plan.n_clusters = target.n_clusters;
    request->plan.target = join_words(&request->arena, words);
    return 0;
}

/* The lists go to the arena, so that one release is enough. */
static const char *const *keep(struct arena *arena, const char **list)
{
    size_t n = count(list);
    const char **kept = arena_alloc(arena, (n + 1) * sizeof(*kept));

    memcpy(kept, list, n * sizeof(*kept));
    free(list);
    return kept;
}

int request_from_words(struct request *request, struct app *app,
                       struct err *err)
{
    const char **plain, **inputs;
    const char *const *words;

    memset(request, 0, sizeof(*request));
    arena_init(&request->arena);
    args_split_inputs(app->args.words, &plain, &inputs);
    words = keep(&request->arena, plain);
    request->plan.inputs = keep(&request->arena, inputs);
    request->plan.accepted = app->args.accepted;
    if (!words[0] || !words[1])
        return err_set(err, CAUSE_INPUT,
                       "a playbook and a target are needed: certfleet %s %s",
                       app->args.command->name, app->args.command->synopsis);
    request->plan.playbook = request_playbook(words[0], err);
    if (!request->plan.playbook)
        return -1;
    return find_clusters(request, app->inventory, words + 1, err);
}

/* -- plan files ----------------------------------------------------------- */

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text ? text : "";
}

static const char *const *inputs_of(struct arena *arena, const json_t *json)
{
    json_t *inputs = json_object_get(json, "inputs"), *value;
    const char **list =
        arena_alloc(arena, (json_object_size(inputs) + 1) * sizeof(*list));
    const char *key;
    size_t n = 0;

    json_object_foreach(inputs, key, value) list[n++] =
        arena_printf(arena, "%s=%s", key,
                     json_string_value(value) ? json_string_value(value) : "");
    return list;
}

static const char *const *accepted_of(struct arena *arena, const json_t *json)
{
    json_t *accepted = json_object_get(json, "accepted"), *value;
    const char **list =
        arena_alloc(arena, (json_array_size(accepted) + 1) * sizeof(*list));
    size_t i, n = 0;

    json_array_foreach(accepted, i, value) if (json_is_string(value))
        list[n++] = arena_strdup(arena, json_string_value(value));
    return list;
}

static const char *const *words_of(struct arena *arena, const char *text)
{
    const char **list = arena_alloc(arena, (strlen(text) + 2) * sizeof(*list));
    size_t n = 0;

    while (*text) {
        size_t len = strcspn(text, " ");
        if (len)
            list[n++] = arena_strndup(arena, text, len);
        text += len + strspn(text + len, " ");
    }
    return list;
}

static int take_file(struct request *request, const struct app *app,
                     const json_t *json, struct err *err)
{
    struct arena *arena = &request->arena;
    const char *hash = text_of(json, "hash");

    memcpy(request->hash, hash, PKI_SHA256_HEX);
    request->plan.playbook = request_playbook(text_of(json, "playbook"), err);
    if (!request->plan.playbook)
        return -1;
    request->plan.inputs = inputs_of(arena, json);
    request->plan.accepted = accepted_of(arena, json);
    request->plan.tag = arena_strdup(arena, text_of(json, "tag"));
    return find_clusters(request, app->inventory,
                         words_of(arena, text_of(json, "target")), err);
}

int request_from_file(struct request *request, struct app *app,
                      const char *path, struct err *err)
{
    memset(request, 0, sizeof(*request));
    arena_init(&request->arena);
    if (plan_file_read(path, &request->file, err) < 0)
        return -1;
    if (take_file(request, app, request->file.json, err) < 0)
        return err_context(err, "plan file %s", path);
    return 0;
}

void request_release(struct request *request)
{
    plan_file_release(&request->file);
    arena_release(&request->arena);
}
