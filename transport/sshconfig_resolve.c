/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over the rules for one host: which match, the first value of each
 * keyword, then the expansions.  No file is read here.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transport/sshconfig_priv.h"

enum {
    KEY_VALUES = KEY_PUBKEYS + 1,
    IDENTITIES_CAP = 100
};

struct walk {
    const struct sshconfig_query *query;
    const struct rule *values[KEY_VALUES]; /* the first of each */
    const struct rule *identities[IDENTITIES_CAP];
    size_t n_identities;
    bool active;
    bool saved[INCLUDE_DEPTH + 1]; /* what was active around an Include */
    unsigned depth, never;         /* never: so many of them are not active */
};

static char *copy(const char *text)
{
    char *p = strdup(text);

    if (!p)
        abort();
    return p;
}

/* --------------------------------------------------------------- matching */

static bool host_matches(const struct rule *rule, const char *host)
{
    bool positive = false, negated;
    const char *p;

    for (size_t i = 0; i < rule->n; i++) {
        p = rule->patterns[i];
        negated = p[0] == '!';
        p += negated;
        if (!sshconfig_glob(p, strlen(p), host, false))
            continue;
        if (negated)
            return false;
        positive = true;
    }
    return positive;
}

/* HostName as far as it has been read, else the host as asked for. */
static char *host_so_far(const struct walk *w)
{
    const struct rule *name = w->values[KEY_HOST_NAME];
    struct tokens t = {.host = w->query->host};
    struct str text;
    char *host;

    if (!name)
        return copy(w->query->host);
    str_init(&text, 4096);
    sshconfig_expand(&text, name->value, &t, false, NULL);
    host = copy(str_text(&text));
    str_release(&text);
    return host;
}

static bool host_cond(const struct walk *w, const struct cond *cond)
{
    char *host = host_so_far(w);
    bool met = sshconfig_matches(cond->patterns, host, true);

    free(host);
    return met;
}

static const char *user_so_far(const struct walk *w)
{
    if (w->query->user)
        return w->query->user;
    if (w->values[KEY_USER])
        return w->values[KEY_USER]->value;
    return w->query->local_user ? w->query->local_user : "";
}

static bool cond_met(const struct walk *w, const struct cond *cond)
{
    const struct sshconfig_query *q = w->query;

    switch (cond->kind) {
    case COND_ALL:
        return true;
    case COND_HOST:
        return host_cond(w, cond);
    case COND_ORIGINAL_HOST:
        return sshconfig_matches(cond->patterns, q->host, true);
    case COND_USER:
        return sshconfig_matches(cond->patterns, user_so_far(w), false);
    case COND_LOCAL_USER:
        return sshconfig_matches(cond->patterns,
                                 q->local_user ? q->local_user : "", false);
    case COND_NEVER:
        break;
    }
    return false;
}

static bool match_met(const struct walk *w, const struct rule *rule)
{
    for (size_t i = 0; i < rule->n; i++) {
        if (rule->conds[i].kind == COND_NEVER)
            return false;
        if (cond_met(w, &rule->conds[i]) == rule->conds[i].negated)
            return false;
    }
    return true;
}

/* --------------------------------------------------------------- the walk */

static void add_identity(struct walk *w, const struct rule *rule)
{
    for (size_t i = 0; i < w->n_identities; i++)
        if (strcmp(w->identities[i]->value, rule->value) == 0)
            return;
    if (w->n_identities < IDENTITIES_CAP)
        w->identities[w->n_identities++] = rule;
}

static void set(struct walk *w, const struct rule *rule)
{
    if (rule->word == KEY_IDENTITY_FILE) {
        add_identity(w, rule);
        return;
    }
    /* of ProxyJump and ProxyCommand the first one shuts the other out */
    if (rule->word == KEY_PROXY_JUMP && w->values[KEY_PROXY_COMMAND])
        return;
    if (rule->word == KEY_PROXY_COMMAND && w->values[KEY_PROXY_JUMP])
        return;
    if (!w->values[rule->word])
        w->values[rule->word] = rule;
}

static void step(struct walk *w, const struct rule *rule)
{
    switch (rule->kind) {
    case RULE_HOST:
        w->active = !w->never && host_matches(rule, w->query->host);
        break;
    case RULE_MATCH:
        w->active = !w->never && match_met(w, rule);
        break;
    case RULE_SET:
        if (w->active)
            set(w, rule);
        break;
    case RULE_PUSH: /* inside a block that does not match nothing does */
        w->never += !w->active;
        w->saved[w->depth++] = w->active;
        break;
    case RULE_POP:
        w->active = w->saved[--w->depth];
        w->never -= !w->active;
        break;
    }
}

/* --------------------------------------------------------------- answers */

static bool is_none(const char *value)
{
    return strcasecmp(value, "none") == 0;
}

static char *expand(const char *value, const struct tokens *t)
{
    struct str text;
    char *out;

    str_init(&text, 8192);
    sshconfig_expand(&text, value, t, false, NULL);
    out = copy(str_text(&text));
    str_release(&text);
    return out;
}

