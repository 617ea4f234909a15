/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_route.c - precedence: inventory, ssh_config, built-in.  It
 * must not open a connection.
 */
#include "transport/link_route.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/str.h"

enum {
    PORT_OF_SSH = 22
};

/* Asked of the environment first: the password database may be on a network
 * (facts/transport.md 2.2). */
static const char *local_user(void)
{
    const char *name = getenv("USER");
    const struct passwd *pw;

    if (name == NULL || *name == '\0')
        name = getenv("LOGNAME");
    if (name != NULL && *name != '\0')
        return name;
    pw = getpwuid(getuid());
    return pw != NULL ? pw->pw_name : "root";
}

static void choose_lists(struct route *r, const struct compat_lists *defaults)
{
    const struct sshconfig_host *h = &r->host;

    r->lists = *defaults;
    if (h->kex != NULL)
        r->lists.kex = h->kex;
    if (h->hostkeys != NULL)
        r->lists.hostkeys = h->hostkeys;
    if (h->ciphers != NULL)
        r->lists.ciphers = h->ciphers;
    if (h->macs != NULL)
        r->lists.macs = h->macs;
    if (h->pubkeys != NULL)
        r->lists.pubkeys = h->pubkeys;
}

static int ask_config(struct route *r, struct sshconfig *config,
                      const struct compat_lists *lists, struct err *err)
{
    const struct link_target *t = r->target;
    const struct sshconfig_defaults defaults = {
        .kex = lists->kex,
        .ciphers = lists->ciphers,
        .macs = lists->macs,
        .hostkeys = lists->hostkeys,
        .pubkeys = lists->pubkeys,
    };
    const struct sshconfig_query query = {
        .host = t->address,
        .user = t->user,
        .port = t->port,
        .local_user = local_user(),
        .defaults = &defaults,
    };

    if (config != NULL)
        return sshconfig_resolve(config, &query, &r->host, err);
    r->host.host = strdup(t->address);
    r->host.port = t->port;
    r->host.user = t->user != NULL ? strdup(t->user) : NULL;
    return 0;
}

/* An IPv6 address is written in brackets, so that the port can be read. */
static char *tell_address(const struct route *r)
{
    const char *fmt = strchr(r->host.host, ':') ? "[%s]:%u" : "%s:%u";
    struct str text;

    str_init(&text, 300);
    str_addf(&text, fmt, r->host.host, r->port);
    return str_take(&text);
}

int route_init(struct route *r, const struct link_target *target,
               struct sshconfig *config, struct err *err)
{
    const struct compat_lists *lists = compat_lists(target->weak_algorithms);

    memset(r, 0, sizeof(*r));
    r->target = target;
    if (ask_config(r, config, lists, err) != 0)
        return err_context(err, "node %s", target->name);
    choose_lists(r, lists);
    r->port = r->host.port != 0 ? r->host.port : PORT_OF_SSH;
    r->user = strdup(r->host.user != NULL ? r->host.user : local_user());
    r->address = tell_address(r);
    return 0;
}

void route_release(struct route *r)
{
    sshconfig_host_release(&r->host);
    free(r->user);
    free(r->address);
    memset(r, 0, sizeof(*r));
}

bool route_has_proxy(const struct route *r)
{
    return r->host.proxy_command != NULL || r->host.proxy_jump != NULL;
}

const char *route_identity(const struct route *r, size_t i, bool *required)
{
    const struct link_target *t = r->target;

    *required = false;
    if (t->identity != NULL) {
        *required = t->identity_required;
        return i == 0 ? t->identity : NULL;
    }
    return i < r->host.n_identities ? r->host.identities[i] : NULL;
}

const char *route_agent(const struct route *r)
{
    const char *path = r->host.agent;

    if (path == NULL || strcmp(path, "SSH_AUTH_SOCK") == 0)
        path = getenv("SSH_AUTH_SOCK");
    else if (strcmp(path, "none") == 0)
        path = NULL;
    return path != NULL && *path != '\0' ? path : NULL;
}
