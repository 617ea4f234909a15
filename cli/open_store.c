/* SPDX-License-Identifier: Apache-2.0
 *
 * Which database, and with which password.
 */
#include "cli/open_store.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "core/fleet/path.h"
#include "core/fleet/secret_ref.h"

/* The caller frees place->password. */
static int find(const struct inventory *inventory, struct store_place *place,
                struct err *err)
{
    struct secret_cache *cache;

    *place = (struct store_place){
        .folder = inventory->state_dir,
        .url = inventory->store,
        .lease_s = inventory->store_lease_s,
    };
    if (!inventory->store || !inventory->store_password)
        return 0;
    cache = secret_cache_new();
    place->password = secret_ref_read(cache, inventory->store_password,
                                      inventory->folder, "store_password", err);
    secret_cache_free(cache);
    return place->password ? 0 : err_context(err, "store_password");
}

struct store *open_store(const struct inventory *inventory,
                         struct uv_loop_s *loop, struct err *err)
{
    struct store *store = NULL;
    struct store_place place;

    if (find(inventory, &place, err) == 0)
        store = store_open_at(&place, loop, err);
    secret_free(place.password);
    return store;
}

struct store *open_store_reader(const struct inventory *inventory,
                                struct err *err)
{
    struct store *store = NULL;
    struct store_place place;

    if (find(inventory, &place, err) == 0)
        store = store_open_reader(&place, err);
    secret_free(place.password);
    return store;
}

bool open_store_is_there(const struct inventory *inventory)
{
    char *path = path_expand(inventory->state_dir, "certfleet.db", NULL);
    bool there = inventory->store || file_exists(path);

    free(path);
    return there;
}
