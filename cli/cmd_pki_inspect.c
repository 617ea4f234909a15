/* SPDX-License-Identifier: Apache-2.0
 *
 * `pki inspect': what local files hold, each part of each; and `pki unlock',
 * which takes the passphrase off a key.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/pki_files.h"
#include "core/base/clock.h"

enum {
    SECONDS_A_DAY = 86400
};

static void say_field(struct app *app, const char *name, const char *value)
{
    struct str visible;

    if (!value || !*value)
        return;
    str_init(&visible, 1 << 14);
    str_add_visible(&visible, value, strlen(value), false);
    out_say(&app->out, "  %-12s %s\n", name, str_text(&visible));
    str_release(&visible);
}

static void say_validity(struct app *app, const struct pki_cert_info *info)
{
    char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];
    long long left = (info->not_after - clock_wall_ms() / 1000) / SECONDS_A_DAY;

    clock_rfc3339(info->not_before * 1000, from);
    clock_rfc3339(info->not_after * 1000, to);
    out_say(&app->out, "  %-12s %.19sZ to %.19sZ (%lld days left)\n", "valid",
            from, to, left);
}

/* One part of a file, and which of how many it is. */
struct part {
    const char *path;
    const struct pki_cert_info *info;
    size_t number, of;
};

static void say_head(struct app *app, const struct part *part)
{
    static const char *const kinds[] = {
        [PKI_UNKNOWN] = "unknown",
        [PKI_KEY] = "private key",
        [PKI_CERTIFICATE] = "certificate",
        [PKI_REQUEST] = "request",
    };
    const struct pki_cert_info *info = part->info;
    char place[64] = "";

    if (part->of > 1)
        snprintf(place, sizeof(place), " (%zu of %zu)", part->number, part->of);
    out_say(&app->out, "%s%s: %s%s, %s\n", part->path, place, kinds[info->kind],
            info->kind != PKI_CERTIFICATE ? ""
            : info->is_ca                 ? " (CA)"
            : info->self_issued           ? " (self-signed)"
                                          : "",
            info->pem ? "PEM" : "DER");
}

static void say_part(struct app *app, const struct part *part)
{
    const struct pki_cert_info *info = part->info;

    say_head(app, part);
    say_field(app, "subject", info->subject);
    say_field(app, "names", info->names);
    say_field(app, "issuer", info->issuer);
    if (info->kind == PKI_CERTIFICATE)
        say_validity(app, info);
    say_field(app, "serial", info->serial);
    say_field(app, "key", info->key);
    say_field(app, "signature", info->signature);
    say_field(app, "key usage", info->usage);
    say_field(app, "purposes", info->purposes);
    say_field(app, "constraints", info->constraints);
    say_field(app, "subject id", info->subject_id);
    say_field(app, "issuer id", info->authority_id);
    say_field(app, "sha256", info->sha256);
    say_field(app, "key sha256", info->spki_sha256);
}

static void tell_part(struct app *app, const struct part *part)
{
    static const char *const kinds[] = {"unknown", "key", "certificate",
                                        "request"};
    const struct pki_cert_info *info = part->info;
    json_t *json = app_event(kinds[info->kind]);

    json_object_set_new(json, "file", app_text(part->path));
    json_object_set_new(json, "form", json_string(info->pem ? "PEM" : "DER"));
    json_object_set_new(json, "subject", app_text(info->subject));
    json_object_set_new(json, "issuer", app_text(info->issuer));
    json_object_set_new(json, "names", app_text(info->names));
    json_object_set_new(json, "serial", app_text(info->serial));
    json_object_set_new(json, "key", app_text(info->key));
    json_object_set_new(json, "signature", app_text(info->signature));
    json_object_set_new(json, "is_ca", json_boolean(info->is_ca));
    json_object_set_new(json, "usage", app_text(info->usage));
    json_object_set_new(json, "purposes", app_text(info->purposes));
    json_object_set_new(json, "constraints", app_text(info->constraints));
    json_object_set_new(json, "subject_id", app_text(info->subject_id));
    json_object_set_new(json, "authority_id", app_text(info->authority_id));
    json_object_set_new(json, "not_before", app_time(info->not_before));
    json_object_set_new(json, "not_after", app_time(info->not_after));
    json_object_set_new(json, "sha256", app_text(info->sha256));
    json_object_set_new(json, "spki_sha256", app_text(info->spki_sha256));
    out_json(&app->out, json);
}

