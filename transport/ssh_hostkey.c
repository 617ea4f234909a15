/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/ssh_hostkey.c - is this the node?  Asked before anything secret
 * is sent.  It must not know how known_hosts is written (hostkeys.h).
 */
#include <stdlib.h>

#include "core/base/log.h"
#include "transport/compat.h"
#include "transport/ssh_priv.h"

struct shown { /* the key that the server showed */
    unsigned char *blob;
    size_t len;
    char print[HOSTKEYS_FINGERPRINT_BYTES];
};

static enum step refuse_pin(struct conn *c, const struct shown *s)
{
    c->blame_key_type = true;
    return conn_failf(c, LINK_REFUSED, false,
                      "host key of %s is %s, but host_key pins %s: this may "
                      "be another machine; nothing was sent.  Compare it on "
                      "the node's console, then correct host_key",
                      c->route->address, s->print, c->route->target->host_key);
}

static enum step refuse_unknown(struct conn *c, const struct shown *s)
{
    return conn_failf(c, LINK_REFUSED, false,
                      "host key of %s is unknown: %s; add it to known_hosts, "
                      "or pin it with host_key, or use host_keys = "
                      "accept-new",
                      c->route->address, s->print);
}

static enum step refuse_changed(struct conn *c, const struct shown *s)
{
    const char *file = c->route->target->known_hosts;

    return conn_failf(c, LINK_REFUSED, false,
                      "host key of %s HAS CHANGED: it shows %s, %s has "
                      "another.  Somebody may be in between; nothing was "
                      "sent.  If the node was set up anew: ssh-keygen -f %s "
                      "-R '[%s]:%u'",
                      c->route->address, s->print, file ? file : "known_hosts",
                      file ? file : "known_hosts", c->route->host.host,
                      c->route->port);
}

static enum step refuse_revoked(struct conn *c, const struct shown *s)
{
    return conn_failf(c, LINK_REFUSED, false,
                      "host key %s of %s is marked @revoked in known_hosts; "
                      "nothing was sent",
                      s->print, c->route->address);
}

static enum step accept_it(struct conn *c, struct hostkeys *known,
                           const struct hostkeys_offer *offer,
                           const struct shown *s)
{
    struct err err;

    if (hostkeys_accept(known, offer, false, &err) != 0) {
        err_context(&err, "host key of %s", c->route->address);
        return conn_fail(c, LINK_REFUSED, false, &err);
    }
    log_warn("%s: host key of %s accepted as new: %s", c->route->target->name,
             c->route->address, s->print);
    conn_enter(c, CONN_NONE);
    return STEP_GO;
}

static enum step look_up(struct conn *c, const struct shown *s)
{
    const struct link_target *t = c->route->target;
    struct hostkeys_offer offer = {.host = c->route->host.host,
                                   .port = c->route->port,
                                   .blob = s->blob,
                                   .len = s->len};
    struct err err;
    struct hostkeys *known = port_hostkeys(c->port, t->known_hosts, &err);

    if (known == NULL)
        return conn_fail(c, LINK_REFUSED, false, &err);
    switch (hostkeys_lookup(known, &offer)) {
    case HOSTKEYS_KNOWN:
        conn_enter(c, CONN_NONE);
        return STEP_GO;
    case HOSTKEYS_UNKNOWN:
        return t->accept_new ? accept_it(c, known, &offer, s)
                             : refuse_unknown(c, s);
    case HOSTKEYS_REVOKED:
        return refuse_revoked(c, s);
    case HOSTKEYS_CHANGED:
    case HOSTKEYS_OTHER:
        break;
    }
    return refuse_changed(c, s);
}

static enum step judge(struct conn *c, const struct shown *s)
{
    const char *pin = c->route->target->host_key;

    if (pin == NULL)
        return look_up(c, s);
    if (!hostkeys_pin_matches(pin, s->blob, s->len))
        return refuse_pin(c, s);
    conn_enter(c, CONN_NONE);
    return STEP_GO;
}

enum step hostkey_step(struct conn *c)
{
    struct shown s = {0};
    enum step step;

    if (compat_server_key(c->session, &s.blob, &s.len) != 0)
        return conn_failf(c, LINK_REFUSED, false,
                          "%s shows no host key that can be read",
                          c->route->address);
    hostkeys_fingerprint(s.blob, s.len, s.print);
    step = judge(c, &s);
    free(s.blob);
    return step;
}
