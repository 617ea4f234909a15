/* SPDX-License-Identifier: Apache-2.0
 *
 * One chain, three profiles: each rule of core/pki/rules.c broken by itself,
 * and what it is to whom.
 */
#include "tests/unit/pki_make.h"

static const char *const hosts[] = {"core1.example.com", NULL};

enum {
    NOT = -1,
    INF = PKI_INFO,
    WRN = PKI_WARNING,
    ERR = PKI_ERROR,
};

struct broken {
    const char *name;
    struct recipe root, leaf;
    const char *id;
    int as[3]; /* by profile: DATABASE, PRIVATE, PUBLIC */
    const char *const *hosts;
};

#define ROOT CA_RECIPE("Root")
#define LEAF SERVER_RECIPE("core1.example.com", "DNS:core1.example.com")
#define PROFILES 3

static void lint(const struct made *leaf, const struct made *root,
                 const char *between, struct pki_chain chain,
                 struct pki_findings *findings)
{
    char *shown = join(leaf->pem, between, NULL);

    chain.what = "server";
    chain.cert = shown;
    chain.cert_len = strlen(shown);
    chain.trust = root->pem;
    chain.trust_len = strlen(root->pem);
    chain.purpose = PKI_SERVER;
    chain.at = MAKE_NOW;
    chain.hosts = chain.hosts ? chain.hosts : hosts;
    pki_lint_chain(&chain, findings);
    free(shown);
}

/* The worst finding with this id; NOT: none. */
static int worst_of(const struct pki_findings *findings, const char *id)
{
    int worst = NOT;

    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->list[i].id, id) == 0 &&
            (int)findings->list[i].severity > worst)
            worst = (int)findings->list[i].severity;
    return worst;
}

static void judge(const char *name, const struct made *leaf,
                  const struct made *root, const struct broken *b)
{
    for (int p = 0; p < PROFILES; p++) {
        struct pki_findings findings = {0};
        const struct pki_chain chain = {.profile = (enum pki_profile)p,
                                        .hosts = b->hosts};
        lint(leaf, root, NULL, chain, &findings);
        if (worst_of(&findings, b->id) != b->as[p]) {
            print_findings(&findings);
            fail_msg("%s: %s is %d in profile %d, not %d", name, b->id,
                     worst_of(&findings, b->id), p, b->as[p]);
        }
        pki_findings_release(&findings);
    }
}

/* A certificate with what `spoil` does to it before it is signed again. */
static struct made respun(struct made *made, const struct made *by,
                          void (*spoil)(X509 *))
{
    free(made->pem);
    spoil(made->cert);
    assert_true(X509_sign(made->cert, by->key, EVP_sha256()) > 0);
    made->pem = make_pem(made->cert);
    return *made;
}

struct raw {
    int nid, critical, len;
    const char *bytes;
};

static void add_raw(X509 *cert, const struct raw *raw)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    ASN1_OCTET_STRING_set(value, (const unsigned char *)raw->bytes, raw->len);
    ext = X509_EXTENSION_create_by_NID(NULL, raw->nid, raw->critical, value);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
}

static void odd_access(X509 *cert)
{
    add_raw(cert, &(struct raw){NID_info_access, 0, 4, "\x04\x02oh"});
}

static void no_constraints(X509 *cert)
{
    add_raw(cert, &(struct raw){NID_name_constraints, 1, 2, "\x30\x00"});
}

/* -- good ones ------------------------------------------------------------- */

static void test_good(void **state)
{
    struct recipe r = ROOT, l = LEAF;
    struct made root, leaf;

    (void)state;
    root = make_cert(&r, NULL);
    leaf = make_cert(&l, &root);
    for (int p = 0; p < PROFILES; p++) {
        struct pki_findings findings = {0};
        lint(&leaf, &root, NULL,
             (struct pki_chain){.profile = (enum pki_profile)p}, &findings);
        print_findings(&findings);
        assert_int_equal(findings.n, 0);
    }
    made_free(&leaf);
    made_free(&root);
}

/* -- one rule after the other ---------------------------------------------- */

static const char *const address[] = {"10.0.0.9", NULL};
static const char *const other[] = {"core9.example.com", NULL};
static const char *const starred[] = {"core1.example.com", NULL};

