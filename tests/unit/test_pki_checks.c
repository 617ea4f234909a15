/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of checks: each check that files tell is tripped by one file and
 * let pass by another, with the weight of the table; what nodes tell is in
 * test_cms_preflight.c.  And the rules that have a date.
 */
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/preflight_files.h"
#include "tests/unit/slow.h"

typedef void try_f(struct pki_findings *f);

static void good_set(struct pki_findings *f)
{
    lint(&(struct change){0}, f);
}

static void good_file(struct pki_findings *f)
{
    form("dbca.crt", "%", f);
}

static void good_key(struct pki_findings *f)
{
    form("a.key", "@", f);
}

/* A case that trips a check: a line of C with f to fill, r the good server's
 * recipe and c the good client's. */
#define CASE(name_, ...)                                                       \
    static void name_(struct pki_findings *f)                                  \
    {                                                                          \
        struct recipe r = server_recipe(), c = client_recipe();                \
        struct recipe sub = sub_recipe();                                      \
        (void)r;                                                               \
        (void)c;                                                               \
        (void)sub;                                                             \
        __VA_ARGS__;                                                           \
    }
#define SERVER(name_, change)                                                  \
    CASE(name_, change; with_server(&r, &root, NULL, f))
#define CLIENT(name_, change)                                                  \
    CASE(name_, change; with_client(&c, &root, NULL, f))
#define BELOW(name_, change) CASE(name_, change; below(&sub, &r, f))
#define SERVICE(name_, what, host_, change)                                    \
    CASE(name_, r.eku = BOTH; change; service(                                 \
             &(struct service_case){.name = (what), .host = (host_)}, &r, f))

/* clang-format off */
CASE(a1, form("db_ca.crt", "%", f))
CASE(a2, form("dbca.crt", "Bag Attributes\n%", f))
CASE(a3, form("dbca.crt", "%\n%", f))
CASE(a4, form("dbca.crt", "%\n", f))
CASE(a5, form("dbca.crt", "%\r", f))
CASE(a6, broken_line(2, " \n", f))
CASE(a7, form("dbca.crt", "%@", f))
CASE(a11, owner(0640, f))
CASE(a11_good, owner(0600, f))
CASE(b1, lint(&(struct change){.server_key = client.key_pem}, f))
SERVER(b2, r.kind = -NID_secp521r1)
SERVER(b3, r.kind = 4104)
SERVER(b4, r.digest = EVP_sha1())
CASE(b6, c.key = server.key; with_client(&c, &root, NULL, f))
CASE(b7, r.key = small_exponent(); with_server(&r, &root, NULL, f);
     EVP_PKEY_free(r.key))
SERVICE(b8, "turn", NULL, r.san = NULL)
SERVER(b9, r.basic = "critical,CA:TRUE")
SERVER(b11, r.odd = "1.3.6.1.4.1.99999.1")
SERVER(b12, r.aki = NULL)
CASE(b13, with_server(&r, NULL, NULL, f))
CASE(c2, char *twice = join(root.pem, root.pem, NULL);
     lint(&(struct change){.ca = twice}, f); free(twice))
BELOW(c5, sub.ku = "digitalSignature")
BELOW(c7, sub.nc = "critical,permitted;DNS:other.org")
CASE(c8, lint(&(struct change){.at = MAKE_NOW + 366LL * 86400}, f))
BELOW(c9, sub.to = MAKE_NOW + 100LL * 86400)
BELOW(c13, sub.eku = "clientAuth")
BELOW(good_below, (void)0)
SERVER(d1, r.eku = "clientAuth")
SERVER(d2, r.eku = NULL)
SERVER(d3, r.ku = "critical,cRLSign")
SERVICE(d4, "callbridge", NULL, r.ku = "critical,keyEncipherment")
SERVICE(d5, "callbridge", NULL, r.eku = "serverAuth")
SERVICE(good_bridge, "callbridge", "core1.example.com", (void)0)
SERVER(d6, r.ns = "client")
SERVER(d7, r.eku = "anyExtendedKeyUsage")
SERVICE(d8, "callbridge", NULL, r.policies = PUBLIC)
SERVER(e1, r.cn = "core9.example.com")
SERVICE(e2, "turn", "turn.example.com", (void)0)
SERVICE(e2_good, "turn", "core2.example.com", (void)0)
SERVICE(e3, "c2w", "10.0.0.9", (void)0)
SERVICE(e3_good, "c2w", "10.0.0.1", (void)0)
SERVICE(e4, "webadmin", "cms.example.com", (void)0)
SERVICE(e4_good, "webadmin", "core1.example.com", (void)0)
SERVICE(e5, "webbridge3", "join.example.com", (void)0)
SERVICE(e5_good, "webbridge3", "core1.example.com", (void)0)
SERVER(e6, r.san = "DNS:*.example.com,DNS:core1.example.com,IP:10.0.0.1")
SERVER(e7, r.san = "DNS:core1..example.com,DNS:core1.example.com,"
                   "DNS:core2.example.com,IP:10.0.0.1")
