/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over the commands of one cluster.
 */
#include "tests/bench/path.h"

#include <stdbool.h>
#include <string.h>

struct phase {
    const char *verb;
    bool one_by_one;
    bool outage; /* part of it; of a remove only the last */
};

/* clang-format off */
static const struct phase phases[] = {
    { "database cluster status",     false, false },
    { "version",                     false, false },
    { "date",                        false, false },
    { "df",                          false, false },
    { "backup snapshot ",            false, false },
    { "pki match ",                  false, false },
    { "pki verify ",                 false, false },
    { "database cluster remove",     true,  true },
    { "database cluster certs ",     false, true },
    { "database cluster localnode ", false, true },
    { "database cluster initialize", false, true },
    { "database cluster connect ",   false, true },
    { "database cluster join ",      true,  false },
};
/* clang-format on */

enum {
    PHASES = sizeof(phases) / sizeof(phases[0])
};

struct times { /* of one phase */
    double all, slowest, last;
};

static bool is_in(const json_t *cluster, const char *node)
{
    const json_t *one;
    size_t i;

    json_array_foreach(
        json_object_get(cluster, "nodes"), i,
        one) if (strcmp(json_string_value(json_object_get(one, "node")),
                        node) == 0) return true;
    return false;
}

static double own_ms(const json_t *command)
{
    const json_t *end = json_object_get(command, "outcome_ms");

    if (!end)
        end = json_object_get(command, "answered_ms");
    return end ? json_number_value(end) -
                     json_number_value(json_object_get(command, "t_ms"))
               : 0;
}

static struct times times_of(const json_t *verdict, const json_t *cluster,
                             const struct phase *phase)
{
    struct times t = {0};
    const json_t *command;
    size_t i;

    json_array_foreach(json_object_get(verdict, "commands"), i, command)
    {
        const char *text = json_string_value(json_object_get(command, "text"));
        const char *node = json_string_value(json_object_get(command, "node"));

        if (strncmp(text, phase->verb, strlen(phase->verb)) != 0 ||
            !is_in(cluster, node))
            continue;
        t.last = own_ms(command);
        t.all += t.last;
        t.slowest = t.last > t.slowest ? t.last : t.slowest;
    }
    return t;
}

static const json_t *cluster_of(const json_t *verdict, const char *name)
{
    const json_t *cluster;
    size_t i;

    json_array_foreach(
        json_object_get(verdict, "clusters"), i,
        cluster) if (strcmp(json_string_value(json_object_get(cluster,
                                                              "cluster")),
                            name) == 0) return cluster;
    return NULL;
}

double path_cluster_ms(const json_t *verdict, const char *name)
{
    const json_t *cluster = cluster_of(verdict, name);
    double ms = 0;

    for (size_t i = 0; i < PHASES; i++) {
        struct times t = times_of(verdict, cluster, &phases[i]);

        ms += phases[i].one_by_one ? t.all : t.slowest;
    }
    return ms;
}

double path_outage_ms(const json_t *verdict, const char *name)
{
    const json_t *cluster = cluster_of(verdict, name);
    double ms = 0;

    for (size_t i = 0; i < PHASES; i++) {
        struct times t = times_of(verdict, cluster, &phases[i]);

        if (phases[i].outage)
            ms += phases[i].one_by_one ? t.last : t.slowest;
    }
    return ms;
}
