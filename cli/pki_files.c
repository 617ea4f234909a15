/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and words of the pki commands.
 */
#include "cli/pki_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/arena.h"
#include "core/base/file.h"
#include "core/fleet/secret_ref.h"

enum {
    FILE_CAP = 4 << 20,
    DAYS_MAX = 36500
};

struct secret *pki_file_read(const char *path, struct err *err)
{
    struct secret *data = file_read(path, FILE_CAP, err);

    if (!data)
        err->cause = CAUSE_INPUT;
    return data;
}

char *pki_file_name(const char *base, const char *extension)
{
    struct str name;

    str_init(&name, 4096);
    str_addf(&name, "%s.%s", base, extension);
    return str_take(&name);
}

int pki_files_absent(char *const *names, struct err *err)
{
    for (; *names; names++)
        if (file_exists(*names))
            return err_set(err, CAUSE_INPUT,
                           "%s exists and is not overwritten: take another "
                           "base name, or move it away",
                           *names);
    return 0;
}

int pki_file_write(const char *path, const void *data, size_t len, bool key,
                   struct err *err)
{
    if (file_write(path, data, len, key ? 0600 : 0644, true, err) == 0)
        return 0;
    err->cause = CAUSE_INPUT;
    if (errno == EEXIST)
        return err_set(err, CAUSE_INPUT, "%s exists and is not overwritten",
                       path);
    return -1;
}

int pki_file_replace(const char *path, const void *data, size_t len,
                     struct err *err)
{
    if (file_write(path, data, len, 0600, false, err) == 0)
        return 0;
    err->cause = CAUSE_INPUT;
    return -1;
}

int pki_passphrase(const struct app *app, const char *path,
                   struct secret **passphrase, struct err *err)
{
    const char *ref = app->args.value[OPT_PASSPHRASE];
    struct secret_cache *cache;
    char what[256];

    *passphrase = NULL;
    if (!ref)
        return 0;
    if (secret_ref_check(ref, err) < 0)
        return err_context(err, "--passphrase");
    snprintf(what, sizeof(what), "passphrase of %s", path);
    cache = secret_cache_new();
    *passphrase = secret_ref_read(cache, ref, NULL, what, err);
    secret_cache_free(cache);
    return *passphrase ? 0 : -1;
}

static bool is_locked(const struct secret *key)
{
    struct pki_cert_info info;

    return pki_describe(key->data, key->len, &info, NULL) == 0 &&
           strcmp(info.key, "encrypted") == 0;
}

struct secret *pki_key_opened(const struct app *app, const char *path,
                              struct secret *key, struct err *err)
{
    struct secret *passphrase, *open;

    if (!is_locked(key))
        return secret_share(key);
    if (!app->args.value[OPT_PASSPHRASE]) {
        err_set(err, CAUSE_INPUT,
                "%s: the key is locked: give --passphrase, or open it with "
                "`certfleet pki unlock'",
                path);
        return NULL;
    }
    if (pki_passphrase(app, path, &passphrase, err) < 0)
        return NULL;
    open = pki_key_unlock(key, passphrase, err);
    secret_free(passphrase);
    if (!open)
        err_context(err, "%s", path);
    return open;
}

enum pki_purpose pki_purpose_of(const struct args *args,
                                enum pki_purpose preset)
{
    const char *word = args->value[OPT_PURPOSE];

    if (!word)
        return preset;
    if (strcmp(word, "server") == 0)
        return PKI_SERVER;
    return strcmp(word, "client") == 0 ? PKI_CLIENT : PKI_ANY;
}

unsigned pki_days_of(const struct args *args, unsigned preset, struct err *err)
{
    const char *word = args->value[OPT_DAYS];
    char *end;
    unsigned long days;

    if (!word)
        return preset;
    days = strtoul(word, &end, 10);
    if (word[0] >= '0' && word[0] <= '9' && !*end && days >= 1 &&
        days <= DAYS_MAX)
        return (unsigned)days;
    err_set(err, CAUSE_INPUT, "--days takes a number from 1 to %d, not `%s'",
            DAYS_MAX, word);
    return 0;
}

/* -- attributes ---------------------------------------------------------- */

/* In the order that core/pki takes, the most special first; the certificate
 * then holds them as `openssl req' would: C, ST, L, O, OU, CN, emailAddress,
 * in whatever order they were given. */
static const char *const attributes[] = {
    "OU", "O", "L", "ST", "C", "emailAddress",
};
enum {
    N_ATTRIBUTES = sizeof(attributes) / sizeof(attributes[0])
};