/* Also ~/ and ${ENVIRONMENT}. */
static char *expand_path(const struct rule *rule, const struct tokens *t,
                         struct err *err)
{
    const char *value = rule->value;
    struct str text;
    char *out = NULL;

    str_init(&text, 8192);
    if (value[0] == '~') {
        str_add(&text, t->home);
        value++;
    }
    if (sshconfig_expand(&text, value, t, true, err) == 0)
        out = copy(str_text(&text));
    else
        err_context(err, "%s line %u", rule->file, rule->line);
    str_release(&text);
    return out;
}

static int add_identities(const struct walk *w, const struct tokens *t,
                          struct sshconfig_host *out, struct err *err)
{
    char *path;

    out->identities = calloc(w->n_identities + 1, sizeof(char *));
    if (!out->identities)
        abort();
    for (size_t i = 0; i < w->n_identities; i++) {
        if (is_none(w->identities[i]->value)) {
            out->identities_none = true;
            continue;
        }
        path = expand_path(w->identities[i], t, err);
        if (!path)
            return -1;
        out->identities[out->n_identities++] = path;
    }
    return 0;
}

static int set_agent(const struct rule *rule, const struct tokens *t,
                     struct sshconfig_host *out, struct err *err)
{
    const char *set;

    if (!rule)
        return 0;
    if (is_none(rule->value))
        out->agent = copy("none");
    else if (strcmp(rule->value, "SSH_AUTH_SOCK") == 0)
        out->agent = copy(rule->value);
    else if (rule->value[0] == '$' && rule->value[1] != '{') {
        set = getenv(rule->value + 1); /* "$NAME" as a whole */
        out->agent = copy(set ? set : "none");
    } else {
        out->agent = expand_path(rule, t, err);
    }
    return out->agent ? 0 : -1;
}

static char *assemble(const struct walk *w, enum keyword word,
                      const char *defaults)
{
    return w->values[word]
               ? sshconfig_assemble(w->values[word]->value, defaults)
               : NULL;
}

static void set_algorithms(const struct walk *w, struct sshconfig_host *out)
{
    static const struct sshconfig_defaults none;
    const struct sshconfig_defaults *d =
        w->query->defaults ? w->query->defaults : &none;

    out->kex = assemble(w, KEY_KEX, d->kex);
    out->ciphers = assemble(w, KEY_CIPHERS, d->ciphers);
    out->macs = assemble(w, KEY_MACS, d->macs);
    out->hostkeys = assemble(w, KEY_HOST_KEYS, d->hostkeys);
    out->pubkeys = assemble(w, KEY_PUBKEYS, d->pubkeys);
}

static char *expand_unless_none(const struct rule *rule, const struct tokens *t)
{
    return rule && !is_none(rule->value) ? expand(rule->value, t) : NULL;
}

/* Everything that is written with tokens. */
static int set_expanded(const struct sshconfig *c, const struct walk *w,
                        struct sshconfig_host *out, struct err *err)
{
    char port[16];
    struct tokens t = {
        .home = c->home,
        .host = out->host,
        .original = w->query->host,
        .port = port,
        .remote_user = user_so_far(w),
        .local_user = w->query->local_user ? w->query->local_user : "",
    };

    snprintf(port, sizeof(port), "%u", out->port ? out->port : 22U);
    out->proxy_jump = expand_unless_none(w->values[KEY_PROXY_JUMP], &t);
    out->proxy_command = expand_unless_none(w->values[KEY_PROXY_COMMAND], &t);
    if (set_agent(w->values[KEY_IDENTITY_AGENT], &t, out, err) != 0)
        return -1;
    return add_identities(w, &t, out, err);
}

int sshconfig_resolve(struct sshconfig *c, const struct sshconfig_query *q,
                      struct sshconfig_host *out, struct err *err)
{
    struct walk w = {.query = q, .active = true};
    const struct rule **v = w.values;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < c->n; i++)
        step(&w, &c->rules[i]);
    out->host = host_so_far(&w);
    for (char *p = out->host; *p; p++) /* as ssh does before it connects */
        *p = (char)tolower((unsigned char)*p);
    out->port = q->port ? q->port : v[KEY_PORT] ? v[KEY_PORT]->number : 0;
    if (q->user || v[KEY_USER])
        out->user = copy(user_so_far(&w));
    out->identities_only =
        v[KEY_IDENTITIES_ONLY] && v[KEY_IDENTITIES_ONLY]->number;
    set_algorithms(&w, out);
    if (set_expanded(c, &w, out, err) == 0)
        return 0;
    sshconfig_host_release(out);
    return -1;
}

void sshconfig_host_release(struct sshconfig_host *out)
{
    for (size_t i = 0; i < out->n_identities; i++)
        free(out->identities[i]);
    free(out->identities);
    free(out->host);
    free(out->user);
    free(out->agent);
    free(out->proxy_jump);
    free(out->proxy_command);
    free(out->kex);
    free(out->ciphers);
    free(out->macs);
    free(out->hostkeys);
    free(out->pubkeys);
    memset(out, 0, sizeof(*out));
}