// clang-format off
static const struct broken rules[] = {
    { "version 1", ROOT, { .cn = "core1.example.com", .v1 = true },
      "B8", { WRN, WRN, ERR }, NULL },
    { "no SAN", ROOT,
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE",
        .ku = "critical,digitalSignature", .eku = "serverAuth", .ski = "hash",
        .aki = "keyid" },
      "B8", { WRN, WRN, ERR }, NULL },
    { "SAN critical", ROOT,
      SERVER_RECIPE("core1.example.com", "critical,DNS:core1.example.com"),
      "B8", { NOT, WRN, ERR }, NULL },
    { "serial negative", ROOT,
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE", .serial = -7,
        .ku = "critical,digitalSignature", .eku = "serverAuth",
        .san = "DNS:core1.example.com", .ski = "hash", .aki = "keyid" },
      "B10", { WRN, ERR, ERR }, NULL },
    { "no AKI", ROOT,
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE",
        .ku = "critical,digitalSignature", .eku = "serverAuth",
        .san = "DNS:core1.example.com", .ski = "hash" },
      "B12", { WRN, ERR, ERR }, NULL },
    { "no SKI", ROOT,
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE",
        .ku = "critical,digitalSignature", .eku = "serverAuth",
        .san = "DNS:core1.example.com", .aki = "keyid" },
      "B12", { WRN, INF, NOT }, NULL },
    { "root's AKI without key id",
      { .cn = "Root", .basic = "critical,CA:TRUE", .ski = "hash",
        .ku = "critical,keyCertSign,cRLSign", .aki = "issuer:always" },
      LEAF, "B12", { NOT, WRN, ERR }, NULL },
    { "root without SKI",
      { .cn = "Root", .basic = "critical,CA:TRUE",
        .ku = "critical,keyCertSign" },
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE",
        .ku = "critical,digitalSignature", .eku = "serverAuth",
        .san = "DNS:core1.example.com", .ski = "hash" },
      "C5", { WRN, ERR, ERR }, NULL },
    { "basicConstraints not critical",
      { .cn = "Root", .basic = "CA:TRUE", .ski = "hash",
        .ku = "critical,keyCertSign" },
      LEAF, "C5", { WRN, ERR, ERR }, NULL },
    { "name constraints not critical",
      { .cn = "Root", .basic = "critical,CA:TRUE", .ski = "hash",
        .ku = "critical,keyCertSign", .nc = "permitted;DNS:example.com" },
      LEAF, "C7", { WRN, ERR, INF }, NULL },
    { "root with EKU",
      { .cn = "Root", .basic = "critical,CA:TRUE", .ski = "hash",
        .ku = "critical,keyCertSign", .eku = "serverAuth" },
      LEAF, "C13", { NOT, NOT, ERR }, NULL },
    { "no EKU", ROOT,
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE",
        .ku = "critical,digitalSignature", .san = "DNS:core1.example.com",
        .ski = "hash", .aki = "keyid" },
      "D2", { INF, INF, ERR }, NULL },
    { "EKU critical", ROOT,
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE",
        .ku = "critical,digitalSignature", .eku = "critical,serverAuth",
        .san = "DNS:core1.example.com", .ski = "hash", .aki = "keyid" },
      "D1", { NOT, NOT, ERR }, NULL },
    { "EKU any besides", ROOT,
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE",
        .ku = "critical,digitalSignature",
        .eku = "serverAuth,anyExtendedKeyUsage",
        .san = "DNS:core1.example.com", .ski = "hash", .aki = "keyid" },
      "D7", { NOT, NOT, ERR }, NULL },
    { "EKU any alone", ROOT,
      { .cn = "core1.example.com", .basic = "critical,CA:FALSE",
        .ku = "critical,digitalSignature", .eku = "anyExtendedKeyUsage",
        .san = "DNS:core1.example.com", .ski = "hash", .aki = "keyid" },
      "D7", { WRN, WRN, ERR }, NULL },
    { "CN not in SAN", ROOT,
      SERVER_RECIPE("core2.example.com", "DNS:core1.example.com"),
      "E1", { ERR, WRN, WRN }, NULL },
    { "DNS name with a dot first", ROOT,
      SERVER_RECIPE("core1.example.com",
                    "DNS:core1.example.com,DNS:.example.com"),
      "E7", { WRN, ERR, ERR }, NULL },
    { "address as DNS name", ROOT,
      SERVER_RECIPE("core1.example.com",
                    "DNS:core1.example.com,DNS:10.0.0.1"),
      "E7", { WRN, ERR, ERR }, NULL },
    { "wildcard", ROOT,
      SERVER_RECIPE("*.example.com", "DNS:*.example.com"),
      "E6", { ERR, NOT, NOT }, starred },
    { "wildcard's form", ROOT,
      SERVER_RECIPE("*.example.com", "DNS:*.example.com"),
      "E7", { NOT, NOT, NOT }, starred },
    { "name that peers use", ROOT, LEAF, "F3", { ERR, ERR, ERR }, other },
    { "address that peers use", ROOT, LEAF, "F3", { WRN, ERR, ERR }, address },
};
// clang-format on

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct made root = make_cert(&rules[i].root, NULL);
        struct made leaf = make_cert(&rules[i].leaf, &root);
        judge(rules[i].name, &leaf, &root, &rules[i]);
        made_free(&leaf);
        made_free(&root);
    }
}

