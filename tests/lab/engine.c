/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of engines.
 */
#include "tests/lab/engine.h"

#include <string.h>

static const struct engine_ops *const engines[] = {
    &engine_sim,
#ifdef LAB_POSTGRES
    &engine_pg,
#endif
};

const struct engine_ops *engine_find(const char *name)
{
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}
