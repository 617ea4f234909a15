/* SPDX-License-Identifier: Apache-2.0
 *
 * Trust stores without a packet: which of them change, what their two files
 * hold, who else is named.
 */
#include "core/base/file.h"
#include "tests/unit/cms_trust_fixture.h"

/* -- which stores change --------------------------------------------------- */

static void right_or_empty_is_left_alone(void **state)
{
    struct bench b;
    char *both;

    (void)state;
    open_bench(&b, "service=webadmin");
    has_ca(&b, b.ca.pem);
    both = join(b.root.pem, b.ca.pem, NULL);
    holds(&b, 0, STORE, both);
    weigh(&b);
    assert_false(changes(&b, 0, STORE));
    assert_false(changes(&b, 1, STORE)); /* it is empty */
    assert_false(b.pc->nodes[0].roles & cms_trust_bits());
    assert_int_equal(b.pc->nodes[0].old.n, 0);
    assert_null(found(&b, "trust-phases"));
    assert_null(found(&b, "trust-restarts"));
    assert_null(found(&b, "trust-store"));
    free(both);
    close_bench(&b);
}

static void who_lacks_the_ca_changes(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, "service=webadmin");
    holds(&b, 0, STORE, b.root.pem);
    weigh(&b); /* the CA is not made yet */
    assert_true(changes(&b, 0, STORE));
    assert_false(changes(&b, 1, STORE));
    has_ca(&b, b.ca.pem);
    weigh(&b);
    assert_true(changes(&b, 0, STORE));
    assert_string_equal(cms_trust_file(b.pc, 0, STORE, TRUST_OLD)->name,
                        "old.cer");
    assert_string_equal(cms_trust_file(b.pc, 0, STORE, TRUST_BOTH)->name,
                        "clustertrustboth-g7-3f9a.crt");
    assert_string_equal(cms_trust_file(b.pc, 0, STORE, TRUST_NEW)->name,
                        "clustertrust-g7-3f9a.crt");
    assert_non_null(
        strstr(found(&b, "trust-phases")->text, "it drops CN=Old root"));
    assert_non_null(strstr(found(&b, "trust-restarts")->text,
                           "callbridge of core1 starts anew twice"));
    close_bench(&b);
}

/* What a printout does not say, or a file does not hold, is not guessed. */
static void what_cannot_be_known_blocks(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, "service=webadmin");
    at(&b, 0)->store[STORE].shown = false;
    weigh(&b);
    assert_int_equal(found(&b, "trust-store")->severity, SEVERITY_BLOCK);
    assert_false(changes(&b, 0, STORE));
    holds(&b, 0, STORE, "no certificate\n");
    weigh(&b);
    assert_non_null(
        strstr(found(&b, "trust-store")->text, "holds no certificate"));
    free(at(&b, 0)->store[STORE].data);
    at(&b, 0)->store[STORE].data = NULL;
    weigh(&b);
    assert_non_null(
        strstr(found(&b, "trust-store")->text, "its file is not there"));
    assert_false(changes(&b, 0, STORE));
    close_bench(&b);
}

/* One file for all nodes must not make one of them trust more. */
static void stores_that_differ_block(void **state)
{
    const struct recipe other = CA_RECIPE("Of another cluster");
    struct made stranger = make_cert(&other, NULL);
    struct bench b;
    char *more;

    (void)state;
    open_bench(&b, "service=webadmin");
    more = join(b.root.pem, stranger.pem, NULL);
    holds(&b, 0, STORE, b.root.pem);
    holds(&b, 1, STORE, b.leaf.pem); /* goes away all the same */
    weigh(&b);
    assert_null(found(&b, "trust-store"));
    holds(&b, 1, STORE, more);
    weigh(&b);
    assert_string_equal(found(&b, "trust-store")->node, "core1");
    assert_true(changes(&b, 0, STORE));
    free(more);
    made_free(&stranger);
    close_bench(&b);
}

/* A web bridge judges the Call Bridge and the scheduler: as long as one of them
 * stays, the old does. */
