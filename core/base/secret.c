/* SPDX-License-Identifier: Apache-2.0
 *
 * Each secret has pages of its own: mlock and MADV_DONTDUMP work on pages.
 */
#include "core/base/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct secret *secret_new(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct secret *s = calloc(1, sizeof(*s));
    void *map;

    if (!s)
        abort();
    s->mapped = (len + 1 + page - 1) / page * page;
    map = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        abort();
    /* Both are best effort: RLIMIT_MEMLOCK is small in containers. */
    (void)mlock(map, s->mapped);
    (void)madvise(map, s->mapped, MADV_DONTDUMP);
    s->data = map;
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
    munmap(s->data, s->mapped);
    free(s);
}

const char *secret_text(const struct secret *s)
{
    return s ? (const char *)s->data : "";
}