CLIENT(f1, c.cn = "Postgres"; c.san = NULL)
CLIENT(f2, c.san = "DNS:client.example.com")
CASE(f3, lint(&(struct change){.hosts = (const char *const[]){
                                   "core3.example.com", NULL}}, f))
CASE(f5, char *both = join(server.pem, root.pem, NULL);
     lint(&(struct change){.ca = both}, f); free(both))
CASE(f10, pki_lint_count(4, f))
CASE(f10_good, pki_lint_count(5, f); pki_lint_count(3, f))
CASE(f11, under_root(MAKE_NOW + 370LL * 86400, f))
CASE(f11_good, under_root(MAKE_NOW + 400LL * 86400, f))
CASE(f12, under_root(MAKE_NOW + 100LL * 86400, f))
CASE(g3, lint(&(struct change){.spare_days = 366}, f))
CASE(g3_good, lint(&(struct change){.spare_days = 364}, f))
SERVICE(g4, "turn", NULL,
        r.policies = PUBLIC; r.to = MAKE_NOW + 300LL * 86400)
SERVICE(g4_good, "turn", NULL,
        r.policies = PUBLIC; r.to = MAKE_NOW + 199LL * 86400)
/* clang-format on */

/* -- those that take more ---------------------------------------------------
 */

static void b5(struct pki_findings *f)
{
    struct pki_cert_info info = info_of(server.pem);
    const char *const old[] = {info.spki_sha256, NULL};

    lint(&(struct change){.old_keys = old}, f);
}

static void b5_good(struct pki_findings *f)
{
    struct pki_cert_info info = info_of(root.pem);
    const char *const old[] = {info.spki_sha256, NULL};

    lint(&(struct change){.old_keys = old}, f);
}

static void b10(struct pki_findings *f)
{
    struct recipe s = server_recipe(), c = client_recipe();
    struct made a, b;

    s.serial = c.serial = 77;
    a = make_cert(&s, &root);
    b = make_cert(&c, &root);
    lint(&(struct change){.server = &a, .client = &b}, f);
    made_free(&a);
    made_free(&b);
}

/* Another root, which has signed neither leaf. */
static void c1(struct pki_findings *f)
{
    struct recipe r = CA_RECIPE("Stranger");
    struct made other = make_cert(&r, NULL);

    lint(&(struct change){.ca = other.pem}, f);
    made_free(&other);
}

static void c3(struct pki_findings *f)
{
    struct recipe r = sub_recipe();
    struct made sub = make_cert(&r, &root);
    char *bundle = join(root.pem, sub.pem, NULL);

    lint(&(struct change){.ca = bundle}, f);
    free(bundle);
    made_free(&sub);
}

static void c4(struct pki_findings *f)
{
    struct recipe r = server_recipe();
    char *bundle = join(server.pem, root.pem, NULL);
    const struct service_case c = {
        .name = "turn", .cert = server.pem, .bundle = bundle};

    service(&c, &r, f);
    free(bundle);
}

/* `deep` CAs below the root, the first with pathlen 0 when `bound`. */
static void chain_of(int deep, bool bound, struct pki_findings *f)
{
    struct recipe ca = sub_recipe(), leaf = server_recipe();
    struct made made[4];
    char *bundle = strdup(root.pem), *longer, cn[16];

    for (int i = 0; i < deep; i++) {
        snprintf(cn, sizeof(cn), "Sub %d", i);
        ca.cn = cn;
        ca.basic =
            i == 0 && bound ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE";
        made[i] = make_cert(&ca, i ? &made[i - 1] : &root);
        longer = join(made[i].pem, bundle, NULL);
        free(bundle);
        bundle = longer;
    }
    with_server(&leaf, &made[deep - 1], bundle, f);
    while (deep > 0)
        made_free(&made[--deep]);
    free(bundle);
}

static void c6(struct pki_findings *f)
{
    chain_of(2, true, f);
}

static void c6_good(struct pki_findings *f)
{
    chain_of(1, true, f);
}

static void c10(struct pki_findings *f)
{
    chain_of(3, false, f);
}

static void c10_good(struct pki_findings *f)
{
    chain_of(2, false, f);
}

