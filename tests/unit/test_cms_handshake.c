/* SPDX-License-Identifier: Apache-2.0
 *
 * The pairs that meet in cms/db-rotate: each way in which one would not take
 * the other, and what the gates and `issue` make of it.
 */
#include "tests/unit/pki_make.h"

#include "playbooks/cms/handshake.h"
#include "tests/unit/cms_fixture.h"

enum {
    CORE1,
    CORE2,
    CORE3,
    EDGE1,
    NODES
};

/* One CA's certificates, as a node has them. */
struct files {
    struct made root, server, client;
    char sha[3][PKI_SHA256_HEX];
};

static struct fixture fx;
static struct files ours, theirs;

static void make_files(struct files *f, const char *ca)
{
    const int64_t from = clock_wall_ms() / 1000 - 3600;
    struct recipe r = CA_RECIPE(ca), c = CLIENT_RECIPE();
    struct recipe s = SERVER_RECIPE("core1", "DNS:core1");

    r.from = s.from = c.from = from;
    r.to = from + 900 * 86400;
    s.to = c.to = from + 10 * 86400;
    f->root = make_cert(&r, NULL);
    f->server = make_cert(&s, &f->root);
    f->client = make_cert(&c, &f->root);
    pki_sha256(f->client.pem, strlen(f->client.pem), f->sha[0]);
    pki_sha256(f->server.pem, strlen(f->server.pem), f->sha[1]);
    pki_sha256(f->root.pem, strlen(f->root.pem), f->sha[2]);
}

static void free_files(struct files *f)
{
    made_free(&f->root);
    made_free(&f->server);
    made_free(&f->client);
}

static int make_both(void **state)
{
    (void)state;
    make_files(&ours, "Ours");
    make_files(&theirs, "Theirs");
    return 0;
}

static int free_both(void **state)
{
    (void)state;
    free_files(&ours);
    free_files(&theirs);
    return 0;
}

static int open_bed(void **state)
{
    (void)state;
    fixture_open(&fx);
    cms_db_assign(fx.pc, CORE1);
    return 0;
}

static int close_bed(void **state)
{
    (void)state;
    fixture_close(&fx);
    return 0;
}

/* -- would they take each other -------------------------------------------- */

static const struct files *has[NODES]; /* by node; NULL: not judged */

static void as_paper(struct cms_paper *paper, const char *pem, const char *name,
                     const char *sha)
{
    *paper = (struct cms_paper){
        .data = pem, .len = strlen(pem), .name = name, .sha256 = sha};
}

static bool papers_of(const struct plan_cluster *pc, size_t node,
                      const void *user, struct cms_papers *papers)
{
    const struct files *f = has[node];

    (void)pc;
    (void)user;
    if (!f)
        return false;
    as_paper(&papers->client, f->client.pem, "c.crt", f->sha[0]);
    as_paper(&papers->server, f->server.pem, "s.crt", f->sha[1]);
    as_paper(&papers->trust, f->root.pem, "ca.crt", f->sha[2]);
    return true;
}

static void all_have(const struct files *files)
{
    for (size_t i = 0; i < NODES; i++)
        has[i] = files;
}

static void try_all(bool is_new, struct cms_verdicts *verdicts)
{
    static struct cms_pairs pairs;
    const struct cms_trial trial = {
        .pc = fx.pc, .pairs = &pairs, .is_new = is_new, .papers_of = papers_of};

    cms_pairs_release(&pairs);
    cms_pairs_make(fx.pc, &pairs);
    cms_handshakes(&trial, verdicts);
    for (size_t i = 0; i < verdicts->n; i++)
        verdicts->list[i].pair = NULL; /* it does not outlive this */
    cms_pairs_release(&pairs);
}

/* How many refusals hold these words. */
static size_t said(const struct cms_verdicts *verdicts, const char *words)
{
    size_t n = 0;

    for (size_t i = 0; i < verdicts->n; i++)
        n += strstr(verdicts->list[i].text, words) != NULL;
    return n;
}

static void expect(const struct files *odd, size_t node, const char *words,
                   size_t times)
{
    struct cms_verdicts verdicts;

    all_have(&ours);
    has[node] = odd;
    try_all(true, &verdicts);
    if (said(&verdicts, words) != times) {
        for (size_t i = 0; i < verdicts.n; i++)
            print_message("  %s\n", verdicts.list[i].text);
        fail_msg("`%s' is said %zu times, not %zu", words,
                 said(&verdicts, words), times);
    }
    assert_int_equal(verdicts.n, times);
    cms_verdicts_release(&verdicts);
}

