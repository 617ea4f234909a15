/* SPDX-License-Identifier: Apache-2.0
 *
 * The small languages inside ssh_config: words, patterns, tokens,
 * environment, algorithm lists.  Knows no rules and no files.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/sshconfig_priv.h"

/* ------------------------------------------------------------------ words */

/* One word at *text, without its quotes; -1: a quote is not closed. */
static int take_word(const char **text, struct str *word)
{
    char quote = '\0';
    const char *p;

    for (p = *text; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
        if (*p == '\\' && p[1] &&
            (strchr("'\"\\", p[1]) || (!quote && p[1] == ' ')))
            str_addc(word, *++p);
        else if (quote ? *p == quote : (*p == '"' || *p == '\''))
            quote = quote ? '\0' : *p;
        else
            str_addc(word, *p);
    }
    *text = p;
    return quote ? -1 : 0;
}

int sshconfig_split(struct arena *a, const char *text, char **words,
                    size_t room)
{
    struct str word;
    size_t n = 0;
    int rc = 0;

    str_init(&word, strlen(text) + 1);
    while (rc == 0) {
        text += strspn(text, " \t");
        if (!*text || *text == '#')
            break;
        str_reset(&word);
        rc = n < room ? take_word(&text, &word) : -1;
        if (rc == 0)
            words[n++] = arena_strdup(a, str_text(&word));
    }
    str_release(&word);
    return rc == 0 ? (int)n : -1;
}

/* --------------------------------------------------------------- patterns */

bool sshconfig_glob(const char *pattern, size_t len, const char *text,
                    bool lower)
{
    const char *end = pattern + len, *star = NULL, *retry = NULL;
    unsigned char a, b;

    while (*text) {
        a = pattern < end ? (unsigned char)*pattern : 0;
        b = (unsigned char)*text;
        if (a == '*') {
            star = ++pattern;
            retry = text;
        } else if (a == '?' || a == b || (lower && tolower(a) == tolower(b))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

bool sshconfig_matches(const char *patterns, const char *text, bool lower)
{
    const char *p = patterns, *end;
    bool positive = false, negated;

    for (;; p = end + 1) {
        end = strchrnul(p, ',');
        negated = *p == '!';
        p += negated;
        if (sshconfig_glob(p, (size_t)(end - p), text, lower)) {
            if (negated)
                return false;
            positive = true;
        }
        if (!*end)
            return positive;
    }
}

/* ----------------------------------------------------------------- tokens */

const char *sshconfig_letters(enum keyword word)
{
    switch (word) {
    case KEY_HOST_NAME:
        return "%h";
    case KEY_PROXY_JUMP:
    case KEY_PROXY_COMMAND:
        return "%hnpr";
    case KEY_IDENTITY_FILE:
    case KEY_IDENTITY_AGENT:
        return "%dhiknpru";
    default:
        return NULL;
    }
}

bool sshconfig_tokens_ok(const char *value, const char *letters, char *bad)
{
    for (const char *p = strchr(value, '%'); p; p = strchr(p + 1, '%')) {
        *bad = *++p;
        if (!*p || !strchr(letters, *p))
            return false;
    }
    return true;
}

static void add_token(struct str *out, char letter, const struct tokens *t)
{
    const char *text = "%";

    if (letter == 'i') {
        str_addf(out, "%u", (unsigned)getuid());
        return;
    }
    switch (letter) {
    case 'd':
        text = t->home;
        break;
    case 'h':
        text = t->host;
        break;
    case 'k': /* HostKeyAlias is not read */
    case 'n':
        text = t->original;
        break;
    case 'p':
        text = t->port;
        break;
    case 'r':
        text = t->remote_user;
        break;
    case 'u':
        text = t->local_user;
        break;
    }
    str_add(out, text);
}

/* Adds the value of ${NAME} at *text; leaves *text at its `}`. */
static int add_variable(struct str *out, const char **text, struct err *err)
{
    const char *end = strchr(*text, '}'), *set = NULL;
    char *name;

    if (!end)
        return err_set(err, CAUSE_INPUT, "${ without }");
    name = strndup(*text + 2, (size_t)(end - *text) - 2);
    if (!name)
        abort();
    set = getenv(name);
    if (set)
        str_add(out, set);
    else
        err_set(err, CAUSE_INPUT, "${%s} is not set", name);
    free(name);
    *text = end;
    return set ? 0 : -1;
}

int sshconfig_expand(struct str *out, const char *value, const struct tokens *t,
                     bool environment, struct err *err)
{
    for (; *value; value++) {
        if (*value == '%' && value[1])
            add_token(out, *++value, t);
        else if (!environment || strncmp(value, "${", 2) != 0)
            str_addc(out, *value);
        else if (add_variable(out, &value, err) != 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------- algorithm lists */

static bool has_name(const char *list, const char *name, size_t len)
{
    const char *end;

    for (; *list; list = *end ? end + 1 : end) {
        end = strchrnul(list, ',');
        if ((size_t)(end - list) == len && memcmp(list, name, len) == 0)
            return true;
    }
    return false;
}

/* Adds each name of `list` once, except what `without` matches. */
static void add_names(struct str *out, const char *list, const char *without)
{
    const char *end;
    char *name;
    size_t len;

    for (; *list; list = *end ? end + 1 : end) {
        end = strchrnul(list, ',');
        len = (size_t)(end - list);
        name = strndup(list, len);
        if (!name)
            abort();
        if (len > 0 && !has_name(str_text(out), name, len) &&
            !(without && sshconfig_matches(without, name, false)))
            str_addf(out, "%s%s", out->len ? "," : "", name);
        free(name);
    }
}

char *sshconfig_assemble(const char *value, const char *defaults)
{
    struct str out;
    char *text;

    defaults = defaults ? defaults : "";
    str_init(&out, strlen(value) + strlen(defaults) + 2);
    if (value[0] == '-') {
        add_names(&out, defaults, value + 1);
    } else if (value[0] == '+') {
        add_names(&out, defaults, NULL);
        add_names(&out, value + 1, NULL);
    } else if (value[0] == '^') {
        add_names(&out, value + 1, NULL);
        add_names(&out, defaults, NULL);
    } else {
        add_names(&out, value, NULL);
    }
    text = strdup(str_text(&out));
    if (!text)
        abort();
    str_release(&out);
    return text;
}
