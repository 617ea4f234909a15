/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/renew.h - `fleet/renew': from the nodes' certificates to a campaign.
 *
 * renew_inputs.c reads KEY=VALUE, renew_due.c reads the nodes and decides what
 * is due and in what order, renew_view.c shows it, cmd_renew.c does it,
 * renew_report.c tells what it came to.
 */
#ifndef CERTFLEET_CLI_RENEW_H
#define CERTFLEET_CLI_RENEW_H

#include "cli/session.h"
#include "core/fleet/target.h"
#include "core/run/campaign.h"

#define RENEW_ID "fleet/renew"
#define RENEW_TITLE "renew what is due in many clusters"
extern const char renew_help[];

extern const struct input_row renew_inputs[]; /* {NULL} ends */

struct renew_settings {
    unsigned due_days, due_share; /* share: percent of the lifetime; 0: days */
    const char *canary;           /* names with commas, or NULL */
    const char *batch, *max_failures; /* "N" or "N%" */
    unsigned max_clusters, settle_s;
    bool ignore_windows;
};
/* CAUSE_INPUT for what is no input, twice there, or has a bad value. */
int renew_read_inputs(struct renew_settings *settings,
                      const struct inventory *inventory,
                      const char *const *inputs, struct err *err);

enum renew_kind {
    RENEW_DUE,
    RENEW_NOT_DUE,
    RENEW_UNREACHABLE, /* a node did not answer: nobody knows */
    RENEW_HELD,        /* by a run that has not ended, whatever is shown */
    RENEW_UNAPPROVED   /* due, and the inventory wants a signed plan */
};
struct renew_cluster {
    struct cluster *cluster;
    enum renew_kind kind;
    bool canary;
    int64_t due;        /* seconds: the end of the first certificate that a
                           playbook renews; 0: there is none */
    int64_t next_opens; /* the window after this one; 0: none is known */
    bool by_hand;       /* a certificate is due that no playbook renews */
    char held_by[STORE_ID_BYTES];
    bool held_alive; /* its process lives */
    char why[1024];  /* unreachable: who; by_hand: which certificate */
    struct campaign_task tasks[CAMPAIGN_TASKS_MAX];
    size_t n_tasks;
    int64_t took_ms[CAMPAIGN_TASKS_MAX]; /* of each task, the last time; 0:
                                            nobody has measured it */
    struct pace_item pace;
    enum pace_answer left; /* pace.state LEFT: why */
};
struct renew {
    struct app *app;
    struct renew_settings settings;
    struct target target;
    struct renew_cluster *clusters; /* canaries, due ones, the others */
    size_t n, n_due;                /* all but those not due: the campaign's */
    struct pace pace;
    struct arena arena;
    int64_t now;
    bool unattended; /* by `run': what cannot be taken back is left */
    int64_t seen;    /* where the journal ended before the look */
    /* For `run', which tells others; NULL: nobody is told. */
    void (*on_cert)(void *user, const char *cluster, const char *node,
                    const struct cert_row *row);
    void (*on_begin)(void *user, const struct campaign_cluster *, size_t task);
    void (*on_task)(void *user, const struct campaign_cluster *, size_t task,
                    const struct run_result *result);
    void *user;
};

/* TARGET... [KEY=VALUE...]; without a target all clusters. */
int renew_read_words(struct renew *renew, const char *const *words,
                     struct err *err);
/* Begins them at their pace, and reports; the exit code.  Asks nobody. */
int renew_do(struct renew *renew, struct session *session);

/* Reads every node, and the history for how long it takes.  The exit code. */
int renew_look(struct renew *renew, struct session *session);

/* Reads those that were begun once more, for `windows' and metrics. */
void renew_read_again(struct renew *renew, struct session *session);

/* The parts of renew_look, for who has read elsewhere: a list of the target's
 * clusters, none due (CAUSE_INPUT: a canary that is none of them); each of
 * their certificates; each run, newest first; then who is due, in order. */
int renew_list(struct renew *renew, struct err *err);
void renew_offer(struct renew *renew, struct renew_cluster *c, const char *node,
                 const struct cert_row *row);
void renew_note_run(struct renew *renew, const struct store_run *run);
int renew_decide(struct renew *renew, struct err *err);

/* Due before its next window, and not renewed: somebody must be told. */
bool renew_is_alarm(const struct renew *renew, const struct renew_cluster *c);
void renew_show(const struct renew *renew);
/* "Sun 2026-11-29 01:00 Europe/London"; windows NULL: UTC */
void renew_add_clock(struct str *out, const struct windows *windows,
                     int64_t at);
/* Tells what it came to, fills app->final; the exit code. */
int renew_report(struct renew *renew);
/* Why a cluster was not begun. */
const char *renew_left_word(enum pace_answer answer);

#endif
