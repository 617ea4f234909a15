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

static json_t *node_clusters(const json_t *verdict)
{
    json_t *clusters = json_object();
    const json_t *cluster, *node;
    size_t i, k;

    json_array_foreach(json_object_get(verdict, "clusters"), i, cluster)
    {
        json_array_foreach(json_object_get(cluster, "nodes"), k, node)
        {
            json_object_set(clusters,
                            json_string_value(json_object_get(node, "node")),
                            json_object_get(cluster, "cluster"));
        }
    }
    return clusters;
}

/* The commands of one cluster: sorted once, and kept in the verdict. */
static const json_t *commands_of(json_t *verdict, const char *name)
{
    json_t *sorted = json_object_get(verdict, "by_cluster");
    json_t *clusters, *command, *list;
    size_t i;

    if (sorted)
        return json_object_get(sorted, name);
    clusters = node_clusters(verdict);
    sorted = json_object();
    json_array_foreach(json_object_get(verdict, "commands"), i, command)
    {
        const char *cluster = json_string_value(json_object_get(
            clusters, json_string_value(json_object_get(command, "node"))));

        if (!cluster)
            continue;
        list = json_object_get(sorted, cluster);
        if (!list) {
            list = json_array();
            json_object_set_new(sorted, cluster, list);
        }
        json_array_append(list, command);
    }
    json_object_set_new(verdict, "by_cluster", sorted);
    json_decref(clusters);
    return json_object_get(sorted, name);
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

static struct times times_of(const json_t *commands, const struct phase *phase)
{
    struct times t = {0};
    const json_t *command;
    size_t i;

    json_array_foreach(commands, i, command)
    {
        const char *text = json_string_value(json_object_get(command, "text"));

        if (strncmp(text, phase->verb, strlen(phase->verb)) != 0)
            continue;
        t.last = own_ms(command);
        t.all += t.last;
        t.slowest = t.last > t.slowest ? t.last : t.slowest;
    }
    return t;
}

double path_cluster_ms(json_t *verdict, const char *name)
{
    const json_t *commands = commands_of(verdict, name);
    double ms = 0;

    for (size_t i = 0; i < PHASES; i++) {
        struct times t = times_of(commands, &phases[i]);

        ms += phases[i].one_by_one ? t.all : t.slowest;
    }
    return ms;
}

double path_outage_ms(json_t *verdict, const char *name)
{
    const json_t *commands = commands_of(verdict, name);
    double ms = 0;

    for (size_t i = 0; i < PHASES; i++) {
        struct times t = times_of(commands, &phases[i]);

        if (phases[i].outage)
            ms += phases[i].one_by_one ? t.last : t.slowest;
    }
    return ms;
}

double path_slowest_ms(json_t *verdict)
{
    const json_t *cluster;
    double slowest = 0, ms;
    size_t i;

    json_array_foreach(json_object_get(verdict, "clusters"), i, cluster)
    {
        ms = path_cluster_ms(
            verdict, json_string_value(json_object_get(cluster, "cluster")));
        slowest = ms > slowest ? ms : slowest;
    }
    return slowest;
}