/* Signed by one that has the root's name, and not its key. */
static void c11(struct pki_findings *f)
{
    struct recipe r = CA_RECIPE("DB Root"), s = server_recipe();
    struct made impostor = make_cert(&r, NULL);

    s.aki = NULL;
    with_server(&s, &impostor, NULL, f);
    made_free(&impostor);
}

static void f4(struct pki_findings *f)
{
    struct recipe r = CA_RECIPE("Second Root"), c = client_recipe();
    struct made other = make_cert(&r, NULL);
    char *bundle = join(root.pem, other.pem, NULL);

    with_client(&c, &other, bundle, f);
    free(bundle);
    made_free(&other);
}

static void f8(struct pki_findings *f)
{
    struct recipe r = CA_RECIPE("DB Root");
    struct made other;
    char *bundle;

    r.ski = NULL;
    other = make_cert(&r, NULL);
    bundle = join(root.pem, other.pem, NULL);
    lint(&(struct change){.ca = bundle}, f);
    free(bundle);
    made_free(&other);
}

/* -- the table --------------------------------------------------------------
 */

/* clang-format off */
static const struct row { const char *id; try_f *bad, *good; } rows[] = {
    { "A1",  a1,  good_file },   { "A2",  a2,  good_file },
    { "A3",  a3,  good_file },   { "A4",  a4,  good_file },
    { "A5",  a5,  good_file },   { "A6",  a6,  good_file },
    { "A7",  a7,  good_file },   { "A8",  locked_key, good_key },
    { "A9",  damaged, good_file }, { "A10", short_line, good_file },
    { "A11", a11, a11_good },
    { "B1",  b1,  good_set },    { "B2",  b2,  good_set },
    { "B3",  b3,  good_set },    { "B4",  b4,  good_set },
    { "B5",  b5,  b5_good },     { "B6",  b6,  good_set },
    { "B7",  b7,  good_set },    { "B8",  b8,  e2_good },
    { "B9",  b9,  good_set },    { "B10", b10, good_set },
    { "B11", b11, good_set },    { "B12", b12, good_set },
    { "B13", b13, good_set },
    { "C1",  c1,  good_set },    { "C2",  c2,  good_set },
    { "C3",  c3,  good_set },    { "C4",  c4,  e2_good },
    { "C5",  c5,  good_below },  { "C6",  c6,  c6_good },
    { "C7",  c7,  good_below },  { "C8",  c8,  good_set },
    { "C9",  c9,  good_below },  { "C10", c10, c10_good },
    { "C11", c11, good_set },    { "C13", c13, good_below },
    { "D1",  d1,  good_set },    { "D2",  d2,  good_set },
    { "D3",  d3,  good_set },    { "D4",  d4,  good_bridge },
    { "D5",  d5,  good_bridge }, { "D6",  d6,  good_set },
    { "D7",  d7,  good_set },    { "D8",  d8,  good_bridge },
    { "E1",  e1,  good_set },    { "E2",  e2,  e2_good },
    { "E3",  e3,  e3_good },     { "E4",  e4,  e4_good },
    { "E5",  e5,  e5_good },     { "E6",  e6,  good_set },
    { "E7",  e7,  good_set },
    { "F1",  f1,  good_set },    { "F2",  f2,  good_set },
    { "F3",  f3,  good_set },    { "F4",  f4,  good_set },
    { "F5",  f5,  good_set },    { "F8",  f8,  good_set },
    { "F10", f10, f10_good },    { "F11", f11, f11_good },
    { "F12", f12, good_set },
    { "G3",  g3,  g3_good },     { "G4",  g4,  g4_good },
};
/* clang-format on */
enum {
    N_ROWS = sizeof(rows) / sizeof(rows[0])
};

static const struct pki_finding *first_of(const struct pki_findings *f,
                                          const char *id)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->list[i].id, id) == 0)
            return &f->list[i];
    return NULL;
}

static void check_row(const struct row *row)
{
    const struct pki_check *check = pki_check_find(row->id);
    struct pki_findings bad = {0}, good = {0};
    const struct pki_finding *found;

    assert_non_null(check);
    row->bad(&bad);
    row->good(&good);
    found = first_of(&bad, row->id);
    if (!found) {
        print_findings(&bad);
        fail_msg("%s is not tripped", row->id);
    }
    if (found && found->severity > check->severity)
        fail_msg("%s is found worse than its row says", row->id);
    if (first_of(&good, row->id)) {
        print_findings(&good);
        fail_msg("%s is tripped by what is good", row->id);
    }
    pki_findings_release(&bad);
    pki_findings_release(&good);
}

