/* SPDX-License-Identifier: Apache-2.0
 *
 * The statement, the file of signatures, and which of them count.
 */
#include "core/run/approval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/base/file.h"
#include "core/pki/seal.h"
#include "core/run/plan.h"

enum {
    APPROVAL_FORMAT = 1,
    CLOCK_SLACK_S = 300, /* as for nodes: two clocks may differ */
    SECONDS_A_DAY = 86400,
    CA_CAP = 4 << 20
};

static const char *const kind_words[] = {
    [APPROVAL_SSH] = "ssh",
    [APPROVAL_X509] = "x509",
};

/* -- times ---------------------------------------------------------------- */

void approval_time_text(int64_t seconds, char text[APPROVAL_TIME_BYTES])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    gmtime_r(&t, &tm);
    if (strftime(text, APPROVAL_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = '\0';
}

/* There and back: one time has one text. */
int64_t approval_time(const char *text)
{
    char again[APPROVAL_TIME_BYTES];
    struct tm tm = {0};
    const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
    int64_t seconds;

    if (!end || *end)
        return -1;
    seconds = timegm(&tm);
    approval_time_text(seconds, again);
    return seconds >= 0 && strcmp(again, text) == 0 ? seconds : -1;
}

/* -- the statement -------------------------------------------------------- */

static json_t *cluster_names(const json_t *plan)
{
    json_t *names = json_array(), *item;
    size_t i;

    json_array_foreach(json_object_get(plan, "clusters"), i, item)
    {
        json_t *name = json_object_get(item, "cluster");

        json_array_append(names, name ? name : json_null());
    }
    return names;
}

static void copy(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);

    json_object_set(to, key, value ? value : json_null());
}

void approval_statement(const struct approval_plan *plan, const char *time,
                        struct str *out)
{
    static const char *const copied[] = {"playbook", "target", "inputs",
                                         "accepted", NULL};
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:o}", "approved", time, "plan_sha256",
                  plan->plan_sha256, "file_sha256", plan->file_sha256,
                  "clusters", cluster_names(plan->json));
    char *text;

    for (const char *const *key = copied; *key; key++)
        copy(json, plan->json, *key);
    text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    if (!text)
        abort();
    str_addf(out, "certfleet: I approve this plan (format %d)\n",
             APPROVAL_FORMAT);
    str_add(out, text);
    str_add(out, "\n");
    free(text);
    json_decref(json);
}

/* -- the file of signatures ----------------------------------------------- */

void approval_line(const struct approval *approval, struct str *out)
{
    json_t *json = json_pack(
        "{s:i, s:s, s:s, s:s, s:s}", "certfleet_approval", APPROVAL_FORMAT,
        "kind", kind_words[approval->kind], "approved", approval->time,
        "plan_sha256", approval->plan_sha256, "signature", approval->signature);
    char *text = json_dumps(json, JSON_COMPACT);

    if (!text)
        abort();
    str_add(out, text);
    str_add(out, "\n");
    free(text);
    json_decref(json);
}

static const char *text_of(struct arena *arena, const json_t *json,
                           const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return arena_strdup(arena, text ? text : "");
}

static void read_line(const char *text, size_t len, struct arena *arena,
                      struct approval *a)
{
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = text_of(arena, json, "kind");

    a->time = text_of(arena, json, "approved");
    a->plan_sha256 = text_of(arena, json, "plan_sha256");
    a->signature = text_of(arena, json, "signature");
    a->key = "";
    if (strcmp(kind, kind_words[APPROVAL_X509]) == 0)
        a->kind = APPROVAL_X509;
    else if (strcmp(kind, kind_words[APPROVAL_SSH]) != 0)
        a->why = "it is no approval of this version";
    if (json_integer_value(json_object_get(json, "certfleet_approval")) !=
        APPROVAL_FORMAT)
        a->why = "it is no approval of this version";
    json_decref(json);
}

void approvals_read(const char *text, size_t len, struct arena *arena,
                    struct approvals *out)
{
    const char *end = text + len;

    *out = (struct approvals){
        .list = arena_alloc(arena, APPROVALS_MAX * sizeof(*out->list))};
    for (unsigned number = 1; text < end; number++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t line = (size_t)((stop ? stop : end) - text);

        if (line > 0 && out->n == APPROVALS_MAX) {
            out->more = true;
            return;
        }
        if (line > 0) {
            out->list[out->n].line = number;
            read_line(text, line, arena, &out->list[out->n++]);
        }
        text += line + (stop != NULL);
    }
}

/* -- judging -------------------------------------------------------------- */

