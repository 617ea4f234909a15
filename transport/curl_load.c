/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl, and the memory it works in.
 */
#include "transport/curl_load.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/library.h"

/* It keeps the password in its own memory, plain and in base64: whatever it
 * frees is wiped. */
static void wipe_free(void *p)
{
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

static void *wipe_realloc(void *p, size_t size)
{
    size_t had = p ? malloc_usable_size(p) : 0;
    void *q = malloc(size);

    if (!q)
        return NULL;
    if (p)
        memcpy(q, p, had < size ? had : size);
    wipe_free(p);
    return q;
}

const struct curl_calls *curl_load(struct err *err)
{
    static struct curl_calls calls;
    static bool ready;
#define ROW(name) {"curl_" #name, &calls.name},
    static const struct library_call rows[] = {CURL_CALLS(ROW)};
#undef ROW

    if (ready)
        return &calls;
    /* of all that Debian has, the one on OpenSSL */
    if (library_load("libcurl.so.4", rows, sizeof(rows) / sizeof(*rows), err) <
        0)
        return NULL;
    if (calls.global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free,
                              wipe_realloc, strdup, calloc) != CURLE_OK)
        abort();
    ready = true;
    return &calls;
}
