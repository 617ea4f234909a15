/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads lines of known_hosts into the table.  Knows the file's format, not
 * which answer follows from it.
 */
#include <ctype.h>
#include <string.h>

#include "core/base/log.h"
#include "transport/hostkeys_priv.h"

enum {
    WARNINGS_MAX = 20,
    BLOB_MAX = 16 * 1024,
    SALT_TEXT = 28
};

struct word {
    const char *p;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct word next_word(struct word *rest)
{
    struct word w;

    while (rest->len > 0 && is_blank(*rest->p)) {
        rest->p++;
        rest->len--;
    }
    w.p = rest->p;
    while (rest->len > 0 && !is_blank(*rest->p)) {
        rest->p++;
        rest->len--;
    }
    w.len = (size_t)(rest->p - w.p);
    return w;
}

static bool word_is(const struct word *w, const char *text)
{
    return w->len == strlen(text) && memcmp(w->p, text, w->len) == 0;
}

/* Decodes base64 with its padding.  Returns the bytes, or -1. */
static int decode(const struct word *w, unsigned char *out, size_t room)
{
    size_t padding = 0;
    int n;

    while (padding < 2 && padding < w->len && w->p[w->len - 1 - padding] == '=')
        padding++;
    if (w->len == 0 || w->len % 4 != 0 || w->len / 4 * 3 > room)
        return -1;
    n = EVP_DecodeBlock(out, (const unsigned char *)w->p, (int)w->len);
    return n < 0 ? -1 : n - (int)padding;
}

/* |1|salt|digest, each 20 bytes. */
static int decode_hashed(const char *names, struct line *line)
{
    struct word salt = {.p = names + 3, .len = SALT_TEXT};
    struct word digest = {.p = names + 4 + SALT_TEXT, .len = SALT_TEXT};
    unsigned char room[SALT_TEXT];

    if (strlen(names) != 4 + 2 * SALT_TEXT || strncmp(names, "|1|", 3) != 0 ||
        names[3 + SALT_TEXT] != '|')
        return -1;
    if (decode(&salt, room, sizeof(room)) != HASHED_BYTES)
        return -1;
    memcpy(line->salt, room, HASHED_BYTES);
    if (decode(&digest, room, sizeof(room)) != HASHED_BYTES)
        return -1;
    memcpy(line->digest, room, HASHED_BYTES);
    return 0;
}

/* Files the line under each of its plain names; cuts `names` up. */
static void add_names(struct hostkeys *h, char *names, struct line *line)
{
    char *rest = names, *text;
    struct name *name, **bucket;

    while ((text = strsep(&rest, ","))) {
        if (!*text)
            continue;
        name = arena_alloc(&h->arena, sizeof(*name));
        name->text = text;
        name->line = line;
        bucket = &h->names[hostkeys_bucket(text)];
        name->next = *bucket;
        *bucket = name;
    }
}

int hostkeys_add(struct hostkeys *h, const char *names, bool revoked,
                 const unsigned char *blob, size_t len)
{
    struct line *line = arena_alloc(&h->arena, sizeof(*line));
    struct str type;
    char *lower = arena_strdup(&h->arena, names);

    str_init(&type, 256);
    if (hostkeys_type_of(blob, len, &type) != 0) {
        str_release(&type);
        return -1;
    }
    line->type = arena_strdup(&h->arena, str_text(&type));
    str_release(&type);
    line->blob = memcpy(arena_alloc(&h->arena, len), blob, len);
    line->len = len;
    line->revoked = revoked;
    if (names[0] == '|') {
        if (decode_hashed(names, line) != 0)
            return -1;
        line->next = h->hashed;
        h->hashed = line;
        return 0;
    }
    for (char *p = lower; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    line->patterns = lower;
    if (strpbrk(lower, "*?!")) {
        line->next = h->patterns;
        h->patterns = line;
    } else {
        add_names(h, lower, line);
    }
    return 0;
}

static int parse_key(struct hostkeys *h, const struct word *names,
                     struct word *rest, bool revoked, const char **why)
{
    struct word type = next_word(rest), key = next_word(rest);
    unsigned char blob[BLOB_MAX];
    struct str said;
    char *text;
    int len, rc = -1;

    str_init(&said, 256);
    len = decode(&key, blob, sizeof(blob));
    *why = "its key is not base64";
    if (len > 0 && hostkeys_type_of(blob, (size_t)len, &said) == 0) {
        *why = "its type and its key do not agree";
        if (word_is(&type, str_text(&said))) {
            *why = "its hashed name is not |1|salt|hash";
            text = arena_strndup(&h->arena, names->p, names->len);
            rc = hostkeys_add(h, text, revoked, blob, (size_t)len);
        }
    }
    str_release(&said);
    return rc;
}

/* -1: cannot be understood, and why. */
static int parse_line(struct hostkeys *h, struct word rest, const char **why)
{
    struct word names;
    bool revoked = false;

    *why = "it holds a NUL";
    if (memchr(rest.p, '\0', rest.len))
        return -1;
    names = next_word(&rest);
    if (names.len == 0 || names.p[0] == '#')
        return 0;
    if (names.p[0] == '@') {
        if (word_is(&names, "@cert-authority"))
            return 0; /* says nothing of a plain key */
        *why = "its @marker is unknown";
        if (!word_is(&names, "@revoked"))
            return -1;
        revoked = true;
        names = next_word(&rest);
    }
    return parse_key(h, &names, &rest, revoked, why);
}

static void warn(struct hostkeys *h, const char *why)
{
    h->skipped++;
    if (h->skipped <= WARNINGS_MAX)
        log_warn("%s line %u is skipped: %s", h->path, h->line, why);
    if (h->skipped == WARNINGS_MAX)
        log_warn("%s: more such lines are not told", h->path);
}

size_t hostkeys_parse(struct hostkeys *h, const char *text, size_t len,
                      bool all)
{
    struct word line;
    const char *end, *why, *p = text;

    while (p < text + len) {
        line.p = p;
        end = memchr(p, '\n', len - (size_t)(p - text));
        if (!end && !all)
            break;
        if (!end)
            end = text + len;
        line.len = (size_t)(end - p);
        h->line++;
        if (parse_line(h, line, &why) != 0)
            warn(h, why);
        p = end < text + len ? end + 1 : end;
    }
    return (size_t)(p - text);
}