/* Two signatures, however many nodes. */
static void equal_ones_are_judged_once(void **state)
{
    struct cms_verdicts verdicts;

    (void)state;
    all_have(&ours);
    try_all(true, &verdicts);
    assert_int_equal(verdicts.verified, 12);
    assert_int_equal(verdicts.n, 0);
    assert_int_equal(verdicts.judged, 2);
    cms_verdicts_release(&verdicts);
}

/* Each of its pairs in both directions, but that with itself. */
static void a_wrong_ca_on_one_node(void **state)
{
    struct cms_verdicts verdicts;

    (void)state;
    all_have(&ours);
    has[EDGE1] = &theirs;
    try_all(false, &verdicts);
    assert_int_equal(verdicts.n, 6);
    assert_int_equal(verdicts.verified, 9);
    assert_int_equal(said(&verdicts, "step leave and the way back: core2 would "
                                     "refuse the client certificate of edge1 "
                                     "(c.crt): certificate \"CN=postgres\": "
                                     "its issuer \"CN=Theirs\" is not among"),
                     1);
    assert_int_equal(said(&verdicts, "edge1 would refuse the server "
                                     "certificate of core2 (s.crt): "),
                     1);
    cms_verdicts_release(&verdicts);
    has[EDGE1] = &ours;
    has[CORE3] = &theirs;
    try_all(false, &verdicts);
    assert_int_equal(verdicts.n, 2 * (2 + 2 + 1));
    cms_verdicts_release(&verdicts);
}

/* A node that answers with other files than its client side. */
static void each_way_to_fail(void **state)
{
    const int64_t now = clock_wall_ms() / 1000;
    struct recipe c = CLIENT_RECIPE(), s = SERVER_RECIPE("core1", "DNS:core1");
    struct files odd = ours;

    (void)state;
    c.from = s.from = now - 7200;
    c.to = s.to = now + 86400;
    s.eku = "clientAuth";
    odd.server = make_cert(&s, &ours.root);
    snprintf(odd.sha[1], PKI_SHA256_HEX, "odd server");
    expect(&odd, CORE2,
           "refuse the server certificate of core2 (s.crt): "
           "certificate \"CN=core1\": its extended key usage "
           "lacks serverAuth",
           4);
    made_free(&odd.server);
    odd = ours;
    snprintf(odd.sha[0], PKI_SHA256_HEX, "odd client");
    c.eku = "serverAuth";
    odd.client = make_cert(&c, &ours.root);
    expect(&odd, EDGE1, "lacks clientAuth", 3);
    made_free(&odd.client);
    c.eku = "clientAuth";
    c.cn = "postgres2";
    odd.client = make_cert(&c, &ours.root);
    expect(&odd, EDGE1, "its common name is not exactly postgres", 3);
    made_free(&odd.client);
    c.cn = "postgres";
    c.to = now - 3600;
    odd.client = make_cert(&c, &ours.root);
    expect(&odd, EDGE1, "it has expired", 3);
    made_free(&odd.client);
}

static void an_intermediate_that_one_bundle_lacks(void **state)
{
    const int64_t now = clock_wall_ms() / 1000;
    struct recipe ca = CA_RECIPE("Between"), c = CLIENT_RECIPE();
    struct files whole = ours, bare;
    struct cms_verdicts verdicts;
    struct made between;

    (void)state;
    ca.aki = "keyid";
    ca.from = c.from = now - 7200;
    ca.to = c.to = now + 86400;
    between = make_cert(&ca, &ours.root);
    whole.client = make_cert(&c, &between);
    snprintf(whole.sha[0], PKI_SHA256_HEX, "client below Between");
    bare = whole;
    whole.root.pem = join(between.pem, ours.root.pem, NULL);
    snprintf(whole.sha[2], PKI_SHA256_HEX, "bundle with Between");
    for (size_t i = 0; i < NODES; i++)
        has[i] = &whole;
    has[CORE2] = &bare;
    try_all(true, &verdicts);
    /* it refuses every client, itself too; nobody refuses a server */
    assert_int_equal(verdicts.n, 4);
    assert_int_equal(said(&verdicts, "core2 would refuse the client "
                                     "certificate of"),
                     4);
    assert_int_equal(said(&verdicts, "its issuer \"CN=Between\" is not "
                                     "among"),
                     4);
    cms_verdicts_release(&verdicts);
    free(whole.root.pem);
    made_free(&whole.client);
    made_free(&between);
}

/* By the clock of who judges. */
static void clocks_are_the_judges(void **state)
{
    struct cms_facts *f = (struct cms_facts *)fx.pc->nodes[CORE3].facts;
    struct cms_verdicts verdicts;

    (void)state;
    all_have(&ours);
    f->clock_off_ms = 11LL * 86400 * 1000;
    try_all(true, &verdicts);
    assert_int_equal(said(&verdicts, "core3 would refuse the client "), 4);
    assert_int_equal(said(&verdicts, "core3 would refuse the server "), 3);
    assert_int_equal(said(&verdicts, "it has expired"), 7);
    assert_int_equal(verdicts.n, 7);
    assert_int_equal(verdicts.judged, 4);
    cms_verdicts_release(&verdicts);
    f->clock_off_ms = 0;
}

