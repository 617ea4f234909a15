/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of keys: the one list from which the reader, the sample, the man
 * page and the error texts are made.  Knows no file.
 */
#include <assert.h>
#include <string.h>

#include "core/fleet/inventory_priv.h"

/* clang-format off */
const struct section_word section_words[] = {
    { "fleet",   SECTION_FLEET   },
    { "issuer",  SECTION_ISSUER  },
    { "cluster", SECTION_CLUSTER },
    { "node",    SECTION_NODE    },
    { "preflight", SECTION_PREFLIGHT },
    { NULL,      0               },
};

#define WORDS(...) .words = (const char *const[]){ __VA_ARGS__, NULL }

static const struct key_type
    type_name     = { "NAME", parse_text, STORE_TEXT },
    type_user     = { "NAME", parse_user, STORE_TEXT },
    type_roles    = { "ROLE...", parse_list, STORE_LIST },
    type_names    = { "NAME...", parse_list, STORE_LIST },
    type_address  = { "ADDRESS", parse_address, STORE_TEXT },
    type_subject  = { "KEY=VALUE,...", parse_subject, STORE_TEXT },
    type_pin      = { "SHA256:...", parse_host_key, STORE_TEXT },
    type_path     = { "PATH", parse_path, STORE_TEXT },
    type_or_none  = { "PATH | none", parse_path_or_none, STORE_TEXT },
    type_identity = { "PATH", parse_identity, STORE_TEXT },
    type_ca_path  = { "PATH", parse_ca_path, STORE_TEXT },
    type_secret   = { "env:NAME | file:PATH | command:LINE | prompt",
                      parse_secret, STORE_TEXT, .hidden = true },
    type_store    = { "postgresql://USER@HOST/DATABASE", parse_store,
                      STORE_TEXT },
    type_lease    = { "SECONDS", parse_number, STORE_NUMBER, 6, 3600 },
    type_port     = { "PORT", parse_number, STORE_NUMBER, 1, 65535 },
    type_seconds  = { "SECONDS", parse_number, STORE_NUMBER, 1, 86400 },
    type_days     = { "DAYS", parse_number, STORE_NUMBER, 1, 36500 },
    type_keep     = { "DAYS", parse_number, STORE_NUMBER, 0, 36500 },
    type_backups  = { "NUMBER", parse_number, STORE_NUMBER, 1, 1000 },
    type_sessions = { "NUMBER", parse_number, STORE_NUMBER, 1, 10000 },
    type_retries  = { "NUMBER", parse_number, STORE_NUMBER, 0, 100 },
    type_people   = { "0 | 1 | 2", parse_number, STORE_NUMBER, 0, 2 },
    type_signers  = { "PATH", parse_approvers, STORE_TEXT },
    type_anchor   = { "PATH", parse_identity, STORE_TEXT },
    type_yes      = { "yes | no", parse_words, STORE_FLAG,
                      WORDS("no", "yes") },
    type_trust    = { "strict | accept-new", parse_words, STORE_FLAG,
                      WORDS("strict", "accept-new") },
    type_kind     = { "internal | command | csr | appliance | adcs",
                      parse_words, STORE_NUMBER,
                      WORDS("internal", "command", "csr", "appliance",
                            "adcs") },
    type_config   = { "HOST\\CA", parse_ca_config, STORE_TEXT },
    type_word     = { "NAME", parse_plain_word, STORE_TEXT },
    type_command  = { "/PATH/PROGRAM ARGUMENT...", parse_command, STORE_LIST },
    type_key      = { "rsa:2048 | rsa:3072 | rsa:4096 | ec:P-256 | ec:P-384",
                      parse_words, STORE_TEXT,
                      WORDS("rsa:2048", "rsa:3072", "rsa:4096", "ec:P-256",
                            "ec:P-384") },
    type_failure  = { "rollback | hold", parse_words, STORE_NUMBER,
                      WORDS("rollback", "hold") },
    type_window   = { "DAYS HH:MM-HH:MM ZONE", parse_window, STORE_TEXT },
    type_pause    = { "DATE..DATE", parse_no_window, STORE_TEXT },
    type_lane     = { "one-by-one | parallel", parse_words, STORE_NUMBER,
                      WORDS("one-by-one", "parallel") };