static void test_each_is_tripped_and_passed(void **state)
{
    size_t step = is_slow() ? 7 : 1;

    (void)state;
    for (size_t i = 0; i < N_ROWS; i += step)
        check_row(&rows[i]);
}

/* Of what files tell: F12 is told by gates, too. */
static void test_each_has_a_row(void **state)
{
    size_t told_by_files = 0;

    (void)state;
    for (const struct pki_check *c = pki_checks; c->id; c++) {
        size_t n = 0;

        for (size_t i = 0; i < N_ROWS; i++)
            n += strcmp(rows[i].id, c->id) == 0;
        if (n > 1 || (n == 0 && !c->gates))
            fail_msg("%s has %zu rows", c->id, n);
        told_by_files += n;
    }
    assert_int_equal(told_by_files, N_ROWS);
}

static void test_the_table_is_whole(void **state)
{
    (void)state;
    for (const struct pki_check *c = pki_checks; c->id; c++) {
        assert_true(c->id[0] >= 'A' && c->id[0] <= 'H');
        assert_true(strlen(c->id) < sizeof(((struct pki_finding *)0)->id));
        assert_non_null(c->object);
        assert_non_null(c->what);
        assert_non_null(c->source);
        assert_non_null(c->cure);
        assert_null(strpbrk(c->what, "|\n"));
        /* what loses data is no matter of a warning */
        assert_true(!c->keep || c->severity >= PKI_BLOCK);
        assert_ptr_equal(pki_check_find(c->id), c);
        for (const struct pki_check *d = pki_checks; d < c; d++)
            assert_string_not_equal(c->id, d->id);
    }
    assert_null(pki_check_find("B99"));
    assert_null(pki_check_find("clock"));
    assert_string_equal(pki_check_find("clock-skew")->id, "G1");
}

/* -- what has a date --------------------------------------------------------
 */

static unsigned days_at(int64_t at)
{
    const struct pki_dated_rule *r = pki_dated_rule(PKI_DATED_LIFETIME, at);

    return r ? r->days : 0;
}

static void test_dates(void **state)
{
    (void)state;
    assert_int_equal(days_at(1598918399), 0);   /* 2020-08-31T23:59:59Z */
    assert_int_equal(days_at(1598918400), 398); /* 2020-09-01 */
    assert_int_equal(days_at(1773532799), 398); /* 2026-03-14T23:59:59Z */
    assert_int_equal(days_at(1773532800), 200); /* 2026-03-15 */
    assert_int_equal(days_at(1805068799), 200);
    assert_int_equal(days_at(1805068800), 100); /* 2027-03-15 */
    assert_int_equal(days_at(1868227199), 100);
    assert_int_equal(days_at(1868227200), 47); /* 2029-03-15 */
    assert_null(pki_dated_rule(PKI_DATED_CLIENT_AUTH, 1805068799));
    assert_non_null(pki_dated_rule(PKI_DATED_CLIENT_AUTH, 1805068800));
    assert_string_equal(pki_dated_first(PKI_DATED_CLIENT_AUTH)->from,
                        "2027-03-15");
    for (const struct pki_dated_rule *r = pki_dated_rules; r->from; r++)
        assert_non_null(r->source);
}

/* A database's certificate may live long, and a browser's may not. */
static void test_private_lives(void **state)
{
    struct recipe r = server_recipe();
    struct pki_findings f = {0};

    (void)state;
    r.to = MAKE_NOW + 900LL * 86400;
    with_server(&r, &root, NULL, &f);
    assert_true(has_finding(&f, "G4", PKI_INFO));
    pki_findings_release(&f);
    r.eku = BOTH;
    service(&(struct service_case){.name = "webbridge3"}, &r, &f);
    assert_true(has_finding(&f, "G4", PKI_WARNING));
    pki_findings_release(&f);
    service(&(struct service_case){.name = "turn"}, &r, &f);
    assert_null(first_of(&f, "G4"));
    pki_findings_release(&f);
}

static void test_long_common_name(void **state)
{
    struct recipe r = server_recipe();
    struct pki_findings f = {0};

    (void)state;
    r.cn = "0123456789012345678901234567890123456789012345678901234567890.long";
    with_server(&r, &root, NULL, &f);
    assert_true(has_finding(&f, "E7", PKI_WARNING));
    pki_findings_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_is_whole),
        cmocka_unit_test(test_each_has_a_row),
        cmocka_unit_test(test_each_is_tripped_and_passed),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_private_lives),
        cmocka_unit_test(test_long_common_name),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
