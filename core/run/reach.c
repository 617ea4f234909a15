/* SPDX-License-Identifier: Apache-2.0
 *
 * From a node of the inventory to a link's target.
 */
#include "core/run/reach.h"

#include <stdio.h>

int reach_target(const struct inventory *inventory, const struct node *node,
                 const struct link_dialect *dialect,
                 struct secret_cache *secrets, struct link_target *target,
                 struct err *err)
{
    char what[256];

    *target = (struct link_target){
        .name = node->name,
        .address = node->address,
        .port = node->port,
        .user = node->user,
        .identity = node->identity,
        .identity_required = node->identity_named,
        .host_key = node->host_key,
        .accept_new = inventory->accept_new,
        .known_hosts = inventory->known_hosts,
        .ssh_config = inventory->ssh_config,
        .weak_algorithms = node->weak_algorithms,
        .connect_timeout_ms = node->connect_timeout_s * 1000,
        .command_timeout_ms = node->command_timeout_s * 1000,
        .dialect = dialect,
    };
    snprintf(what, sizeof(what), "password of %s@%s",
             node->user ? node->user : "the user", node->name);
    if (node->password &&
        !(target->password = secret_ref_read(secrets, node->password,
                                             inventory->folder, what, err)))
        return err_context(err, "node %s", node->name);
    snprintf(what, sizeof(what), "passphrase of %s",
             node->identity ? node->identity : "the key");
    if (node->passphrase &&
        !(target->passphrase = secret_ref_read(secrets, node->passphrase,
                                               inventory->folder, what, err)))
        return err_context(err, "node %s", node->name);
    return 0;
}

void reach_release(struct link_target *target)
{
    secret_free(target->password);
    secret_free(target->passphrase);
    target->password = target->passphrase = NULL;
}
