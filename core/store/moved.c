/* SPDX-License-Identifier: Apache-2.0
 *
 * Whoever goes on with a store that was moved away would lock its clusters
 * there while others lock them in the new one, and both would change them.  So
 * the old store's last record says where to, and stays the last: no run begins
 * or is taken over behind it, and none loses a cluster.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/store_priv.h"

static int mark(struct turn *turn, const char *event, const struct store *other,
                struct err *err)
{
    struct store_record record = {.run = "", .kind = "store"};
    char *data = data_moved(turn->store, event, other->title);
    int rc;

    record.data = data;
    rc = turn_put(turn, &record, clock_wall_ms(), err);
    free(data);
    return rc;
}

/* The new one's says where from: behind it work begins, also where the old
 * one had been moved away before. */
int moved_mark(struct turn *from, struct turn *to, struct err *err)
{
    if (mark(from, "moved-to", to->store, err) < 0)
        return -1;
    return mark(to, "moved-from", from->store, err);
}

static int refuse(const struct turn *turn, const char *data, struct err *err)
{
    json_t *json = json_loads(data, 0, NULL);
    const char *event = json_string_value(json_object_get(json, "event"));
    const char *other = json_string_value(json_object_get(json, "other"));
    int rc = 0;

    if (event && other && strcmp(event, "moved-to") == 0)
        rc = err_set(err, CAUSE_INPUT,
                     "%s was moved to %s, and is not gone on with: let `store' "
                     "in the inventory name that one",
                     turn->store->title, other);
    json_decref(json);
    return rc;
}

int moved_check(struct turn *turn, struct err *err)
{
    struct query q;
    int rc;

    query_init(&q, turn->db,
               "SELECT data FROM journal WHERE seq = ? AND kind = 'store'");
    query_int(&q, turn->seq);
    rc = query_step(&q, err);
    if (rc > 0)
        rc = refuse(turn, query_column(&q, 0), err);
    query_release(&q);
    return rc;
}
