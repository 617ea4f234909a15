/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the command line.  Two passes: options and words first, so that a
 * wrong word never hides --json; then which command it is and whether what
 * was given fits it.
 */
#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#include "core/fleet/suggest.h"

struct reader {
    struct args *args;
    char *const *argv;
    int argc, at;
    struct err *err; /* the first fault stays */
    bool failed;
};

static void fail(struct reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void fail(struct reader *r, const char *fmt, ...)
{
    struct str text;
    va_list ap;

    if (r->failed)
        return;
    r->failed = true;
    str_init(&text, sizeof(r->err->text));
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    err_set(r->err, CAUSE_INPUT, "%s", str_text(&text));
    str_release(&text);
}

/* `what` ends where the word follows: "no such option `--". */
static void fail_near(struct reader *r, const struct suggest *near,
                      const char *what)
{
    struct str hint;

    str_init(&hint, 512);
    suggest_add(near, &hint);
    fail(r, "%s%s'%s", what, near->word, str_text(&hint));
    str_release(&hint);
}

/* Is `value` one of "a|b|c"?  A value without "|" may be anything. */
static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);

    if (!strchr(choices, '|'))
        return true;
    if (strchr(value, '|'))
        return false;
    for (const char *p = choices; p; p = strchr(p, '|')) {
        p += *p == '|';
        if (strncmp(p, value, len) == 0 && (p[len] == '|' || !p[len]))
            return true;
    }
    return false;
}

static void take(struct reader *r, enum opt opt, const char *value)
{
    const struct option_row *row = &option_rows[opt];

    if (value && !is_choice(row->value, value)) {
        fail(r, "--%s takes %s, not `%s'", row->name, row->value, value);
        return;
    }
    r->args->count[opt]++;
    r->args->value[opt] = value;
    if (opt == OPT_ACCEPT)
        r->args->accepted[r->args->n_accepted++] = value;
}

/* The word behind an option that wants one. */
static void take_next(struct reader *r, enum opt opt, const char *shown)
{
    if (r->at + 1 >= r->argc) {
        fail(r, "%s needs a value: %s", shown, option_rows[opt].value);
        return;
    }
    take(r, opt, r->argv[++r->at]);
}

static void read_long(struct reader *r, const char *word)
{
    const char *eq = strchr(word, '=');
    size_t len = eq ? (size_t)(eq - word) : strlen(word);
    struct suggest near;
    char name[32] = "";

    memcpy(name, word, len < sizeof(name) ? len : sizeof(name) - 1);
    suggest_start(&near, name);
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option_row *row = &option_rows[i];

        suggest_offer(&near, row->name);
        if (strcmp(row->name, name) != 0)
            continue;
        if (!row->value && eq)
            fail(r, "--%s takes no value", name);
        else if (row->value && !eq)
            take_next(r, (enum opt)i, r->argv[r->at]);
        else
            take(r, (enum opt)i, eq ? eq + 1 : NULL);
        return;
    }
    fail_near(r, &near, "no such option: `--");
}

static int find_letter(char letter)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (option_rows[i].letter && option_rows[i].letter == letter)
            return i;
    return -1;
}

static void read_letters(struct reader *r, const char *letters)
{
    for (const char *p = letters; *p; p++) {
        int opt = find_letter(*p);
        char shown[3] = {'-', *p, '\0'};

        if (opt < 0) {
            fail(r, "no such option: -%c (see `certfleet help')", *p);
            return;
        }
        if (!option_rows[opt].value) {
            take(r, (enum opt)opt, NULL);
            continue;
        }
        if (p[1])
            take(r, (enum opt)opt, p + 1 + (p[1] == '='));
        else
            take_next(r, (enum opt)opt, shown);
        return;
    }
}

static void read_words(struct reader *r)
{
    bool options = true;

    for (r->at = 1; r->at < r->argc; r->at++) {
        const char *word = r->argv[r->at];

        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && strncmp(word, "--", 2) == 0)
            read_long(r, word + 2);
        else if (options && word[0] == '-' && word[1])
            read_letters(r, word + 1);
        else
            r->args->words[r->args->n_words++] = word;
    }
}

static const struct command *pick(struct reader *r, const struct command *table,
                                  const char *what)
{
    struct args *args = r->args;
    const struct command *found = command_find(table, args->words[0]);
    struct suggest near;

    if (!found) {
        suggest_start(&near, args->words[0]);
        for (const struct command *c = table; c->name; c++)
            suggest_offer(&near, c->name);
        fail_near(r, &near, what);
        return NULL;
    }
    memmove(args->words, args->words + 1, args->n_words * sizeof(char *));
    args->n_words--;
    return found;
}

static void check_options(struct reader *r)
{
    const struct args *args = r->args;

    for (int i = OPT_GLOBALS; i < OPT_COUNT; i++)
        if (args->count[i] && !(args->command->options & OPT_BIT(i)))
            fail(r, "`%s%s%s' has no option --%s",
                 args->group ? args->group->name : "", args->group ? " " : "",
                 args->command->name, option_rows[i].name);
}

static void check_words(struct reader *r)
{
    const struct args *args = r->args;
    const struct command *c = args->command;
    const char *group = args->group ? args->group->name : "";
    const char *blank = args->group ? " " : "";

    if (args->count[OPT_HELP] || args->count[OPT_VERSION])
        return;
    if (args->n_words < c->min_words)
        fail(r, "something is missing: certfleet %s%s%s %s", group, blank,
             c->name, c->synopsis);
    if (args->n_words > c->max_words)
        fail(r, "`%s' is too much: certfleet %s%s%s %s",
             args->words[c->max_words], group, blank, c->name, c->synopsis);
}

static void find_command(struct reader *r, const struct command *table)
{
    struct args *args = r->args;

    if (args->n_words == 0)
        return;
    args->command = pick(r, table, "no such command: `");
    if (!args->command || !args->command->subs)
        return;
    if (args->count[OPT_HELP] && args->n_words == 0)
        return;
    args->group = args->command;
    args->command = NULL;
    if (args->n_words == 0)
        fail(r, "something is missing: certfleet %s %s", args->group->name,
             args->group->synopsis);
    else
        args->command = pick(r, args->group->subs, "no such command: `");
}

int args_read(struct args *args, const struct command *table, int argc,
              char *const *argv, struct err *err)
{
    struct reader r = {.args = args, .argv = argv, .argc = argc, .err = err};

    memset(args, 0, sizeof(*args));
    args->words = calloc((size_t)argc + 1, sizeof(char *));
    args->accepted = calloc((size_t)argc + 1, sizeof(char *));
    if (!args->words || !args->accepted)
        abort();
    read_words(&r);
    find_command(&r, table);
    if (args->command) {
        check_options(&r);
        check_words(&r);
    }
    return r.failed ? -1 : 0;
}

void args_release(struct args *args)
{
    free(args->words);
    free(args->accepted);
    memset(args, 0, sizeof(*args));
}

bool args_has(const struct args *args, enum opt opt)
{
    return args->count[opt] > 0;
}

void args_split_inputs(const char *const *words, const char ***plain,
                       const char ***inputs)
{
    size_t n = 0, n_plain = 0, n_inputs = 0;

    while (words[n])
        n++;
    *plain = calloc(n + 1, sizeof(char *));
    *inputs = calloc(n + 1, sizeof(char *));
    if (!*plain || !*inputs)
        abort();
    for (size_t i = 0; i < n; i++)
        if (strchr(words[i], '='))
            (*inputs)[n_inputs++] = words[i];
        else
            (*plain)[n_plain++] = words[i];
}