static void what_is_still_shown_is_not_dropped(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, "service=callbridge");
    shows(&b, 0, SLOT_CALLBRIDGE, &b.leaf);
    shows(&b, 1, SLOT_CALLBRIDGE, &b.leaf);
    holds(&b, 1, STORE_WB3_C2W, b.root.pem);
    weigh(&b);
    assert_true(changes(&b, 1, STORE_WB3_C2W));
    assert_null(cms_trust_file(b.pc, 1, STORE_WB3_C2W, TRUST_NEW));
    assert_int_equal(cms_trust_last(b.pc, 1, STORE_WB3_C2W, false), TRUST_BOTH);
    assert_int_equal(cms_trust_last(b.pc, 1, STORE_WB3_C2W, true), TRUST_OLD);
    assert_non_null(strstr(found(&b, "trust-phases")->text, "drops nothing"));
    assert_non_null(strstr(found(&b, "trust-restarts")->text,
                           "starts anew to trust the new"));
    close_bench(&b);
    open_bench(&b, "service=callbridge,scheduler");
    shows(&b, 0, SLOT_CALLBRIDGE, &b.leaf);
    shows(&b, 1, SLOT_CALLBRIDGE, &b.leaf);
    shows(&b, 1, SLOT_SCHED_C2W, &b.leaf);
    holds(&b, 1, STORE_WB3_C2W, b.root.pem);
    weigh(&b);
    assert_non_null(cms_trust_file(b.pc, 1, STORE_WB3_C2W, TRUST_NEW));
    close_bench(&b);
}

/* -- what the files hold --------------------------------------------------- */

static void one_more(struct str *out, const char *pem)
{
    struct pki_cert_info info = info_of(pem);

    str_addf(out, "%s ", info.sha256);
}

/* Of the certificates of a file, in any order, exactly these. */
static void file_holds(struct bench *b, enum cms_trust_part part,
                       const char *const *pems)
{
    const struct plan_node *pn = &b->pc->nodes[0];
    const struct set_file *file =
        set_slot(&pn->own, cms_trust_word(STORE, part));
    char *path = plan_file_path(b->fx.folder, pn, file->name);
    struct secret *bytes = file_read(path, 1 << 20, NULL);
    struct pki_cert_info *infos = NULL;
    struct str want;
    size_t n = 0, k = 0;

    free(path);
    assert_non_null(bytes);
    assert_int_equal(
        pki_describe_all(bytes->data, bytes->len, &infos, &n, NULL), 0);
    str_init(&want, 4096);
    for (; pems[k]; k++)
        one_more(&want, pems[k]);
    assert_int_equal(n, k);
    for (size_t i = 0; i < n; i++)
        assert_non_null(strstr(str_text(&want), infos[i].sha256));
    str_release(&want);
    free(infos);
    secret_free(bytes);
}

static void make_files(struct bench *b)
{
    const struct issue_job job = {.plan = b->pc, .folder = b->fx.folder};
    struct err err = {0};
    const struct set_file *crt =
        set_slot(&b->pc->nodes[0].own, cms_svc_word(SLOT_WEBADMIN, PART_CRT));

    weigh(b);
    for (size_t i = 0; i < b->pc->n_nodes; i++) {
        char *room = plan_file_path(b->fx.folder, &b->pc->nodes[i], "");

        assert_int_equal(file_make_folders(room, &err), 0);
        if (i == 0)
            fixture_write(room, crt->name, b->new_leaf.pem);
        free(room);
    }
    if (cms_trust_issue(&job, b->ca.pem, &err) < 0)
        fail_msg("%s", err.text);
}

#define HOLDS(b, part, ...)                                                    \
    file_holds(b, part, (const char *const[]){__VA_ARGS__, NULL})

static void issuers_are_followed_by_issuers(void **state)
{
    struct bench b;
    char *old;

    (void)state;
    open_bench(&b, "service=webadmin");
    has_ca(&b, b.ca.pem);
    holds(&b, 0, STORE, b.root.pem);
    make_files(&b);
    HOLDS(&b, TRUST_BOTH, b.root.pem, b.ca.pem);
    HOLDS(&b, TRUST_NEW, b.ca.pem);
    /* a chain whose leaf stands in it, too */
    old = join(b.leaf.pem, b.root.pem, NULL);
    holds(&b, 0, STORE, old);
    make_files(&b);
    HOLDS(&b, TRUST_BOTH, b.leaf.pem, b.root.pem, b.new_leaf.pem, b.ca.pem);
    HOLDS(&b, TRUST_NEW, b.new_leaf.pem, b.ca.pem);
    free(old);
    close_bench(&b);
}