/* The places of the words above are the values of these. */
static_assert(ON_FAILURE_ROLLBACK == 0 && ON_FAILURE_HOLD == 1, "type_failure");
static_assert(LANE_ONE_BY_ONE == 0 && LANE_PARALLEL == 1, "type_lane");
static_assert(ISSUER_INTERNAL == 0 && ISSUER_COMMAND == 1 && ISSUER_CSR == 2 &&
                  ISSUER_APPLIANCE == 3 && ISSUER_LINK == 4,
              "type_kind");

#define FLEET   "fleet"
#define ISSUER  "issuer"
#define CLUSTER "cluster"
#define NODE    "node"
#define ALL     "fleet cluster node"
#define IN_FLEET(field)   .offset = offsetof(struct inventory, field)
#define IN_ISSUER(field)  .offset = offsetof(struct issuer, field)
#define IN_CLUSTER(field) .offset = offsetof(struct cluster, field)
#define IN_NODE(field)    .offset = offsetof(struct node, field)
#define BY_HAND           .offset = (size_t)NO_OFFSET

const struct key inventory_table[] = {
    { FLEET, "state_dir", &type_path, NULL,
      "$XDG_STATE_HOME/certfleet, else ~/.local/state/certfleet", NULL,
      "where runs, plans, backups and private keys are kept", BY_HAND },
    { FLEET, "store", &type_store, NULL, "SQLite in state_dir",
      ";postgresql://certfleet@db1/certfleet?sslmode=verify-full",
      "runs and their journal in PostgreSQL, for several controllers that share"
      " state_dir; libpq's URL, without a password", IN_FLEET(store) },
    { FLEET, "store_password", &type_secret, NULL, "libpq's ~/.pgpass",
      ";file:store.pass", "where the password of the store's user comes from",
      IN_FLEET(store_password) },
    { FLEET, "store_lease", &type_lease, "30", NULL, NULL,
      "seconds after which another controller may go on with the runs of one"
      " that is not heard of", IN_FLEET(store_lease_s) },
    { FLEET, "known_hosts", &type_path, "~/.ssh/known_hosts", NULL, NULL,
      "host keys that are trusted; a missing file is an empty one",
      IN_FLEET(known_hosts) },
    { FLEET, "host_keys", &type_trust, "strict", NULL, "strict",
      "strict: an unknown host key is refused; accept-new: it is added to"
      " known_hosts, a changed one is refused", IN_FLEET(accept_new) },
    { FLEET, "ssh_config", &type_or_none, "~/.ssh/config", NULL, NULL,
      "what the inventory leaves open is looked up here; Match exec is never"
      " run", IN_FLEET(ssh_config) },
    { FLEET, "max_sessions", &type_sessions, "200", NULL, NULL,
      "nodes with an open SSH session at the same time", IN_FLEET(max_sessions) },
    { FLEET, "warn_days", &type_days, "30", NULL, NULL,
      "`check' warns of certificates that expire within so many days",
      IN_FLEET(warn_days) },
    { FLEET, "keep_days", &type_keep, "30", NULL, NULL,
      "old certificate sets stay on the nodes for so many days",
      IN_FLEET(keep_days) },
    { FLEET, "keep_backups", &type_backups, "3", NULL, NULL,
      "backups kept for each node", IN_FLEET(keep_backups) },
    { FLEET, "notify", &type_command, NULL, NULL,
      ";/usr/local/bin/tell-us",
      "`run' starts this program for each thing that somebody should know, with"
      " JSON on its standard input, again and again until it ends with 0",
      IN_FLEET(notify) },
    { "fleet cluster", "key_passphrase", &type_secret, NULL, NULL,
      ";file:keys.pass",
      "locks the private keys that are kept in state_dir; the nodes get them"
      " as they are", IN_CLUSTER(key_passphrase) },
    { "fleet cluster", "window", &type_window, NULL, "any time",
      ";Sat 01:00-05:00 Europe/London",
      "when `fleet/renew' may change a cluster, by the clock of an IANA zone"
      " (UTC without one). Days are also Sat,Sun and Mon-Fri and daily, and"
      " 23:00-03:00 ends a day later. Any number of these lines may stand"
      " here; a cluster's stand in for the fleet's", BY_HAND, .several = true },
    { "fleet cluster", "no_window", &type_pause, NULL, NULL,
      ";2026-12-24..2027-01-02",
      "days that windows do not touch: a first and a last, or one. Any number"
      " of these lines, too", BY_HAND, .several = true },
    { "fleet cluster", "approvals", &type_people, "0", NULL, ";2",
      "how many people must have signed a plan (`certfleet approve') before"
      " it is applied", IN_CLUSTER(approvals) },
    { "fleet cluster", "approvers", &type_signers, NULL, NULL,
      ";approvers",
      "who may approve with an SSH key: OpenSSH's allowed_signers",
      IN_CLUSTER(approvers) },
    { "fleet cluster", "approver_ca", &type_anchor, NULL, NULL,
      ";approver-ca.crt",
      "PEM: a CA for approvers alone: each person whom it gave a certificate"
      " for signing e-mail is one; CRLs in it are asked",
      IN_CLUSTER(approver_ca) },
    { "fleet cluster", "approval_days", &type_days, "7", NULL, NULL,
      "an older approval does not count", IN_CLUSTER(approval_days) },

    { ALL, "user", &type_user, NULL, "ssh_config's, else your login name",
      "admin", "who logs in", IN_NODE(user) },
    { ALL, "identity", &type_identity, NULL,
      "~/.ssh/id_ed25519 when it exists", ";~/.ssh/id_ed25519",
      "private key file, tried first, then the agent; once named it must"
      " exist", IN_NODE(identity) },
    { ALL, "passphrase", &type_secret, NULL, NULL, ";prompt",
      "passphrase of the identity", IN_NODE(passphrase) },
    { ALL, "password", &type_secret, NULL, NULL, "env:CMS_PASSWORD",
      "where the password comes from; never the password itself. A blank and"
      " a semicolon begin a comment, inside a command too",
      IN_NODE(password) },
    { ALL, "port", &type_port, NULL, "ssh_config's, else 22", ";22",
      "SSH port", IN_NODE(port) },
    { ALL, "weak_algorithms", &type_yes, "no", NULL, NULL,
      "allow ssh-rsa and diffie-hellman-group14-sha1 for old nodes",
      IN_NODE(weak_algorithms) },
    { ALL, "connect_timeout", &type_seconds, "15", NULL, NULL,
      "from the name to the finished login", IN_NODE(connect_timeout_s) },
    { ALL, "command_timeout", &type_seconds, "60", NULL, NULL,
      "for the answer to one command", IN_NODE(command_timeout_s) },
    { ALL, "timeout_leave", &type_seconds, "300", NULL, NULL,
      "until a node has left its cluster", IN_NODE(timeout_leave_s) },
    { ALL, "timeout_init", &type_seconds, "300", NULL, NULL,
      "until the primary serves again", IN_NODE(timeout_init_s) },
    { ALL, "timeout_connect", &type_seconds, "300", NULL, NULL,
      "until a node without database is connected",
      IN_NODE(timeout_connect_s) },
    { ALL, "timeout_join", &type_seconds, "1800", NULL, NULL,
      "until a replica is in sync; the whole database is copied",
      IN_NODE(timeout_join_s) },
    { ALL, "retries", &type_retries, "2", NULL, NULL,
      "further tries after the first: 2 means three in all",
      IN_NODE(retries) },
    { ALL, "api_user", &type_user, NULL, "nobody: it is not asked", ";api",
      "who asks the REST interface how many calls there are (a user with the"
      " role api will do); api_password and api_ca are needed with it",
      IN_NODE(api_user) },
    { ALL, "api_password", &type_secret, NULL, NULL, ";env:CMS_API_PASSWORD",
      "where the password of api_user comes from", IN_NODE(api_password) },
    { ALL, "api_ca", &type_path, NULL, NULL, ";webadmin-ca.crt",
      "PEM: whom the web interface's certificate must lead to, or that very"
      " certificate; the password is sent to nobody else",
      IN_NODE(api_ca) },
    { ALL, "keystore_password", &type_secret, NULL, NULL,
      ";file:keystore.pass",
      "where the password of the node's Java keystore comes from; it is typed"
      " at the prompt, never on a command line", IN_NODE(keystore_password) },
    { ALL, "api_port", &type_port, NULL, "what `webadmin' shows, else 443",
      ";443", "HTTPS port of the REST interface", IN_NODE(api_port) },

    { ISSUER, "kind", &type_kind, "internal", NULL, "internal",
      "who signs. internal: certfleet, with the CA named here; command: a"
      " program that is given each request; csr: somebody else, to whom you"
      " carry the requests (`certfleet issue'); appliance: the primary, with a"
      " CA of its own for each set (databases only); adcs: Microsoft AD CS, on a"
      " node of this file", IN_ISSUER(kind) },
    { ISSUER, "ca_cert", &type_ca_path, NULL, NULL, "dbca-{cluster}.crt",
      "the CA's certificate; {cluster} gives each cluster a root of its own,"
      " as Cisco asks. Made on first use when it and ca_key are missing;"
      " command, csr, adcs: it must be there, and all that is issued must lead"
      " to it. Not for appliance", IN_ISSUER(ca_cert) },
    { ISSUER, "ca_key", &type_ca_path, NULL, NULL, "dbca-{cluster}.key",
      "the CA's private key; internal only", IN_ISSUER(ca_key) },
    { ISSUER, "ca_key_password", &type_secret, NULL, NULL, ";file:dbca.pass",
      "password of ca_key", IN_ISSUER(ca_key_password) },
    { ISSUER, "ca_days", &type_days, "3650", NULL, NULL,
      "how long a CA made here lives; an expiring one is never replaced"
      " silently", IN_ISSUER(ca_days) },
    { ISSUER, "days", &type_days, "825", NULL, NULL,
      "how long certificates live; never longer than their CA",
      IN_ISSUER(days) },
    { ISSUER, "key", &type_key, "rsa:2048", NULL, NULL,
      "kind of the keys made. ec:P-256 is the better one where the product takes"
      " it (CMS documents it for 3.9): an rsa key takes 0.16 s (2048) to 1.5 s"
      " (4096) of a processor", IN_ISSUER(key) },
    { ISSUER, "command", &type_command, NULL, NULL,
      ";/usr/local/bin/sign-request",
      "command: the program that gets a PEM request on its standard input and"
      " prints the certificate and what lies between it and the CA. No shell:"
      " quotes and backslashes part words, nothing is filled in",
      IN_ISSUER(command) },
    { ISSUER, "timeout_issue", &type_seconds, "120", NULL, NULL,
      "command, adcs: until the program has ended, for each certificate",
      IN_ISSUER(timeout_s) },
    { ISSUER, "node", &type_name, NULL, NULL, ";ca1",
      "adcs: the node where certreq is called; its cluster's product is adcs",
      BY_HAND },
    { ISSUER, "config", &type_config, NULL, NULL, ";CA1\\IssuingCA",
      "adcs: which CA, as `certutil -dump' there shows it; letters, digits and"
      " .:_- around one backslash", IN_ISSUER(config) },
    { ISSUER, "template", &type_word, NULL, "none is named", ";WebServer",
      "adcs: the certificate template, by its own name, not the one that is"
      " displayed", IN_ISSUER(template) },
    { ISSUER, "template_server", &type_word, NULL, "template", ";WebServer",
      "adcs: another one for what only servers show",
      IN_ISSUER(template_server) },
    { ISSUER, "template_client", &type_word, NULL, "template",
      ";Workstation", "adcs: another one for what only clients show",
      IN_ISSUER(template_client) },

    { CLUSTER, "product", &type_name, NULL, NULL, "cms",
      "what the nodes are; `certfleet playbooks' lists the products", BY_HAND,
      .required = true },
    { CLUSTER, "issuer", &type_name, NULL, NULL, "dbca",
      "who signs; needed where nodes hold a database", BY_HAND },
    { CLUSTER, "service_issuer", &type_name, NULL, NULL, "svcca",
      "who signs for services; not the database's CA, which is to sign nothing "
      "else", BY_HAND },
    { CLUSTER, "on_failure", &type_failure, "rollback", NULL, "rollback",
      "what follows when the outage has begun and a step fails for good",
      IN_CLUSTER(on_failure) },
    { CLUSTER, "leave", &type_lane, "one-by-one", NULL, NULL,
      "how the replicas leave", IN_CLUSTER(leave) },
    { CLUSTER, "join", &type_lane, "one-by-one", NULL, NULL,
      "how the replicas join again", IN_CLUSTER(join) },
    { CLUSTER, "subject", &type_subject, NULL, NULL, "O=Example Inc.,C=GB",
      "what subjects hold besides the common name", IN_CLUSTER(subject) },

    { NODE, "cluster", &type_name, NULL, NULL, "emea",
      "the cluster that it belongs to", BY_HAND, .required = true },
    { NODE, "address", &type_address, NULL, "the node's name",
      "core1.example.com", "what SSH connects to: a name or an IP address",
      IN_NODE(address) },
    { NODE, "roles", &type_roles, NULL, NULL, "database callbridge",
      "cms: at most one of database and connect (neither: a node without"
      " database), and services: callbridge webadmin webbridge3 turn ...",
      BY_HAND },
    { NODE, "interface", &type_address, NULL, "what its status shows", ";a",
      "the interface of the database cluster; another one in its status is"
      " warned of", IN_NODE(interface) },
    { NODE, "db_address", &type_address, NULL,
      "what the cluster shows for it, else address", "10.0.0.1",
      "what its peers join by", IN_NODE(db_address) },
    { NODE, "db_port", &type_port, "5432", NULL, NULL,
      "database port, read on database nodes only", IN_NODE(db_port) },
    { NODE, "names", &type_names, NULL, NULL, ";db1.example.com",
      "further names for the server certificate; the first is the common name"
      " of its services' certificates", IN_NODE(names) },
    { NODE, "host_key", &type_pin, NULL, NULL, NULL,
      "host key pin as `ssh-keygen -l' shows it; beats known_hosts",
      IN_NODE(host_key) },
};
/* clang-format on */

const size_t inventory_table_rows =
    sizeof(inventory_table) / sizeof(inventory_table[0]);
static_assert(sizeof(inventory_table) / sizeof(inventory_table[0]) <= KEYS_MAX,
              "section.seen has a place for each row");

const char *section_word(unsigned kind)
{
    const struct section_word *w = section_words;

    while (w->word && w->kind != kind)
        w++;
    return w->word;
}

unsigned key_sections(const struct key *key)
{
    unsigned kinds = 0;

    for (const struct section_word *w = section_words; w->word; w++)
        if (strstr(key->sections, w->word))
            kinds |= w->kind;
    return kinds;
}

const struct inventory_key *inventory_keys(size_t *n)
{
    static struct inventory_key keys[KEYS_MAX];

    for (size_t i = 0; i < inventory_table_rows; i++) {
        const struct key *k = &inventory_table[i];
        keys[i] = (struct inventory_key){
            .sections = k->sections,
            .name = k->name,
            .value = k->type->look,
            .preset = k->preset ? k->preset : k->otherwise,
            .help = k->help,
        };
    }
    *n = inventory_table_rows;
    return keys;
}
