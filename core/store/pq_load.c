/* SPDX-License-Identifier: Apache-2.0
 *
 * libpq, once.
 */
#include "core/store/pq_load.h"

#include <pthread.h>

#include "core/base/library.h"

struct pq_calls pq;

static struct err why; /* cause NONE: it is there */

static void load(void)
{
#define ROW(name) {"PQ" #name, &pq.name},
    static const struct library_call rows[] = {PQ_CALLS(ROW)};
#undef ROW

    library_load("libpq.so.5", rows, sizeof(rows) / sizeof(*rows), &why);
}

int pq_load(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load);
    return why.cause == CAUSE_NONE ? 0
                                   : err_set(err, why.cause, "%s", why.text);
}
