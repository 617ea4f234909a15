/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process holds.  Knows nothing of the database.
 */
#include <stdlib.h>
#include <string.h>

#include "core/store/store_priv.h"

struct hold *hold_find(struct store *store, const char *run)
{
    for (struct hold *h = store->holds; h; h = h->next)
        if (strcmp(h->run, run) == 0)
            return h;
    return NULL;
}

struct hold *hold_make(struct store *store, const char *run)
{
    struct hold *h = hold_find(store, run);

    if (h)
        return h;
    h = calloc(1, sizeof(*h));
    if (!h || !(h->run = strdup(run)))
        abort();
    h->fd = -1;
    h->next = store->holds;
    store->holds = h;
    return h;
}

static void hold_drop(struct store *store, struct hold *h)
{
    store->backend->life->drop(store, h);
}

void holds_keep(struct store *store)
{
    for (struct hold *h = store->holds; h; h = h->next) {
        if (h->fresh)
            store->backend->life->kept(store, h);
        if (h->ending)
            hold_drop(store, h);
        h->fresh = h->ending = false;
    }
}

void holds_undo(struct store *store)
{
    for (struct hold *h = store->holds; h; h = h->next) {
        if (h->fresh) {
            hold_drop(store, h);
            h->fence = 0;
        }
        h->fresh = h->ending = false;
    }
}

void holds_free(struct store *store)
{
    while (store->holds) {
        struct hold *h = store->holds;
        store->holds = h->next;
        hold_drop(store, h);
        free((char *)h->run);
        free(h);
    }
}
