/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/sshconfig.h - what the user's ssh_config says of a host.
 *
 * The file is read once (libssh would read it for each session, and may run
 * `Match exec`); asking for one host is a walk over the parsed lines.  As
 * ssh_config(5): the first value wins; Host with `*`, `?`, `!`; Match all,
 * host, originalhost, user, localuser; Include with globs, relative to
 * ~/.ssh.  The system's file is not read.
 *
 * `Match exec` is never run.  It and the other conditions that are not
 * supported (canonical, final, ...) do not match, negated or not; the first
 * one is warned about.
 *
 * Keywords understood: HostName, Port, User, IdentityFile, IdentitiesOnly,
 * ProxyJump, ProxyCommand, KexAlgorithms, Ciphers, MACs, HostKeyAlgorithms,
 * PubkeyAcceptedAlgorithms (and PubkeyAcceptedKeyTypes), IdentityAgent.
 * Every other keyword is ignored, ConnectTimeout too: the inventory has it.
 *
 * Tokens: %% everywhere; HostName %h (as asked); ProxyJump and ProxyCommand
 * %h (the resolved name) %n (as asked) %p %r; IdentityFile and IdentityAgent
 * these and %d %i %k %u, a leading ~/ and ${ENVIRONMENT}.  Any other token is
 * an error.
 */
#ifndef CERTFLEET_TRANSPORT_SSHCONFIG_H
#define CERTFLEET_TRANSPORT_SSHCONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

struct sshconfig;

/* Reads and checks `path` and what it includes.  NULL: no file, an object
 * that says nothing.  `home`: for ~ and %d, copied.  A file that is missing
 * or cannot be read is an error: ask file_exists() for the default one.
 * NULL on error: CAUSE_INPUT, "path line 12: ...". */
struct sshconfig *sshconfig_load(const char *path, const char *home,
                                 struct err *err);
void sshconfig_free(struct sshconfig *c);

/* Names with commas, most preferred first: what `+`, `-` and `^` in the
 * file are applied to.  NULL is an empty list. */
struct sshconfig_defaults {
    const char *kex;
    const char *ciphers;
    const char *macs;
    const char *hostkeys;
    const char *pubkeys;
};

struct sshconfig_query {
    const char *host;       /* as the inventory has it */
    const char *user;       /* given there; NULL: not given */
    unsigned port;          /* given there; 0: not given */
    const char *local_user; /* the login name of who runs us */
    const struct sshconfig_defaults *defaults; /* NULL: all empty */
};

/* The answer.  Every text is owned by it. */
struct sshconfig_host {
    char *host;        /* to connect to; never NULL */
    unsigned port;     /* the query's, else the file's; 0: neither has one */
    char *user;        /* the query's, else the file's; NULL: neither */
    char **identities; /* paths in order, expanded; n_identities of them */
    size_t n_identities;
    bool identities_none; /* `IdentityFile none`: no defaults either */
    bool identities_only;
    char *agent;         /* path; "none"; "SSH_AUTH_SOCK"; NULL: not set */
    char *proxy_jump;    /* [user@]host[:port],... expanded; NULL: none */
    char *proxy_command; /* expanded; NULL: none */
    char *kex;           /* resolved lists; NULL: not set in the file */
    char *ciphers;
    char *macs;
    char *hostkeys;
    char *pubkeys;
};

/* Answers for one host; -1 with CAUSE_INPUT when an expansion fails (an
 * environment variable that is not set).  On 0 the caller releases. */
int sshconfig_resolve(struct sshconfig *c, const struct sshconfig_query *q,
                      struct sshconfig_host *out, struct err *err);
void sshconfig_host_release(struct sshconfig_host *out); /* zeroes it */

/* Applies `+a,b`, `-a*`, `^a,b` or a plain list to `defaults`.  The caller
 * frees. */
char *sshconfig_assemble(const char *value, const char *defaults);

#endif
