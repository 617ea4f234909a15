/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/ssh_priv.h - a connection's inside, for ssh*.c, auth.c and
 * channel.c only.
 */
#ifndef CERTFLEET_TRANSPORT_SSH_PRIV_H
#define CERTFLEET_TRANSPORT_SSH_PRIV_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <stddef.h>
#include <uv.h>

#include "core/base/str.h"
#include "transport/auth_key.h"
#include "transport/channel.h"
#include "transport/login.h"
#include "transport/pool.h"
#include "transport/port_priv.h"
#include "transport/proxy.h"
#include "transport/sock.h"
#include "transport/ssh.h"

enum conn_state {
    CONN_SLOT,      /* waits for a slot */
    CONN_DIAL,      /* name, TCP or proxy */
    CONN_HANDSHAKE, /* banner and key exchange */
    CONN_HOSTKEY,   /* whose key is it? */
    CONN_NONE,      /* which logins does it offer? */
    CONN_KEY_LOAD,  /* a private key is read in the pool */
    CONN_KEY,       /* login by that key */
    CONN_AGENT,     /* login by the agent's keys, in the pool */
    CONN_GATE,      /* may the password be sent? */
    CONN_PASSWORD,
    CONN_KBDINT,
    CONN_READY,
    CONN_OVER,
    CONN_STATES
};

/* What a state's function says. */
enum step {
    STEP_WAIT, /* for the socket, a timer, the pool */
    STEP_GO,   /* the state changed: go on at once */
};

/* Where the login has got to. */
struct auth {
    unsigned offered;     /* SSH_AUTH_METHOD_* bits, the server's */
    size_t next_key;      /* of the route's identities */
    const char *key_path; /* the one being tried */
    bool agent_done;
    bool password_done;
    bool kbdint_done;
    bool kbdint_answered;
    bool gate_for_kbdint;
    bool signing;               /* the pool made or makes the signature */
    int (*call)(struct conn *); /* what the pool runs */
    bool sent;                  /* the password is out, no answer yet */
    int agent_fd;               /* libssh's, for a shutdown; -1: none */
    int pool_rc;                /* what the pooled call returned */
    bool pool_came;             /* ... and it has not been looked at */
    struct key_want want;
    struct login login;
    struct str tried; /* "publickey (/path), agent, password" */
};

struct conn {
    struct conn *next; /* all of a port */
    struct conn *prev;
    struct link_port *port;
    const struct route *route;
    const struct conn_owner *owner;
    void *user;
    enum conn_state state;
    enum link_end end;
    struct err *err; /* NULL until something went wrong */
    bool again;
    bool without_agent; /* asked for */
    bool blame_agent;
    bool blame_key_type;
    unsigned key_types; /* asked for: how many are left out */
    bool in_step;
    bool kicked; /* step once more */
    bool in_pool;
    bool gone;  /* handles are closing */
    bool noted; /* `note` stands in the port's line */
    struct port_note note;
    bool idle;
    uint64_t idle_since_ms;
    bool given; /* libssh has its duplicate */
    int fd;     /* ours; libssh has a duplicate */
    int handles;
    int poll_events;
    unsigned budget_ms;
    uint64_t started_ms; /* slot granted; 0: not yet */
    uint64_t until_ms;
    uint64_t gate_ms; /* when it began to wait at the gate */
    uv_poll_t poll;
    uv_timer_t timer;
    uv_work_t work;
    struct pool_slot slot;
    struct pool_slot open_slot;  /* until it is logged in, or has no answer */
    uint64_t shaken_ms;          /* from connect to the end of key exchange */
    bool aside;                  /* it gave its slot back before that */
    bool unheard;                /* nobody listens there */
    struct pool_slot proxy_slot; /* until it is logged in */
    struct dial *dial;
    struct proxy *proxy;
    ssh_session session;
    ssh_event event;
    struct chan *chans;
    struct auth auth;
    struct ssh_counter_struct counter;
    uint64_t seen_bytes; /* counter.in_bytes at the last look */
    unsigned silent;     /* looks without a byte */
    bool answers_probes; /* it has answered a keepalive once */
};

/* ssh.c */
void conn_enter(struct conn *c, enum conn_state state); /* the one setter */
void conn_step(struct conn *c);
void conn_kick(struct conn *c); /* step soon, also from inside a step */
/* Notes why and goes to CONN_OVER; the rest follows when the step is over.
 * Returns STEP_GO. */
enum step conn_fail(struct conn *c, enum link_end end, bool again,
                    const struct err *err);
enum step conn_failf(struct conn *c, enum link_end end, bool again,
                     const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* AGAIN from libssh: fails when the session is dead, else waits. */
enum step conn_wait(struct conn *c);
/* Reads what came while a state waits for something else: the peer may hang
 * up meanwhile. */
enum step conn_pump(struct conn *c);
/* The deadline stands still (waiting for others), and goes on. */
void conn_clock_stop(struct conn *c);
void conn_clock_go(struct conn *c);

/* It has a place: its time begins. */
void conn_dial(struct conn *c);

/* ssh_open.c: its place on the way to a login */
void open_take(struct conn *c);
void open_shaken(struct conn *c);
void open_won(struct conn *c);
void open_over(struct conn *c); /* fine at any time */
void open_end(struct conn *c);

/* ssh_end.c: from CONN_OVER to `ended` */
void conn_teardown(struct conn *c);
void conn_end_if_closed(struct conn *c);

/* auth.c: the states of the login */
void auth_init(struct conn *c);
void auth_release(struct conn *c);
enum step auth_step_none(struct conn *c);
enum step auth_step_key_load(struct conn *c);
enum step auth_step_key(struct conn *c);
enum step auth_step_agent(struct conn *c);
enum step auth_step_gate(struct conn *c);
enum step auth_step_password(struct conn *c);
enum step auth_step_kbdint(struct conn *c);
/* A thread that waits for the agent stops waiting. */
void auth_wake_pool(struct conn *c);
/* The connection ends: a password without an answer is told the gate. */
void auth_abandon(struct conn *c);

/* auth_pool.c: a step in the pool, while the loop leaves the session alone */
void auth_pool_start(struct conn *c, int (*call)(struct conn *c));
int auth_agent_open(const char *path);

/* channel.c */
void chan_step_all(struct conn *c);
/* Their libssh part goes with the session, their memory only after the owner
 * was told: it may still name them. */
void chan_detach_all(struct conn *c);
void chan_free_all(struct conn *c);

/* ssh_hostkey.c */
enum step hostkey_step(struct conn *c);

#endif