static const char *const *one_name(struct arena *arena, const char *name)
{
    const char **list = arena_alloc(arena, 2 * sizeof(*list));

    list[0] = arena_strdup(arena, name);
    return list;
}

static int judge_x509(const struct approval_case *of,
                      const struct str *statement, struct approval *a,
                      struct err *err)
{
    const char *path = of->cluster->approver_ca;
    struct secret *ca = path ? file_read(path, CA_CAP, err) : NULL;
    struct pki_sealer sealer;
    struct err why = {.cause = CAUSE_NONE};

    if (!path) {
        a->why = "the inventory has no approver_ca";
        return 0;
    }
    if (!ca)
        return -1;
    if (pki_seal_check(ca, a->signature, statement, &sealer, &why) < 0)
        a->why = arena_strdup(of->arena, why.text);
    secret_free(ca);
    if (why.cause == CAUSE_INPUT)
        return err_set(err, CAUSE_INPUT, "approver_ca %s: %s", path, why.text);
    if (sealer.principal[0])
        a->principals = one_name(of->arena, sealer.principal);
    a->key = arena_strdup(of->arena, sealer.sha256);
    return 0;
}

/* What its own words say already. */
static const char *judge_words(const struct approval_case *of,
                               const struct approval *a)
{
    int64_t t = approval_time(a->time);
    int64_t days = of->cluster->approval_days;

    if (strcmp(a->plan_sha256, of->plan->plan_sha256) != 0)
        return "it is for another plan";
    if (t < 0)
        return "its time is none";
    if (t > of->now + CLOCK_SLACK_S)
        return "it is of the future: is the clock right?";
    if (t + days * SECONDS_A_DAY < of->now)
        return arena_printf(of->arena,
                            "it is older than %u day%s (approval_days)",
                            of->cluster->approval_days, days == 1 ? "" : "s");
    return NULL;
}

static int judge_one(const struct approval_case *of, struct approval *a,
                     struct err *err)
{
    struct str statement;
    int rc;

    a->why = a->why ? a->why : judge_words(of, a);
    if (a->why)
        return 0;
    str_init(&statement, 1 << 20);
    approval_statement(of->plan, a->time, &statement);
    rc = a->kind == APPROVAL_SSH ? approval_judge_ssh(of, &statement, a, err)
                                 : judge_x509(of, &statement, a, err);
    str_release(&statement);
    if (rc == 0 && !a->why && (!a->principals || !a->principals[0]))
        a->why = "nobody is named for its key";
    return rc;
}

static bool is_one_person(const struct approval *a, const struct approval *b)
{
    if (strcmp(a->key, b->key) == 0)
        return true;
    for (const char *const *p = a->principals; *p; p++)
        for (const char *const *q = b->principals; *q; q++)
            if (strcasecmp(*p, *q) == 0)
                return true;
    return false;
}

static bool is_again(const struct approvals *approvals, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!approvals->list[i].why &&
            is_one_person(&approvals->list[i], &approvals->list[at]))
            return true;
    return false;
}

int approvals_judge(const struct approval_case *of, struct approvals *approvals,
                    struct err *err)
{
    approvals->counted = 0;
    for (size_t i = 0; i < approvals->n; i++) {
        struct approval *a = &approvals->list[i];

        if (judge_one(of, a, err) < 0)
            return -1;
        if (!a->why && is_again(approvals, i))
            a->why = "the same person has approved already";
        approvals->counted += a->why == NULL;
    }
    return 0;
}

/* -- what a run is given -------------------------------------------------- */

json_t *approvals_json(const struct approvals *approvals)
{
    json_t *list = json_array();

    for (size_t i = 0; i < approvals->n; i++) {
        const struct approval *a = &approvals->list[i];

        if (!a->why)
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:s}", "principal",
                                a->principals[0], "key", a->key, "kind",
                                kind_words[a->kind], "approved", a->time));
    }
    return list;
}

int approval_gate(const struct plan *plan, const json_t *approved,
                  struct err *err)
{
    for (size_t i = 0; i < plan->n_clusters; i++) {
        const struct cluster *c = plan->clusters[i].cluster;
        size_t has = json_array_size(json_object_get(approved, c->name));

        if (has < c->approvals)
            return err_set(err, CAUSE_REFUSED,
                           "cluster %s wants %u approval%s of a plan, and "
                           "there %s: nothing was sent to any node",
                           c->name, c->approvals, c->approvals == 1 ? "" : "s",
                           has == 0 ? "is none" : "is one");
    }
    return 0;
}
