/* SPDX-License-Identifier: Apache-2.0
 *
 * `pki match', `verify' and `normalize': judging local files.  Says
 * SUCCESS: or FAILURE: as the MMP does, and an exit code besides.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd_pki_lint.h"
#include "cli/pki_files.h"
#include "core/base/clock.h"

enum {
    TEXT_CAP = 8 << 20
};

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

/* The answer, for people and as an object; a no is no error of ours. */
static int answer(struct app *app, bool good, const char *text)
{
    struct str visible;
    json_t *json = app_event("answer");

    str_init(&visible, 1 << 16);
    str_add_visible(&visible, text, strlen(text), false);
    out_say(&app->out, "%s%s:%s %s\n",
            out_paint(&app->out, good ? PAINT_GREEN : PAINT_RED),
            good ? "SUCCESS" : "FAILURE", out_paint(&app->out, PAINT_END),
            str_text(&visible));
    json_object_set_new(json, "state",
                        json_string(good ? "success" : "failure"));
    json_object_set_new(json, "detail", app_text(text));
    out_json(&app->out, json);
    str_release(&visible);
    return good ? EXIT_DONE : EXIT_NEGATIVE;
}

/* -- match, verify
 * -------------------------------------------------------------- */

static int need_key(const char *path, const struct secret *key, struct err *err)
{
    struct pki_cert_info info;

    if (pki_describe(key->data, key->len, &info, err) < 0)
        return err_context(err, "%s", path);
    if (info.kind != PKI_KEY)
        return err_set(err, CAUSE_INPUT, "%s: it is no private key", path);
    return 0;
}

static int need_holder(const char *path, const struct secret *cert,
                       struct err *err)
{
    struct pki_cert_info info;

    if (pki_describe(cert->data, cert->len, &info, err) < 0)
        return err_context(err, "%s", path);
    if (info.kind == PKI_KEY)
        return err_set(err, CAUSE_INPUT,
                       "%s: it is neither a certificate nor a request", path);
    return 0;
}

/* What cannot be read is no mismatch. */
static int match(struct app *app, struct secret *key, const struct secret *cert)
{
    const char **words = app->args.words;
    struct err err = {.cause = CAUSE_NONE};
    struct secret *open = pki_key_opened(app, words[0], key, &err);
    int code;

    if (!open || need_key(words[0], open, &err) < 0 ||
        need_holder(words[1], cert, &err) < 0)
        code = app_fail(app, &err);
    else if (pki_match(open->data, open->len, NULL, cert->data, cert->len,
                       &err) < 0)
        code = answer(app, false,
                      "Key and certificate problem: certificate and key do "
                      "not match");
    else
        code = answer(app, true, "Key and certificate pair match");
    secret_free(open);
    return code;
}

int cmd_pki_match(struct app *app)
{
    const char **words = app->args.words;
    struct err err = {.cause = CAUSE_NONE};
    struct secret *key = pki_file_read(words[0], &err);
    struct secret *cert = key ? pki_file_read(words[1], &err) : NULL;
    int code = cert ? match(app, key, cert) : app_fail(app, &err);

    secret_free(key);
    secret_free(cert);
    return code;
}

static enum pki_profile profile_of(const char *word)
{
    if (strcmp(word, "public") == 0)
        return PKI_PUBLIC;
    return strcmp(word, "private") == 0 ? PKI_PRIVATE : PKI_DATABASE;
}

/* Every rule of the profile, each breach a line. */
static int lint_chain(struct app *app, const struct secret *cert,
                      const struct str *bundle)
{
    const char *const *value = app->args.value;
    const char *const hosts[] = {value[OPT_HOST], NULL};
    enum pki_purpose purpose = pki_purpose_of(&app->args, PKI_SERVER);
    const struct pki_chain chain = {
        .what = purpose == PKI_CLIENT ? "client" : "server",
        .cert = cert->data,
        .cert_len = cert->len,
        .trust = str_text(bundle),
        .trust_len = bundle->len,
        .purpose = purpose,
        .profile = profile_of(value[OPT_PROFILE]),
        .hosts = hosts,
        .at = now_s(),
    };
    struct pki_findings findings = {.n = 0};
    bool bad;

    pki_lint_chain(&chain, &findings);
    for (size_t i = 0; i < findings.n; i++)
        pki_finding_tell(app, app->args.words[0], &findings.list[i]);
    bad = pki_findings_has_error(&findings);
    pki_findings_release(&findings);
    return answer(app, !bad,
                  bad ? "the chain breaks a rule of the profile"
                      : "the chain keeps to the profile");
}

