/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/product.h - what the engine asks of a product and of its playbooks:
 * tables and pure functions.  playbooks/ fills these in; registry.c lists them.
 */
#ifndef CERTFLEET_RUN_PRODUCT_H
#define CERTFLEET_RUN_PRODUCT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"
#include "core/fleet/inventory.h"
#include "core/link.h"
#include "core/pki/pki.h"
#include "core/run/step.h"

struct plan_cluster;
struct plan_node;

/* What was read from one node.  A product's facts begin with it. */
struct facts {
    uint64_t read_ms[32]; /* by read bit number: monotonic time of the last
                             reading that succeeded; 0: never */
    bool unreachable;     /* the last reading failed */
    struct err err;       /* why */
};

/* Reads: how facts are got, in the order in which they are made; a later row
 * may use what an earlier one found.  Rows that are wanted together share a
 * bit.  A READ_WORK row sends nothing: it computes in the pool from what the
 * rows of its bits took.
 */
enum read_kind {
    READ_COMMAND,
    READ_LIST,
    READ_FILES,
    READ_SERVED,
    READ_API,
    READ_WORK
};
struct read_file {
    const char *name;
    unsigned tag; /* the product's own: which slot */
};
enum {
    READ_FILES_MAX = 64
};
struct read_row {
    uint32_t bit;
    enum read_kind kind;
    const char *text; /* READ_COMMAND: the command, a template as an act's: one
                         whose variables are not known is passed over;
                         READ_API: the path */
    bool optional;    /* its failure leaves the fact unknown, no more */
    /* READ_FILES: which names; returns how many. */
    size_t (*names)(const struct view *, struct read_file *list);
    /* READ_SERVED, READ_API: where; false: nothing to look at on this node. */
    bool (*peer)(const struct view *, const struct read_file *about,
                 struct link_peer *);
    /* Takes what came.  For READ_FILES once for each file, for the others with
     * the row's own `about`; for READ_FILES and READ_API failures, too. */
    int (*parse)(struct facts *, const struct read_file *,
                 const struct link_result *, struct err *);
    /* READ_WORK: in the pool; nobody else looks at these facts meanwhile. */
    void (*work)(struct facts *);
    uint32_t roles; /* only of nodes to which the inventory gives one of these;
                       0: of all */
    struct read_file about; /* of rows that have functions in common */
};

/* Commands that may go out at all (invariant I6).  {} in a template is one
 * argument of [A-Za-z0-9.:_-]; {,} several of them between commas. */
enum command_flag {
    COMMAND_READS = 1 << 0,   /* changes nothing */
    COMMAND_DESTROYS = 1 << 1 /* its ground must have been read just now */
};
struct command_row {
    const char *template; /* "database cluster join {}"; {NULL} ends the table
                           */
    unsigned flags;
    const char *makes; /* endings of the files that it makes, whose base is its
                          first argument: ".key .csr"; "=": that very file;
                          NULL: none */
};

/* A look at one node of a cluster in a walk. */
struct view {
    const struct plan_cluster *plan;
    size_t node;             /* index into plan->nodes */
    const struct step *step; /* the row that it is for; NULL: none */
    bool back;               /* the target is each node's old set */
    bool acted;              /* this cell has sent its acts in this try */
    bool again;        /* the node starts again (STEP_REWIND), and this row is
                          chained: what an earlier try left does not do */
    bool begun;        /* a try of this row, in this direction, has sent its
                          acts and was not seen through.  For what no node
                          shows: has it loaded what it names? */
    uint64_t acted_ms; /* monotonic; when */
    unsigned tries;    /* tries of this cell that failed */
    uint64_t began_ms; /* monotonic: when this cell began; 0: it has not */
    uint64_t walk_ms;  /* monotonic: when this walk began */
};

