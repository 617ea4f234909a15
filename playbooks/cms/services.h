/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/services.h - the services of a Meeting Server that hold
 * certificates, as tables (facts/cms.md 5), and what their printouts say.
 *
 * A service has slots: what it shows (key and certificate, with a bundle or as
 * one full chain).  It has stores: files of certificates that it trusts.  Only
 * the labels of these tables are taken from a printout: what else stands there
 * (`turn' prints a password) is never kept.
 */
#ifndef CERTFLEET_CMS_SERVICES_H
#define CERTFLEET_CMS_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pki/pki.h"
#include "playbooks/cms/status.h"

enum cms_service {
    SVC_WEBADMIN,
    SVC_CALLBRIDGE,
    SVC_WEBBRIDGE3,
    SVC_TURN,
    SVC_RECORDER,
    SVC_STREAMER,
    SVC_MEETINGAPPS,
    SVC_SCHEDULER,
    SVC_UPLOADER,
    CMS_SERVICES
};

enum cms_svc_slot {
    SLOT_WEBADMIN,
    SLOT_CALLBRIDGE,
    SLOT_WB3_HTTPS,
    SLOT_WB3_C2W,
    SLOT_TURN,
    SLOT_RECORDER,
    SLOT_STREAMER,
    SLOT_APPS_HTTPS,
    SLOT_SCHED_HTTPS,
    SLOT_SCHED_C2W,
    CMS_SVC_SLOTS
};

enum cms_svc_part {
    PART_KEY,
    PART_CRT,
    PART_CA, /* the bundle; a full chain has none */
    CMS_SVC_PARTS
};

enum cms_svc_store {
    STORE_CB_C2W,
    STORE_CB_CLUSTER,
    STORE_WB3_C2W,
    STORE_SCHED_C2W,
    STORE_UPLOADER_CMS,
    STORE_UPLOADER_REV,
    CMS_SVC_STORES
};

struct cms_service_row {
    const char *name;       /* the command's first word */
    uint32_t role;          /* in the inventory */
    bool restarts;          /* `restart'; else `disable' and `enable' */
    bool calls;             /* a restart drops calls */
    unsigned since;         /* 305: CMS 3.5; 0: in every version */
    const char *drops;      /* what its restart drops */
    const char *dependents; /* who else trusts what it shows */
};
struct cms_slot_row {
    enum cms_service service;
    const char *word;                  /* "wb3c2w": of slots and of files */
    const char *title;                 /* "webbridge3 c2w" */
    const char *labels[CMS_SVC_PARTS]; /* of the printout; NULL: no such part */
    const char *port_label; /* the port stands behind it; NULL: nowhere */
    unsigned port;          /* else this one; 0: there is nothing to look at */
    bool both;              /* it is shown to servers, too */
    const char *rules;      /* pki_service_find */
};
struct cms_store_row {
    enum cms_service service;
    const char *command; /* "callbridge trust c2w" */
    const char *label;
    uint32_t slots; /* bits of the slots that are judged by it */
};

extern const struct cms_service_row cms_services[CMS_SERVICES];
extern const struct cms_slot_row cms_slots[CMS_SVC_SLOTS];
extern const struct cms_store_row cms_stores[CMS_SVC_STORES];

/* The derived role bit of a node on which a run switches the service. */
uint32_t cms_switch_bit(enum cms_service service);
uint32_t cms_switch_bits(void); /* of all */

/* The service whose command this is; CMS_SERVICES: of none. */
enum cms_service cms_service_of(const char *command);
/* The service whose files have this base name ("wb3c2w", "turnca");
 * CMS_SERVICES: none. */
enum cms_service cms_base_owner(const char *name, size_t len);

/* What a node's printout says. */
struct cms_svc_file {
    bool missing;                     /* named, and not there */
    char sha256[PKI_SHA256_HEX];      /* "" until read */
    char cert_sha256[PKI_SHA256_HEX]; /* of its first certificate */
    char issuer[256];
    char names[256]; /* "DNS:a, IP:b", cut */
    int64_t not_after;
};
struct cms_svc_facts {
    uint64_t read_ms; /* monotonic; 0: never */
    bool unknown;     /* the node knows no such command */
    bool enabled_shown, enabled;
};
struct cms_slot_facts {
    char files[CMS_SVC_PARTS][CMS_NAME_BYTES]; /* "" when none */
    unsigned port;                             /* as printed; 0: not */
    struct cms_svc_file old[CMS_SVC_PARTS];
    struct secret *bytes[CMS_SVC_PARTS]; /* until they are judged */
    bool judged;
    char bad[256]; /* why the old files are no way back; "" when they are */
    struct pki_cert_info *crt;   /* what the certificate's file holds, for
                                    `check'; NULL: it was not read */
    bool public_client;          /* it is a public CA's, and for clients (D8) */
    uint64_t served_ms;          /* monotonic; when it last answered */
    struct secret *served_bytes; /* until described */
    char served_sha256[PKI_SHA256_HEX]; /* "" when it did not answer */
};
struct cms_store_facts {
    char file[CMS_NAME_BYTES];
    void *data; /* of that file, for the gates; NULL: not there */
    size_t len;
};
struct cms_svc_all {
    struct cms_svc_facts service[CMS_SERVICES];
    struct cms_slot_facts slot[CMS_SVC_SLOTS];
    struct cms_store_facts store[CMS_SVC_STORES];
};

/* Reads one service's printout into its part; what it named before is gone. */
void cms_service_parse(struct cms_svc_all *all, enum cms_service service,
                       const char *text, size_t len);
void cms_svc_release(struct cms_svc_all *all);

#endif
