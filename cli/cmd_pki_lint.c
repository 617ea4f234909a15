/* SPDX-License-Identifier: Apache-2.0
 *
 * `pki lint' and `pki checks': local files against the table of checks, and
 * the table itself.  With -i the weights are those of its [preflight].
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cmd_pki_lint.h"
#include "cli/pki_files.h"
#include "cli/table.h"
#include "core/base/clock.h"
#include "core/run/preflight.h"

enum {
    SET_FILES = 5,
    CLIENT_FILES = 3,
    PRESET_DAYS = 30
};

static const char database[] = "database";

/* What is looked at, and how it is weighed. */
struct lint {
    struct app *app;
    const struct check_setting *settings;
    const char *hosts[2];
    unsigned spare_days;
    int64_t at;
    bool bad;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* -- findings -------------------------------------------------------------- */

void pki_finding_tell(struct app *app, const char *path,
                      const struct pki_finding *f)
{
    const char *word = pki_severity_word(f->severity);
    struct str visible;
    json_t *json;

    if (app->out.json) {
        json = app_event("finding");
        json_object_set_new(json, "file", app_text(path));
        json_object_set_new(json, "finding", app_text(f->id));
        json_object_set_new(json, "state", app_text(word));
        json_object_set_new(json, "detail", app_text(f->text));
        out_json(&app->out, json);
        return;
    }
    str_init(&visible, 4096);
    str_add_visible(&visible, f->text, strlen(f->text), false);
    out_say(&app->out, "%s: %s %s: %s\n", path, word, f->id,
            str_text(&visible));
    str_release(&visible);
}

static bool is_accepted(const struct app *app, const char *id)
{
    for (size_t i = 0; i < app->args.n_accepted; i++)
        if (strcmp(app->args.accepted[i], id) == 0)
            return true;
    return false;
}

/* Weighs, tells, forgets; `what` is said when there is nothing. */
static void settle(struct lint *lint, const char *what,
                   struct pki_findings *findings)
{
    struct app *app = lint->app;

    preflight_grade_files(lint->settings, findings);
    for (size_t i = 0; i < findings->n; i++) {
        const struct pki_finding *f = &findings->list[i];

        pki_finding_tell(app, what, f);
        lint->bad = lint->bad || f->severity == PKI_ERROR ||
                    (f->severity == PKI_BLOCK && !is_accepted(app, f->id));
    }
    if (findings->n == 0)
        out_say(&app->out, "%s: nothing found\n", what);
    pki_findings_release(findings);
}

/* -- one file ---------------------------------------------------------------
 */

static void lint_form(struct lint *lint, const char *path,
                      const struct secret *data)
{
    struct pki_findings findings = {.n = 0};
    struct pki_cert_info info;

    pki_lint_file(base_name(path), data->data, data->len, &findings);
    if (pki_describe(data->data, data->len, &info, NULL) == 0 &&
        info.kind == PKI_KEY)
        pki_lint_owner(path, &findings);
    settle(lint, path, &findings);
}

/* -- a service's files ------------------------------------------------------
 */

static void lint_service(struct lint *lint, const struct pki_service *service,
                         struct secret *const *files)
{
    const struct pki_service_set set = {
        .service = service,
        .key = files[0]->data,
        .key_len = files[0]->len,
        .cert = files[1]->data,
        .cert_len = files[1]->len,
        .bundle = files[2] ? files[2]->data : NULL,
        .bundle_len = files[2] ? files[2]->len : 0,
        .hosts = lint->hosts,
        .at = lint->at,
        .spare_days = lint->spare_days,
    };
    struct pki_findings findings = {.n = 0};

