/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/port.h - SSH and SFTP as an implementation of core/link.h.
 *
 *     struct link_port *port = port_new(loop, &(struct port_options){0});
 *     struct link_provider provider = {port_ops(), port};
 *     ... links are opened, used and closed ...
 *     port_free(port);              after the last link's `closed`
 *     uv_run(loop, UV_RUN_DEFAULT); lets its handles close
 *
 * One port for a process: it shares keys, host keys, ssh_config and the
 * memory of refused passwords over all links.  Known_hosts and ssh_config
 * are read when the first link that names them needs them.
 */
#ifndef CERTFLEET_TRANSPORT_PORT_H
#define CERTFLEET_TRANSPORT_PORT_H

#include <uv.h>

#include "core/link.h"

struct port_options {
    unsigned max_sessions; /* connections open at once; 0: 200.  A link takes
                              up to two; idle ones give way to those that
                              wait */
    unsigned keepalive_s;  /* silence after which a node is probed; 0: 15 */
    const char *home;      /* for ~ in ssh_config; NULL: $HOME; copied */
};

struct link_port *port_new(uv_loop_t *loop, const struct port_options *options);
void port_free(struct link_port *port);

const struct link_ops *port_ops(void);

/* Connections that stand or are being made, of all links; but for those that
 * gave no answer within a second. */
unsigned port_sessions(const struct link_port *port);

#endif
