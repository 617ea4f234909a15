/* SPDX-License-Identifier: Apache-2.0
 *
 * What nodes and the inventory tell of the table of checks: each such check
 * is tripped by one state and let pass by the sound one.  And what an
 * inventory makes of a check's weight.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "playbooks/cms/gates_priv.h"
#include "tests/unit/cms_fixture.h"
#include "tests/unit/slow.h"

static struct fixture fx;
static char *old_listed[] = {"old.key", "old.crt", "ca.crt", NULL};
static char *ca_key_listed[] = {"old.key", "ca.key", "ca.crt", NULL};

static const char shared_ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nca_cert = ca.crt\nca_key = ca.key\n"
    "[cluster lab]\nproduct = cms\nissuer = ca\n"
    "[cluster two]\nproduct = cms\nissuer = ca\n"
    "[node core1]\ncluster = lab\naddress = 10.0.0.1\nroles = database\n"
    "[node core2]\ncluster = lab\naddress = 10.0.0.2\nroles = database\n"
    "[node core3]\ncluster = lab\naddress = 10.0.0.3\nroles = database\n"
    "[node edge1]\ncluster = lab\naddress = 10.0.0.4\nroles = connect\n"
    "[node b1]\ncluster = two\naddress = 10.0.1.1\nroles = database\n";

static struct cms_facts *facts_of(size_t node)
{
    return (struct cms_facts *)fx.pc->nodes[node].facts;
}

/* What a status of a sound cluster of three and one is. */
static void whole(size_t node, const char *core2)
{
    struct str s;

    str_init(&s, 4096);
    str_addf(&s,
             "Status : Enabled\nNodes:\n    10.0.0.1%s : Connected Primary"
             "\n",
             node == 0 ? " (me)" : "");
    for (size_t i = 1; i < 3; i++)
        str_addf(&s, "    10.0.0.%zu%s : Connected Replica ( %s )\n", i + 1,
                 node == i ? " (me)" : "", i == 1 ? core2 : "In Sync");
    str_addf(&s,
             "Interface : a\nCertificates\n  Server Key : old.key\n"
             "  Server Certificate : old.crt\n  Client Key : oldc.key\n"
             "  Client Certificate : oldc.crt\n  CA Certificate : ca.crt\n"
             "Last command : 'database cluster %s' (Success)\n",
             node == 3 ? "connect" : "join");
    fixture_says(&fx, node, str_text(&s));
    str_release(&s);
}

static void sound(void)
{
    for (size_t i = 0; i < fx.pc->n_nodes; i++) {
        struct cms_facts *f = facts_of(i);

        whole(i, "In Sync");
        f->clock_known = f->room_known = true;
        f->listed = old_listed;
        f->n_listed = 3;
        snprintf(f->version, sizeof(f->version), "3.9.1");
    }
}

/* -- one state a check ------------------------------------------------------
 */

static void clock_off(void)
{
    facts_of(1)->clock_off_ms = 10 * 60 * 1000;
}

static void out_of_sync(void)
{
    for (size_t i = 0; i < 3; i++)
        whole(i, "Not In Sync");
}

static void full(void)
{
    facts_of(2)->used_percent = 99;
}

static void older(void)
{
    snprintf(facts_of(1)->version, sizeof(facts_of(1)->version), "3.8");
}

static void key_beside(void)
{
    facts_of(0)->listed = ca_key_listed;
}

static void ca_ends(void)
{
    fx.pc->ca_not_after = clock_wall_ms() / 1000 + 86400;
}

static void other_named(void)
{
    static struct plan_input inputs[] = {{"primary", "core2"}};

    fx.plan->inputs = inputs;
    fx.plan->n_inputs = 1;
}

static void nothing(void)
{
}