    pki_lint_service(&set, &findings);
    settle(lint, service->name, &findings);
}

/* In the order of `database cluster certs'. */
static void lint_database(struct lint *lint, struct secret *const *files,
                          size_t n)
{
    struct secret *const *client = files + (n == SET_FILES ? 2 : 0);
    struct pki_db_set set = {
        .hosts = lint->hosts, .at = lint->at, .spare_days = lint->spare_days};
    struct pki_findings findings = {.n = 0};

    pki_lint_count(n, &findings);
    if (n == SET_FILES) {
        set.server_key = files[0]->data;
        set.server_key_len = files[0]->len;
        set.server_cert = files[1]->data;
        set.server_cert_len = files[1]->len;
    }
    if (n == SET_FILES || n == CLIENT_FILES) {
        set.client_key = client[0]->data;
        set.client_key_len = client[0]->len;
        set.client_cert = client[1]->data;
        set.client_cert_len = client[1]->len;
        set.ca = client[2]->data;
        set.ca_len = client[2]->len;
        pki_lint_db_set(&set, &findings);
    }
    settle(lint, database, &findings);
}

static int lint_set(struct lint *lint, struct secret *const *files, size_t n)
{
    const char *name = lint->app->args.value[OPT_SERVICE];
    const struct pki_service *service = name ? pki_service_find(name) : NULL;

    if (service && (n < 2 || n > 3 || !files[0] || !files[1]))
        return app_failf(lint->app, CAUSE_INPUT,
                         "--service %s takes KEY CERTIFICATE [BUNDLE]", name);
    if (service)
        lint_service(lint, service, files);
    else if (name)
        lint_database(lint, files, n);
    return lint->bad ? EXIT_NEGATIVE : EXIT_DONE;
}

/* -- the commands -----------------------------------------------------------
 */

static int lint_files(struct lint *lint)
{
    const struct args *args = &lint->app->args;
    struct secret **files = calloc(args->n_words + 1, sizeof(*files));
    struct err err = {.cause = CAUSE_NONE};
    int code = EXIT_DONE;
    size_t n = 0;

    if (!files)
        abort();
    for (; n < args->n_words && code == EXIT_DONE; n++) {
        files[n] = pki_file_read(args->words[n], &err);
        if (files[n])
            lint_form(lint, args->words[n], files[n]);
        else
            code = app_fail(lint->app, &err);
    }
    if (code == EXIT_DONE)
        code = lint_set(lint, files, n);
    while (n > 0)
        secret_free(files[--n]);
    free(files);
    return code;
}

static int check_accepted(struct app *app)
{
    for (size_t i = 0; i < app->args.n_accepted; i++)
        if (!preflight_acceptable(app->args.accepted[i]))
            return app_failf(app, CAUSE_INPUT,
                             "--accept %s: there is no such check, or data "
                             "depends on it (`certfleet pki checks')",
                             app->args.accepted[i]);
    return EXIT_DONE;
}

int cmd_pki_lint(struct app *app)
{
    struct lint lint = {
        .app = app,
        .hosts = {app->args.value[OPT_HOST], NULL},
        .spare_days = PRESET_DAYS,
        .at = clock_wall_ms() / 1000,
    };

    if (check_accepted(app) != EXIT_DONE)
        return EXIT_INPUT;
    if (args_has(&app->args, OPT_INVENTORY)) {
        if (!app_inventory(app))
            return EXIT_INPUT;
        lint.settings = app->inventory->checks;
        lint.spare_days = app->inventory->warn_days;
    }
    return lint_files(&lint);
}

static json_t *check_json(const struct pki_check *c)
{
    json_t *json = app_event("check");

    json_object_set_new(json, "check", app_text(c->id));
    json_object_set_new(json, "state",
                        app_text(pki_severity_word(c->severity)));
    json_object_set_new(json, "object", app_text(c->object));
    json_object_set_new(json, "detail", app_text(c->what));
    json_object_set_new(json, "source", app_text(c->source));
    json_object_set_new(json, "cure", app_text(c->cure));
    json_object_set_new(json, "keep", app_text(c->keep));
    json_object_set_new(json, "gates", app_text(c->gates));
    return json;
}

void pki_checks_page(struct str *out)
{
    str_add(out, "| check | severity | of | what is wrong | rule | what to do "
                 "|\n|---|---|---|---|---|---|\n");
    for (const struct pki_check *c = pki_checks; c->id; c++) {
        str_addf(out, "| %s | %s%s | %s | %s", c->id,
                 pki_severity_word(c->severity), c->keep ? ", kept" : "",
                 c->object, c->what);
        if (c->gates)
            str_addf(out, " (%s)", c->gates);
        str_addf(out, " | %s | %s |\n", c->source, c->cure);
    }
}

void pki_dated_page(struct str *out)
{
    str_add(out, "| issued from | what public CAs are held to | rule |\n"
                 "|---|---|---|\n");
    for (const struct pki_dated_rule *r = pki_dated_rules; r->from; r++) {
        str_addf(out, "| %s | ", r->from);
        if (r->kind == PKI_DATED_LIFETIME)
            str_addf(out, "%u days at most", r->days);
        else
            str_add(out, "no clientAuth");
        str_addf(out, " | %s |\n", r->source);
    }
}

int cmd_pki_checks(struct app *app)
{
    static const char *const heads[] = {"check", "severity", "of",
                                        "what is wrong", NULL};
    struct table table;
    struct str page;

    if (args_has(&app->args, OPT_MARKDOWN)) {
        str_init(&page, 1 << 20);
        pki_checks_page(&page);
        str_addc(&page, '\n');
        pki_dated_page(&page);
        out_say(&app->out, "%s", str_text(&page));
        str_release(&page);
        return EXIT_DONE;
    }
    table_init(&table, heads);
    for (const struct pki_check *c = pki_checks; c->id; c++) {
        out_json(&app->out, check_json(c));
        table_add(&table,
                  (const char *const[]){c->id, pki_severity_word(c->severity),
                                        c->object, c->what});
    }
    if (!app->out.json)
        table_say(&table, &app->out);
    table_release(&table);
    return EXIT_DONE;
}
