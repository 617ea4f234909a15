/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads ssh_config into rules: keywords, Host, Match, Include, and whether
 * each value can be understood.  Which rules a host meets is in
 * sshconfig_resolve.c.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/file.h"
#include "core/base/log.h"
#include "transport/sshconfig_priv.h"

enum {
    FILE_CAP = 4 * 1024 * 1024,
    FILES_CAP = 1000,    /* two files that include each other twice ... */
    RULES_CAP = 1000000, /* ... would be 2^16 */
    WORDS_CAP = 1024,
};

static const struct {
    const char *name;
    enum keyword word;
} keywords[] = {
    // clang-format off
    {"host",                        KEY_HOST},
    {"match",                       KEY_MATCH},
    {"include",                     KEY_INCLUDE},
    {"hostname",                    KEY_HOST_NAME},
    {"port",                        KEY_PORT},
    {"user",                        KEY_USER},
    {"identityfile",                KEY_IDENTITY_FILE},
    {"identitiesonly",              KEY_IDENTITIES_ONLY},
    {"identityagent",               KEY_IDENTITY_AGENT},
    {"proxyjump",                   KEY_PROXY_JUMP},
    {"proxycommand",                KEY_PROXY_COMMAND},
    {"kexalgorithms",               KEY_KEX},
    {"ciphers",                     KEY_CIPHERS},
    {"macs",                        KEY_MACS},
    {"hostkeyalgorithms",           KEY_HOST_KEYS},
    {"pubkeyacceptedalgorithms",    KEY_PUBKEYS},
    {"pubkeyacceptedkeytypes",      KEY_PUBKEYS},
    // clang-format on
};

static const struct {
    const char *name;
    enum cond_kind kind;
    bool alone; /* takes no patterns */
} conditions[] = {
    // clang-format off
    {"all",          COND_ALL,           true},
    {"host",         COND_HOST,          false},
    {"originalhost", COND_ORIGINAL_HOST, false},
    {"user",         COND_USER,          false},
    {"localuser",    COND_LOCAL_USER,    false},
    {"exec",         COND_NEVER,         false},
    {"canonical",    COND_NEVER,         true},
    {"final",        COND_NEVER,         true},
    {"localnetwork", COND_NEVER,         false},
    {"tagged",       COND_NEVER,         false},
    {"version",      COND_NEVER,         false},
    {"sessiontype",  COND_NEVER,         false},
    {"command",      COND_NEVER,         false},
    // clang-format on
};

