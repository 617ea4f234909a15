/* SPDX-License-Identifier: Apache-2.0
 *
 * core/link.h - the port: how a run reaches one node.
 *
 * core knows this vtable only; transport/ implements it (SSH and SFTP on
 * libssh) and the program's main injects it.  A link is one node's pair of
 * connections, one for commands and one for SFTP (facts/cms.md 1.2), opened
 * when first needed, kept for the run, opened again with backoff when lost.
 *
 * Every request completes exactly once, never inside the call that made it,
 * also when cancelled.  Requests on one link are served in order, commands and
 * files independently of each other.  All in the loop's thread.
 *
 * Units: ms, bytes.  The caller owns what it passes until the completion; what
 * a completion is given is valid only during the call.
 */
#ifndef CERTFLEET_LINK_H
#define CERTFLEET_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/secret.h"

enum link_end {
    LINK_OK,       /* the whole answer is here */
    LINK_FAILED,   /* the node answered with a failure (SFTP status ...) */
    LINK_UNSENT,   /* nothing of the request reached the node */
    LINK_REFUSED,  /* host key or login refused: nothing sent, do not retry */
    LINK_LOST,     /* sent, no whole answer: whether it acted is unknown */
    LINK_CANCELED, /* link_cancel or close came first; may have been sent */
};

struct link_file { /* one entry of a directory */
    const char *name;
    uint64_t size; /* bytes */
    int64_t mtime; /* seconds since 1970; -1: not told */
};

struct link_result {
    enum link_end end;
    const struct err *err; /* why, when end != LINK_OK */
    const char *data;      /* command: output without echo and prompt;
                              get: the bytes; peer_chain: PEM, leaf first */
    size_t len;
    bool confirmed; /* dialog: the question was seen and answered */
    const struct link_file *files; /* list */
    size_t n_files;
    unsigned status;  /* ask, post: of HTTP; 0: none came */
    uint64_t took_ms; /* from the first byte sent to the last received */
};

typedef void link_done_f(void *user, const struct link_result *result);
typedef void link_closed_f(void *user);

/* How a product speaks (facts/cms.md 1.2, 1.3, 3.4, 11).  Patterns are POSIX
 * extended regular expressions, matched without case where (i) stands. */
struct link_typed {     /* what a command by exec is answered */
    const char *prompt; /* its output ends with this, blanks behind it
                           aside; NULL ends the table */
    bool secret;        /* the target's typed_secret; else `text' */
    const char *text;
};
struct link_shell {     /* that a login may have, for commands by exec */
    const char *answer; /* to the dialect's shell_question: how it ends, letter
                           case and blanks aside; NULL ends the table */
    const char *before, *after; /* around each command */
};
struct link_dialect {
    bool shell_commands;  /* plain commands in the shell too, not by exec */
    unsigned pty_columns; /* wide, so that nothing is wrapped */
    const char *prompt;   /* last line of the output, at its end */
    const char *question; /* (i) asks for a confirmation */
    const char *answer;   /* typed once when the question was seen */
    const char *password_change; /* (i) a login that asks for a new password */
    const char *paste;           /* (i) asks for a text of several lines */
    const char *opening; /* typed first in each shell; its answer is dropped */
    unsigned start_ms;   /* a shell may take so long to its first prompt; 0:
                            some seconds */
    unsigned channel_retry_ms; /* wait after a refused channel, once */
    size_t output_cap;         /* bytes of one command's output at most */
    unsigned sftp_depth;       /* requests in flight on one SFTP channel */
    /* Of commands by exec.  Each prompt is answered once a command: a secret
     * that is asked for again was refused (LINK_REFUSED). */
    const struct link_typed *typed; /* NULL: none asks */
    /* Around each: the one shell that the product's templates are for, where a
     * node may have another as its login's.  NULL: nothing. */
    const char *exec_before, *exec_after;
    /* Or where no one form is good for all of them: what each new connection
     * is asked first, by exec, and the shells that it tells apart.  Another
     * answer: LINK_REFUSED.  NULL: nothing is asked. */
    const char *shell_question;
    const struct link_shell *shells;
};

