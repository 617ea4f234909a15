/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/plan.h - playbook x inventory x facts, before anything is touched.
 *
 * A plan is made in two halves: what the inventory alone says (plan_new), and
 * what the nodes' facts add (playbook->decide).  It is journaled as JSON, read
 * back by resume, written by `plan -o`; its hash covers what would be done.
 * Everything lives in the plan's arena, except facts.
 */
#ifndef CERTFLEET_RUN_PLAN_H
#define CERTFLEET_RUN_PLAN_H

#include <jansson.h>

#include "core/base/arena.h"
#include "core/run/product.h"

enum {
    SET_FILES_MAX = 64,
    PLAN_TAG_BYTES = 5
};

struct set_file {
    const char *slot;                 /* "server_key": the playbook's word */
    const char *name;                 /* on the node; NULL: none */
    char sha256[PKI_SHA256_HEX];      /* "" until known */
    char cert_sha256[PKI_SHA256_HEX]; /* of the (first) certificate in it; the
                                         new set's once it is loaded */
    uint32_t roles;                   /* nodes that get it; 0: all */
    bool secret;                      /* a private key */
    struct secret *content;           /* the new set's, once it is loaded */
};
struct file_set {
    struct set_file files[SET_FILES_MAX];
    size_t n;
};
const struct set_file *set_slot(const struct file_set *set, const char *slot);

struct plan_node {
    const struct node *node;
    uint32_t roles; /* product bits, derived ones too */
    bool left_out;  /* without=NODE */
    bool dropped;   /* failed after the turn of this walk */
    bool away;      /* it did not answer when all were read for a decision */
    bool newcomer;  /* this run brings it in: its way back leads out again */
    bool leaver;    /* this run takes it out: its way back leads in again */
    bool bystander; /* nothing is changed there: it has rows without acts */
    const char *db_address; /* what peers join by */
    const char *interface;
    const char *old_interface;          /* newcomer: as its status showed it */
    struct file_set old;                /* as its status showed it */
    struct file_set own;                /* the new set, where each node has one
                                           of its own; n 0: the cluster's */
    bool serves_tls;                    /* its TLS answered in gates */
    char served_sha256[PKI_SHA256_HEX]; /* the old live certificate's */
    const char *first_last;             /* what gates saw, to be compared with:
                                           a CMS's `Last command`, a CUCM's
                                           phones */
    const char **sent;                  /* what we sent since; grows */
    size_t n_sent;
    const char **listed; /* its files in gates, and ours since; sorted */
    size_t n_listed;
    const char **put; /* of these what we put; not what lay there before */
    size_t n_put;
    int64_t backup_ms;   /* wall; 0: none */
    int64_t left_ms;     /* wall: resumed: its first live act; 0: none */
    uint64_t begun[2];   /* rows, forward and back: acts went out, for all that
                            we know, and it was not as wanted since */
    struct facts *facts; /* owned by the plan */
};

struct plan_cluster {
    struct plan *plan;
    const struct cluster *cluster;
    struct plan_node *nodes; /* inventory's order, left-out ones too */
    size_t n_nodes;
    unsigned number;          /* generation; before plan_name_set: the highest
                                 that decide saw on a node */
    char tag[PLAN_TAG_BYTES]; /* four hex digits */
    const char *folder;       /* of the generation's files, here */
    struct file_set set;      /* the new one, as far as all nodes share it */
    bool issued;              /* its digests are journaled */
    bool reused;              /* it is the one that the cluster has: it is
                                 issued, and its folder is only read */
    bool loaded;              /* its files have their `content`, as journaled */
    bool left;                /* something live was changed in this run */
    bool outage_sent;         /* an act of a STEP_OUTAGE row went out */
    bool turned;              /* this way's STEP_TURN row was met: from now on
                                 service comes first */
    bool was_back;            /* resumed: its last live walk was a way back */
    bool was_done;            /* resumed: it had ended well */
    bool was_short;           /* resumed: it had left nodes out */
    int64_t outage_began_ms, outage_ms, degraded_began_ms, degraded_ms;
    /* wall and sums; 0: none */
    size_t holder;        /* index; SIZE_MAX: none */
    bool expired;         /* old database certificates are over */
    int64_t ca_not_after; /* seconds; 0: the CA is yet to be made */
    bool way_back;
    char no_way_back[256];  /* why there is none */
    int64_t way_back_until; /* seconds; 0: unknown */
    uint64_t outage_estimate_ms, degraded_estimate_ms;
    struct findings findings;
    bool decided; /* the nodes' facts are in it */
    bool not_due;
    char why_not_due[256];
};

struct plan_input {
    const char *key, *value;
};

