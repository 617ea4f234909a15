/* SPDX-License-Identifier: Apache-2.0
 *
 * Each secret has pages of its own: mlock and MADV_DONTDUMP work on pages.
 */
#include "core/base/secret.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where faults are looked for, a page that is used after it was freed must be
 * one. */
#if defined(__SANITIZE_ADDRESS__)
#define SPARE_MAX 0
#else
#define SPARE_MAX 64
#endif

/* Single pages, wiped, that wait for the next secret: to map, lock and unmap
 * one costs more than most of what is done with it. */
static struct {
    pthread_mutex_t guard;
    void *page[SPARE_MAX + 1];
    int n;
} spare = {.guard = PTHREAD_MUTEX_INITIALIZER};

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void *take_spare(void)
{
    void *page = NULL;

    pthread_mutex_lock(&spare.guard);
    if (spare.n > 0)
        page = spare.page[--spare.n];
    pthread_mutex_unlock(&spare.guard);
    return page;
}

static bool keep_spare(void *page)
{
    bool kept = false;

    pthread_mutex_lock(&spare.guard);
    if (spare.n < SPARE_MAX) {
        spare.page[spare.n++] = page;
        kept = true;
    }
    pthread_mutex_unlock(&spare.guard);
    return kept;
}

static void *map_pages(size_t bytes)
{
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED)
        abort();
    /* Both are best effort: RLIMIT_MEMLOCK is small in containers. */
    (void)mlock(map, bytes);
    (void)madvise(map, bytes, MADV_DONTDUMP);
    return map;
}

struct secret *secret_new(size_t len)
{
    size_t page = page_bytes();
    struct secret *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->mapped = (len + 1 + page - 1) / page * page;
    s->data = s->mapped == page ? take_spare() : NULL;
    if (!s->data)
        s->data = map_pages(s->mapped);
    s->len = len;
    s->refs = 1;
    return s;
}

struct secret *secret_from(const void *data, size_t len)
{
    struct secret *s = secret_new(len);

    if (len)
        memcpy(s->data, data, len);
    return s;
}

struct secret *secret_share(struct secret *s)
{
    if (s)
        __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void secret_free(struct secret *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    OPENSSL_cleanse(s->data, s->mapped);
    if (s->mapped != page_bytes() || !keep_spare(s->data))
        munmap(s->data, s->mapped);
    free(s);
}

const char *secret_text(const struct secret *s)
{
    return s ? (const char *)s->data : "";
}
