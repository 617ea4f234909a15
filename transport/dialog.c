/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/dialog.c - login, command, question, answer, prompt.  It must
 * not know where the bytes come from, nor what time it is.
 */
#include "transport/dialog.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "transport/dialog_priv.h"

struct dialog_rules {
    regex_t prompt;
    regex_t question;
    regex_t password_change;
    regex_t paste;
    bool has_question;
    bool has_password_change;
    bool has_paste;
    unsigned nudges; /* empty lines typed at a login */
    const char *answer;
};

static int compile(regex_t *re, const char *pattern, int flags, bool *has,
                   struct err *err)
{
    char why[200];
    int rc;

    *has = pattern != NULL;
    if (pattern == NULL)
        return 0;
    rc = regcomp(re, pattern, REG_EXTENDED | flags);
    if (rc == 0)
        return 0;
    *has = false;
    regerror(rc, re, why, sizeof(why));
    return err_set(err, CAUSE_SYSTEM, "dialect: the pattern '%s' is wrong: %s",
                   pattern, why);
}

struct dialog_rules *dialog_rules_new(const struct link_dialect *dialect,
                                      struct err *err)
{
    struct dialog_rules *r = calloc(1, sizeof(*r));
    const char *prompt = dialect->prompt ? dialect->prompt : "[>#$%] ?$";
    bool has_prompt;

    if (r == NULL)
        abort();
    r->answer = dialect->answer ? dialect->answer : "";
    r->nudges = dialect->start_ms / DIALOG_SILENT_MS;
    if (r->nudges < DIALOG_SYNC_MAX)
        r->nudges = DIALOG_SYNC_MAX;
    if (compile(&r->prompt, prompt, 0, &has_prompt, err) != 0) {
        free(r);
        return NULL;
    }
    if (compile(&r->question, dialect->question, REG_ICASE | REG_NOSUB,
                &r->has_question, err) != 0 ||
        compile(&r->password_change, dialect->password_change,
                REG_ICASE | REG_NOSUB, &r->has_password_change, err) != 0 ||
        compile(&r->paste, dialect->paste, REG_ICASE | REG_NOSUB, &r->has_paste,
                err) != 0) {
        dialog_rules_free(r);
        return NULL;
    }
    return r;
}

void dialog_rules_free(struct dialog_rules *r)
{
    if (r == NULL)
        return;
    regfree(&r->prompt);
    if (r->has_question)
        regfree(&r->question);
    if (r->has_password_change)
        regfree(&r->password_change);
    if (r->has_paste)
        regfree(&r->paste);
    free(r);
}

bool dialog_is_password_change(const struct dialog_rules *r, const char *text)
{
    return r->has_password_change &&
           regexec(&r->password_change, text, 0, NULL, 0) == 0;
}

void dialog_init(struct dialog *d, const struct dialog_rules *rules,
                 size_t output_cap)
{
    memset(d, 0, sizeof(*d));
    d->rules = rules;
    /* room for the echo and the prompt besides */
    str_init(&d->text, output_cap + 4096);
    str_init(&d->out, 8192);
    str_init(&d->command, 4096);
    str_init(&d->prompt, DIALOG_PROMPT_MAX);
}

void dialog_release(struct dialog *d)
{
    str_release(&d->text);
    str_release(&d->out);
    str_release(&d->command);
    str_release(&d->prompt);
}

enum dialog_state dialog_state(const struct dialog *d)
{
    return d->state;
}

static void fail(struct dialog *d, enum dialog_failure why)
{
    d->state = DIALOG_FAILED;
    d->failure = why;
    str_reset(&d->out);
}

/* The last line that has not ended: where the cursor stands. */
static const char *last_line(const struct dialog *d, size_t *len)
{
    const char *text = str_text(&d->text);
    const char *nl = memrchr(text, '\n', d->text.len);
    const char *line = nl != NULL ? nl + 1 : text;

    *len = d->text.len - (size_t)(line - text);
    return line;
}

/* Some match of the pattern must reach the end of the line. */
static bool looks_like_prompt(const struct dialog *d)
{
    size_t len, at = 0;
    const char *line = last_line(d, &len);
    regmatch_t m;

    if (len == 0 || len > DIALOG_PROMPT_MAX || memchr(line, '\0', len) != NULL)
        return false;
    while (at < len && regexec(&d->rules->prompt, line + at, 1, &m,
                               at > 0 ? REG_NOTBOL : 0) == 0) {
        if (at + (size_t)m.rm_eo == len && m.rm_eo > m.rm_so)
            return true;
        at += (size_t)m.rm_so + 1;
    }
    return false;
}

