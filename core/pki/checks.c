/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of checks.  `pki lint', the gates of a plan, the lint of a new
 * set, `pki checks' and docs/preflight.md are made from it; a test trips each
 * row.  CG: Cisco Meeting Server 3.9, Certificate Guidelines (1 April 2026).
 */
#include "core/pki/checks.h"

#include <string.h>

#define NOTE PKI_INFO
#define WARNING PKI_WARNING
#define BLOCK PKI_BLOCK
#define ERROR PKI_ERROR

#define NO_CLUSTER                                                             \
    "with such a set no cluster forms again, and what the nodes write on "     \
    "their own copies meanwhile is lost"
#define NO_HOLDER "whoever initializes another node than the holder loses data"

// clang-format off
const struct pki_check pki_checks[] = {
    /* A: files and the form of PEM */
    { "A1", ERROR, "file", "its name is not letters, digits and hyphens with one known extension",
      "CG 3.1, appendix B", "rename it" },
    { "A2", ERROR, "file", "something stands before the first BEGIN line",
      "CG 1.2.4", "certfleet pki normalize FILE -o NEW" },
    { "A3", ERROR, "file", "a block does not begin on the line below the END line",
      "CG 1.2.4", "certfleet pki normalize FILE -o NEW" },
    { "A4", ERROR, "file", "it does not end in exactly one newline",
      "CG 1.2.4", "certfleet pki normalize FILE -o NEW" },
    { "A5", WARNING, "file", "its line ends are CR LF or CR",
      "field practice", "certfleet pki normalize FILE -o NEW" },
    { "A6", WARNING, "file", "a line is over 64 characters, holds a tab or ends in a blank",
      "RFC 7468 2", "certfleet pki normalize FILE -o NEW" },
    { "A7", ERROR, "file", "it holds a block that does not belong in such a file",
      "CG 1.2.4, appendix B", "split the file, or take the block out" },
    { "A8", ERROR, "key", "it is encrypted",
      "CG appendix C", "unlock it with `pki unlock', or with openssl pkey" },
    { "A9", ERROR, "file", "a block or its DER is damaged or too long",
      "X.690 8.1", "fetch the file again" },
    { "A10", NOTE, "file", "it can be read, and is not in the normal form",
      "RFC 7468 3", "certfleet pki normalize FILE -o NEW" },
    { "A11", ERROR, "key", "others may read the local file, or it is another user's",
      "certfleet", "chmod 600 FILE; chown it to who runs certfleet" },

    /* B: key and leaf */
    { "B1", ERROR, "key", "it does not belong to the certificate",
      "CG 4.4", "find the key that the request was made with", NO_CLUSTER },
    { "B2", ERROR, "key", "it is none of RSA of 2048 bits and more, P-256, P-384",
      "CG 3.1", "make a new key and have it signed" },
    { "B3", WARNING, "key", "RSA of more than 4096 bits makes handshakes slow",
      "CG appendix C", "use 2048 to 4096 bits" },
    { "B4", ERROR, "certificate", "its signature is not SHA-2",
      "CG 3", "have it issued again with SHA-256" },
    { "B5", BLOCK, "key", "it is the key of the certificate that is replaced",
      "certfleet", "make a new key, or accept that the old one lives on" },
    { "B6", WARNING, "key", "two certificates of the set share it",
      "certfleet", "make a key for each" },
    { "B7", BLOCK, "key", "its RSA exponent is under 65537",
      "FIPS 186-5 A.1.1", "make a new key" },
    { "B8", ERROR, "certificate", "it is of version 1, or has no subjectAltName; in a database set a warning",
      "RFC 6125 6.4.4", "sign it with an extension file" },
    { "B9", ERROR, "certificate", "it is a CA, or may sign, or holds name constraints",
      "RFC 5280 4.2.1.9", "use a leaf" },
    { "B10", ERROR, "certificate", "its serial number is not unique, not positive or over 20 bytes",
      "RFC 5280 4.1.2.2", "have it issued again" },
    { "B11", ERROR, "certificate", "a critical extension is unknown, or one cannot be read",
      "RFC 5280 4.2", "have it issued without it" },
    { "B12", ERROR, "certificate", "its authority key identifier is not its issuer's, or is missing",
      "RFC 5280 4.2.1.1", "have it issued again" },
    { "B13", ERROR, "certificate", "it is self-signed",
      "CG 6", "have it signed by a CA" },

    /* C: the chain */
    { "C1", ERROR, "chain", "no path leads from the leaf to a root of the files given",
      "RFC 5280 6.1", "add what is missing to the bundle", NO_CLUSTER },
    { "C2", ERROR, "bundle", "its certificates are out of order, doubled or strangers",
      "CG 1.2.4", "certfleet pki normalize FILE --order -o NEW" },
    { "C3", ERROR, "bundle", "its last certificate is no root",
      "CG 1.2.4", "put the root at the end" },
    { "C4", ERROR, "chain", "the leaf stands where it must not, or is not where it must",
      "CG 1.2.4, 4", "a full chain begins with the leaf, a bundle has none" },
    { "C5", ERROR, "CA", "it may not sign certificates, or does not say so strictly",
      "CG 2.2", "have the CA issued with basicConstraints and keyCertSign" },
    { "C6", ERROR, "chain", "more CAs follow than a CA's pathlen permits",
      "RFC 5280 4.2.1.9", "have the CA issued again" },
    { "C7", ERROR, "chain", "name constraints do not permit a name",
      "RFC 5280 4.2.1.10", "have it signed by another CA" },
    { "C8", ERROR, "certificate", "it is not valid yet, or has expired",
      "RFC 5280 4.1.2.5", "have it issued again, or look at the clocks", NO_CLUSTER },
    { "C9", ERROR, "chain", "the leaf outlives an intermediate CA",
      "certfleet", "renew the CA first" },
    { "C10", WARNING, "chain", "it is over three CAs deep, or its PEM over 16 KiB",
      "CG appendix C", "use a shorter chain" },
    { "C11", ERROR, "chain", "a signature is wrong",
      "RFC 5280 6.1.3", "find the CA that signed it", NO_CLUSTER },
    { "C13", ERROR, "CA", "its extended key usage bars what the leaf is for",
      "CA/Browser Forum BR 7.1.2.2", "have it signed by another CA" },

    /* D: usage */
    { "D1", ERROR, "certificate", "its extended key usage lacks the purpose",
      "CG 2.1", "have it issued with the purpose" },
    { "D2", NOTE, "certificate", "it has no extended key usage: it serves every purpose",
      "CG 2.1", "nothing" },
    { "D3", ERROR, "certificate", "its key usage lacks what a handshake needs",
      "CG 2.2", "have it issued with digitalSignature" },
    { "D4", ERROR, "callbridge", "no key usage with digitalSignature, which WebRTC needs",
      "CG 2.2", "have it issued with it" },
    { "D5", ERROR, "callbridge", "its extended key usage lacks clientAuth",
      "CG 2.1, 3.3", "have it issued for server and client" },
    { "D6", ERROR, "certificate", "its Netscape type bars what it is for",
      "CG 2.2", "have it issued without it" },
    { "D7", WARNING, "certificate", "its extended key usage is \"any\" alone",
      "CG 2.1", "have it issued with the named purposes" },
    { "D8", WARNING, "certificate", "a public CA signed it, and it serves as a client",
      "Chrome Root Program 1.8", "move it to a CA of your own before the day" },

    /* E: names */
    { "E1", ERROR, "certificate", "its common name is not in its subjectAltName",
      "CG 3.1", "add it" },
    { "E2", ERROR, "certificate", "it lacks a name that the service is reached by",
      "CG 3.1", "add it to the subjectAltName" },
    { "E3", ERROR, "c2w", "it lacks the host of the c2w:// address",
      "CG 4.5", "add it to the subjectAltName" },
    { "E4", ERROR, "webadmin", "it lacks the name by which peers of the cluster know it (3.4)",
      "CG 4.9", "add it to the subjectAltName" },
    { "E5", ERROR, "webbridge3", "it lacks the name that users and Expressway ask for",
      "CG 3.1.2", "add it to the subjectAltName" },
    { "E6", ERROR, "certificate", "it holds a wildcard; for a service a warning",
      "CG 3.1.4", "name every host" },
    { "E7", WARNING, "certificate", "a DNS name is none, or the common name is over 64 characters",
      "RFC 5280 4.2.1.6", "have it issued again" },

    /* F: the database set */
    { "F1", ERROR, "database set", "the client's common name is not exactly postgres",
      "CG 3.1.4", "have it issued with CN=postgres", NO_CLUSTER },
    { "F2", WARNING, "database set", "the client's subjectAltName lacks DNS:postgres",
      "CG A.4", "add it" },
    { "F3", ERROR, "database set", "the server's certificate lacks a node's name",
      "CG 3.1.4", "add it to the subjectAltName" },
    { "F4", ERROR, "database set", "server and client end at different roots",
      "CG 3.1.4", "have both signed by one CA", NO_CLUSTER },
    { "F5", ERROR, "database set", "the CA bundle holds a leaf",
      "CG 3.1.4", "take it out" },
    { "F6", WARNING, "cluster", "its root is another database cluster's, too",
      "CG 3.1.4", "put {cluster} into ca_cert and ca_key", NULL, "shared-root" },
    { "F7", WARNING, "node", "the key of the database's CA lies on it",
      "CG 3.1.4", "keep it here only, and delete it there", NULL,
      "ca-key-on-node" },
    { "F8", ERROR, "database set", "two CAs of the bundle share a name and not the key",
      "OpenSSL 3.0, tried", "make the new CA under a new name" },
    { "F10", ERROR, "database set", "neither five files nor, to connect only, three",
      "CG 5.3", "server key, certificate, client key, certificate, bundle" },
    { "F11", WARNING, "database set", "the root ends together with the leaves",
      "certfleet", "renew the root with them" },
    { "F12", ERROR, "database set", "a certificate outlives the root",
      "certfleet", "renew the root first", NULL, "ca-ends-first" },

    /* G: time */
    { "G1", ERROR, "node", "its clock is off ours, or cannot be read",
      "RFC 5280 4.1.2.5", "mend its NTP", NULL, "clock-skew clock-unknown" },
    { "G3", WARNING, "certificate", "it has few days left",
      "certfleet", "have it issued again" },
    { "G4", WARNING, "certificate", "it lives longer than such a one may",
      "CA/Browser Forum SC-081v3", "have it issued for fewer days" },

    /* H: the cluster's state */
    { "H2", ERROR, "cluster", "the nodes do not agree on one primary with all in sync",
      "CG 5.3", "wait, or mend the cluster", NO_HOLDER,
      "no-primary not-in-sync not-seen in-error busy status-unknown not-member "
      "not-connected stranger living-primary" },
    { "H3", BLOCK, "cluster", "another primary was named than the nodes or the run know",
      "certfleet", "name the holder", NO_HOLDER, "data-loss" },
    { "H5", ERROR, "node", "there may be no room for the backup",
      "certfleet", "make room", "without a backup the holder's copy is the last",
      "no-room room-unknown" },
    { "H7", ERROR, "node", "its release is not that of the others, or cannot be read",
      "CG 5.3", "upgrade first", "a release may not read what another wrote",
      "versions-differ version-unknown" },
    { NULL },
};
// clang-format on

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; p && *p;) {
        size_t n = strcspn(p, " ");
        if (n == len && strncmp(p, word, n) == 0)
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

const struct pki_check *pki_check_find(const char *id)
{
    for (const struct pki_check *c = pki_checks; c->id; c++)
        if (strcmp(c->id, id) == 0 || has_word(c->gates, id))
            return c;
    return NULL;
}

const char *pki_severity_word(enum pki_severity severity)
{
    static const char *const words[] = {
        [PKI_INFO] = "note",
        [PKI_WARNING] = "warning",
        [PKI_BLOCK] = "block",
        [PKI_ERROR] = "error",
    };

    return words[severity];
}
