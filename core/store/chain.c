/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit chain: what is hashed, and how it is written down.  Knows nothing
 * of the database.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "core/store/store_priv.h"

static int add_number(EVP_MD_CTX *md, uint64_t n)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(n >> (56 - 8 * i));
    return EVP_DigestUpdate(md, bytes, sizeof(bytes));
}

/* A mark for NULL, or a mark, the length and the text: no two different
 * records give the same bytes. */
static int add_field(EVP_MD_CTX *md, const struct chain_field *field)
{
    unsigned char mark = field->text ? 1 : 0;

    if (!EVP_DigestUpdate(md, &mark, 1))
        return 0;
    if (!field->text)
        return 1;
    return add_number(md, field->len) &&
           EVP_DigestUpdate(md, field->text, field->len);
}

int chain_next(unsigned char hash[CHAIN_BYTES], int64_t seq, int64_t t_ms,
               const struct chain_field fields[CHAIN_FIELDS], struct err *err)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
             EVP_DigestUpdate(md, hash, CHAIN_BYTES) &&
             add_number(md, (uint64_t)seq) && add_number(md, (uint64_t)t_ms);

    for (int i = 0; ok && i < CHAIN_FIELDS; i++)
        ok = add_field(md, &fields[i]);
    ok = ok && EVP_DigestFinal_ex(md, hash, NULL);
    EVP_MD_CTX_free(md);
    return ok ? 0 : err_set(err, CAUSE_SYSTEM, "SHA-256 is not to be had");
}

void chain_text(const unsigned char hash[CHAIN_BYTES],
                char text[CHAIN_TEXT_BYTES])
{
    for (size_t i = 0; i < CHAIN_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int chain_parse(const char *text, unsigned char hash[CHAIN_BYTES])
{
    if (!text || strlen(text) != CHAIN_TEXT_BYTES - 1)
        return -1;
    for (size_t i = 0; i < CHAIN_BYTES; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return -1;
        hash[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}
