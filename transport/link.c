/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link.c - the calls of core/link.h, for SSH.  It must not know
 * how a lane does what it is asked.
 */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "transport/link_priv.h"
#include "transport/tls.h"

static struct link *link_open(struct link_port *port,
                              const struct link_target *target)
{
    struct link *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    l->port = port;
    l->target = target;
    lane_init(&l->commands, l, false);
    lane_init(&l->files, l, true);
    return l;
}

static void link_connect(struct link *l, link_done_f *done, void *user)
{
    assert(!l->closing);
    lane_submit(&l->commands, request_new(l, REQUEST_CONNECT, done, user));
}

static void link_command(struct link *l, const struct link_command *command,
                         link_done_f *done, void *user)
{
    struct request *r = request_new(l, REQUEST_COMMAND, done, user);

    assert(!l->closing);
    r->command = *command;
    lane_submit(&l->commands, r);
}

static void link_put(struct link *l, const struct link_put *put,
                     link_done_f *done, void *user)
{
    struct request *r = request_new(l, REQUEST_PUT, done, user);

    assert(!l->closing);
    r->put = *put;
    lane_submit(&l->files, r);
}

static void link_get(struct link *l, const char *name, size_t cap,
                     link_done_f *done, void *user)
{
    struct request *r = request_new(l, REQUEST_GET, done, user);

    assert(!l->closing);
    r->name = name;
    r->cap = cap;
    lane_submit(&l->files, r);
}

static void link_list(struct link *l, link_done_f *done, void *user)
{
    assert(!l->closing);
    lane_submit(&l->files, request_new(l, REQUEST_LIST, done, user));
}

static void link_remove(struct link *l, const char *name, link_done_f *done,
                        void *user)
{
    struct request *r = request_new(l, REQUEST_REMOVE, done, user);

    assert(!l->closing);
    r->name = name;
    lane_submit(&l->files, r);
}

static void on_chain(void *user, const struct link_result *result)
{
    struct link_probe *p = user;
    struct link *l = p->link;
    struct link_probe **at = &l->probes;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->done(p->user, result);
    free(p);
    link_end_if_closed(l);
}

static void link_peer_chain(struct link *l, const struct link_peer *peer,
                            link_done_f *done, void *user)
{
    struct link_probe *p = calloc(1, sizeof(*p));

    assert(!l->closing);
    if (p == NULL)
        abort();
    p->link = l;
    p->done = done;
    p->user = user;
    p->next = l->probes;
    l->probes = p;
    p->probe = tls_probe_start(l->port->loop, peer, on_chain, p);
}

static void link_cancel(struct link *l)
{
    l->canceling = true;
    lane_cancel(&l->commands);
    lane_cancel(&l->files);
    for (struct link_probe *p = l->probes; p != NULL; p = p->next)
        tls_probe_cancel(p->probe);
    link_ask_cancel(l);
    l->canceling = false;
}

static void tell_closed(struct port_note *note)
{
    struct link *l =
        (struct link *)((char *)note - offsetof(struct link, closed_note));

    l->closed(l->closed_user);
    route_release(&l->route);
    free(l);
}

void link_end_if_closed(struct link *l)
{
    if (!l->closing || l->pending > 0 || l->handles > 0 || l->probes != NULL ||
        l->commands.conn != NULL || l->files.conn != NULL ||
        l->closed_note.tell != NULL)
        return;
    l->closed_note.tell = tell_closed;
    port_tell(l->port, &l->closed_note);
}

static void link_close(struct link *l, link_closed_f *closed, void *user)
{
    assert(!l->closing);
    link_cancel(l);
    l->closing = true;
    l->closed = closed;
    l->closed_user = user;
    lane_release(&l->commands);
    lane_release(&l->files);
}

const struct link_ops *port_ops(void)
{
    static const struct link_ops ops = {
        .open = link_open,
        .connect = link_connect,
        .command = link_command,
        .put = link_put,
        .get = link_get,
        .list = link_list,
        .remove = link_remove,
        .peer_chain = link_peer_chain,
        .ask = link_ask,
        .post = link_post,
        .cancel = link_cancel,
        .close = link_close,
    };

    return &ops;
}
