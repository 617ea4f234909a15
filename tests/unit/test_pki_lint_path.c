/* SPDX-License-Identifier: Apache-2.0
 *
 * The paths of a database set and its bundle: each fault has its id.
 */
#include "tests/unit/pki_db_set.h"

static void test_path(void **state)
{
    struct recipe o = CA_RECIPE("Other"), s = server_recipe();
    struct recipe m = CA_RECIPE("Sub"), n = CA_RECIPE("Nameless");
    struct made other = make_cert(&o, NULL), lost = make_cert(&s, &other);
    struct change change = {.server = &lost};
    struct made sub, leaf;
    char *bundle;

    (void)state;
    found(&change, "C1", PKI_ERROR);
    bundle = join(other.pem, root.pem, NULL);
    change.ca = bundle; /* both verify, at different roots */
    found(&change, "F4", PKI_ERROR);
    free(bundle);
    m.eku = "clientAuth";
    m.aki = "keyid";
    sub = make_cert(&m, &root);
    leaf = make_cert(&s, &sub);
    bundle = join(sub.pem, root.pem, NULL);
    change.server = &leaf;
    change.ca = bundle;
    found(&change, "C13", PKI_ERROR);
    free(bundle);
    made_free(&leaf);
    made_free(&sub);
    n.nc = "critical,permitted;DNS:example.org";
    n.aki = "keyid";
    sub = make_cert(&n, &root);
    leaf = make_cert(&s, &sub);
    bundle = join(sub.pem, root.pem, NULL);
    change.ca = bundle;
    found(&change, "C7", PKI_ERROR);
    free(bundle);
    made_free(&leaf);
    made_free(&sub);
    made_free(&other);
    made_free(&lost);
}

static void bundle_found(char *bundle, const char *id,
                         enum pki_severity severity)
{
    struct change change = {.ca = bundle};

    found(&change, id, severity);
    free(bundle);
}

static void test_bundle(void **state)
{
    struct recipe m = CA_RECIPE("Sub"), o = CA_RECIPE("Next Root");
    struct recipe nosign = CA_RECIPE("No Sign");
    struct made sub, next = make_cert(&o, NULL), bad;
    struct change change = {0};
    char *extra = join(server.pem, root.pem, NULL);

    (void)state;
    m.aki = "keyid";
    sub = make_cert(&m, &root);
    bundle_found(join(root.pem, root.pem, NULL), "C2", PKI_ERROR);
    bundle_found(join(root.pem, sub.pem, root.pem), "C2", PKI_ERROR);
    bundle_found(join(next.pem, root.pem, NULL), "C2", PKI_INFO);
    bundle_found(join(server.pem, root.pem, NULL), "F5", PKI_ERROR);
    nosign.ku = "critical,cRLSign";
    bad = make_cert(&nosign, NULL);
    bundle_found(join(bad.pem, root.pem, NULL), "C5", PKI_ERROR);
    bundle_found(strdup("junk"), "A9", PKI_ERROR);
    change.server_pem = extra;
    found(&change, "C4", PKI_WARNING);
    free(extra);
    made_free(&sub);
    made_free(&next);
    made_free(&bad);
}

static void test_bundle_roots(void **state)
{
    struct recipe m = CA_RECIPE("Sub");
    struct made sub;
    struct pki_findings f = {0};
    struct change change = {0};
    char *wrong;

    (void)state;
    m.aki = "keyid";
    sub = make_cert(&m, &root);
    wrong = join(root.pem, sub.pem, NULL);
    change.ca = wrong;
    lint(&change, &f);
    assert_true(has_finding(&f, "C3", PKI_ERROR)); /* root not last */
    pki_findings_release(&f);
    change.ca = sub.pem;
    lint(&change, &f);
    assert_true(has_finding(&f, "C3", PKI_ERROR)); /* no root */
    assert_true(has_finding(&f, "C2", PKI_WARNING));
    pki_findings_release(&f);
    free(wrong);
    made_free(&sub);
}

/* facts/certs.md 0.5: a second generation under the first one's name. */
static void test_same_name(void **state)
{
    struct recipe ca = {.cn = "My company CA",
                        .basic = "critical,CA:TRUE",
                        .ku = "critical,keyCertSign"};
    struct recipe good = CA_RECIPE("DB Root");
    struct recipe s = server_recipe(), c = client_recipe();
    struct made old = make_cert(&ca, NULL), new = make_cert(&ca, NULL);
    struct made twin = make_cert(&good, NULL), sc, cc;
    char *bundle = join(new.pem, old.pem, NULL);
    struct change change = {.ca = bundle};
    struct pki_findings f = {0};

    (void)state;
    s.aki = c.aki = NULL;
    sc = make_cert(&s, &new);
    cc = make_cert(&c, &new);
    change.server = &sc;
    change.client = &cc;
    lint(&change, &f);
    assert_true(has_finding(&f, "F8", PKI_ERROR));
    pki_findings_release(&f);
    free(bundle);
    /* with key identifiers on both sides it works, and is told */
    bundle = join(twin.pem, root.pem, NULL);
    change.ca = bundle;
    change.server = change.client = NULL;
    found(&change, "F8", PKI_INFO);
    free(bundle);
    made_free(&old);
    made_free(&new);
    made_free(&twin);
    made_free(&sc);
    made_free(&cc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_bundle),
        cmocka_unit_test(test_bundle_roots),
        cmocka_unit_test(test_same_name),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
