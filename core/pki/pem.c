/* SPDX-License-Identifier: Apache-2.0
 *
 * PEM as text: finds blocks, decodes and encodes them.  A scanner of our own
 * since OpenSSL's hides what the checks of a file's form must see: where a
 * block begins, what stands between blocks, how lines end.  Knows nothing of
 * what the bytes mean.
 */
#include <string.h>

#include "core/pki/pki_priv.h"

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

enum {
    BEGIN_LEN = 11,
    END_LEN = 9,
    DASHES_LEN = 5,
    COLUMNS_BYTES = 48
};

static const char *find(const char *at, const char *end, const char *text)
{
    return memmem(at, (size_t)(end - at), text, strlen(text));
}

bool pki_pem_is(const void *data, size_t len)
{
    return len > 0 && memmem(data, len, begin_mark, BEGIN_LEN) != NULL;
}

/* RFC 7468 2; errors repeat it. */
static bool is_label(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return len > 0;
}

/* Copies "LABEL" of "LABEL-----"; returns what follows, NULL when the line
 * has no such end. */
static const char *take_label(const char *at, const char *end,
                              struct pki_block *block)
{
    const char *stop = find(at, end, dashes);
    size_t len = stop ? (size_t)(stop - at) : 0;

    if (!stop || len >= sizeof(block->label) || !is_label(at, len))
        return NULL;
    memcpy(block->label, at, len);
    block->label[len] = '\0';
    return stop + DASHES_LEN;
}

/* The next five dashes must be our own END line: a body holds none, and so a
 * lost END line cannot swallow the block that follows. */
static const char *take_end(const char *at, const char *end,
                            const struct pki_block *block)
{
    size_t label_len = strlen(block->label);
    size_t need = END_LEN + label_len + DASHES_LEN;

    if ((size_t)(end - at) < need || memcmp(at, end_mark, END_LEN) != 0 ||
        memcmp(at + END_LEN, block->label, label_len) != 0 ||
        memcmp(at + END_LEN + label_len, dashes, DASHES_LEN) != 0)
        return NULL;
    return at + need;
}

int pki_pem_next(const char **at, const char *end, struct pki_block *block)
{
    const char *start = find(*at, end, begin_mark);
    const char *stop, *after;

    if (!start)
        return 0;
    memset(block, 0, sizeof(*block));
    block->start = start;
    block->body = take_label(start + BEGIN_LEN, end, block);
    if (!block->body)
        return -1;
    stop = find(block->body, end, dashes);
    after = stop ? take_end(stop, end, block) : NULL;
    if (!after)
        return -1;
    block->body_len = (size_t)(stop - block->body);
    block->len = (size_t)(after - start);
    *at = after;
    return 1;
}

enum pki_label pki_pem_label(const struct pki_block *block)
{
    // clang-format off
    static const struct { const char *name; enum pki_label label; } labels[] = {
        { "CERTIFICATE",             PKI_LABEL_CERT       },
        { "X509 CERTIFICATE",        PKI_LABEL_CERT       },
        { "TRUSTED CERTIFICATE",     PKI_LABEL_TRUSTED    },
        { "CERTIFICATE REQUEST",     PKI_LABEL_REQUEST    },
        { "NEW CERTIFICATE REQUEST", PKI_LABEL_REQUEST    },
        { "PRIVATE KEY",             PKI_LABEL_KEY        },
        { "RSA PRIVATE KEY",         PKI_LABEL_KEY        },
        { "EC PRIVATE KEY",          PKI_LABEL_KEY        },
        { "DSA PRIVATE KEY",         PKI_LABEL_KEY        },
        { "ENCRYPTED PRIVATE KEY",   PKI_LABEL_LOCKED_KEY },
        { "EC PARAMETERS",           PKI_LABEL_PARAMS     },
    };
    // clang-format on
    enum pki_label label = PKI_LABEL_OTHER;

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        if (strcmp(block->label, labels[i].name) == 0)
            label = labels[i].label;
    if (label == PKI_LABEL_KEY &&
        memmem(block->body, block->body_len, "Proc-Type:", 10))
        label = PKI_LABEL_LOCKED_KEY;
    return label;
}

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* Body without blanks; the length, or 0 when it is no base64. */
static size_t squeeze(const struct pki_block *block, unsigned char *out)
{
    size_t n = 0, pad = 0;

    for (size_t i = 0; i < block->body_len; i++) {
        char c = block->body[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c == '=')
            pad++;
        else if (!is_base64(c) || pad > 0)
            return 0;
        out[n++] = (unsigned char)c;
    }
    return n % 4 == 0 && pad <= 2 ? n : 0;
}

struct secret *pki_pem_decode(const struct pki_block *block)
{
    struct secret *text, *der = NULL;
    size_t n, pad = 0;

    if (block->body_len > PKI_MAX_BYTES)
        return NULL;
    text = secret_new(block->body_len + 1);
    n = squeeze(block, text->data);
    if (n > 0) {
        pad = (size_t)(text->data[n - 1] == '=') + (text->data[n - 2] == '=');
        der = secret_new(n / 4 * 3);
        if (EVP_DecodeBlock(der->data, text->data, (int)n) < 0) {
            secret_free(der);
            der = NULL;
        } else {
            der->len -= pad;
        }
    }
    secret_free(text);
    return der;
}

size_t pki_pem_room(size_t der_len)
{
    return der_len / COLUMNS_BYTES * 65 + 65 + 160;
}

static size_t put(char *out, const char *text)
{
    size_t n = strlen(text);

    memcpy(out, text, n);
    return n;
}

size_t pki_pem_encode(const char *label, const unsigned char *der,
                      size_t der_len, char *out)
{
    size_t used = put(out, begin_mark);

    used += put(out + used, label);
    used += put(out + used, "-----\n");

    for (size_t i = 0; i < der_len; i += COLUMNS_BYTES) {
        size_t part = der_len - i < COLUMNS_BYTES ? der_len - i : COLUMNS_BYTES;
        int n =
            EVP_EncodeBlock((unsigned char *)out + used, der + i, (int)part);
        used += (size_t)n;
        out[used++] = '\n';
    }
    used += put(out + used, end_mark);
    used += put(out + used, label);
    return used + put(out + used, "-----\n");
}
