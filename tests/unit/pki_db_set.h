/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/pki_db_set.h - a good database set, and what is found when one
 * thing of it changes.
 */
#ifndef CERTFLEET_TESTS_PKI_DB_SET_H
#define CERTFLEET_TESTS_PKI_DB_SET_H

#include "tests/unit/pki_make.h"

static const char *const hosts[] = {"core1.example.com", "core2.example.com",
                                    "10.0.0.1", NULL};
static const char names[] =
    "DNS:core1.example.com,DNS:core2.example.com,IP:10.0.0.1";

static struct made root, server, client;

static inline struct recipe server_recipe(void)
{
    struct recipe r = SERVER_RECIPE("core1.example.com", names);

    return r;
}

static inline struct recipe client_recipe(void)
{
    struct recipe r = CLIENT_RECIPE();

    return r;
}

static inline int setup(void **state)
{
    struct recipe r = CA_RECIPE("DB Root"), s = server_recipe();
    struct recipe c = client_recipe();

    (void)state;
    r.to = MAKE_NOW + 3650LL * 86400;
    root = make_cert(&r, NULL);
    server = make_cert(&s, &root);
    client = make_cert(&c, &root);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    made_free(&root);
    made_free(&server);
    made_free(&client);
    return 0;
}

/* What one test changes of the good set; NULL: as it is. */
struct change {
    const struct made *server, *client;
    const char *ca, *server_pem;
    const struct secret *server_key;
    const char *const *hosts, *const *old_keys;
    int64_t at;
    unsigned spare_days;
};

static inline void lint(const struct change *change,
                        struct pki_findings *findings)
{
    const struct made *s = change->server ? change->server : &server;
    const struct made *c = change->client ? change->client : &client;
    const struct secret *key =
        change->server_key ? change->server_key : s->key_pem;
    const char *pem = change->server_pem ? change->server_pem : s->pem;
    const char *ca = change->ca ? change->ca : root.pem;
    struct pki_db_set set = {
        .server_key = key->data,
        .server_key_len = key->len,
        .server_cert = pem,
        .server_cert_len = strlen(pem),
        .client_key = c->key_pem->data,
        .client_key_len = c->key_pem->len,
        .client_cert = c->pem,
        .client_cert_len = strlen(c->pem),
        .ca = ca,
        .ca_len = strlen(ca),
        .hosts = change->hosts ? change->hosts : hosts,
        .at = change->at ? change->at : MAKE_NOW,
        .old_keys = change->old_keys,
        .spare_days = change->spare_days,
    };

    pki_lint_db_set(&set, findings);
}

static inline void found(const struct change *change, const char *id,
                         enum pki_severity severity)
{
    struct pki_findings f = {0};

    lint(change, &f);
    if (!has_finding(&f, id, severity)) {
        print_findings(&f);
        fail_msg("no %s", id);
    }
    /* no other error may hide behind it */
    for (size_t i = 0; i < f.n; i++)
        if (f.list[i].severity == PKI_ERROR && strcmp(f.list[i].id, id) != 0) {
            print_findings(&f);
            fail_msg("%s besides %s", f.list[i].id, id);
        }
    pki_findings_release(&f);
}

/* A server certificate of this shape, under our root. */
static inline void server_found(const struct recipe *recipe, const char *id,
                                enum pki_severity severity)
{
    struct made made = make_cert(recipe, &root);
    struct change change = {.server = &made};

    found(&change, id, severity);
    made_free(&made);
}

static inline void client_found(const struct recipe *recipe, const char *id,
                                enum pki_severity severity)
{
    struct made made = make_cert(recipe, &root);
    struct change change = {.client = &made};

    found(&change, id, severity);
    made_free(&made);
}

#endif
