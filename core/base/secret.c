/* SPDX-License-Identifier: Apache-2.0
 *
 * Each secret has pages of its own: mlock and MADV_DONTDUMP work on pages.
 *
 * Giving a page back to the kernel stops every thread of the process for a
 * moment, and reading a node's certificates takes dozens of secrets.  So a few
 * single pages, locked and wiped, are kept for the next ones.
 */
#include "core/base/secret.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A page that is used after it was freed must fault where faults are looked
 * for. */
#if defined(__SANITIZE_ADDRESS__)
#define KEPT_MAX 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEPT_MAX 0
#endif
#endif
#ifndef KEPT_MAX
#define KEPT_MAX 64
#endif

struct kept { /* in the first bytes of a page that nobody uses */
    struct kept *next;
};

static pthread_mutex_t kept_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct kept *kept_pages;
static int n_kept;

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void *take_kept(void)
{
    struct kept *page;

    pthread_mutex_lock(&kept_mutex);
    page = kept_pages;
    if (page) {
        kept_pages = page->next;
        n_kept--;
    }
    pthread_mutex_unlock(&kept_mutex);
    if (page)
        page->next = NULL; /* all of it is zero again */
    return page;
}

/* Wiped already.  false: there are enough. */
static bool keep(void *map)
{
    struct kept *page = map;
    bool room;

    pthread_mutex_lock(&kept_mutex);
    room = n_kept < KEPT_MAX;
    if (room) {
        page->next = kept_pages;
        kept_pages = page;
        n_kept++;
    }
    pthread_mutex_unlock(&kept_mutex);
    return room;
}

static void map_new(struct secret *s)
{
    void *map = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED)
        abort();
    /* Both are best effort: RLIMIT_MEMLOCK is small in containers. */
    s->locked = mlock(map, s->mapped) == 0;
    (void)madvise(map, s->mapped, MADV_DONTDUMP);
    s->data = map;
}

struct secret *secret_new(size_t len)
{
    size_t page = page_size();
    struct secret *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->mapped = (len + 1 + page - 1) / page * page;
    s->data = s->mapped == page ? take_kept() : NULL;
    s->locked = s->data != NULL; /* no other is kept */
    if (!s->data)
        map_new(s);
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
    if (!s->locked || s->mapped != page_size() || !keep(s->data))
        munmap(s->data, s->mapped);
    free(s);
}

const char *secret_text(const struct secret *s)
{
    return s ? (const char *)s->data : "";
}
