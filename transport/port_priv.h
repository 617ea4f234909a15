/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/port_priv.h - what links and connections share, for ssh*.c,
 * auth*.c, link*.c and port.c only.
 */
#ifndef CERTFLEET_TRANSPORT_PORT_PRIV_H
#define CERTFLEET_TRANSPORT_PORT_PRIV_H

#include <stdbool.h>
#include <uv.h>

#include "transport/auth_key.h"
#include "transport/dialog.h"
#include "transport/hostkeys.h"
#include "transport/login.h"
#include "transport/pool.h"
#include "transport/port.h"
#include "transport/ramp.h"
#include "transport/sshconfig.h"

struct conn;
struct https;

/* Something to be told from the top of the loop, in order.  Completions go
 * this way: then none ever runs inside a call, nor inside libssh. */
struct port_note {
    struct port_note *next;
    void (*tell)(struct port_note *); /* may free it */
};

struct port_file { /* a file read once, by its path */
    struct port_file *next;
    char *path;
    struct hostkeys *hostkeys; /* one of the two */
    struct sshconfig *config;
};

struct port_rules {
    struct port_rules *next;
    const struct link_dialect *dialect;
    struct dialog_rules *rules;
};

struct port_stretch { /* of work in the loop's thread */
    uint64_t cpu_us;  /* its CPU time when it began */
    uint64_t wall_ns; /* 0: not looked at yet */
};

struct link_port {
    uv_loop_t *loop;
    unsigned keepalive_ms;
    char *home;
    struct pool slots;
    struct pool opening; /* on their way to a login, as many as `ramp' says */
    struct ramp ramp;
    unsigned aside; /* those that gave their slot back before they ended */
    unsigned aside_most;
    struct pool proxies; /* logins through a jump host at once: its sshd
                            drops more than ten (MaxStartups) */
    struct logins *logins;
    struct logins *api_logins; /* of REST: who may log in may not ask it */
    struct https *https;       /* NULL until the first question */
    struct keyring *keys;
    struct port_file *files;
    struct port_rules *rules;
    struct conn *conns; /* all, see ssh.c */
    struct port_note *notes;
    struct port_note **last_note;
    uv_idle_t teller;
    uv_timer_t keepalive;
    uv_timer_t looker;  /* runs while some are on their way */
    uv_timer_t evictor; /* runs while all idle ones are too young to give way */
    uv_prepare_t pacer;
    struct port_stretch turn; /* since the loop last began to wait */
    int handles;
    bool freeing;
};

/* Has this turn of the loop computed for long enough?  What waits then waits
 * for the next turn: two hundred handshakes that come at once (0.4 ms each)
 * must not keep timers and other sessions from theirs. */
bool port_turn_is_long(struct link_port *p);

/* `note` is told in the next turn of the loop. */
void port_tell(struct link_port *p, struct port_note *note);

/* Read at the first call, kept; NULL with err. */
struct hostkeys *port_hostkeys(struct link_port *p, const char *path,
                               struct err *err);
struct sshconfig *port_config(struct link_port *p, const char *path,
                              struct err *err);
struct dialog_rules *port_dialog_rules(struct link_port *p,
                                       const struct link_dialect *dialect,
                                       struct err *err);

/* ssh_alive.c: what the port does for its connections */
void port_keepalive(struct link_port *p);
bool port_evict(void *port);

#endif
