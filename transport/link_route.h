/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_route.h - how one node is reached: the inventory's words
 * put over ssh_config's, resolved once a link.  It knows no libssh session.
 */
#ifndef CERTFLEET_TRANSPORT_LINK_ROUTE_H
#define CERTFLEET_TRANSPORT_LINK_ROUTE_H

#include <stdbool.h>

#include "core/base/err.h"
#include "core/link.h"
#include "transport/compat.h"
#include "transport/sshconfig.h"

struct route {
    const struct link_target *target;
    struct sshconfig_host host; /* host, proxy, identities, own lists */
    unsigned port;              /* never 0 */
    char *user;                 /* never NULL */
    char *address;              /* "core1.example.com:22", for messages */
    struct compat_lists lists;  /* point into `host` or are built in */
};

/* `config` may be NULL.  0, or -1 with CAUSE_INPUT.  `target` must outlive
 * the route; released by route_release also after an error. */
int route_init(struct route *r, const struct link_target *target,
               struct sshconfig *config, struct err *err);
void route_release(struct route *r);

bool route_has_proxy(const struct route *r);

/* The i-th private key to try, NULL when there are no more.  `required`:
 * its absence is an error. */
const char *route_identity(const struct route *r, size_t i, bool *required);

/* The agent's socket, NULL: none is to be asked. */
const char *route_agent(const struct route *r);

#endif