static bool is_known_prompt(const struct dialog *d)
{
    size_t len;
    const char *line = last_line(d, &len);

    return d->knows && len == d->prompt.len &&
           memcmp(line, str_text(&d->prompt), len) == 0;
}

/* Where the output begins: behind the echo of what was typed, which may
 * stand behind a prompt that was printed anew. */
static size_t echo_len(const struct dialog *d)
{
    const char *text = str_text(&d->text);
    const char *nl = memchr(text, '\n', d->text.len);
    size_t line = nl != NULL ? (size_t)(nl - text) : 0;
    size_t typed = d->command.len;

    if (nl == NULL || line < typed ||
        memcmp(nl - typed, str_text(&d->command), typed) != 0)
        return 0;
    if (line == typed)
        return line + 1;
    if (d->knows && line == typed + d->prompt.len &&
        memcmp(text, str_text(&d->prompt), d->prompt.len) == 0)
        return line + 1;
    return 0;
}

/* A terminal that echoes ends the line we typed before anything else. */
static bool is_echo_due(const struct dialog *d)
{
    return d->echoes && memchr(str_text(&d->text), '\n', d->text.len) == NULL;
}

static bool is_at_prompt(const struct dialog *d)
{
    return !is_echo_due(d) && looks_like_prompt(d);
}

/* Words that ask stand in the last lines, with nothing but themselves behind
 * them; in the middle of a long output they are only words. */
static bool ends_with(const struct dialog *d, const regex_t *words)
{
    enum {
        QUESTION_LINES = 4,
        QUESTION_BYTES = 4096
    };
    const char *text = str_text(&d->text);
    size_t from = d->text.len;
    size_t floor = d->asked_at > echo_len(d) ? d->asked_at : echo_len(d);

    if (from > QUESTION_BYTES && floor < from - QUESTION_BYTES)
        floor = from - QUESTION_BYTES;
    for (int lines = 0; from > floor; from--) {
        if (text[from - 1] == '\n' && from < d->text.len &&
            ++lines == QUESTION_LINES)
            break;
    }
    return from < d->text.len && regexec(words, text + from, 0, NULL, 0) == 0;
}

static bool wants_paste(const struct dialog *d)
{
    return d->rules->has_paste && ends_with(d, &d->rules->paste);
}

static bool is_asked(const struct dialog *d)
{
    return d->rules->has_question && ends_with(d, &d->rules->question);
}

/* Can it have what it asks for? */
static bool may_answer(const struct dialog *d)
{
    return wants_paste(d) ? d->paste != NULL : d->confirm && !d->confirmed;
}

unsigned dialog_quiet_ms(const struct dialog *d)
{
    if (d->state == DIALOG_FAILED || d->state == DIALOG_READY || d->out.len > 0)
        return 0;
    if (!d->pasting && is_at_prompt(d) && is_known_prompt(d))
        return DIALOG_SETTLE_MS;
    if (d->state == DIALOG_LOGIN) /* a wrong guess costs an empty line */
        return is_at_prompt(d) ? DIALOG_LOGIN_MS : DIALOG_SILENT_MS;
    if (is_at_prompt(d))
        return DIALOG_DOUBT_MS;
    if (d->pasting)
        return DIALOG_ASKED_MS;
    if (!is_asked(d) && !wants_paste(d))
        return 0;
    return may_answer(d) ? DIALOG_ASKED_MS : DIALOG_STUCK_MS;
}

static void type_line(struct dialog *d, const char *text)
{
    str_add(&d->out, text);
    str_addc(&d->out, '\r');
}

static void learn_prompt(struct dialog *d)
{
    size_t len;
    const char *line = last_line(d, &len);

    str_reset(&d->prompt);
    str_addn(&d->prompt, line, len);
    d->knows = true;
}

/* Nothing came for a while at the login: is this the prompt?  The answer to
 * an empty line must end in the same line. */
static void quiet_login(struct dialog *d)
{
    bool prompt = is_at_prompt(d);

    if (prompt && is_known_prompt(d) && d->synced > 0) {
        d->echoes = memchr(str_text(&d->text), '\n', d->text.len) != NULL;
        d->state = DIALOG_READY;
        str_reset(&d->text);
        return;
    }
    if (d->synced++ >= d->rules->nudges) {
        fail(d, DIALOG_NO_PROMPT);
        return;
    }
    d->knows = false;
    if (prompt)
        learn_prompt(d);
    str_reset(&d->text);
    type_line(d, "");
}

static void drop_tail(struct dialog *d, size_t len)
{
    d->text.len -= len;
    d->text.data[d->text.len] = '\0';
}

