/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing text with a cap; see the header.
 */
#include "core/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void str_init(struct str *s, size_t cap)
{
    memset(s, 0, sizeof(*s));
    s->cap = cap;
}

void str_release(struct str *s)
{
    size_t cap = s->cap;

    free(s->data);
    str_init(s, cap);
}

void str_reset(struct str *s)
{
    s->len = 0;
    s->cut = false;
    if (s->data)
        s->data[0] = '\0';
}

const char *str_text(const struct str *s)
{
    return s->data ? s->data : "";
}

char *str_take(struct str *s)
{
    char *data = s->data ? s->data : strdup("");

    s->data = NULL;
    str_release(s);
    return data;
}

static int grow(struct str *s, size_t need)
{
    size_t room = s->room ? s->room : 64;
    char *data;

    if (need < s->room)
        return 0;
    while (room <= need)
        room *= 2;
    data = realloc(s->data, room);
    if (!data)
        return -1;
    s->data = data;
    s->room = room;
    return 0;
}

int str_addn(struct str *s, const void *data, size_t len)
{
    size_t fits = s->cap - s->len;
    int rc = 0;

    if (len > fits) {
        len = fits;
        s->cut = true;
        rc = -1;
    }
    if (grow(s, s->len + len) < 0) {
        s->cut = true;
        return -1;
    }
    if (len)
        memcpy(s->data + s->len, data, len);
    s->len += len;
    s->data[s->len] = '\0';
    return rc;
}

int str_add(struct str *s, const char *text)
{
    return str_addn(s, text, strlen(text));
}

int str_addc(struct str *s, char c)
{
    return str_addn(s, &c, 1);
}

int str_addv(struct str *s, const char *fmt, va_list ap)
{
    char small[256], *big = NULL;
    va_list again;
    int n, rc;

    va_copy(again, ap);
    n = vsnprintf(small, sizeof(small), fmt, ap);
    if (n < (int)sizeof(small)) {
        va_end(again);
        return n < 0 ? -1 : str_addn(s, small, (size_t)n);
    }
    n = vasprintf(&big, fmt, again);
    va_end(again);
    if (n < 0)
        return -1;
    rc = str_addn(s, big, (size_t)n);
    free(big);
    return rc;
}

int str_addf(struct str *s, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = str_addv(s, fmt, ap);
    va_end(ap);
    return rc;
}

void str_shift(struct str *s, size_t n)
{
    if (n >= s->len) {
        str_reset(s);
        return;
    }
    memmove(s->data, s->data + n, s->len - n);
    s->len -= n;
    s->data[s->len] = '\0';
}

/* What a terminal obeys instead of showing it, or shows in another order or
 * not at all: controls, marks of direction, separators of lines, characters
 * without width.  A name must not look like another one. */
/* clang-format off */
static const struct {
    long first, last;
} unseen[] = {
    { 0x80, 0x9f }, { 0x61c, 0x61c }, { 0x180e, 0x180e }, { 0x200b, 0x200f },
    { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
    { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};
/* clang-format on */

static bool is_seen(long code)
{
    for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
        if (code >= unseen[i].first && code <= unseen[i].last)
            return false;
    return true;
}

/* Length of the sequence at p (0x80 or above) that is well-formed UTF-8 (not
 * overlong, no surrogate, none past U+10FFFF) and can be seen; 0: none. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    long code = p[0] & (0xff >> (n + 1));

    if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff) || !is_seen(code))
        return 0;
    return n;
}

/* All of it or nothing: half a sequence is no text. */
static int add_whole(struct str *s, const char *text, size_t len)
{
    if (len <= s->cap - s->len)
        return str_addn(s, text, len);
    s->cut = true;
    return -1;
}

int str_fit(const char *text, size_t max)
{
    size_t n = strnlen(text, max);

    if (text[n] == '\0')
        return (int)n;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return (int)n;
}

int str_add_visible(struct str *s, const char *text, size_t len, bool lines)
{
    const unsigned char *p = (const unsigned char *)text;
    char hex[8];
    int rc = 0;

    for (size_t i = 0; i < len && rc == 0;) {
        size_t n = 1;
        if (p[i] >= 0x20 && p[i] < 0x7f)
            rc = str_addc(s, text[i]);
        else if (lines && (p[i] == '\n' || p[i] == '\t'))
            rc = str_addc(s, text[i]);
        else if (p[i] >= 0x80 && (n = utf8_len(p + i, len - i)) > 0)
            rc = add_whole(s, text + i, n);
        else
            rc = add_whole(s, hex,
                           (size_t)snprintf(hex, sizeof(hex), "\\x%02x", p[i]));
        i += n ? n : 1;
    }
    return rc;
}
