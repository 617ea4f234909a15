/* SPDX-License-Identifier: Apache-2.0
 *
 * `report': a run out of the store, or the fleet as it is now, as one HTML
 * page.  Where the page goes; what it says is report_page.h's.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cli/html.h"
#include "cli/report_page.h"
#include "core/base/file.h"

/* Is there a place for a page?  Asked before a node is. */
static int place_check(struct app *app)
{
    if (app->out.json)
        return app_failf(app, CAUSE_INPUT,
                         "report makes an HTML page; as JSON the same facts "
                         "are told by %s",
                         args_has(&app->args, OPT_FLEET) ? "`check --json'"
                                                         : "`show --json RUN'");
    if (app->args.value[OPT_OUTPUT] || !out_say_is_terminal(&app->out))
        return EXIT_DONE;
    app_next_again(app, args_has(&app->args, OPT_FLEET) ? "-o fleet.html"
                                                        : "-o run.html");
    return app_failf(app, CAUSE_INPUT,
                     "standard output is a terminal: give the page a file "
                     "with -o FILE.html, or send it to a program");
}

static int put_page(struct app *app, const struct str *page)
{
    const char *path = app->args.value[OPT_OUTPUT];
    struct err err = {.cause = CAUSE_NONE};

    if (page->cut)
        return app_failf(app, CAUSE_SYSTEM, "more than %d MB of report",
                         HTML_CAP >> 20);
    if (!path) {
        out_raw(&app->out, str_text(page), page->len);
        return EXIT_DONE;
    }
    /* it names hosts and accounts: for its owner, who may show it around */
    if (file_write(path, str_text(page), page->len, 0600, false, &err) < 0)
        return app_fail(app, &err);
    out_say(&app->out, "wrote %s\n", path);
    return EXIT_DONE;
}

static int report_run(struct app *app, struct store *store)
{
    struct err err = {.cause = CAUSE_NONE};
    struct report report;
    struct str page, self;
    int code;

    str_init(&page, HTML_CAP);
    str_init(&self, 4096);
    if (report_read(&report, store, app->args.words[0], &err) < 0) {
        app_next(app, "certfleet runs");
        code = app_fail(app, &err);
    } else {
        snprintf(app->final.run, sizeof(app->final.run), "%s", report.id);
        app_self(app, &self);
        report_page(&report, str_text(&self), &page);
        code = put_page(app, &page);
    }
    report_release(&report);
    str_release(&self);
    str_release(&page);
    return code;
}

/* "all clusters", or the targets as they were given */
static void add_targets(struct app *app, struct str *what)
{
    if (app->args.n_words == 0)
        str_add(what, "all clusters");
    for (size_t i = 0; i < app->args.n_words; i++)
        str_addf(what, "%s%s", i ? " " : "", app->args.words[i]);
}

static int report_fleet(struct app *app)
{
    struct fleet_facts facts;
    struct str page, what;
    int code, put;

    if (!app_inventory(app))
        return EXIT_INPUT;
    code = fleet_read(app, &facts);
    str_init(&page, HTML_CAP);
    str_init(&what, 4096);
    if (code == EXIT_DONE) {
        add_targets(app, &what);
        fleet_page(&facts, str_text(&what), &page);
        put = put_page(app, &page);
        code = put != EXIT_DONE ? put : fleet_code(&facts);
    }
    str_release(&what);
    str_release(&page);
    fleet_release(&facts);
    return code;
}

int cmd_report(struct app *app)
{
    bool fleet = args_has(&app->args, OPT_FLEET);
    int code = place_check(app);

    if (code != EXIT_DONE)
        return code;
    if (fleet)
        return report_fleet(app);
    if (app->args.n_words == 1)
        return app_with_store(app, report_run);
    app_next(app, "certfleet help report");
    return app_failf(app, CAUSE_INPUT,
                     app->args.n_words
                         ? "report takes one RUN; --fleet takes targets"
                         : "report needs a RUN (`certfleet runs' lists "
                           "them), or --fleet");
}
