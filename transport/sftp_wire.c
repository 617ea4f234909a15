/* SPDX-License-Identifier: Apache-2.0
 *
 * The SFTP wire format: bytes that are wiped, and a reader that cannot run
 * past the end of a packet.  Knows nothing of requests.
 */
#include <stdlib.h>
#include <string.h>

#include "transport/sftp_priv.h"

enum {
    ATTR_SIZE = 0x1,
    ATTR_OWNER = 0x2,
    ATTR_MODE = 0x4,
    ATTR_TIMES = 0x8,
};
#define ATTR_EXTENDED 0x80000000U

void bytes_release(struct bytes *b)
{
    if (b->data)
        explicit_bzero(b->data, b->room);
    free(b->data);
    memset(b, 0, sizeof(*b));
}

/* Not realloc(): it would leave a copy of a key in the old place. */
void bytes_reserve(struct bytes *b, size_t more)
{
    struct bytes grown = {.len = b->len};

    if (b->room - b->start - b->len >= more)
        return;
    if (b->room - b->len >= more) {
        memmove(b->data, b->data + b->start, b->len);
        b->start = 0;
        return;
    }
    grown.room = b->room ? b->room : 256;
    while (grown.room - b->len < more) {
        if (grown.room > SIZE_MAX / 2)
            abort();
        grown.room *= 2;
    }
    grown.data = malloc(grown.room);
    if (!grown.data)
        abort();
    if (b->len)
        memcpy(grown.data, b->data + b->start, b->len);
    bytes_release(b);
    *b = grown;
}

void bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    bytes_reserve(b, len);
    memcpy(b->data + b->start + b->len, data, len);
    b->len += len;
}

void bytes_drop(struct bytes *b, size_t n)
{
    b->start += n;
    b->len -= n;
    if (b->len > 0)
        return;
    b->start = 0;
    /* an idle session, one of thousands, keeps no 64 KB */
    if (b->room > 4096)
        bytes_release(b);
}

static const unsigned char *take(struct cursor *c, size_t n)
{
    const unsigned char *p = c->p;

    if (c->bad || c->left < n) {
        c->bad = true;
        c->left = 0;
        return NULL;
    }
    c->p += n;
    c->left -= n;
    return p;
}

uint8_t cursor_u8(struct cursor *c)
{
    const unsigned char *p = take(c, 1);

    return p ? *p : 0;
}

uint32_t cursor_u32(struct cursor *c)
{
    const unsigned char *p = take(c, 4);

    if (!p)
        return 0;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

uint64_t cursor_u64(struct cursor *c)
{
    uint64_t high = cursor_u32(c);

    return high << 32 | cursor_u32(c);
}

struct cursor cursor_string(struct cursor *c)
{
    struct cursor text = {.left = cursor_u32(c)};

    text.p = take(c, text.left);
    if (!text.p)
        text.left = 0;
    return text;
}

void cursor_attrs(struct cursor *c, struct attrs *a)
{
    uint32_t flags = cursor_u32(c), n;

    memset(a, 0, sizeof(*a));
    a->has_size = flags & ATTR_SIZE;
    a->has_mode = flags & ATTR_MODE;
    a->has_mtime = flags & ATTR_TIMES;
    if (a->has_size)
        a->size = cursor_u64(c);
    if (flags & ATTR_OWNER)
        cursor_u64(c);
    if (a->has_mode)
        a->mode = cursor_u32(c);
    if (a->has_mtime) {
        cursor_u32(c); /* last access */
        a->mtime = cursor_u32(c);
    }
    if (!(flags & ATTR_EXTENDED))
        return;
    for (n = cursor_u32(c); n > 0 && !c->bad; n--) {
        cursor_string(c);
        cursor_string(c);
    }
}
