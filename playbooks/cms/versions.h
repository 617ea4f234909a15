/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/versions.h - what differs from one CMS version to the next, as
 * one table: which commands there are, in which form, and what is checked.
 *
 * Versions are numbers here: 309 is CMS 3.9.1.  How far each row is to be
 * trusted, and its place in facts/cms.md, stand in the row.
 */
#ifndef CERTFLEET_CMS_VERSIONS_H
#define CERTFLEET_CMS_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>

enum cms_trait {
    CMS_ALWAYS,        /* what every version has */
    CMS_DB_NEEDS_SET,  /* a database cluster without certificates stops */
    CMS_HAS_SIGN,      /* `pki sign' */
    CMS_HAS_WEBBRIDGE, /* `webbridge certs', `trust' */
    CMS_HAS_XMPP,      /* `xmpp certs', `cluster trust' */
    CMS_PLAIN_FORMS,   /* `recorder certs', `streamer certs', and `trust' */
    CMS_SIP_FORMS,     /* `recorder sip certs', `streamer sip certs' */
    CMS_HAS_WEBBRIDGE3,
    CMS_FULL_CHAINS, /* services that take one file from leaf to root */
    CMS_HAS_SCHEDULER,
    CMS_PEERS_BY_NAME, /* a webadmin's certificate names the peer's address */
    CMS_HAS_MEETINGAPPS,
    CMS_DB_BY_NAME, /* a database server's certificate names its address */
    CMS_TRAITS
};

struct cms_trait_row {
    const char *what;
    unsigned since; /* 0: as long as we know */
    unsigned until; /* not in that one any more; 0: still there */
    char trust;     /* R read in a public source, I inferred, M remembered */
    const char *source;
};
extern const struct cms_trait_row cms_traits[CMS_TRAITS];

/* The versions that the table was made for, oldest first. */
extern const unsigned cms_versions[];
extern const size_t cms_n_versions;

/* "3.12.1" is 312; 0: it cannot be read. */
unsigned cms_version_number(const char *text);
/* 0, a version that is not known, is taken for the newest. */
bool cms_version_has(unsigned version, enum cms_trait trait);

#endif