/* Some print their prompt twice. */
static void drop_prompts(struct dialog *d)
{
    size_t n = d->prompt.len;

    drop_tail(d, n);
    while (d->text.len > n && d->text.data[d->text.len - 1] == '\n' &&
           memcmp(d->text.data + d->text.len - n - 1, str_text(&d->prompt),
                  n) == 0 &&
           (d->text.len == n + 1 || d->text.data[d->text.len - n - 2] == '\n'))
        drop_tail(d, n + 1);
}

static void finish_command(struct dialog *d)
{
    learn_prompt(d); /* `hostname` may have changed it */
    drop_prompts(d);
    str_shift(&d->text, echo_len(d));
    dialog_offer(d, NULL, NULL);
    d->state = DIALOG_READY;
}

/* The next line of it, and a blank one behind the last. */
static void paste_line(struct dialog *d)
{
    size_t len = strcspn(d->paste, "\n");

    d->pasting = *d->paste != '\0';
    d->pasted_at = d->asked_at = d->text.len;
    str_addn(&d->out, d->paste, len);
    str_addc(&d->out, '\r');
    d->paste += len + (d->paste[len] == '\n');
    if (!d->pasting)
        d->paste = NULL;
}

static bool was_shown(const struct dialog *d)
{
    return d->text.len > d->pasted_at && /* it may take back what it showed */
           memchr(str_text(&d->text) + d->pasted_at, '\n',
                  d->text.len - d->pasted_at) != NULL;
}

static void quiet_busy(struct dialog *d)
{
    if (d->pasting) {
        paste_line(d);
    } else if (is_at_prompt(d)) {
        finish_command(d);
    } else if (!is_asked(d) && !wants_paste(d)) {
        return;
    } else if (!may_answer(d)) {
        fail(d, DIALOG_QUESTION);
    } else if (d->paste && wants_paste(d)) {
        paste_line(d);
    } else {
        d->confirmed = true;
        d->asked_at = d->text.len;
        type_line(d, d->answer ? d->answer : d->rules->answer);
    }
}

void dialog_quiet(struct dialog *d)
{
    if (dialog_quiet_ms(d) == 0)
        return;
    if (d->state == DIALOG_LOGIN)
        quiet_login(d);
    else
        quiet_busy(d);
}

void dialog_feed(struct dialog *d, const void *data, size_t len)
{
    if (d->state == DIALOG_FAILED || d->state == DIALOG_READY)
        return; /* nobody asked: a broadcast, a late line */
    dialog_scan(d, data, len);
    if (d->state == DIALOG_LOGIN) {
        if (dialog_is_password_change(d->rules, str_text(&d->text)))
            fail(d, DIALOG_NEW_PASSWORD);
        else if (d->text.len > DIALOG_BANNER_MAX)
            fail(d, DIALOG_NO_PROMPT);
    }
    if (d->text.cut && d->state == DIALOG_BUSY)
        fail(d, DIALOG_TOO_LONG);
    else if (d->pasting && d->out.len == 0 && was_shown(d))
        paste_line(d);
}

void dialog_offer(struct dialog *d, const char *answer, const char *paste)
{
    d->answer = answer;
    d->paste = paste;
    d->pasting = false;
}

void dialog_command(struct dialog *d, const char *text, bool confirm)
{
    str_reset(&d->text);
    str_reset(&d->command);
    str_add(&d->command, text);
    d->confirm = confirm;
    d->confirmed = false;
    d->asked_at = 0;
    d->state = DIALOG_BUSY;
    type_line(d, text);
}

const char *dialog_output(const struct dialog *d, size_t *len)
{
    *len = d->out.len;
    return str_text(&d->out);
}

void dialog_sent(struct dialog *d, size_t n)
{
    str_shift(&d->out, n);
}

const char *dialog_answer(const struct dialog *d, size_t *len)
{
    *len = d->text.len;
    return str_text(&d->text);
}

bool dialog_was_confirmed(const struct dialog *d)
{
    return d->confirmed;
}

enum dialog_failure dialog_failure(const struct dialog *d)
{
    return d->failure;
}

const char *dialog_failure_text(const struct dialog *d)
{
    static const char *const texts[] = {
        [DIALOG_NO_PROMPT] = "the login shows no prompt that we know",
        [DIALOG_NEW_PASSWORD] =
            "the login asks for a new password: log in by hand once, set it, "
            "and give the new one here",
        [DIALOG_TOO_LONG] = "it prints more than is taken of one command",
        [DIALOG_QUESTION] = "it asks a question that nobody told how to "
                            "answer",
    };

    return texts[d->failure];
}
