/* SPDX-License-Identifier: Apache-2.0
 *
 * Big-endian numbers and counted strings.
 */
#include "tests/lab/wire.h"

#include <stdlib.h>
#include <string.h>

static const unsigned char *take(struct wire *w, size_t n)
{
    const unsigned char *p = w->p;

    if (w->bad || n > w->left) {
        w->bad = true;
        return NULL;
    }
    w->p += n;
    w->left -= n;
    return p;
}

unsigned wire_take_u8(struct wire *w)
{
    const unsigned char *p = take(w, 1);

    return p ? *p : 0;
}

uint32_t wire_take_u32(struct wire *w)
{
    const unsigned char *p = take(w, 4);

    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
                   (uint32_t)p[2] << 8 | p[3]
             : 0;
}

uint64_t wire_take_u64(struct wire *w)
{
    uint64_t high = wire_take_u32(w);

    return high << 32 | wire_take_u32(w);
}

const unsigned char *wire_take_bytes(struct wire *w, size_t *len)
{
    *len = wire_take_u32(w);
    return take(w, *len);
}

char *wire_take_text(struct wire *w)
{
    size_t len;
    const unsigned char *p = wire_take_bytes(w, &len);
    char *text;

    if (!p || memchr(p, '\0', len))
        return NULL;
    text = strndup((const char *)p, len);
    if (!text)
        abort();
    return text;
}

void wire_u8(struct str *out, unsigned v)
{
    str_addc(out, (char)v);
}

void wire_patch_u32(char *at, uint32_t v)
{
    at[0] = (char)(v >> 24);
    at[1] = (char)(v >> 16);
    at[2] = (char)(v >> 8);
    at[3] = (char)v;
}

void wire_u32(struct str *out, uint32_t v)
{
    char b[4];

    wire_patch_u32(b, v);
    str_addn(out, b, sizeof(b));
}

void wire_u64(struct str *out, uint64_t v)
{
    wire_u32(out, (uint32_t)(v >> 32));
    wire_u32(out, (uint32_t)v);
}

void wire_bytes(struct str *out, const void *data, size_t len)
{
    wire_u32(out, (uint32_t)len);
    str_addn(out, data, len);
}

void wire_text(struct str *out, const char *text)
{
    wire_bytes(out, text, strlen(text));
}
