/* SPDX-License-Identifier: Apache-2.0
 *
 * `help' and `version'.
 */
#include <jansson.h>
#include <libssh/libssh.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <string.h>
#include <uv.h>

#include "cli/app.h"
#include "cli/help.h"
#include "core/fleet/suggest.h"

/* A word of a table, or an error with what comes nearest. */
static const struct command *find_word(struct app *app,
                                       const struct command *table,
                                       const char *word)
{
    const struct command *found = command_find(table, word);
    struct err err = {.cause = CAUSE_NONE};
    struct suggest near;

    if (found)
        return found;
    suggest_start(&near, word);
    for (const struct command *c = table; c->name; c++)
        suggest_offer(&near, c->name);
    suggest_fail(&near, "no such command:", &err);
    app_fail(app, &err);
    app_next(app, "certfleet help");
    return NULL;
}

int cmd_help(struct app *app)
{
    const struct command *group = NULL, *command = NULL;
    const char **words = app->args.words;
    struct str text;

    if (words[0] && !(command = find_word(app, commands, words[0])))
        return EXIT_INPUT;
    if (words[0] && words[1]) {
        group = command;
        if (!group->subs)
            return app_failf(app, CAUSE_INPUT,
                             "`%s' has no commands of its "
                             "own",
                             group->name);
        if (!(command = find_word(app, group->subs, words[1])))
            return EXIT_INPUT;
    }
    str_init(&text, 1 << 18);
    if (args_has(&app->args, OPT_MAN))
        help_manpage(&text);
    else if (command)
        help_command(group, command, &text);
    else
        help_overview(&text);
    out_say(&app->out, "%s", str_text(&text));
    str_release(&text);
    return EXIT_DONE;
}

int cmd_version(struct app *app)
{
    const struct word_row rows[] = {
        {"certfleet", CERTFLEET_VERSION},
        {"libssh", ssh_version(0)},
        {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
        {"libuv", uv_version_string()},
        {"sqlite", sqlite3_libversion()},
        {"jansson", jansson_version_str()},
    };
    json_t *object = app_event("version");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        out_say(&app->out, "%-10s %s\n", rows[i].word, rows[i].meaning);
        json_object_set_new(object, rows[i].word, app_text(rows[i].meaning));
    }
    out_json(&app->out, object);
    return EXIT_DONE;
}