/* Where a line is, for errors. */
struct place {
    const char *file;
    unsigned line, depth;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int bad(struct err *err, const struct place *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int bad(struct err *err, const struct place *at, const char *fmt, ...)
{
    struct str text;
    va_list ap;

    str_init(&text, 512);
    va_start(ap, fmt);
    str_addv(&text, fmt, ap);
    va_end(ap);
    err_set(err, CAUSE_INPUT, "%s line %u: %s", at->file, at->line,
            str_text(&text));
    str_release(&text);
    return -1;
}

static struct rule *add_rule(struct sshconfig *c, enum rule_kind kind,
                             const struct place *at)
{
    struct rule *rule;

    if (c->n == c->room) {
        c->room = c->room ? c->room * 2 : 64;
        c->rules = reallocarray(c->rules, c->room, sizeof(*c->rules));
        if (!c->rules)
            abort();
    }
    rule = &c->rules[c->n++];
    *rule = (struct rule){.kind = kind, .file = at->file, .line = at->line};
    return rule;
}

/* ---------------------------------------------------------- Host and Match */

static void add_host(struct sshconfig *c, const struct place *at, char **words,
                     size_t n)
{
    struct rule *rule = add_rule(c, RULE_HOST, at);

    rule->patterns = arena_alloc(&c->arena, n * sizeof(*words));
    memcpy(rule->patterns, words, n * sizeof(*words));
    rule->n = n;
}

static void warn_of(struct sshconfig *c, const struct place *at,
                    const char *name)
{
    if (!c->warned)
        log_warn("%s line %u: Match %s is not supported and never matches",
                 at->file, at->line, name);
    c->warned = true;
}

/* The words of a line, and the next one. */
struct words {
    char **at;
    size_t n, next;
};

/* The patterns of a condition: `value` is what followed a `=` in its own word;
 * else the next word, which may begin with the `=`, or the one after it. */
static char *take_patterns(struct words *w, char *value)
{
    if (value && *value)
        return value;
    value = w->next < w->n ? w->at[w->next++] : NULL;
    if (!value || value[0] != '=')
        return value;
    if (value[1])
        return value + 1;
    return w->next < w->n ? w->at[w->next++] : NULL;
}

static int add_cond(struct sshconfig *c, const struct place *at,
                    struct words *w, struct cond *cond, struct err *err)
{
    char *name = w->at[w->next++], *value = strchr(name, '=');
    size_t k = 0;

    if (value)
        *value++ = '\0';
    cond->negated = name[0] == '!';
    name += cond->negated;
    while (k < COUNT(conditions) && strcasecmp(name, conditions[k].name) != 0)
        k++;
    if (k == COUNT(conditions))
        return bad(err, at, "Match has no condition \"%s\"", name);
    cond->kind = conditions[k].kind;
    if (cond->kind == COND_NEVER)
        warn_of(c, at, conditions[k].name);
    if (conditions[k].alone)
        return 0;
    cond->patterns = take_patterns(w, value);
    if (!cond->patterns || !*cond->patterns)
        return bad(err, at, "Match %s without patterns", name);
    return 0;
}

static int add_match(struct sshconfig *c, const struct place *at, char **words,
                     size_t n, struct err *err)
{
    struct rule *rule = add_rule(c, RULE_MATCH, at);
    struct words w = {.at = words, .n = n};

    rule->conds = arena_alloc(&c->arena, n * sizeof(*rule->conds));
    while (w.next < n)
        if (add_cond(c, at, &w, &rule->conds[rule->n++], err) != 0)
            return -1;
    for (size_t i = 0; i < rule->n; i++)
        if (rule->conds[i].kind == COND_ALL &&
            (rule->conds[i].negated || i + 1 < rule->n ||
             (i > 0 && rule->conds[i - 1].kind != COND_NEVER)))
            return bad(err, at, "Match all stands with other conditions");
    return 0;
}

/* ----------------------------------------------------------------- values */

static int check_port(const char *value, unsigned *number)
{
    char *end;
    unsigned long n;

    if (strspn(value, "0123456789") != strlen(value))
        return -1;
    n = strtoul(value, &end, 10);
    *number = (unsigned)n;
    return *value && n >= 1 && n <= 65535 ? 0 : -1;
}

static int check_yes(const char *value, unsigned *number)
{
    *number = strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0;
    return *number || strcasecmp(value, "no") == 0 ||
                   strcasecmp(value, "false") == 0
               ? 0
               : -1;
}

/* [user@]host[:port], [v6]:port, ssh://...; with commas; or none. */
static bool is_jump(const char *value)
{
    const char *p = value, *end, *host;

    if (value[0] == '\0')
        return false;
    for (;; p = end + 1) {
        end = strchrnul(p, ',');
        host = memrchr(p, '@', (size_t)(end - p));
        host = host ? host + 1 : p;
        if (host == end || *host == '-' || *p == '-')
            return false;
        if (!*end)
            return true;
    }
}

static int check_value(const struct place *at, struct rule *rule,
                       struct err *err)
{
    const char *value = rule->value, *letters;
    char token = '\0';

    if (!*value)
        return bad(err, at, "the value is empty");
    letters = sshconfig_letters(rule->word);
    if (letters && !sshconfig_tokens_ok(value, letters, &token))
        return bad(err, at, "the token %%%.1s is not supported here", &token);
    if (rule->word == KEY_PORT && check_port(value, &rule->number) != 0)
        return bad(err, at, "\"%s\" is not a port", value);
    if (rule->word == KEY_IDENTITIES_ONLY &&
        check_yes(value, &rule->number) != 0)
        return bad(err, at, "\"%s\" is not yes or no", value);
    if (rule->word == KEY_PROXY_JUMP && !is_jump(value))
        return bad(err, at, "\"%s\" is not a list of hosts", value);
    if ((rule->word == KEY_IDENTITY_FILE || rule->word == KEY_IDENTITY_AGENT) &&
        value[0] == '~' && value[1] && value[1] != '/')
        return bad(err, at, "%s: only ~/ is supported", value);
    if (rule->word >= KEY_KEX && rule->word <= KEY_PUBKEYS &&
        strspn(value, "+-^,") == strlen(value))
        return bad(err, at, "\"%s\" names no algorithm", value);
    return 0;
}

static int add_value(struct sshconfig *c, const struct place *at,
                     enum keyword word, const char *value, struct err *err)
{
    struct rule *rule = add_rule(c, RULE_SET, at);

    rule->word = word;
    rule->value = value;
    return check_value(at, rule, err);
}

/* ---------------------------------------------------------------- Include */

static int read_file(struct sshconfig *c, const char *path, unsigned depth,
                     struct err *err);

static int include_one(struct sshconfig *c, const struct place *at,
                       const char *path, struct err *err)
{
    int rc;

    if (at->depth + 1 > INCLUDE_DEPTH)
        return bad(err, at, "Include is nested too deep");
    if (!file_exists(path))
        return 0; /* as ssh: what is not there says nothing */
    add_rule(c, RULE_PUSH, at);
    rc = read_file(c, path, at->depth + 1, err);
    add_rule(c, RULE_POP, at);
    return rc;
}

static int include(struct sshconfig *c, const struct place *at,
                   const char *pattern, struct err *err)
{
    char *path;
    glob_t found;
    int rc = 0;

    if (pattern[0] == '~' && pattern[1] && pattern[1] != '/')
        return bad(err, at, "%s: only ~/ is supported", pattern);
    if (pattern[0] == '/')
        path = arena_strdup(&c->arena, pattern);
    else if (pattern[0] == '~')
        path = arena_printf(&c->arena, "%s%s", c->home, pattern + 1);
    else
        path = arena_printf(&c->arena, "%s/.ssh/%s", c->home, pattern);
    memset(&found, 0, sizeof(found));
    if (glob(path, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
            rc = include_one(c, at, found.gl_pathv[i], err);
    globfree(&found);
    return rc;
}

/* ------------------------------------------------------------------ lines */

static int find_keyword(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (strlen(keywords[i].name) == len &&
            strncasecmp(keywords[i].name, name, len) == 0)
            return (int)keywords[i].word;
    return -1;
}

static int use_words(struct sshconfig *c, const struct place *at,
                     enum keyword word, const char *rest, struct err *err)
{
    char *words[WORDS_CAP];
    int n = sshconfig_split(&c->arena, rest, words, WORDS_CAP), rc = 0;

    if (n < 0)
        return bad(err, at, "a quote is not closed, or too many words");
    if (n == 0)
        return bad(err, at, "the value is missing");
    if (word == KEY_HOST) {
        add_host(c, at, words, (size_t)n);
        return 0;
    }
    if (word == KEY_MATCH)
        return add_match(c, at, words, (size_t)n, err);
    if (word == KEY_INCLUDE) {
        for (int i = 0; i < n && rc == 0; i++)
            rc = include(c, at, words[i], err);
        return rc;
    }
    if (n > 1)
        return bad(err, at, "more than one value");
    return add_value(c, at, word, words[0], err);
}

static int read_line(struct sshconfig *c, const struct place *at, char *line,
                     struct err *err)
{
    size_t len = strlen(line);
    char *name, *rest;
    int word;

    while (len > 0 && strchr(" \t\r\n\f", line[len - 1]))
        line[--len] = '\0';
    name = line + strspn(line, " \t");
    if (!*name || *name == '#')
        return 0;
    len = strcspn(name, " \t=");
    word = find_keyword(name, len);
    if (word < 0)
        return 0;
    rest = name + len;
    rest += strspn(rest, " \t");
    if (*rest == '=')
        rest += 1 + strspn(rest + 1, " \t");
    if (word == KEY_PROXY_COMMAND) /* a line for the shell, quotes and all */
        return add_value(c, at, KEY_PROXY_COMMAND,
                         arena_strdup(&c->arena, rest), err);
    return use_words(c, at, (enum keyword)word, rest, err);
}

static int read_file(struct sshconfig *c, const char *path, unsigned depth,
                     struct err *err)
{
    struct place at = {.file = arena_strdup(&c->arena, path), .depth = depth};
    struct secret *text;
    char *rest, *line;
    int rc = 0;

    if (++c->files > FILES_CAP) {
        at.line = 1;
        return bad(err, &at, "too many files are included");
    }
    text = file_read(path, FILE_CAP, err);
    if (!text) {
        if (err)
            err->cause = CAUSE_INPUT;
        return -1;
    }
    if (memchr(text->data, '\0', text->len))
        rc = err_set(err, CAUSE_INPUT, "%s is not a text", path);
    rest = (char *)text->data;
    while (rc == 0 && (line = strsep(&rest, "\n"))) {
        at.line++;
        rc = c->n < RULES_CAP ? read_line(c, &at, line, err)
                              : bad(err, &at, "too many lines");
    }
    secret_free(text);
    return rc;
}

struct sshconfig *sshconfig_load(const char *path, const char *home,
                                 struct err *err)
{
    struct sshconfig *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    arena_init(&c->arena);
    c->home = arena_strdup(&c->arena, home ? home : "");
    if (!path || read_file(c, path, 0, err) == 0)
        return c;
    sshconfig_free(c);
    return NULL;
}

void sshconfig_free(struct sshconfig *c)
{
    if (!c)
        return;
    free(c->rules);
    arena_release(&c->arena);
    free(c);
}
