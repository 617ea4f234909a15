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

/* -- attributes ---------------------------------------------------------------
 */

static const char *const attributes[] = {
    "OU", "O", "L", "ST", "C", "emailAddress",
};

/* A comma in a value would end it in the form that core/pki reads. */
static const char *escaped(struct arena *arena, const char *value)
{
    char *text = arena_alloc(arena, 2 * strlen(value) + 1), *p = text;

    for (; *value; value++) {
        if (*value == ',' || *value == '\\')
            *p++ = '\\';
        *p++ = *value;
    }
    return text;
}

static int take_hosts(struct pki_words *words, const char *value,
                      const char ***hosts, size_t *n, struct err *err)
{
    if (*hosts)
        return err_set(err, CAUSE_INPUT,
                       "subjectAltName is given twice: give all names in one, "
                       "with commas");
    *hosts =
        arena_alloc(&words->arena, (strlen(value) + 3) * sizeof(const char *));
    if (strpbrk(value, " \t"))
        return err_set(err, CAUSE_INPUT,
                       "subjectAltName takes names with commas and no "
                       "blanks, not `%s'",
                       value);
    while (*value) {
        size_t len = strcspn(value, ",");
        if (len)
            (*hosts)[(*n)++] = arena_strndup(&words->arena, value, len);
        value += len + (value[len] == ',');
    }
    return 0;
}

static int take_attribute(struct pki_words *words, const char *name, size_t len,
                          const char *value, struct err *err)
{
    struct arena *arena = &words->arena;
    const char *rest = words->subject.rest;

    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (strlen(attributes[i]) == len &&
            strncasecmp(attributes[i], name, len) == 0) {
            words->subject.rest = arena_printf(
                arena, "%s%s%s=%s", rest ? rest : "", rest ? "," : "",
                attributes[i], escaped(arena, value));
            return 0;
        }
    return err_set(err, CAUSE_INPUT,
                   "there is no attribute `%.*s'; it is one of CN OU O L ST C "
                   "emailAddress subjectAltName",
                   (int)len, name);
}

static int take_word(struct pki_words *words, const char *word,
                     const char ***hosts, size_t *n, struct err *err)
{
    const char *colon = strchr(word, ':');
    size_t len = colon ? (size_t)(colon - word) : 0;

    if (!colon || !colon[1])
        return err_set(err, CAUSE_INPUT, "`%s' is not ATTRIBUTE:VALUE", word);
    if (len == 2 && strncasecmp(word, "CN", 2) == 0) {
        words->subject.common_name = arena_strdup(&words->arena, colon + 1);
        return 0;
    }
    if (len == 14 && strncasecmp(word, "subjectAltName", len) == 0)
        return take_hosts(words, colon + 1, hosts, n, err);
    return take_attribute(words, word, len, colon + 1, err);
}

/* As the MMP does: with a subjectAltName, the CN is one of its names. */
static void add_common_name(struct pki_words *words, const char **hosts,
                            size_t n)
{
    const char *cn = words->subject.common_name;

    for (size_t i = 0; i < n; i++)
        if (strcasecmp(hosts[i], cn) == 0)
            return;
    memmove(hosts + 1, hosts, n * sizeof(*hosts));
    hosts[0] = cn;
}

int pki_words_read(struct pki_words *words, const char *const *list,
                   struct err *err)
{
    const char **hosts = NULL;
    size_t n = 0;

    memset(words, 0, sizeof(*words));
    arena_init(&words->arena);
    for (; *list; list++)
        if (take_word(words, *list, &hosts, &n, err) < 0)
            return -1;
    if (hosts && words->subject.common_name)
        add_common_name(words, hosts, n);
    words->subject.hosts = hosts;
    return 0;
}

void pki_words_release(struct pki_words *words)
{
    arena_release(&words->arena);
}