/* Who trusts certificates and no issuer trusts no issuer afterwards. */
static void certificates_are_followed_by_certificates(void **state)
{
    const struct recipe peer = SERVER_RECIPE("peer", "DNS:peer");
    struct bench b;
    struct made other;
    char *old;

    (void)state;
    open_bench(&b, "service=webadmin");
    has_ca(&b, b.ca.pem);
    other = make_cert(&peer, &b.root);
    old = join(b.leaf.pem, other.pem, NULL);
    holds(&b, 0, STORE, old);
    make_files(&b);
    HOLDS(&b, TRUST_BOTH, b.leaf.pem, other.pem, b.new_leaf.pem);
    HOLDS(&b, TRUST_NEW, other.pem, b.new_leaf.pem);
    free(old);
    made_free(&other);
    close_bench(&b);
}

/* An issuer is needed by whom nothing happens to; the new CA may have the old
 * one's root, or the old one's name. */
static void what_is_needed_stays(void **state)
{
    const struct recipe middle = CA_RECIPE("New intermediate");
    const struct recipe namesake = CA_RECIPE("Old root");
    const struct recipe peer = SERVER_RECIPE("peer", "DNS:peer");
    struct made other;
    struct bench b;
    char *old;

    (void)state;
    open_bench(&b, "service=webadmin");
    other = make_cert(&peer, &b.root);
    old = join(b.root.pem, other.pem, NULL);
    holds(&b, 0, STORE, old);
    make_files(&b);
    HOLDS(&b, TRUST_BOTH, b.root.pem, other.pem, b.ca.pem);
    assert_null(cms_trust_file(b.pc, 0, STORE, TRUST_NEW));
    free(old);
    made_free(&other);
    made_free(&b.ca);
    b.ca = make_cert(&middle, &b.root);
    has_ca(&b, b.ca.pem);
    holds(&b, 0, STORE, b.root.pem);
    make_files(&b);
    HOLDS(&b, TRUST_BOTH, b.root.pem, b.ca.pem);
    assert_null(cms_trust_file(b.pc, 0, STORE, TRUST_NEW));
    made_free(&b.ca);
    b.ca = make_cert(&namesake, NULL);
    has_ca(&b, b.ca.pem);
    make_files(&b);
    HOLDS(&b, TRUST_BOTH, b.root.pem, b.ca.pem);
    HOLDS(&b, TRUST_NEW, b.ca.pem);
    close_bench(&b);
}

/* -- who else -------------------------------------------------------------- */

static void others_are_named_when_they_notice(void **state)
{
    const struct recipe leaf = SERVER_RECIPE(
        "a.example", "DNS:a.example,IP:10.0.0.1,DNS:gone.example");
    struct bench b;
    struct made old;

    (void)state;
    open_bench(&b, "service=webadmin");
    weigh(&b);
    assert_non_null(strstr(found(&b, "dependents")->text,
                           "webadmin: its CA changes (from CN=Old root to "
                           "one yet to be made)"));
    has_ca(&b, b.root.pem); /* a renewal: same CA, same names */
    weigh(&b);
    assert_null(found(&b, "dependents"));
    old = make_cert(&leaf, &b.root);
    shows(&b, 0, SLOT_WEBADMIN, &old);
    weigh(&b);
    assert_non_null(strstr(found(&b, "dependents")->text,
                           "webadmin: it names gone.example no more.  To do"));
    has_ca(&b, b.ca.pem);
    weigh(&b);
    assert_non_null(strstr(found(&b, "dependents")->text,
                           "(from CN=Old root to CN=New root), it names gone"));
    made_free(&old);
    close_bench(&b);
}

/* The same name says nothing when the key is another. */
static void a_namesake_is_another_ca(void **state)
{
    const struct recipe namesake = CA_RECIPE("Old root");
    struct made other = make_cert(&namesake, NULL);
    struct bench b;

    (void)state;
    open_bench(&b, "service=webadmin");
    has_ca(&b, other.pem);
    weigh(&b);
    assert_non_null(strstr(found(&b, "dependents")->text, "its CA changes"));
    made_free(&other);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_or_empty_is_left_alone),
        cmocka_unit_test(who_lacks_the_ca_changes),
        cmocka_unit_test(what_cannot_be_known_blocks),
        cmocka_unit_test(stores_that_differ_block),
        cmocka_unit_test(what_is_still_shown_is_not_dropped),
        cmocka_unit_test(issuers_are_followed_by_issuers),
        cmocka_unit_test(certificates_are_followed_by_certificates),
        cmocka_unit_test(what_is_needed_stays),
        cmocka_unit_test(others_are_named_when_they_notice),
        cmocka_unit_test(a_namesake_is_another_ca),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
