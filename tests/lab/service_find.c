/* SPDX-License-Identifier: Apache-2.0
 *
 * Which row of the table a node's service is, by its name and the node's
 * version.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/service.h"

enum {
    TODAY = 999
};

unsigned service_version(const struct lab_node *node)
{
    const char *dot = node->version ? strchr(node->version, '.') : NULL;

    if (!node->version) /* the file has not come to it: one of today */
        return TODAY;
    return (unsigned)strtoul(node->version, NULL, 10) * 100 +
           (dot ? (unsigned)strtoul(dot + 1, NULL, 10) : 0);
}

struct service *service_find(struct lab_node *node, const char *name)
{
    unsigned version = service_version(node);
    struct service *any = NULL;

    for (size_t i = 0; i < node->n_services; i++) {
        const struct service_kind *kind = node->services[i].kind;
        if (strcmp(kind->name, name) != 0)
            continue;
        if (version >= kind->since && (!kind->until || version < kind->until))
            return &node->services[i];
        any = any ? any : &node->services[i];
    }
    return any;
}