/* What was given, before it is put in order. */
struct given {
    struct arena *arena;
    const char *cn, *hosts;
    const char *value[N_ATTRIBUTES]; /* "OU=x", or "OU=x,OU=y" */
};

/* A comma in a value would end it in the form that core/pki reads; a blank at
 * its ends would be lost. */
static const char *escaped(struct arena *arena, const char *value)
{
    char *text = arena_alloc(arena, 2 * strlen(value) + 1), *p = text;

    for (; *value; value++) {
        if (strchr(",\\ ", *value))
            *p++ = '\\';
        *p++ = *value;
    }
    *p = '\0';
    return text;
}

static int take_once(const char **place, const char *name, const char *value,
                     struct err *err)
{
    if (*place)
        return err_set(err, CAUSE_INPUT, "%s stands twice", name);
    *place = value;
    return 0;
}

/* A unit may stand several times, as in any name; nothing else. */
static int take_attribute(struct given *given, size_t i, const char *value,
                          struct err *err)
{
    const char *before = given->value[i];

    if (before && i != 0)
        return err_set(err, CAUSE_INPUT, "%s stands twice", attributes[i]);
    given->value[i] = arena_printf(given->arena, "%s=%s%s%s", attributes[i],
                                   escaped(given->arena, value),
                                   before ? "," : "", before ? before : "");
    return 0;
}

static bool is_named(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(word, name, len) == 0;
}

static int take_word(struct given *given, const char *word, struct err *err)
{
    const char *colon = strchr(word, ':');
    size_t len = colon ? (size_t)(colon - word) : 0;

    if (!colon || !colon[1])
        return err_set(err, CAUSE_INPUT, "`%s' is not ATTRIBUTE:VALUE", word);
    if (is_named(word, len, "CN"))
        return take_once(&given->cn, "CN", colon + 1, err);
    if (is_named(word, len, "subjectAltName"))
        return take_once(&given->hosts, "subjectAltName", colon + 1, err);
    for (size_t i = 0; i < N_ATTRIBUTES; i++)
        if (is_named(word, len, attributes[i]))
            return take_attribute(given, i, colon + 1, err);
    return err_set(err, CAUSE_INPUT,
                   "there is no attribute `%.*s'; it is one of CN OU O L ST C "
                   "emailAddress subjectAltName",
                   (int)len, word);
}

/* Commas and no blanks, as the MMP's line is cut at blanks. */
static int split_hosts(const struct given *given, const char **hosts,
                       struct err *err)
{
    const char *value = given->hosts;
    size_t n = 0;

    if (given->cn)
        hosts[n++] = given->cn;
    if (strpbrk(value, " \t"))
        return err_set(err, CAUSE_INPUT,
                       "subjectAltName takes names with commas and no blanks, "
                       "not `%s'",
                       value);
    while (*value) {
        size_t len = strcspn(value, ",");
        if (len == 0)
            return err_set(err, CAUSE_INPUT,
                           "subjectAltName: an empty name between commas");
        hosts[n++] = arena_strndup(given->arena, value, len);
        value += len;
        if (*value == ',' && !*++value)
            return err_set(err, CAUSE_INPUT,
                           "subjectAltName: an empty name behind the last "
                           "comma");
    }
    return 0;
}

static const char *join(const struct given *given)
{
    const char *rest = NULL;

    for (size_t i = 0; i < N_ATTRIBUTES; i++)
        if (given->value[i])
            rest = arena_printf(given->arena, "%s%s%s", rest ? rest : "",
                                rest ? "," : "", given->value[i]);
    return rest;
}

int pki_words_read(struct pki_words *words, const char *const *list,
                   struct err *err)
{
    struct given given = {.arena = &words->arena};
    const char **hosts = NULL;

    memset(words, 0, sizeof(*words));
    arena_init(&words->arena);
    for (; *list; list++)
        if (take_word(&given, *list, err) < 0)
            return -1;
    if (given.hosts) {
        size_t room = (strlen(given.hosts) + 3) * sizeof(*hosts);
        hosts = arena_alloc(given.arena, room);
        memset(hosts, 0, room);
        if (split_hosts(&given, hosts, err) < 0)
            return -1;
    }
    words->subject.common_name = given.cn;
    words->subject.rest = join(&given);
    words->subject.hosts = hosts;
    return 0;
}

void pki_words_release(struct pki_words *words)
{
    arena_release(&words->arena);
}
