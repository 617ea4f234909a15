/* SPDX-License-Identifier: Apache-2.0
 *
 * Would a peer be taken: each way in which it would not.
 */
#include "tests/unit/pki_make.h"

static struct made root, other, between, server, client;

static struct made made_by(struct recipe recipe, const struct made *by)
{
    return make_cert(&recipe, by);
}

static int make_all(void **state)
{
    struct recipe ca = CA_RECIPE("Between");

    (void)state;
    ca.aki = "keyid";
    root = made_by((struct recipe)CA_RECIPE("Root"), NULL);
    other = made_by((struct recipe)CA_RECIPE("Other root"), NULL);
    between = made_by(ca, &root);
    server = made_by((struct recipe)SERVER_RECIPE("core1.example.com",
                                                  "DNS:core1.example.com"),
                     &root);
    client = made_by((struct recipe)CLIENT_RECIPE(), &root);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    made_free(&root);
    made_free(&other);
    made_free(&between);
    made_free(&server);
    made_free(&client);
    return 0;
}

static struct pki_peer peer_of(const char *cert, const char *trust,
                               enum pki_purpose purpose)
{
    return (struct pki_peer){
        .cert = cert,
        .cert_len = strlen(cert),
        .trust = trust,
        .trust_len = strlen(trust),
        .purpose = purpose,
        .at = MAKE_NOW,
        .name = purpose == PKI_CLIENT ? "postgres" : NULL,
    };
}

static void takes(const struct pki_peer *peer)
{
    struct err err = {0};

    if (pki_peer_verify(peer, &err) < 0)
        fail_msg("refused: %s", err.text);
}

static void refuses(const struct pki_peer *peer, const char *why)
{
    struct err err = {0};

    assert_int_equal(pki_peer_verify(peer, &err), -1);
    if (!strstr(err.text, why))
        fail_msg("it says `%s', not `%s'", err.text, why);
}

static void client_refused(struct recipe recipe, const char *why)
{
    struct made made = make_cert(&recipe, &root);
    const struct pki_peer peer = peer_of(made.pem, root.pem, PKI_CLIENT);

    refuses(&peer, why);
    made_free(&made);
}

static void test_good(void **state)
{
    const struct pki_peer s = peer_of(server.pem, root.pem, PKI_SERVER);
    const struct pki_peer c = peer_of(client.pem, root.pem, PKI_CLIENT);

    (void)state;
    takes(&s);
    takes(&c);
}

static void test_wrong_ca(void **state)
{
    const struct pki_peer s = peer_of(server.pem, other.pem, PKI_SERVER);
    const struct pki_peer c = peer_of(client.pem, other.pem, PKI_CLIENT);

    (void)state;
    refuses(&s, "its issuer \"CN=Root\" is not among the certificates");
    refuses(&c, "its issuer \"CN=Root\" is not among the certificates");
}

static void test_purpose(void **state)
{
    const struct pki_peer s = peer_of(client.pem, root.pem, PKI_SERVER);
    struct pki_peer c = peer_of(server.pem, root.pem, PKI_CLIENT);

    (void)state;
    refuses(&s, "its extended key usage lacks serverAuth");
    refuses(&c, "its extended key usage lacks clientAuth");
}

static void test_common_name(void **state)
{
    struct recipe r = CLIENT_RECIPE();

    (void)state;
    r.cn = "Postgres";
    client_refused(r, "its common name is not exactly postgres");
    r.cn = "postgres ";
    client_refused(r, "its common name is not exactly postgres");
    r.cn = "postgres";
    r.second_cn = "admin";
    client_refused(r, "its common name is not exactly postgres");
    r.cn = r.second_cn = NULL;
    client_refused(r, "its common name is not exactly postgres");
}

static void test_dates(void **state)
{
    struct pki_peer c = peer_of(client.pem, root.pem, PKI_CLIENT);

    (void)state;
    c.at = MAKE_NOW + 366LL * 86400;
    refuses(&c, "it has expired");
    c.at = MAKE_NOW - 2 * 3600;
    refuses(&c, "it is not valid before");
    c.at = 0;
    takes(&c);
}

/* What is sent along counts, and what the judge has; nothing else. */
static void test_intermediate(void **state)
{
    struct made leaf = made_by((struct recipe)CLIENT_RECIPE(), &between);
    char *whole = join(leaf.pem, between.pem, NULL);
    char *bundle = join(between.pem, root.pem, NULL);
    const struct pki_peer without = peer_of(leaf.pem, root.pem, PKI_CLIENT);
    const struct pki_peer sent = peer_of(whole, root.pem, PKI_CLIENT);
    const struct pki_peer had = peer_of(leaf.pem, bundle, PKI_CLIENT);
    const struct pki_peer half = peer_of(leaf.pem, between.pem, PKI_CLIENT);

    (void)state;
    refuses(&without, "its issuer \"CN=Between\" is not among");
    takes(&sent);
    takes(&had);
    refuses(&half, "no self-signed root");
    free(whole);
    free(bundle);
    made_free(&leaf);
}

static void test_host(void **state)
{
    struct pki_peer s = peer_of(server.pem, root.pem, PKI_SERVER);

    (void)state;
    s.name = "core1.example.com";
    takes(&s);
    s.name = "10.0.0.1";
    refuses(&s, "it names no 10.0.0.1");
}

static void test_weak(void **state)
{
    struct recipe r = CLIENT_RECIPE();
    struct made weak;
    struct pki_peer c;

    (void)state;
    r.kind = 1024;
    weak = make_cert(&r, &root);
    c = peer_of(weak.pem, root.pem, PKI_CLIENT);
    refuses(&c, "key too weak");
    c.weak = true;
    takes(&c);
    made_free(&weak);
}

static void test_unreadable(void **state)
{
    const struct pki_peer cert = peer_of("", root.pem, PKI_CLIENT);
    const struct pki_peer trust = peer_of(client.pem, "x", PKI_CLIENT);

    (void)state;
    refuses(&cert, "the certificate: ");
    refuses(&trust, "the CA bundle: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_wrong_ca),
        cmocka_unit_test(test_purpose),    cmocka_unit_test(test_common_name),
        cmocka_unit_test(test_dates),      cmocka_unit_test(test_intermediate),
        cmocka_unit_test(test_host),       cmocka_unit_test(test_weak),
        cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