/* -- in the gates ---------------------------------------------------------- */

static void give(size_t node, enum cms_slot slot, const char *pem)
{
    struct cms_facts *f = (struct cms_facts *)fx.pc->nodes[node].facts;

    snprintf(f->old[slot].name, sizeof(f->old[slot].name), "%s.crt",
             cms_slot_word(slot));
    pki_sha256(pem, strlen(pem), f->old[slot].sha256);
    f->certs[slot].data = strdup(pem);
    f->certs[slot].len = strlen(pem);
    f->old_good = true;
}

static void read_as(size_t node, const struct files *files)
{
    give(node, CMS_CLIENT_CRT, files->client.pem);
    give(node, CMS_CA_CRT, files->root.pem);
    if (node != EDGE1)
        give(node, CMS_SERVER_CRT, files->server.pem);
}

static void all_read(void)
{
    for (size_t i = 0; i < NODES; i++)
        read_as(i, i == EDGE1 ? &theirs : &ours);
    fx.pc->way_back = true;
}

static void a_pair_that_fails_blocks(void **state)
{
    struct findings findings = {.n = 0};

    (void)state;
    all_read();
    cms_db_weigh(fx.pc, &findings);
    assert_int_equal(findings.n, 7);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(findings.list[i].severity, SEVERITY_BLOCK);
        assert_string_equal(findings.list[i].id, "handshake");
        assert_non_null(findings.list[i].node);
    }
    assert_int_equal(findings.list[6].severity, SEVERITY_INFO);
    assert_non_null(strstr(findings.list[6].text, "9 pairs of the old sets "
                                                  "verified; the 12 of"));
    assert_false(fx.pc->way_back);
    assert_non_null(strstr(fx.pc->no_way_back, "would refuse"));
    findings_release(&findings);
}

/* A set that is no way back by itself was named already. */
static void a_bad_set_is_not_judged_again(void **state)
{
    struct findings findings = {.n = 0};

    (void)state;
    all_read();
    ((struct cms_facts *)fx.pc->nodes[EDGE1].facts)->old_good = false;
    cms_db_weigh(fx.pc, &findings);
    assert_int_equal(findings.n, 1);
    assert_non_null(strstr(findings.list[0].text, "9 pairs of the old sets "
                                                  "verified, the others"));
    findings_release(&findings);
}

static void expired_ones_fall_away(void **state)
{
    struct findings findings = {.n = 0};

    (void)state;
    all_read();
    fx.pc->expired = true;
    cms_db_weigh(fx.pc, &findings);
    assert_int_equal(findings.n, 1);
    assert_int_equal(findings.list[0].severity, SEVERITY_INFO);
    assert_non_null(strstr(findings.list[0].text, "have expired; the 12"));
    findings_release(&findings);
}

/* -- when the new set is made ---------------------------------------------- */

static void new_set(const struct files *files, struct issue_job *job, int rc)
{
    struct cms_papers papers;

    has[CORE1] = files;
    papers_of(fx.pc, CORE1, NULL, &papers);
    job->plan = fx.pc;
    assert_int_equal(cms_db_weigh_new(job, &papers), rc);
}

static void the_new_set_is_judged(void **state)
{
    struct issue_job good = {.rc = 0}, bad = {.rc = 0};
    struct files odd = ours;

    (void)state;
    new_set(&ours, &good, 0);
    assert_int_equal(good.findings.n, 1);
    assert_non_null(strstr(good.findings.list[0].text, "12 pairs of the new"));
    findings_release(&good.findings);
    odd.client = theirs.client;
    memcpy(odd.sha[0], theirs.sha[0], PKI_SHA256_HEX);
    new_set(&odd, &bad, -1);
    assert_non_null(strstr(bad.err.text,
                           "the new set is not good: step init and the way "
                           "back: core1 would refuse the client certificate "
                           "of core1 (c.crt): "));
    assert_non_null(strstr(bad.err.text, "(and 11 more handshakes)"));
    findings_release(&bad.findings);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_ones_are_judged_once),
        TEST(a_wrong_ca_on_one_node),
        TEST(each_way_to_fail),
        TEST(an_intermediate_that_one_bundle_lacks),
        TEST(clocks_are_the_judges),
        TEST(a_pair_that_fails_blocks),
        TEST(a_bad_set_is_not_judged_again),
        TEST(expired_ones_fall_away),
        TEST(the_new_set_is_judged),
    };
    return cmocka_run_group_tests(tests, make_both, free_both);
}
