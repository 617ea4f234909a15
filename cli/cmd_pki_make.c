/* SPDX-License-Identifier: Apache-2.0
 *
 * `pki csr', `selfsigned' and `sign': making local files, never over others.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/pki_files.h"
#include "cli/selfsigned.h"
#include "core/base/arena.h"
#include "core/base/clock.h"

enum {
    CA_DAYS = 3650,
    LEAF_DAYS = 825
};

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static const char *key_kind(const struct app *app)
{
    const char *kind = app->args.value[OPT_KEY];

    return kind ? kind : "rsa:2048";
}

static void say_made(struct app *app, const char *what, const char *path)
{
    json_t *json = app_event("file");

    out_say(&app->out, "Created %s %s\n", what, path);
    json_object_set_new(json, "file", app_text(path));
    json_object_set_new(json, "state", app_text(what));
    out_json(&app->out, json);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* A base name that an MMP takes, too (facts: no "." and no "_"). */
static int check_base(struct app *app, const char *base)
{
    const char *name = base_name(base);

    if (!*name || strchr(name, ':'))
        return app_failf(app, CAUSE_INPUT,
                         "the first word is the base name of the files, not "
                         "`%s'",
                         base);
    if (strpbrk(name, "._"))
        out_warn(&app->out,
                 "warning: an MMP takes no `.' and no `_' in a "
                 "base name: %s\n",
                 name);
    return EXIT_DONE;
}

/* -- csr, selfsigned: a key and what is made of it
 * ----------------------------- */

struct making {
    struct app *app;
    char *key_path, *path; /* BASE.key and BASE.csr or .crt */
    struct pki_words words;
    enum pki_purpose purpose;
    unsigned days;
    bool selfsigned;
};

static int make_pem(struct making *m, const struct secret *key, char **pem,
                    struct err *err)
{
    char *request;
    int rc;

    if (pki_request(key, &m->words.subject, m->purpose, &request, err) < 0)
        return -1;
    if (!m->selfsigned) {
        *pem = request;
        return 0;
    }
    rc = selfsigned_make(key, request, m->days, now_s(), pem, err);
    free(request);
    return rc;
}

/* The key first: a certificate whose key is lost is worth nothing. */
static int make(struct making *m, struct err *err)
{
    char *const names[] = {m->key_path, m->path, NULL};
    struct secret *key;
    char *pem = NULL;
    int rc;

    if (pki_key_kind_check(key_kind(m->app), err) < 0 ||
        pki_files_absent(names, err) < 0)
        return -1;
    key = pki_key_make(key_kind(m->app), err);
    if (!key)
        return -1;
    rc = make_pem(m, key, &pem, err);
    if (rc == 0)
        rc = pki_file_write(m->key_path, key->data, key->len, true, err);
    if (rc == 0)
        rc = pki_file_write(m->path, pem, strlen(pem), false, err);
    free(pem);
    secret_free(key);
    return rc;
}

static int make_all(struct making *m)
{
    struct app *app = m->app;
    struct err err = {.cause = CAUSE_NONE};

    if (pki_words_read(&m->words, (const char *const *)app->args.words + 1,
                       &err) < 0)
        return app_fail(app, &err);
    if (!m->words.subject.common_name && m->selfsigned)
        m->words.subject.common_name = base_name(app->args.words[0]);
    if (!m->words.subject.common_name)
        return app_failf(app, CAUSE_INPUT, "CN:VALUE is missing");
    m->days = pki_days_of(&app->args, CA_DAYS, &err);
    if (m->days == 0 || make(m, &err) < 0)
        return app_fail(app, &err);
    say_made(app, "key file", m->key_path);
    say_made(app, m->selfsigned ? "certificate" : "CSR", m->path);
    return EXIT_DONE;
}

static int make_with_key(struct app *app, bool selfsigned)
{
    const char *base = app->args.words[0];
    struct making m = {
        .app = app,
        .key_path = pki_file_name(base, "key"),
        .path = pki_file_name(base, selfsigned ? "crt" : "csr"),
        .purpose = pki_purpose_of(&app->args, PKI_ANY),
        .selfsigned = selfsigned,
    };
    int code = check_base(app, base);

    if (code == EXIT_DONE) {
        code = make_all(&m);
        pki_words_release(&m.words);
    }
    free(m.key_path);
    free(m.path);
    return code;
}

int cmd_pki_csr(struct app *app)
{
    return make_with_key(app, false);
}

int cmd_pki_selfsigned(struct app *app)
{
    return make_with_key(app, true);
}

/* -- sign ----------------------------------------------------------------- */

/* Our CA's key may be locked; what is refused names its file. */
static int open_ca(struct app *app, struct pki_ca *ca, struct err *err)
{
    const char *base = app->args.words[1];
    char *cert = pki_file_name(base, "crt");
    char *key = pki_file_name(base, "key");
    struct secret *password;
    struct pki_ca_options options = {
        .cert_path = cert,
        .key_path = key,
        .cluster = "",
        .key = "rsa:2048",
        .days = CA_DAYS,
        .now = now_s(),
    };
    int rc = pki_passphrase(app, key, &password, err);

    options.password = password;
    if (rc == 0)
        rc = pki_ca_open(&options, ca, NULL, err);
    secret_free(password);
    free(cert);
    free(key);
    return rc;
}

/* PEM or DER, as one text. */
static int read_request(const char *path, struct str *pem, struct err *err)
{
    struct secret *data = pki_file_read(path, err);
    int rc;

    if (!data)
        return -1;
    rc = pki_normalize(data->data, data->len, pem, err);
    secret_free(data);
    return rc < 0 ? err_context(err, "%s", path) : 0;
}

static int sign(struct app *app, const char *path, const char *csr_path,
                struct err *err)
{
    unsigned days = pki_days_of(&app->args, LEAF_DAYS, err);
    struct pki_ca ca = {.cert_pem = NULL};
    struct str csr;
    char *pem = NULL;
    int rc = -1;

    str_init(&csr, 1 << 20);
    if (days > 0 && read_request(csr_path, &csr, err) == 0 &&
        open_ca(app, &ca, err) == 0) {
        rc = pki_sign_request(&ca, str_text(&csr),
                              pki_purpose_of(&app->args, PKI_SERVER), days,
                              now_s(), &pem, err);
        if (rc < 0)
            err_context(err, "%s", csr_path);
    }
    if (rc == 0)
        rc = pki_file_write(path, pem, strlen(pem), false, err);
    free(pem);
    str_release(&csr);
    pki_ca_release(&ca);
    return rc;
}

int cmd_pki_sign(struct app *app)
{
    const char *base = app->args.words[0];
    char *csr_path = pki_file_name(base, "csr");
    char *path = pki_file_name(base, "crt");
    char *const names[] = {path, NULL};
    struct err err = {.cause = CAUSE_NONE};
    int code = EXIT_DONE;

    if (pki_files_absent(names, &err) < 0 ||
        sign(app, path, csr_path, &err) < 0) {
        err.cause = CAUSE_INPUT;
        code = app_fail(app, &err);
    } else {
        say_made(app, "certificate", path);
    }
    free(csr_path);
    free(path);
    return code;
}
