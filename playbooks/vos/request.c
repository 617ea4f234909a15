/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of words between commas, as sets.
 */
#include "playbooks/vos/request.h"

#include <string.h>
#include <strings.h>

struct word {
    const char *at;
    size_t len;
};

/* The next word of "DNS:a, IP Address:10.0.0.1"; false: that was all. */
static bool next_word(const char **p, struct word *word)
{
    *p += strspn(*p, ", ");
    word->at = *p;
    word->len = strcspn(*p, ",");
    *p += word->len;
    while (word->len && word->at[word->len - 1] == ' ')
        word->len--;
    return word->len > 0;
}

static void drop_critical(struct word *word)
{
    static const char mark[] = " (critical)";
    size_t len = strlen(mark);

    if (word->len > len && memcmp(word->at + word->len - len, mark, len) == 0)
        word->len -= len;
}

static bool holds(const char *list, const struct word *wanted)
{
    struct word word;

    while (next_word(&list, &word)) {
        drop_critical(&word);
        if (word.len == wanted->len &&
            strncasecmp(word.at, wanted->at, word.len) == 0)
            return true;
    }
    return false;
}

/* The first of `list' that `other' lacks. */
static bool lacks(const char *list, const char *other, struct word *word)
{
    while (next_word(&list, word)) {
        drop_critical(word);
        if (!holds(other, word))
            return true;
    }
    return false;
}

int vos_same_names(const struct pki_cert_info *request,
                   const struct pki_cert_info *cert, struct err *err)
{
    struct word word;

    if (lacks(request->names, cert->names, &word))
        return err_set(err, CAUSE_REFUSED,
                       "the certificate lacks the name %.*s of the request",
                       (int)word.len, word.at);
    if (lacks(cert->names, request->names, &word))
        return err_set(err, CAUSE_REFUSED,
                       "the certificate has the name %.*s, and the request has "
                       "not",
                       (int)word.len, word.at);
    return 0;
}

int vos_keeps_usage(const struct pki_cert_info *request,
                    const struct pki_cert_info *cert, struct err *err)
{
    struct word word;

    if (lacks(request->usage, cert->usage, &word) ||
        lacks(request->purposes, cert->purposes, &word))
        return err_set(err, CAUSE_REFUSED,
                       "the certificate is not for `%.*s', as the request is",
                       (int)word.len, word.at);
    return 0;
}

int vos_no_wildcard(const struct pki_cert_info *info, struct err *err)
{
    if (strchr(info->names, '*') || strchr(info->common_name, '*'))
        return err_set(err, CAUSE_REFUSED,
                       "it has a name with a wildcard, which the platform "
                       "refuses");
    return 0;
}

bool vos_names(const struct pki_cert_info *info, const char *host)
{
    const char *list = info->names;
    struct word word;

    while (next_word(&list, &word)) {
        const char *colon = memchr(word.at, ':', word.len);
        const char *name = colon ? colon + 1 : word.at;
        size_t len = word.len - (size_t)(name - word.at);

        if (len == strlen(host) && strncasecmp(name, host, len) == 0)
            return true;
    }
    return false;
}
