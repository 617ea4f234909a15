/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/facts.h - what was read from one CMS node, and how it is read.
 */
#ifndef CERTFLEET_CMS_FACTS_H
#define CERTFLEET_CMS_FACTS_H

#include "core/run/plan.h"
#include "playbooks/cms/calls.h"
#include "playbooks/cms/services.h"
#include "playbooks/cms/status.h"

enum cms_read { /* bits of the product's table of reads */
    CMS_READ_STATUS = 1 << 0,
    CMS_READ_LIST = 1 << 1, /* names in the SFTP root */
    CMS_READ_VERSION = 1 << 2,
    CMS_READ_DATE = 1 << 3,
    CMS_READ_DF = 1 << 4,
    CMS_READ_CERTS = 1 << 5,      /* the certificates that status names */
    CMS_READ_KEYS = 1 << 6,       /* the keys that status names; then the way
                                     back is judged */
    CMS_READ_TARGET = 1 << 7,     /* digests of the files of the target set */
    CMS_READ_SERVED = 1 << 8,     /* the live certificate, by TLS */
    CMS_READ_SERVICES = 1 << 9,   /* the services' printouts */
    CMS_READ_SVC_FILES = 1 << 10, /* what they name, of those to be switched */
    CMS_READ_STORES = 1 << 11,    /* what they trust */
    CMS_READ_SHOWN = 1 << 12,     /* what they show, by TLS */
    CMS_READ_CALLS = 1 << 13,     /* how many there are, by REST */
    CMS_READ_BUNDLES = 1 << 14,   /* digests of the files that stores get */
};

struct cms_file {
    char name[CMS_NAME_BYTES];
    bool missing;                /* status names it, the node has it not */
    char sha256[PKI_SHA256_HEX]; /* "" when it could not be read */
    struct pki_cert_info info;   /* of certificates */
};

struct cms_facts {
    struct facts base;
    struct cms_status status;
    uint64_t standalone_ms; /* monotonic: when it was last read so */
    char **listed;          /* names; owned */
    int64_t *listed_mtime;  /* seconds; -1: not told */
    size_t n_listed;
    char version[32]; /* "3.9.1"; "" unknown */
    bool clock_known;
    int64_t clock_off_ms; /* its clock less ours */
    bool room_known;
    unsigned used_percent; /* of the fullest file system */
    struct cms_file old[CMS_SLOTS];
    struct secret *bytes[CMS_SLOTS]; /* while certificates and keys are read */
    struct {
        void *data;
        size_t len;
    } certs[CMS_SLOTS]; /* of `old`, until the handshakes are judged */
    bool old_good;      /* key matches, chain verifies, all read */
    char old_why[256];  /* why not */
    char target_sha256[SET_FILES_MAX][PKI_SHA256_HEX];
    bool target_back;            /* the target was the old set */
    bool served;                 /* its listener answered */
    struct secret *served_bytes; /* until it is described */
    struct pki_cert_info served_info;
    char served_why[256];
    struct cms_svc_all services;
    struct cms_calls calls;
};

struct facts *cms_facts_new(void);
void cms_facts_free(struct facts *facts);
void cms_facts_drop_certs(struct cms_facts *facts);
extern const struct read_row cms_reads[];

const struct cms_facts *cms_facts_of(const struct view *view);
const struct cms_facts *cms_facts_at(const struct plan_cluster *pc, size_t i);
const char *cms_slot_word(enum cms_slot slot); /* "server_key" */

/* Files whose coming and going says nothing: logs, dumps, live views. */
bool cms_is_volatile(const char *name);

#endif
