/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl by dlopen(), call by call.
 */
#include "transport/curl_load.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Of all that Debian has, the one on OpenSSL: its name is its ABI. */
#define LIBRARY "libcurl.so.4"

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

/* dlsym() gives a pointer to data, which C does not turn into one to code. */
static int find(void *library, const char *name, void *call)
{
    void *at = dlsym(library, name);

    if (!at)
        return -1;
    memcpy(call, &at, sizeof(at));
    return 0;
}

static int find_all(void *library, struct curl_calls *calls)
{
#define FIND(name)                                                             \
    if (find(library, "curl_" #name, &calls->name) < 0)                        \
        return -1;
    CURL_CALLS(FIND)
#undef FIND
    return 0;
}

const struct curl_calls *curl_load(struct err *err)
{
    static struct curl_calls calls;
    static bool ready;
    void *library;

    if (ready)
        return &calls;
    library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library || find_all(library, &calls) < 0) {
        err_set(err, CAUSE_SYSTEM, "a REST interface needs " LIBRARY ": %s",
                dlerror());
        return NULL;
    }
    if (calls.global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free,
                              wipe_realloc, strdup, calloc) != CURLE_OK)
        abort();
    ready = true;
    return &calls;
}
