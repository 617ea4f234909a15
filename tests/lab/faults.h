/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/faults.h - what goes wrong on request.
 *
 * A fault is {node glob, kind, subject glob, n-th match or always, number}.
 * The code at a point asks faults_match(kind, subject) and acts on a hit; the
 * table in faults.c lists every kind, with its subject and its meaning.
 */
#ifndef CERTFLEET_LAB_FAULTS_H
#define CERTFLEET_LAB_FAULTS_H

#include "tests/lab/lab.h"

enum fault_kind {
    /* a TCP connection arrives; subject "" */
    F_REFUSE,
    F_STALL,
    F_HOST_KEY,
    /* a login; subject "USER METHOD" */
    F_AUTH_LOST,
    F_PASSWORD_EXPIRED,
    F_SLOW_LOGIN,
    /* a channel is opened or asks for something; subject: session, shell,
     * sftp, "exec LINE" */
    F_CHANNEL_REFUSED,
    /* a command line; subject: the line */
    F_DROP_BEFORE,
    F_DROP_ASKED,
    F_DROP_DURING,
    F_DROP_HALF,
    F_DROP_AFTER,
    F_NO_REPLY,
    F_NO_ANSWER,
    F_FAIL,
    F_FAIL_ASYNC,
    F_SLOW,
    F_SLOW_ASYNC,
    F_GARBLE,
    F_TORN,
    F_PROMPT_INSIDE,
    F_UNKNOWN_COMMAND,
    F_REBOOT_BEFORE,
    F_REBOOT_DURING,
    F_HOLD_BEFORE,
    F_HOLD_AFTER,
    F_FORGE,
    F_STEER,
    F_ENDLESS, /* subject `login`: instead of the first prompt */
    /* a shell; subject: who */
    F_NO_PROMPT,
    /* a file operation; subject "OP NAME" */
    F_SFTP_FAIL,
    F_SFTP_DROP_BEFORE,
    F_SFTP_DROP_AFTER,
    F_SFTP_NO_REPLY,
    F_SFTP_SLOW,
    F_DISK_FULL,
    F_SHORT_WRITE,
    F_CORRUPT,
    F_SFTP_HUGE,
    F_SFTP_LONG,
    F_SFTP_WRONG_ID,
    F_SFTP_ATTRS,
    F_SFTP_NAMES,
    F_SFTP_ENDLESS,
    F_SFTP_WORDS,
    F_KINDS
};

struct fault {
    struct fault *next;
    unsigned id;
    enum fault_kind kind;
    char *node, *subject; /* globs */
    unsigned nth;         /* 0: every match */
    unsigned ms;          /* or what the kind calls its number */
    unsigned after;       /* id of the fault that must have struck before */
    unsigned seen, hits;
};

struct faults {
    struct lab *lab;
    struct fault *list;
    unsigned last_id;
};

struct faults *faults_new(struct lab *lab);
void faults_free(struct faults *faults);

const char *fault_name(enum fault_kind kind);
const char *fault_help(enum fault_kind kind);
int fault_kind(const char *name); /* -1: no such */

/* `spec` is copied; returns its id.  One that waits for another (`after`) does
 * not count what it sees before. */
unsigned faults_add(struct faults *faults, const struct fault *spec);
unsigned faults_clear(struct faults *faults, unsigned id); /* 0: all */

/* NULL, or the fault that strikes now (counted). */
const struct fault *faults_match(struct lab_node *node, enum fault_kind kind,
                                 const char *subject);

#endif