/* clang-format off */
static const struct row { const char *id, *gate; const char *ini;
                          void (*bad)(void); } rows[] = {
    { "F6",  "shared-root",     shared_ini,  nothing     },
    { "F7",  "ca-key-on-node",  fixture_ini, key_beside  },
    { "F12", "ca-ends-first",   fixture_ini, ca_ends     },
    { "G1",  "clock-skew",      fixture_ini, clock_off   },
    { "H2",  "not-in-sync",     fixture_ini, out_of_sync },
    { "H3",  "data-loss",       fixture_ini, other_named },
    { "H5",  "no-room",         fixture_ini, full        },
    { "H7",  "versions-differ", fixture_ini, older       },
};
/* clang-format on */
enum {
    N_ROWS = sizeof(rows) / sizeof(rows[0])
};

static const struct finding *first_of(const struct findings *f, const char *id)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->list[i].id, id) == 0)
            return &f->list[i];
    return NULL;
}

static const struct finding *of_check(const struct findings *f, const char *id)
{
    for (size_t i = 0; i < f->n; i++) {
        const char *check = preflight_check(f->list[i].id);
        if (check && strcmp(check, id) == 0)
            return &f->list[i];
    }
    return NULL;
}

static void decide(const char *ini, void (*change)(void),
                   struct findings *findings)
{
    struct err err = {0};

    fixture_open_ini(&fx, ini);
    sound();
    change();
    assert_int_equal(cms_db_decide(fx.pc, findings, &err), 0);
}

static void done(struct findings *findings)
{
    findings_release(findings);
    for (size_t i = 0; i < fx.pc->n_nodes; i++) {
        facts_of(i)->listed = NULL;
        facts_of(i)->n_listed = 0;
    }
    fixture_close(&fx);
}

static void each_state_is_tripped_and_passed(void **state)
{
    struct findings found = {0};

    (void)state;
    for (size_t i = 0; i < N_ROWS; i++) {
        decide(rows[i].ini, rows[i].bad, &found);
        if (!first_of(&found, rows[i].gate))
            fail_msg("%s: no %s", rows[i].id, rows[i].gate);
        assert_string_equal(preflight_check(rows[i].gate), rows[i].id);
        done(&found);
    }
    decide(fixture_ini, nothing, &found);
    for (size_t i = 0; i < N_ROWS; i++)
        if (of_check(&found, rows[i].id))
            fail_msg("%s: %s", rows[i].id, of_check(&found, rows[i].id)->text);
    done(&found);
}

static void each_gate_of_the_table_has_a_row(void **state)
{
    (void)state;
    for (const struct pki_check *c = pki_checks; c->id; c++) {
        size_t n = 0;

        for (size_t i = 0; i < N_ROWS; i++)
            n += strcmp(rows[i].id, c->id) == 0;
        if (n != (c->gates != NULL))
            fail_msg("%s has %zu rows", c->id, n);
    }
}

/* Before anything is made: the CA's own file. */
static void the_issuer_is_looked_at(void **state)
{
    const struct issuer *issuer;
    struct findings found = {0};
    struct look look = {.findings = &found};
    struct pki_ca ca = {0};
    struct err err = {0};
    char cert[128], key[128];

    (void)state;
    fixture_open(&fx);
    look.pc = fx.pc;
    issuer = fx.pc->cluster->issuer;
    snprintf(cert, sizeof(cert), "%s/ca-lab.crt", fx.folder);
    snprintf(key, sizeof(key), "%s/ca-lab.key", fx.folder);
    cms_lint_issuer(&look); /* it is yet to be made */
    assert_int_equal(found.n, 0);
    assert_int_equal(
        pki_ca_open(&(struct pki_ca_options){.cert_path = cert,
                                             .key_path = key,
                                             .cluster = "lab",
                                             .key = is_slow() ? "ec:P-256"
                                                              : issuer->key,
                                             .days = 30,
                                             .now = clock_wall_ms() / 1000,
                                             .make = true},
                    &ca, NULL, &err),
        0);
    cms_lint_issuer(&look);
    assert_int_equal(found.n, 0);
    fixture_write(fx.folder, "ca-lab.crt", "no certificate\n");
    cms_lint_issuer(&look);
    assert_non_null(of_check(&found, "A9"));
    pki_ca_release(&ca);
    unlink(cert);
    unlink(key);
    done(&found);
}