enum severity {
    SEVERITY_INFO,
    SEVERITY_WARNING,
    SEVERITY_BLOCK,
    SEVERITY_ERROR
};
struct finding {
    char id[32];            /* "clock-skew": what --accept takes */
    enum severity severity; /* BLOCK: an error unless accepted */
    const char *node;       /* or NULL */
    char text[512];         /* what, and what to do */
};
struct findings {
    struct finding *list;
    size_t n;
};
void findings_add(struct findings *findings, enum severity severity,
                  const char *id, const char *node, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void findings_release(struct findings *findings);

/* One certificate that `check` found on a node. */
struct cert_row {
    const char *service; /* "database server" */
    const char *file;    /* name on the node */
    struct pki_cert_info info;
    char findings[512]; /* "" when none */
    /* What renews it: "cms/service-rotate", "service", "callbridge".  Playbook
     * NULL: none does (a CA); key NULL: it wants no input.  Values of several
     * certificates stand in one input, between commas. */
    const char *playbook, *input_key, *input_value;
};
typedef void cert_row_f(void *user, const struct cert_row *row);

/* What a command's output says, apart from status (facts/cms.md 5.1). */
enum reply {
    REPLY_OK,
    REPLY_FAILED,
    REPLY_BUSY, /* it did nothing: it is at work on another command */
    REPLY_ODD   /* unknown words */
};

/* What a node's REST interface is told (ACT_POST). */
struct post {
    struct link_peer peer; /* what it points to lives as long as the facts */
    struct str body;       /* JSON; blank to start */
};
/* A file of the new set that stood in its answer: a request, never a key. */
struct posted {
    const char *slot;   /* NULL: there is none */
    struct str content; /* blank to start */
};

struct product {
    const char *name, *title;
    const struct product_words *words; /* for the inventory */
    const struct link_dialect *dialect;
    const struct command_row *commands;
    const struct read_row *reads; /* {0} ends */
    uint32_t check_reads;         /* bits that `check` needs */
    uint32_t status_read;         /* the bit that says how it is */
    uint32_t ground_reads;        /* bits read before acts that
                                     destroy */
    uint32_t wait_reads; /* of a STEP_WAITS row: those that are polled */
    struct facts *(*facts_new)(void);
    void (*facts_free)(struct facts *);
    /* A template's variable ("primary.db_address") for a node; false: there
     * is none of this name or it is not known. */
    bool (*variable)(const struct view *, const char *name, struct str *out);
    enum reply (*judge)(const char *command, const char *output, size_t len,
                        struct err *err);
    /* ACT_KEEP: the file of the set that stands in a command's output; -1:
     * none does.  NULL: it has no such act. */
    int (*keep)(const char *command, const char *output, size_t len,
                struct str *content, struct err *err);
    /* ACT_POST: where it goes and its body, for "POST /path WORD...", of which
     * only the path goes out.  NULL, and `posted', too: it has no such act. */
    int (*post)(const struct view *, const char *text, struct post *,
                struct err *);
    /* What the answer says: LINK_OK, or LINK_FAILED with a status and data. */
    enum reply (*posted)(const struct view *, const char *text,
                         const struct link_result *, struct posted *,
                         struct err *);
    /* The guard (I1-I7), asked about every command and file change before it
     * goes out.  0 or -1 with the invariant's name; *hold: something foreign,
     * nothing may be taken back automatically. */
    int (*guard)(const struct view *, const struct act *, const char *text,
                 bool *hold, struct err *err);
    /* `check`: health of one node into findings, its certificates. */
    void (*health)(const struct view *, struct findings *);
    void (*certificates)(const struct view *, cert_row_f *, void *user);
    /* Seconds by which the slowest clock of the nodes was behind ours when it
     * was read; 0: none is known to be.  NULL: it has no clocks. */
    int64_t (*behind_s)(const struct plan_cluster *);
    /* Files of this product's sets and backups, for `prune`: is `name` one
     * that certfleet made, and is it in use as far as the facts say?  NULL,
     * both: nothing of ours lies on its nodes. */
    bool (*is_ours)(const char *name, unsigned *generation);
    bool (*in_use)(const struct view *, const char *name);
};

/* A certificate that a foreign issuer is asked for. */
enum {
    ISSUE_ANSWER_BYTES = PKI_ANSWER_BYTES
};
struct issue_wish {
    const char *slot; /* of the set: where the certificate goes */
    const char *node; /* that alone gets it; NULL: all that the slot is for */
    enum pki_purpose purpose;
    char *request_path; /* in the job's folder, mode 0600 */
    char *answer_path;  /* beside it: what `certfleet issue' took */
    char *request;      /* PEM */
    char *answer;       /* as the issuer gave it; NULL: none yet */
    size_t answer_len;
};

struct issue_keys {
    unsigned ahead, made; /* private keys that were there, and that were not */
};

/* Work on this machine, in the pool; see struct playbook.issue. */
struct issue_job {
    const struct plan_cluster *plan; /* read only while the job runs */
    const char *folder;              /* of this generation, made already */
    struct issue_wish *wishes;       /* of a foreign issuer */
    size_t n_wishes;
    char *trust; /* PEM: the CAs to which its answers must lead */
    struct secret *ca_password;    /* or NULL */
    struct secret *key_passphrase; /* of the keys in `folder`, or NULL */
    int64_t now;                   /* seconds */
    struct issue_keys *keys;       /* counts; may be NULL */
    struct findings findings;      /* of the lint */
    struct err err;
    int rc;
};
void issue_job_release(struct issue_job *job);
/* A blank one, the last; earlier ones move. */
struct issue_wish *issue_wish_add(struct issue_job *job);
/* The answer at its answer_path, if one was kept there and counts: a program is
 * asked anew, whatever was taken earlier.  Blocking; -1: it cannot be read. */
int issue_wish_kept(const struct issue_job *job, struct issue_wish *wish,
                    struct err *err);
/* Is the answer what was asked for?  CAUSE_INPUT, with its line if any. */
int issue_answer_check(const struct issue_job *job,
                       const struct issue_wish *wish, const void *answer,
                       size_t len, struct err *err);
struct pki_wish issue_pki_wish(const struct issue_job *job,
                               const struct issue_wish *wish);

struct input_row {
    const char *key, *value, *help; /* "primary", "NODE", "..." */
    int (*check)(const struct plan_cluster *, const char *value,
                 struct err *); /* known before the first packet; NULL:
                                   anything */
};

struct playbook {
    const char *id; /* "cms/db-rotate" */
    const char *title;
    const char *help; /* a paragraph */
    const struct product *product;
    const struct input_row *inputs; /* {NULL} ends */
    const char *const *accepts;     /* ids that --accept takes; NULL ends */
    const struct step *steps;
    size_t n_steps;
    uint32_t back_reads; /* read before a way back, with the old sets' files */
    uint32_t use_reads;  /* read, besides the status, before a staged file is
                            removed: who names it */
    uint32_t data_roles; /* nodes that hold data; 0: it touches none */
    /* Who signs its set; NULL: the cluster's `issuer'. */
    const struct issuer *(*issuer)(const struct plan_cluster *);
    /* Names the files of the new set into plan->set (number and tag are
     * given), and the roles as the inventory has them: before any packet. */
    int (*prepare)(struct plan_cluster *, struct err *);
    /* Before any packet: are the local files that `issue` takes good?  Asked
     * only when a set is still to be made.  NULL: it takes none. */
    int (*check_issuer)(struct plan_cluster *, struct err *);
    /* From every node's facts: the gates' findings, and the plan's rest:
     * holder, roles, addresses, old sets, way back.  `again`: this is a
     * resumed run that has not yet changed anything live. */
    int (*decide)(struct plan_cluster *, struct findings *, struct err *);
    /* Blocking, in the pool, after decide: what takes long to judge about all
     * nodes together.  Nobody else looks at the cluster meanwhile.  NULL:
     * nothing does. */
    void (*weigh)(struct plan_cluster *, struct findings *);
    /* Seconds that a row WITHIN_ASKED may take.  NULL: there is none. */
    unsigned (*asked_s)(const struct plan_cluster *);
    /* Is there nothing to do (if_days_left)?  `why` says so. */
    bool (*not_due)(const struct plan_cluster *, struct str *why);
    /* Blocking: makes keys and certificates into job->folder, lints them.  Of a
     * foreign issuer: out of the answers that `wishes` has. */
    void (*issue)(struct issue_job *);
    /* Blocking, for a foreign issuer, before `issue`: the requests, and the
     * answers that are there.  `make`: keys and requests that are missing in
     * job->folder are made; else a missing request is an error. */
    int (*wish)(struct issue_job *, bool make, struct err *);
    /* The node that says of itself that it holds the data, read since the walk
     * began; SIZE_MAX: none, or several.  NULL: the product knows no such. */
    size_t (*holder_now)(const struct view *);
    /* Makes it the plan's holder: derived roles of all nodes.  NULL: the
     * product knows no such. */
    void (*assign)(struct plan_cluster *, size_t holder);
    /* After a set exists: may the walk be taken back now?  `at`: seconds.
     * NULL: never, and no node need be asked; plan->no_way_back says why. */
    int (*way_back)(const struct plan_cluster *, int64_t at, struct err *);
    /* On resume with live changes made: does every node's state occur in the
     * plan?  -1: a person must look. */
    int (*recognise)(struct plan_cluster *, struct err *);
    /* Printed with the plan: what no order can save. */
    const char *caution;
};

#endif
