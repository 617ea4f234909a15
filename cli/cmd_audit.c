/* SPDX-License-Identifier: Apache-2.0
 *
 * `audit verify': is the journal what was written?  Only looks: no folder is
 * made, no lock taken, and a run may be at work.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/app.h"
#include "cli/open_store.h"

/* "57:9f2c...", as an earlier audit printed it. */
static int read_anchor(const char *word, struct store_anchor *anchor,
                       struct err *err)
{
    size_t digits = strspn(word, "0123456789");
    const char *hash = word + digits + 1;

    if (digits == 0 || digits > 18 || word[digits] != ':' ||
        strlen(hash) != STORE_HASH_BYTES - 1 ||
        strspn(hash, "0123456789abcdef") != STORE_HASH_BYTES - 1)
        return err_set(err, CAUSE_INPUT,
                       "`%.100s' is no NUMBER:HASH, as `certfleet audit "
                       "verify' prints its head",
                       word);
    anchor->seq = strtoll(word, NULL, 10);
    memcpy(anchor->hash, hash, STORE_HASH_BYTES);
    return 0;
}

static json_t *head_json(const struct store_audit *audit)
{
    if (!audit->head.seq)
        return json_null();
    return json_pack("{s:I, s:o}", "seq", (json_int_t)audit->head.seq, "hash",
                     app_text(audit->head.hash));
}

static json_t *first_json(const struct store_audit *audit)
{
    json_t *json;

    if (!audit->misfits)
        return json_null();
    json = json_pack(
        "{s:o, s:o, s:o}", "seq",
        audit->first_seq ? json_integer(audit->first_seq) : json_null(), "run",
        app_text(*audit->first_run ? audit->first_run : NULL), "why",
        app_text(audit->why));
    return json;
}

static json_t *audit_json(const struct store_audit *audit)
{
    json_t *json = app_event("audit");

    json_object_set_new(json, "records", json_integer(audit->records));
    json_object_set_new(json, "runs", json_integer(audit->runs));
    json_object_set_new(json, "good", json_integer(audit->good));
    json_object_set_new(json, "misfits", json_integer(audit->misfits));
    json_object_set_new(json, "head", head_json(audit));
    json_object_set_new(json, "first", first_json(audit));
    return json;
}

static void count(struct str *out, int64_t n, const char *what)
{
    str_addf(out, "%lld %s%s", (long long)n, what, n == 1 ? "" : "s");
}

static int tell_misfits(struct app *app, const struct store_audit *audit)
{
    struct err err = {.cause = CAUSE_NONE};
    struct str text;

    err_set(&err, CAUSE_SYSTEM, "%s", audit->why);
    app_fail(app, &err);
    str_init(&text, 256);
    count(&text, audit->misfits, "misfit");
    str_add(&text, " in ");
    count(&text, audit->records, "record");
    str_add(&text, " of ");
    count(&text, audit->runs, "run");
    out_warn(&app->out,
             "%s; the %lld before the first are as they were written\n",
             str_text(&text), (long long)audit->good);
    str_release(&text);
    if (*audit->first_run)
        app_next(app, "certfleet show -v %s", audit->first_run);
    return EXIT_NEGATIVE;
}

static int tell(struct app *app, const struct store_audit *audit)
{
    struct str text;

    if (app->out.json)
        out_json(&app->out, audit_json(audit));
    if (audit->misfits)
        return tell_misfits(app, audit);
    str_init(&text, 256);
    count(&text, audit->records, "record");
    str_add(&text, " of ");
    count(&text, audit->runs, "run");
    out_say(&app->out,
            "%s: each follows from the one before, and none is missing\n",
            str_text(&text));
    str_release(&text);
    if (audit->head.seq)
        out_say(&app->out, "head %lld:%s\n", (long long)audit->head.seq,
                audit->head.hash);
    return EXIT_DONE;
}

int cmd_audit_verify(struct app *app)
{
    struct store_anchor anchor;
    struct store_audit audit;
    struct err err = {.cause = CAUSE_NONE};
    const char *word = app->args.words[0];
    struct store *store = NULL;
    int code;

    if (!app_inventory(app))
        return EXIT_INPUT;
    if (word && read_anchor(word, &anchor, &err) < 0)
        return app_fail(app, &err);
    store = open_store_reader(app->inventory, &err);
    if (store && store_audit(store, word ? &anchor : NULL, &audit, &err) == 0)
        code = tell(app, &audit);
    else
        code = app_fail(app, &err);
    store_close(store);
    return code;
}