/* -- weights ----------------------------------------------------------------
 */

static void weights_are_the_inventorys(void **state)
{
    static const struct check_setting off[] = {{"G1", CHECK_OFF}, {NULL, 0}};
    static const struct check_setting block[] = {
        {"F7", CHECK_BLOCK}, {"H2", CHECK_OFF}, {NULL, 0}};
    struct findings found = {0};

    (void)state;
    decide(fixture_ini, clock_off, &found);
    preflight_grade(NULL, &found);
    assert_int_equal(first_of(&found, "clock-skew")->severity, SEVERITY_ERROR);
    preflight_grade(off, &found);
    assert_null(first_of(&found, "clock-skew"));
    done(&found);
    decide(fixture_ini, key_beside, &found);
    preflight_grade(block, &found);
    assert_int_equal(first_of(&found, "ca-key-on-node")->severity,
                     SEVERITY_BLOCK);
    done(&found);
    /* the reader refuses such a line; should one come through, it is nothing */
    decide(fixture_ini, out_of_sync, &found);
    preflight_grade(block, &found);
    assert_int_equal(first_of(&found, "not-in-sync")->severity, SEVERITY_ERROR);
    done(&found);
}

static void notes_beside_a_check_stay_notes(void **state)
{
    static const struct check_setting strict[] = {
        {"C2", CHECK_ERROR}, {"D2", CHECK_WARNING}, {NULL, 0}};
    struct pki_findings f = {0};
    struct pki_finding list[] = {{"C2", PKI_INFO, "two roots"},
                                 {"C2", PKI_WARNING, "a stranger"},
                                 {"D2", PKI_INFO, "every purpose"}};

    (void)state;
    f.list = list;
    f.n = 3;
    preflight_grade_files(strict, &f);
    assert_int_equal(f.n, 3);
    assert_int_equal(list[0].severity, PKI_INFO);
    assert_int_equal(list[1].severity, PKI_ERROR);
    assert_int_equal(list[2].severity, PKI_WARNING);
}

static void accepted_by_either_id(void **state)
{
    const char *const by_check[] = {"F7", NULL};

    (void)state;
    fixture_open(&fx);
    fx.plan->accepted = by_check;
    assert_true(plan_accepts(fx.plan, "ca-key-on-node"));
    assert_true(plan_accepts(fx.plan, "F7"));
    assert_false(plan_accepts(fx.plan, "clock-skew"));
    fixture_close(&fx);
    assert_true(preflight_acceptable("B7"));
    assert_true(preflight_acceptable("shared-root"));
    assert_false(preflight_acceptable("H2"));
    assert_false(preflight_acceptable("no-primary"));
    assert_false(preflight_acceptable("H3")); /* data-loss is its word */
    assert_false(preflight_acceptable("B99"));
}

/* Each gate that the table names is one that can be found (a slip there would
 * leave a finding without its check). */
static void the_words_are_whole(void **state)
{
    const struct check_word *w = preflight_words();
    size_t n = 0;

    (void)state;
    for (const struct pki_check *c = pki_checks; c->id; c++, n++) {
        assert_string_equal(w[n].id, c->id);
        assert_ptr_equal(w[n].keep, c->keep);
    }
    assert_null(w[n].id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_is_tripped_and_passed),
        cmocka_unit_test(each_gate_of_the_table_has_a_row),
        cmocka_unit_test(the_issuer_is_looked_at),
        cmocka_unit_test(weights_are_the_inventorys),
        cmocka_unit_test(notes_beside_a_check_stay_notes),
        cmocka_unit_test(accepted_by_either_id),
        cmocka_unit_test(the_words_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