struct plan {
    struct arena arena;
    const struct inventory *inventory;
    const struct playbook *playbook;
    const char *target; /* as the user typed it */
    struct plan_input *inputs;
    size_t n_inputs;
    const char *const *accepted; /* --accept IDs, NULL-ended */
    const char *tag;             /* drawn, or a plan file's */
    bool looks; /* nothing will be made of it: inputs may lack */
    struct plan_cluster *clusters;
    size_t n_clusters;
};

struct plan_request {
    const struct inventory *inventory;
    const struct playbook *playbook;
    const char *target; /* words joined by a blank */
    struct cluster **clusters;
    size_t n_clusters;
    const char *const *inputs;   /* "key=value", NULL-ended */
    const char *const *accepted; /* NULL-ended or NULL */
    const char *tag;             /* a plan file's; NULL: draw one */
    bool looks;                  /* `check': reads, and no more */
    bool stored; /* of a run: what its issuer needs is asked by plan_issues */
};

/* Checks inputs and nodes; contacts nothing.  Errors are CAUSE_INPUT. */
struct plan *plan_new(const struct plan_request *request, struct err *err);
/* Can the issuers of the sets that are not made yet make them?  CAUSE_INPUT. */
int plan_issues(struct plan *plan, struct err *err);
void plan_free(struct plan *plan);
/* Who signs a cluster's set; NULL: nobody is named. */
const struct issuer *plan_issuer(const struct plan_cluster *pc);

/* Input `key` or NULL. */
const char *plan_input(const struct plan *plan, const char *key);
/* By the finding's own id, or by that of its check. */
bool plan_accepts(const struct plan *plan, const char *id);

/* Names the generation: number, tag, file names, local folder. */
int plan_name_set(struct plan_cluster *pc, unsigned number, const char *tag,
                  const char *state_dir, struct err *err);

/* The new set in parts: 0 is what all nodes share, 1 + i what node i alone
 * gets.  There are 1 + n_nodes; a part may be empty. */
struct file_set *plan_part(struct plan_cluster *pc, size_t part);
/* Below a generation's folder; what a node alone gets lies in one of its name,
 * since names are the same on all nodes.  The caller frees. */
char *plan_file_path(const char *folder, const struct plan_node *pn,
                     const char *name);
/* The node of a part, for the function above; NULL: all. */
const struct plan_node *plan_part_node(const struct plan_cluster *pc,
                                       size_t part);

/* Rows x nodes. */
bool plan_has_cell(const struct plan_cluster *pc, const struct step *step,
                   size_t node);
/* Is the run about this very node, that comes or goes?  The others do without
 * it: no clock runs for it, and its failure says nothing about them. */
bool plan_is_apart(const struct plan_node *pn);
/* Do users notice it? */
bool plan_has_outage(const struct plan_cluster *pc, const struct step *step);
/* Does any row concern this node? */
bool plan_takes_part(const struct plan_cluster *pc, size_t node);
/* The file set a node should have in a walk.  Who is not switched has what it
 * had, both ways. */
const struct file_set *plan_target(const struct plan_cluster *pc, size_t node,
                                   bool back);
bool plan_node_gets(const struct plan_node *pn, const struct set_file *file);

/* A cell of a live row entered this state: is it begun, or through? */
void plan_note_row(struct plan_node *pn, size_t row, bool back,
                   const char *state);
bool plan_has_begun(const struct plan_node *pn, size_t row, bool back);

/* Notes for invariant I7.  A command that makes files puts them. */
void plan_note_sent(struct plan_cluster *pc, size_t node, const char *command);
void plan_note_file(struct plan_cluster *pc, size_t node, const char *name);
bool plan_knows_file(const struct plan_node *pn, const char *name);
/* A file that this run put, unless it was there before. */
void plan_note_put(struct plan_cluster *pc, size_t node, const char *name);
bool plan_has_put(const struct plan_node *pn, const char *name);

/* [{slot, name, sha256, cert_sha256}]: what the journal keeps of a set. */
json_t *plan_set_json(const struct file_set *set);
/* One cluster as JSON (new reference), and back into a plan_new'd cluster:
 * node set and roles must agree, else CAUSE_REFUSED. */
json_t *plan_cluster_json(const struct plan_cluster *pc);
int plan_cluster_load(struct plan_cluster *pc, const json_t *json,
                      struct err *err);
/* SHA-256 over what would be done and to whom. */
void plan_hash(const struct plan *plan, char hex[PKI_SHA256_HEX]);
/* What `plan -o` writes, new reference; and what apply --plan reads. */
json_t *plan_json(const struct plan *plan);

#endif
