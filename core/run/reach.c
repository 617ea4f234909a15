/* SPDX-License-Identifier: Apache-2.0
 *
 * From a node of the inventory to a link's target.
 */
#include "core/run/reach.h"

#include <stdio.h>
#include <string.h>

#include "core/base/file.h"

enum {
    KEY_CAP = 1 << 16,
    CA_CAP = 1 << 18
};

/* What a login would find out on every node at once. */
static int check_identity(const struct node *node, struct err *err)
{
    struct secret *text;
    bool is_key;

    if (!node->identity_named)
        return 0;
    text = file_read(node->identity, KEY_CAP, err);
    if (!text) {
        err->cause = CAUSE_INPUT;
        return err_context(err, "identity");
    }
    is_key = memmem(text->data, text->len, "PRIVATE KEY", 11) != NULL;
    secret_free(text);
    return is_key ? 0
                  : err_set(err, CAUSE_INPUT,
                            "identity: %s is no private key: name the file "
                            "that ssh-keygen made, not the .pub beside it",
                            node->identity);
}

static int read_secrets(const struct inventory *inventory,
                        const struct node *node, struct secret_cache *secrets,
                        struct link_target *target, struct err *err)
{
    char what[256];

    snprintf(what, sizeof(what), "password of %s@%s",
             node->user ? node->user : "the user", node->name);
    if (node->password &&
        !(target->password = secret_ref_read(secrets, node->password,
                                             inventory->folder, what, err)))
        return -1;
    snprintf(what, sizeof(what), "passphrase of %s",
             node->identity ? node->identity : "the key");
    if (node->passphrase &&
        !(target->passphrase = secret_ref_read(secrets, node->passphrase,
                                               inventory->folder, what, err)))
        return -1;
    snprintf(what, sizeof(what), "keystore password of %s", node->name);
    if (node->keystore_password &&
        !(target->typed_secret = secret_ref_read(
              secrets, node->keystore_password, inventory->folder, what, err)))
        return -1;
    return 0;
}

int reach_target(const struct inventory *inventory, const struct node *node,
                 const struct link_dialect *dialect,
                 struct secret_cache *secrets, struct link_target *target,
                 struct err *err)
{
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
        .names = node->names,
        .connect_timeout_ms = node->connect_timeout_s * 1000,
        .command_timeout_ms = node->command_timeout_s * 1000,
        .dialect = dialect,
    };
    if (check_identity(node, err) == 0 &&
        read_secrets(inventory, node, secrets, target, err) == 0)
        return 0;
    reach_release(target);
    return err_context(err, "node %s", node->name);
}

static int read_ca(const struct node *node, struct link_target *target,
                   struct err *err)
{
    target->api_ca = file_read(node->api_ca, CA_CAP, err);
    if (target->api_ca && memmem(target->api_ca->data, target->api_ca->len,
                                 "BEGIN CERTIFICATE", 17))
        return 0;
    if (target->api_ca)
        err_set(err, CAUSE_INPUT, "%s holds no PEM certificate", node->api_ca);
    err->cause = CAUSE_INPUT;
    return err_context(err, "api_ca");
}

int reach_api(const struct inventory *inventory, const struct node *node,
              struct secret_cache *secrets, struct link_target *target,
              struct err *err)
{
    char what[256];

    if (!node->api_user)
        return 0;
    snprintf(what, sizeof(what), "API password of %s@%s", node->api_user,
             node->name);
    target->api_user = node->api_user;
    target->api_password = secret_ref_read(secrets, node->api_password,
                                           inventory->folder, what, err);
    if (target->api_password && read_ca(node, target, err) == 0)
        return 0;
    reach_release(target);
    return err_context(err, "node %s", node->name);
}

void reach_release(struct link_target *target)
{
    secret_free(target->password);
    secret_free(target->passphrase);
    secret_free(target->api_password);
    secret_free(target->api_ca);
    secret_free(target->typed_secret);
    target->password = target->passphrase = target->typed_secret = NULL;
    target->api_password = target->api_ca = NULL;
}
