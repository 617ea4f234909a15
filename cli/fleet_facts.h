/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/fleet_facts.h - what one look at every node of some clusters found, as
 * plain structs: what `check', its metrics and `report --fleet' tell.
 */
#ifndef CERTFLEET_CLI_FLEET_FACTS_H
#define CERTFLEET_CLI_FLEET_FACTS_H

#include "cli/app.h"
#include "core/run/product.h"

enum {
    TROUBLE_CAP = 1200
};

struct fleet_node {
    const char *cluster, *node; /* the inventory's, as everywhere below */
    bool up;                    /* it was read */
    bool healthy;               /* and nothing is wrong with it */
    int64_t read_at;            /* seconds */
};

struct fleet_cert {
    const char *cluster, *node;
    struct cert_row row; /* its texts are those below */
    char service[64], file[128];
    long long days; /* whole ones left, downwards: an hour ago is -1 */
};

struct fleet_trouble {
    const char *cluster, *node;
    char id[32];
    char text[TROUBLE_CAP]; /* may hold what a node sent */
    bool bad, unreachable;  /* neither: a warning */
};

struct fleet_facts {
    int64_t now;     /* seconds: when the look began */
    bool kept;       /* they are of earlier looks (reading.h) */
    int64_t read_at; /* ... the first of them; 0: there was none */
    unsigned warn_days;
    struct fleet_node *nodes;
    struct fleet_cert *certs; /* worst first */
    struct fleet_trouble *troubles;
    size_t n_nodes, n_certs, n_troubles;
    size_t unreachable, unhealthy, due;
};

/* Another one, empty, at the end of the list; and both lists in their order. */
struct fleet_node *fleet_add_node(struct fleet_facts *facts);
struct fleet_cert *fleet_add_cert(struct fleet_facts *facts);
void fleet_sort(struct fleet_facts *facts);
/* Whole days, downwards. */
long long fleet_days(int64_t not_after, int64_t now);

/* Reads the targets that the command line names (none: all), changes nothing
 * there and keeps what was read (reading.h).  0, or an exit code: app_fail was
 * called.  Release it in both cases. */
int fleet_read(struct app *app, struct fleet_facts *facts);
void fleet_release(struct fleet_facts *facts);

/* "unreachable", "unhealthy" or "warning" */
const char *fleet_state(const struct fleet_trouble *trouble);

/* The exit code: is anything due, silent or unhealthy? */
int fleet_code(const struct fleet_facts *facts);

#endif