static int inspect(struct app *app, const char *path)
{
    struct err err = {.cause = CAUSE_NONE};
    struct secret *data = pki_file_read(path, &err);
    struct pki_cert_info *infos = NULL;
    size_t n = 0;
    int rc;

    if (!data)
        return app_fail(app, &err);
    rc = pki_describe_each(data->data, data->len, &infos, &n, &err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct part part = {
            .path = path, .info = &infos[i], .number = i + 1, .of = n};
        if (app->out.json)
            tell_part(app, &part);
        else
            say_part(app, &part);
    }
    free(infos);
    secret_free(data);
    if (rc == 0)
        return EXIT_DONE;
    err_context(&err, "%s", path);
    return app_fail(app, &err);
}

int cmd_pki_inspect(struct app *app)
{
    int worst = EXIT_DONE;

    for (size_t i = 0; i < app->args.n_words; i++) {
        int code = inspect(app, app->args.words[i]);
        worst = code > worst ? code : worst;
    }
    return worst;
}

/* -- unlock --------------------------------------------------------------- */

/* *locked: whether there is anything to do.  A file that holds more is not
 * replaced by its key alone. */
static int look_at_key(const char *path, const struct secret *key, bool *locked,
                       struct err *err)
{
    struct pki_cert_info *infos;
    size_t n;
    int rc = 0;

    if (pki_describe_each(key->data, key->len, &infos, &n, err) < 0)
        return err_context(err, "%s", path);
    if (infos[0].kind != PKI_KEY)
        rc = err_set(err, CAUSE_INPUT, "%s: it is no private key", path);
    else if (n > 1)
        rc = err_set(err, CAUSE_INPUT,
                     "%s: it holds more than one key; put that into a file of "
                     "its own",
                     path);
    *locked = strcmp(infos[0].key, "encrypted") == 0;
    free(infos);
    return rc;
}

/* As the MMP does: the same name, unless -o gives another.  The old file or the
 * new one is there at every moment. */
static int unlock(struct app *app, struct secret *key, bool *locked,
                  struct err *err)
{
    const char *path = app->args.words[0];
    const char *to = app->args.value[OPT_OUTPUT];
    char *const names[] = {(char *)(uintptr_t)to, NULL};
    struct secret *open;
    int rc;

    if (pki_files_absent(names, err) < 0 ||
        look_at_key(path, key, locked, err) < 0)
        return -1;
    if (!*locked)
        return 0;
    open = pki_key_opened(app, path, key, err);
    if (!open)
        return -1;
    rc = to ? pki_file_write(to, open->data, open->len, true, err)
            : pki_file_replace(path, open->data, open->len, err);
    secret_free(open);
    return rc;
}

int cmd_pki_unlock(struct app *app)
{
    const char *path = app->args.words[0];
    const char *to = app->args.value[OPT_OUTPUT];
    struct err err = {.cause = CAUSE_NONE};
    struct secret *key = pki_file_read(path, &err);
    bool locked = false;
    json_t *json;

    if (!app->args.value[OPT_PASSPHRASE])
        app->args.value[OPT_PASSPHRASE] = "prompt";
    if (!key || unlock(app, key, &locked, &err) < 0) {
        secret_free(key);
        return app_fail(app, &err);
    }
    secret_free(key);
    if (locked)
        out_say(&app->out, "Unlocked key file %s\n", to ? to : path);
    else
        out_say(&app->out, "Key file %s is not locked; nothing was written\n",
                path);
    json = app_event("file");
    json_object_set_new(json, "file", app_text(locked && to ? to : path));
    json_object_set_new(json, "state",
                        json_string(locked ? "unlocked" : "not locked"));
    out_json(&app->out, json);
    return EXIT_DONE;
}