static void test_malformed(void **state)
{
    static const struct broken is = {
        .name = "AIA", .id = "B11", .as = {WRN, ERR, ERR}};
    struct recipe r = ROOT, l = LEAF;
    struct made root, leaf;

    (void)state;
    root = make_cert(&r, NULL);
    leaf = make_cert(&l, &root);
    leaf = respun(&leaf, &root, odd_access);
    judge(is.name, &leaf, &root, &is);
    made_free(&leaf);
    made_free(&root);
}

static void test_empty_constraints(void **state)
{
    static const struct broken is = {
        .name = "NC", .id = "C7", .as = {WRN, ERR, ERR}};
    struct recipe r = ROOT, l = LEAF;
    struct made root, leaf;

    (void)state;
    root = make_cert(&r, NULL);
    root = respun(&root, &root, no_constraints);
    leaf = make_cert(&l, &root);
    judge(is.name, &leaf, &root, &is);
    made_free(&leaf);
    made_free(&root);
}

/* -- how deep -------------------------------------------------------------- */

static int depth_says(const struct made *leaf, const struct made *root,
                      const char *between, unsigned depth)
{
    struct pki_findings findings = {0};
    int worst;

    lint(leaf, root, between,
         (struct pki_chain){.profile = PKI_PRIVATE, .depth = depth}, &findings);
    worst = worst_of(&findings, "C10");
    pki_findings_release(&findings);
    return worst;
}

static void test_depth(void **state)
{
    struct recipe r = ROOT, i = CA_RECIPE("Between"), l = LEAF;
    struct made root, between, leaf;

    (void)state;
    i.aki = "keyid";
    root = make_cert(&r, NULL);
    between = make_cert(&i, &root);
    leaf = make_cert(&l, &between);
    assert_int_equal(depth_says(&leaf, &root, between.pem, 1), ERR);
    assert_int_equal(depth_says(&leaf, &root, between.pem, 2), NOT);
    assert_int_equal(depth_says(&leaf, &root, between.pem, 0), NOT);
    made_free(&leaf);
    made_free(&between);
    made_free(&root);
}

/* A CA that changes its key and issues for its own name is one CA. */
static void test_depth_own_name(void **state)
{
    struct recipe r = ROOT, next = CA_RECIPE("Root"), l = LEAF;
    struct made root, between, leaf;

    (void)state;
    next.aki = "keyid";
    root = make_cert(&r, NULL);
    between = make_cert(&next, &root);
    leaf = make_cert(&l, &between);
    assert_int_equal(depth_says(&leaf, &root, between.pem, 1), NOT);
    made_free(&leaf);
    made_free(&between);
    made_free(&root);
}

/* -- what cannot be judged ------------------------------------------------- */

static void test_nothing(void **state)
{
    struct pki_findings findings = {0};

    (void)state;
    pki_lint_chain(&(struct pki_chain){.what = "server", .purpose = PKI_SERVER},
                   &findings);
    assert_true(has_finding(&findings, "A9", PKI_ERROR));
    assert_int_equal(findings.n, 2);
    pki_findings_release(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_empty_constraints),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_depth_own_name),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
