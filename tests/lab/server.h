/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/server.h - SSH listeners and connections on libssh and libuv.
 *
 * One listener a node; each connection is pumped by a private ssh_event when
 * its descriptor is ready, never blocking.  The only header beside its .c
 * files that knows libssh.
 */
#ifndef CERTFLEET_LAB_SERVER_H
#define CERTFLEET_LAB_SERVER_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "tests/lab/lab.h"

struct terminal;
struct filer;

struct lab_server *server_new(struct lab *lab, struct err *err);
int server_node_up(struct lab_node *node, struct err *err);
void server_node_down(struct lab_node *node); /* cuts its connections */
void server_cut(struct lab_node *node);       /* connections only */
void server_free(struct lab_server *server);

/* Makes an ed25519 key in `path` unless it is there. */
int server_make_key(const char *path, struct err *err);
/* "ssh-ed25519 AAAA..." of a private key's file; malloc'd, NULL on error. */
char *server_public_key(const char *path, struct err *err);
/* Another host key from now on (a file that server_make_key makes). */
int server_host_key(struct lab_node *node, const char *path, struct err *err);

/* -- connections and channels (conn.c, session.c) -------------------------- */

enum chan_kind {
    CHAN_NONE,
    CHAN_TERMINAL,
    CHAN_FILER
};

struct conn {
    struct conn *next, **prev; /* of the same listener */
    struct lab_node *node;
    ssh_session session;
    ssh_event event;
    uv_poll_t poll;
    int fd;    /* our duplicate; libssh has its own */
    int flags; /* what uv_poll listens for */
    bool open; /* key exchange is over */
    bool pumping;
    bool dead; /* close it after the pump */
    bool drop_when_flushed;
    bool authed;
    char *user;
    struct chan *chans;
    struct ssh_server_callbacks_struct callbacks;
    uint64_t channel_closed_ms; /* the last one */
    struct later *start;        /* a key exchange that begins late */
};

struct chan {
    struct chan *next;
    struct conn *conn;
    ssh_channel channel;
    struct ssh_channel_callbacks_struct callbacks;
    enum chan_kind kind;
    bool pty;
    struct str out; /* not yet taken by libssh */
    bool finishing; /* exit status, EOF and close after `out` */
    bool finished;  /* they were sent */
    bool gone;      /* closed by the peer */
    struct terminal *terminal;
    struct filer *filer;
};

void session_setup(struct conn *conn); /* callbacks, methods */
void session_release_chan(struct chan *chan);

void chan_write(struct chan *chan, const void *data, size_t len);
void chan_finish(struct chan *chan); /* after what was written */
void conn_drop(struct conn *conn, bool flush);
void conn_kick(struct conn *conn); /* after writes from a timer */

/* -- what runs in a channel ------------------------------------------------ */

/* terminal.c: a shell, or one command (`exec`). */
struct terminal *terminal_shell(struct chan *chan);
struct terminal *terminal_exec(struct chan *chan, const char *command);
void terminal_data(struct terminal *t, const char *data, size_t len);
void terminal_eof(struct terminal *t);
void terminal_free(struct terminal *t);

/* filer.c: the SFTP subsystem, version 3. */
struct filer *filer_new(struct chan *chan);
void filer_data(struct filer *filer, const void *data, size_t len);
void filer_free(struct filer *filer);

#endif
