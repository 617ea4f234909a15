/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_priv.h - a link's inside, for link*.c only.
 *
 * A link has two lanes, one for commands and one for files.  A lane has a
 * line of requests and one connection, made when the line needs it.  What a
 * lane does with a connection that is ready is its own: link_command.c and
 * link_shell.c, or link_file.c.
 */
#ifndef CERTFLEET_TRANSPORT_LINK_PRIV_H
#define CERTFLEET_TRANSPORT_LINK_PRIV_H

#include <uv.h>

#include "core/base/str.h"
#include "core/link.h"
#include "transport/channel.h"
#include "transport/dialog.h"
#include "transport/https.h"
#include "transport/link_route.h"
#include "transport/port_priv.h"
#include "transport/sftp.h"
#include "transport/ssh.h"

enum {
    TYPED_MAX = 4096 /* bytes of an answer */
};

enum request_kind {
    REQUEST_CONNECT,
    REQUEST_COMMAND,
    REQUEST_PUT,
    REQUEST_GET,
    REQUEST_LIST,
    REQUEST_REMOVE,
};

struct request {
    struct port_note note;
    struct request *next;
    struct link *link;
    enum request_kind kind;
    link_done_f *done;
    void *user;
    struct link_command command;
    struct link_put put;
    const char *name; /* get, remove */
    size_t cap;       /* get */
    bool sent;        /* a byte of it was handed to libssh */
    bool settled;     /* completed, not told yet */
    unsigned tries;   /* connections that died under it before it was sent */
    uint64_t sent_ms;
    uint64_t last_ms;
    struct str out; /* what a command printed */
    struct link_result result;
    struct err err;
    char *bytes; /* of a get; wiped */
    struct link_file *files;
};

struct request_line {
    struct request *first;
    struct request **last;
};

enum lane_pause {
    PAUSE_NONE,
    PAUSE_BACKOFF,
    PAUSE_CHANNEL,
    PAUSE_QUIET,
    PAUSE_EOF
};

struct lane {
    struct link *link;
    bool is_files;
    struct request_line line;
    struct request *current; /* commands: one at a time */
    unsigned in_flight;      /* files: given to the codec */
    struct conn *conn;
    bool dropping; /* `conn` is being closed by us */
    unsigned attempts;
    uint64_t budget_ms; /* what is left of connect_timeout_ms */
    bool without_agent;
    unsigned key_types;    /* kinds of host keys that were not the pin */
    struct err *first_pin; /* what the first of them was refused with */
    bool served;           /* this connection has answered a command */
    uv_timer_t deadline;
    uv_timer_t pause;
    enum lane_pause paused_for;
    struct chan *chan; /* exec or SFTP */
    bool chan_opened;
    bool chan_retried;
    struct str line_out;   /* what the exec asks for, with what stands around */
    struct secret *typing; /* an answer on its way; NULL: none */
    size_t typing_at;      /* bytes of it that are gone */
    unsigned typed_rows;   /* of the dialect's table, that were answered */
    const struct link_shell *login_shell; /* NULL: it was not asked yet */
    bool asking_shell; /* the exec is that question, not the command */
    struct chan *shell;
    struct dialog *dialog;
    bool typed;      /* the current command was given to the dialog */
    bool shell_open; /* the dialect's opening was */
    struct files *files;
};

struct link_probe { /* a look at a TLS listener */
    struct link_probe *next;
    struct link *link;
    struct tls_probe *probe;
    link_done_f *done;
    void *user;
};

struct link {
    struct link_port *port;
    const struct link_target *target;
    struct route route;
    bool has_route;
    struct lane commands;
    struct lane files;
    struct link_probe *probes;
    struct link_asking *asking; /* questions to its API, see link_api.c */
    unsigned pending;           /* requests not told yet */
    int handles;
    bool canceling;
    bool closing;
    struct port_note closed_note;
    link_closed_f *closed;
    void *closed_user;
};

/* link_request.c */
struct request *request_new(struct link *l, enum request_kind kind,
                            link_done_f *done, void *user);
void request_settle(struct request *r, enum link_end end,
                    const struct err *err);
void request_settlef(struct request *r, enum link_end end, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void line_init(struct request_line *line);
void line_add(struct request_line *line, struct request *r);
void line_push_front(struct request_line *line, struct request *r);
struct request *line_take(struct request_line *line);

/* link_lane.c */
void lane_init(struct lane *lane, struct link *l, bool is_files);
void lane_submit(struct lane *lane, struct request *r);
void lane_kick(struct lane *lane);
void lane_drop(struct lane *lane); /* its connection, and all on it */
void lane_cancel(struct lane *lane);
void lane_release(struct lane *lane); /* closes its timers */
void lane_pause(struct lane *lane, enum lane_pause why, uint64_t ms);
void lane_unpause(struct lane *lane);
/* A request that was not sent goes back to the line, or has had enough. */
void lane_again(struct lane *lane, struct request *r, const struct err *why);
unsigned lane_timeout_ms(const struct lane *lane);

/* link.c */
void link_end_if_closed(struct link *l);

/* link_api.c */
void link_ask(struct link *l, const struct link_peer *peer, const char *path,
              link_done_f *done, void *user);
void link_post(struct link *l, const struct link_post *post, link_done_f *done,
               void *user);
void link_ask_cancel(struct link *l);

/* link_command.c */
void command_serve(struct lane *lane);
size_t command_cap(const struct lane *lane);
void command_reset(struct lane *lane, const struct err *why);
void command_on_pause(struct lane *lane, enum lane_pause why);
void command_on_deadline(struct lane *lane);
void command_settle(struct lane *lane, enum link_end end,
                    const struct err *err);
/* The channel was refused: once more after a while, then UNSENT. */
void command_chan_refused(struct lane *lane, const struct err *err);

/* link_typed.c */
bool typed_is_at(const char *text, size_t len, const char *prompt);
void typed_forget(struct lane *lane); /* before each command, and at the end */
/* After each output.  1: there is something to send; -1: it asks for what we do
 * not have, or again. */
int typed_answer(struct lane *lane, struct err *err);
const void *typed_output(const struct lane *lane, size_t *len);
void typed_sent(struct lane *lane, size_t n);

/* link_shell.c */
void shell_start(struct lane *lane);
void shell_drop(struct lane *lane);
void shell_on_quiet(struct lane *lane);

/* link_file.c */
void file_serve(struct lane *lane);
void file_reset(struct lane *lane, const struct err *why);
void file_on_pause(struct lane *lane, enum lane_pause why);
void file_on_deadline(struct lane *lane);

#endif