struct link_target {
    const char *name;        /* the inventory's word for the node */
    const char *address;     /* name or IP that the inventory gives */
    unsigned port;           /* 0: as ssh_config says, else 22 */
    const char *user;        /* NULL: as ssh_config says, else the login name */
    struct secret *password; /* NULL: none; shared by reference */
    const char *identity;    /* private key file; NULL: ssh_config's */
    bool identity_required;  /* named by the user: missing is an error */
    struct secret *passphrase;   /* of identity; NULL: none */
    const char *host_key;        /* "SHA256:..." pin; beats known_hosts */
    bool accept_new;             /* unknown host keys are added, not refused */
    const char *known_hosts;     /* path */
    const char *ssh_config;      /* path; NULL: none */
    bool weak_algorithms;        /* ssh-rsa, dh-group14-sha1 too */
    const char *api_user;        /* of its REST interface; NULL: it is not to
                                    be asked */
    struct secret *api_password; /* shared by reference */
    struct secret *api_ca;       /* PEM: whom its certificate leads to, or that
                                    very certificate */
    struct secret *typed_secret; /* for the dialect's prompts; shared by
                                    reference; NULL: none */
    const char *const *names;    /* what that may call it besides `address`;
                                    NULL-ended, or NULL */
    unsigned connect_timeout_ms; /* name, TCP, key exchange and login */
    unsigned command_timeout_ms; /* of a request that names none */
    const struct link_dialect *dialect;
    /* Asked right before bytes go out; false: they stay here.  NULL: yes.  An
     * answer may come, and be answered, after whoever asked has lost the right
     * to (a process that stood still). */
    bool (*may_send)(void *user);
    void *may_send_user;
};

struct link_command {
    const char *text;    /* one line, no newline; printable ASCII only */
    bool confirm;        /* a question is expected and may be answered */
    const char *answer;  /* with this; NULL: the dialect's */
    const char *paste;   /* lines for a prompt that asks for a text; a blank
                            line is typed behind them; NULL: none */
    unsigned timeout_ms; /* 0: the target's command_timeout_ms */
};

struct link_put {
    const char *name; /* in the flat root of the node's SFTP */
    const void *data;
    size_t len;
    bool exclusive; /* refuse when it exists: LINK_FAILED */
};

enum link_tls {
    LINK_TLS_PLAIN,
    LINK_TLS_POSTGRES,   /* SSLRequest first */
    LINK_TLS_XMPP,       /* STARTTLS first, as a client ... */
    LINK_TLS_XMPP_SERVER /* ... or as a server */
};

struct link_peer { /* a TLS listener, not by SSH */
    const char *address;
    unsigned port;
    enum link_tls tls;
    unsigned timeout_ms;
    const char *domain; /* `peer_chain`, XMPP: whom it is asked for */
    const char *pin;    /* `ask`: SHA-256 of a certificate that is good, too */
    size_t answer_cap;  /* `ask`, `post`: bytes of the answer; 0: 64 KB */
};

struct link_post { /* JSON for a node's REST interface */
    struct link_peer peer;
    const char *path;
    const char *body;
    size_t len;
};

struct link;      /* one node */
struct link_port; /* the implementation with its loop, keys and host keys */

struct link_ops {
    /* No I/O yet.  `target` and what it points to must outlive the link. */
    struct link *(*open)(struct link_port *, const struct link_target *);
    /* Logs in the command connection; LINK_OK when it stands.  Of the links
     * that share user and password one logs in first, the others follow when
     * it succeeded; a refused password is never sent again, by any link. */
    void (*connect)(struct link *, link_done_f *, void *user);
    void (*command)(struct link *, const struct link_command *, link_done_f *,
                    void *user);
    void (*put)(struct link *, const struct link_put *, link_done_f *,
                void *user);
    void (*get)(struct link *, const char *name, size_t cap, link_done_f *,
                void *user);
    void (*list)(struct link *, link_done_f *, void *user);
    void (*remove)(struct link *, const char *name, link_done_f *, void *user);
    void (*peer_chain)(struct link *, const struct link_peer *, link_done_f *,
                       void *user);
    /* GET of its REST interface, by HTTPS, with the target's api_password.
     * LINK_OK: 200, data = the body, at most answer_cap and without NUL;
     * hostile bytes.  LINK_REFUSED: the password was, here or elsewhere, and is
     * not sent again.  LINK_FAILED: another status, a certificate that is not
     * trusted, no HTTP.  `peer` is as above, `tls` aside. */
    void (*ask)(struct link *, const struct link_peer *, const char *path,
                link_done_f *, void *user);
    /* POST to it, else as `ask`.  LINK_OK: 200 or 201.  LINK_FAILED with a
     * status: the node said no, and data is what it said.  LINK_LOST: it went
     * out and no whole answer came, for whatever reason: it may have acted. */
    void (*post)(struct link *, const struct link_post *, link_done_f *,
                 void *user);
    /* Every request in flight completes with LINK_CANCELED, connections are
     * dropped; the link can be used again. */
    void (*cancel)(struct link *);
    /* Frees it; requests in flight complete with LINK_CANCELED first. */
    void (*close)(struct link *, link_closed_f *, void *user);
};

/* What main injects into a run. */
struct link_provider {
    const struct link_ops *ops;
    struct link_port *port;
};

#endif
