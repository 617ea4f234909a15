/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that aborts when there is none, digests, one-shot timers.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/lab.h"

char *lab_strdup(const char *text)
{
    char *copy;

    if (!text)
        return NULL;
    copy = strdup(text);
    if (!copy)
        abort();
    return copy;
}

void lab_replace(char **where, const char *text)
{
    char *copy = lab_strdup(text);

    free(*where);
    *where = copy;
}

void *lab_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (!p)
        abort();
    return p;
}

void *lab_grow(void *list, size_t n, size_t size)
{
    void *p = realloc(list, (n + 1) * size);

    if (!p)
        abort();
    memset((char *)p + n * size, 0, size);
    return p;
}

void lab_digest(const void *data, size_t len, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char md[32];

    if (!EVP_Digest(data, len, md, NULL, EVP_sha256(), NULL))
        abort();
    for (size_t i = 0; i < sizeof(md); i++) {
        hex[2 * i] = digits[md[i] >> 4];
        hex[2 * i + 1] = digits[md[i] & 15];
    }
    hex[64] = '\0';
}

/* All that have not fired, so that the end need not wait for them. */
static struct later *laters;
static bool hurrying;

struct later {
    struct later *next, **prev;
    uv_timer_t timer;
    later_f *fn;
    void *user;
};

static void unlink_later(struct later *later)
{
    *later->prev = later->next;
    if (later->next)
        later->next->prev = later->prev;
}

static void on_later_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_later(uv_timer_t *timer)
{
    struct later *later = timer->data;
    later_f *fn = later->fn;
    void *user = later->user;

    unlink_later(later);
    uv_close((uv_handle_t *)timer, on_later_closed);
    fn(user);
}

struct later *later_start(uv_loop_t *loop, uint64_t ms, later_f *fn, void *user)
{
    struct later *later = lab_calloc(1, sizeof(*later));

    later->fn = fn;
    later->user = user;
    later->next = laters;
    later->prev = &laters;
    if (laters)
        laters->prev = &later->next;
    laters = later;
    uv_timer_init(loop, &later->timer);
    later->timer.data = later;
    uv_update_time(loop);
    uv_timer_start(&later->timer, on_later, hurrying ? 0 : ms, 0);
    return later;
}

void later_cancel(struct later *later)
{
    if (!later)
        return;
    unlink_later(later);
    uv_close((uv_handle_t *)&later->timer, on_later_closed);
}

bool later_hurry(void)
{
    hurrying = true;
    for (struct later *l = laters; l; l = l->next)
        uv_timer_start(&l->timer, on_later, 0, 0);
    return laters != NULL;
}
