/* SPDX-License-Identifier: Apache-2.0
 *
 * Plan files: written, read, shown again.
 */
#include "cli/plan_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"

enum {
    PLAN_FILE_CAP = 1 << 26,
    PLAN_FORMAT = 1
};

static const char *const severities[] = {
    [SEVERITY_INFO] = "info",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_BLOCK] = "block",
    [SEVERITY_ERROR] = "error",
};

/* What stands beside the plan, and is not in its hash. */
static const char *const beside[] = {"certfleet_plan", "hash", "made", "notes",
                                     NULL};

/* -- writing -------------------------------------------------------------- */

/* A node's text may be no UTF-8. */
static json_t *visible(const char *text)
{
    struct str shown;
    json_t *json;

    if (!text)
        return json_null();
    str_init(&shown, 1 << 16);
    str_add_visible(&shown, text, strlen(text), false);
    json = json_string(str_text(&shown));
    str_release(&shown);
    return json;
}

static json_t *notes_of(const struct plan_cluster *pc)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < pc->findings.n; i++) {
        const struct finding *f = &pc->findings.list[i];

        json_array_append_new(
            findings, json_pack("{s:s, s:s, s:o, s:o}", "severity",
                                severities[f->severity], "id", f->id, "node",
                                visible(f->node), "text", visible(f->text)));
    }
    return json_pack(
        "{s:s, s:o, s:I, s:I, s:o}", "cluster", pc->cluster->name, "not_due",
        pc->not_due ? visible(pc->why_not_due) : json_null(), "outage_ms",
        (json_int_t)pc->outage_estimate_ms, "degraded_ms",
        (json_int_t)pc->degraded_estimate_ms, "findings", findings);
}

int plan_file_write(const struct plan *plan, const char *path, struct err *err)
{
    json_t *json = plan_json(plan), *notes = json_array();
    char hash[PKI_SHA256_HEX], t[CLOCK_TEXT_BYTES];
    char *text;
    int rc;

    plan_hash(plan, hash);
    clock_rfc3339(clock_wall_ms(), t);
    for (size_t c = 0; c < plan->n_clusters; c++)
        json_array_append_new(notes, notes_of(&plan->clusters[c]));
    json_object_set_new(json, "certfleet_plan", json_integer(PLAN_FORMAT));
    json_object_set_new(json, "hash", json_string(hash));
    json_object_set_new(json, "made", json_string(t));
    json_object_set_new(json, "notes", notes);
    text = json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    if (!text)
        abort();
    rc = file_write(path, text, strlen(text), 0600, false, err);
    free(text);
    return rc;
}

/* -- reading -------------------------------------------------------------- */

static void hash_content(struct plan_file *file)
{
    json_t *plan = json_copy(file->json);
    char *text;

    for (const char *const *key = beside; *key; key++)
        json_object_del(plan, *key);
    text = json_dumps(plan, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        abort();
    pki_sha256(text, strlen(text), file->seen.plan_sha256);
    free(text);
    json_decref(plan);
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text ? text : "";
}

int plan_file_read(const char *path, struct plan_file *file, struct err *err)
{
    struct secret *text = file_read(path, PLAN_FILE_CAP, err);
    json_error_t wrong;

    memset(file, 0, sizeof(*file));
    if (!text) {
        err->cause = CAUSE_INPUT;
        return -1;
    }
    file->json = json_loadb((const char *)text->data, text->len,
                            JSON_REJECT_DUPLICATES, &wrong);
    pki_sha256(text->data, text->len, file->seen.file_sha256);
    secret_free(text);
    if (!file->json)
        return err_set(err, CAUSE_INPUT, "%s:%d: %s", path, wrong.line,
                       wrong.text);
    file->seen.json = file->json;
    if (json_integer_value(json_object_get(file->json, "certfleet_plan")) !=
            PLAN_FORMAT ||
        strlen(text_of(file->json, "hash")) != PKI_SHA256_HEX - 1)
        return err_set(err, CAUSE_INPUT,
                       "plan file %s: it is no plan of this version: make it "
                       "with `certfleet plan ... -o FILE'",
                       path);
    hash_content(file);
    return 0;
}

void plan_file_release(struct plan_file *file)
{
    json_decref(file->json);
    file->json = NULL;
}

int plan_file_check(const struct plan_file *file, struct err *err)
{
    if (strcmp(text_of(file->json, "hash"), file->seen.plan_sha256) == 0)
        return 0;
    return err_set(err, CAUSE_REFUSED,
                   "the plan file was changed: it is not what its hash "
                   "%.16s... is of; make a new plan",
                   text_of(file->json, "hash"));
}

/* -- showing -------------------------------------------------------------- */

static const json_t *of_cluster(const json_t *list, const char *name)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (strcmp(text_of(item, "cluster"), name) == 0)
            return item;
    }
    return NULL;
}

static enum severity severity_of(const char *word)
{
    for (size_t i = 0; i < sizeof(severities) / sizeof(*severities); i++)
        if (strcmp(word, severities[i]) == 0)
            return (enum severity)i;
    return SEVERITY_ERROR;
}

static void load_notes(struct plan_cluster *pc, const json_t *notes)
{
    struct arena *arena = &pc->plan->arena;
    json_t *why = json_object_get(notes, "not_due"), *item;
    size_t i;

    pc->not_due = json_is_string(why);
    snprintf(pc->why_not_due, sizeof(pc->why_not_due), "%s",
             text_of(notes, "not_due"));
    pc->outage_estimate_ms =
        (uint64_t)json_integer_value(json_object_get(notes, "outage_ms"));
    pc->degraded_estimate_ms =
        (uint64_t)json_integer_value(json_object_get(notes, "degraded_ms"));
    json_array_foreach(json_object_get(notes, "findings"), i, item)
    {
        const char *node = json_string_value(json_object_get(item, "node"));

        findings_add(&pc->findings, severity_of(text_of(item, "severity")),
                     text_of(item, "id"), arena_strdup(arena, node), "%s",
                     text_of(item, "text"));
    }
}

static int load(const struct plan_file *file, struct plan *plan,
                struct err *err)
{
    const json_t *clusters = json_object_get(file->json, "clusters");
    char hash[PKI_SHA256_HEX];

    for (size_t c = 0; c < plan->n_clusters; c++) {
        struct plan_cluster *pc = &plan->clusters[c];
        const char *name = pc->cluster->name;
        const json_t *json = of_cluster(clusters, name);

        if (!json)
            return err_set(err, CAUSE_REFUSED,
                           "cluster %s of the inventory is not in it", name);
        if (plan_cluster_load(pc, json, err) < 0)
            return -1;
        load_notes(pc, of_cluster(json_object_get(file->json, "notes"), name));
    }
    plan_hash(plan, hash);
    if (strcmp(hash, file->seen.plan_sha256) == 0)
        return 0;
    return err_set(err, CAUSE_REFUSED,
                   "with this inventory it is another plan: make a new one");
}

struct plan *plan_file_plan(const struct plan_file *file,
                            const struct plan_request *request, struct err *err)
{
    struct plan_request stored = *request;
    struct plan *plan;

    stored.stored = true; /* nothing is made: no CA is needed */
    plan = plan_new(&stored, err);
    if (plan && load(file, plan, err) < 0) {
        plan_free(plan);
        plan = NULL;
    }
    return plan;
}