static int verify(struct app *app, const struct secret *cert,
                  const struct str *bundle)
{
    struct pki_cert_info *infos = NULL;
    struct err err = {.cause = CAUSE_NONE};
    const char *files[] = {app->args.words[0], app->args.words[1]};
    size_t n;

    if (pki_describe_all(cert->data, cert->len, &infos, &n, &err) < 0)
        return app_failf(app, CAUSE_INPUT, "%s: %s", files[0], err.text);
    free(infos);
    if (pki_describe_all(bundle->data, bundle->len, &infos, &n, &err) < 0)
        return app_failf(app, CAUSE_INPUT, "%s: %s", files[1], err.text);
    free(infos);
    if (app->args.value[OPT_PROFILE])
        return lint_chain(app, cert, bundle);
    if (app->args.value[OPT_HOST] &&
        !pki_names_host(cert->data, cert->len, app->args.value[OPT_HOST]))
        return answer(app, false, "the certificate does not name the host");
    if (pki_verify(cert->data, cert->len, bundle->data, bundle->len,
                   pki_purpose_of(&app->args, PKI_ANY), now_s(), &err) < 0)
        return answer(app, false, err.text);
    return answer(app, true, "certificate verified by CA bundle");
}

/* Bundle and CA in one text: what both hold may be used. */
static int read_bundle(struct str *bundle, const char *const *paths,
                       struct err *err)
{
    for (; *paths; paths++) {
        struct secret *data = pki_file_read(*paths, err);
        int rc;

        if (!data)
            return -1;
        rc = pki_normalize(data->data, data->len, bundle, err);
        secret_free(data);
        if (rc < 0)
            return err_context(err, "%s", *paths);
    }
    return 0;
}

int cmd_pki_verify(struct app *app)
{
    const char *const *words = app->args.words;
    struct err err = {.cause = CAUSE_NONE};
    struct secret *cert = pki_file_read(words[0], &err);
    struct str bundle;
    int code;

    str_init(&bundle, TEXT_CAP);
    if (!cert || read_bundle(&bundle, words + 1, &err) < 0) {
        err.cause = CAUSE_INPUT;
        code = app_fail(app, &err);
    } else {
        code = verify(app, cert, &bundle);
    }
    secret_free(cert);
    str_release(&bundle);
    return code;
}

/* -- normalize
 * -------------------------------------------------------------------- */

static void wipe(struct str *text)
{
    if (text->data)
        explicit_bzero(text->data, text->room);
    str_release(text);
}

static int put_pem(struct app *app, const struct str *pem, struct err *err)
{
    const char *path = app->args.value[OPT_OUTPUT];
    bool key = strstr(str_text(pem), "PRIVATE KEY") != NULL;
    json_t *json;

    if (path) {
        if (pki_file_write(path, pem->data, pem->len, key, err) < 0)
            return -1;
        out_say(&app->out, "%s written\n", path);
        return 0;
    }
    if (key && (app->out.json || isatty(1)))
        return err_set(err, CAUSE_INPUT,
                       "this holds a private key: it goes to a file only, "
                       "-o FILE");
    if (!app->out.json) {
        out_raw(&app->out, pem->data, pem->len);
        return 0;
    }
    json = app_event("pem");
    json_object_set_new(json, "pem", app_text(str_text(pem)));
    out_json(&app->out, json);
    return 0;
}

static int order(struct app *app, struct str *pem, struct err *err)
{
    struct str ordered, notes;
    int rc;

    str_init(&ordered, TEXT_CAP);
    str_init(&notes, 1 << 16);
    rc = pki_chain_order(pem->data, pem->len, &ordered, &notes, err);
    if (rc == 0) {
        struct str visible;
        str_init(&visible, 1 << 18);
        str_add_visible(&visible, str_text(&notes), notes.len, true);
        if (visible.len)
            out_warn(&app->out, "%s%s", str_text(&visible),
                     visible.data[visible.len - 1] == '\n' ? "" : "\n");
        str_release(&visible);
        wipe(pem);
        str_add(pem, str_text(&ordered));
    }
    str_release(&ordered);
    str_release(&notes);
    return rc;
}

int cmd_pki_normalize(struct app *app)
{
    struct err err = {.cause = CAUSE_NONE};
    struct str pem;
    int code = EXIT_DONE;
    int rc;

    str_init(&pem, TEXT_CAP);
    rc = read_bundle(&pem, app->args.words, &err);
    if (rc == 0 && args_has(&app->args, OPT_ORDER))
        rc = order(app, &pem, &err);
    if (rc == 0)
        rc = put_pem(app, &pem, &err);
    wipe(&pem);
    if (rc < 0) {
        err.cause = CAUSE_INPUT;
        code = app_fail(app, &err);
    }
    return code;
}
