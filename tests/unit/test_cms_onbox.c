/* SPDX-License-Identifier: Apache-2.0
 *
 * kind = appliance: what is sent to the primary, and that the guard lets
 * nothing else of its kind through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "playbooks/cms/onbox.h"
#include "tests/unit/cms_fixture.h"

static const char ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nkind = appliance\n"
    "[cluster lab]\nproduct = cms\nissuer = ca\n"
    "[node core1]\ncluster = lab\naddress = 10.0.0.1\nroles = database\n"
    "names = db1.example.com\n"
    "[node core2]\ncluster = lab\naddress = 10.0.0.2\nroles = database\n"
    "[node edge1]\ncluster = lab\naddress = 10.0.0.4\nroles = connect\n";

static struct cms_facts *facts_of(struct fixture *fx, size_t node)
{
    return (struct cms_facts *)fx->pc->nodes[node].facts;
}

/* The primary's files, read just now. */
static void lists(struct fixture *fx, const char *const *names)
{
    static char *listed[8];
    struct cms_facts *f = facts_of(fx, 0);

    f->n_listed = 0;
    for (; *names; names++)
        listed[f->n_listed++] = (char *)(uintptr_t)*names;
    f->listed = f->n_listed ? listed : NULL;
    f->base.read_ms[1] = clock_mono_ms();
}

static void open_bed(struct fixture *fx)
{
    static const char *const none[] = {NULL};

    fixture_open_ini(fx, ini);
    cms_db_assign(fx->pc, 0);
    fixture_place(fx, 0, AS_PRIMARY, NULL, "database cluster initialize");
    fixture_place(fx, 1, AS_REPLICA, "10.0.0.1",
                  "database cluster join 10.0.0.1");
    assert_int_equal(plan_name_set(fx->pc, 7, "3f9a", "/s", NULL), 0);
    lists(fx, none);
}

static void close_bed(struct fixture *fx)
{
    facts_of(fx, 0)->listed = NULL; /* not its own */
    facts_of(fx, 0)->n_listed = 0;
    fixture_close(fx);
}

static struct view view_of(const struct fixture *fx, size_t node)
{
    return (struct view){.plan = fx->pc, .node = node, .walk_ms = 1};
}

static const struct step *row_sign(void)
{
    for (size_t i = 0; i < CMS_DB_STEPS; i++)
        if (strcmp(cms_db_steps[i].id, "sign") == 0)
            return &cms_db_steps[i];
    return NULL;
}

/* All that the row would do on the primary now, one line each. */
static void says(struct fixture *fx, const char *const *lines)
{
    const struct view view = view_of(fx, 0);
    const struct act *act;
    size_t n = 0;

    for (; (act = act_at(&view, row_sign(), n)) != NULL; n++) {
        struct str text;
        struct err err = {0};
        bool hold;

        str_init(&text, 4096);
        assert_non_null(lines[n]);
        assert_int_equal(act_describe(&view, act, &text, &err), 0);
        assert_string_equal(str_text(&text), lines[n]);
        str_reset(&text);
        act_text(&view, act, &text, &err);
        if (act->kind == ACT_COMMAND)
            assert_non_null(command_match(&cms_product, str_text(&text), &err));
        assert_int_equal(cms_guard(&view, act, str_text(&text), &hold, &err),
                         0);
        str_release(&text);
    }
    assert_null(lines[n]);
}

#define TAKES                                                                  \
    "get dbserver-g7-3f9a.key", "get dbserver-g7-3f9a.crt",                    \
        "get dbclient-g7-3f9a.key", "get dbclient-g7-3f9a.crt",                \
        "get dbca-g7-3f9a.crt"

static const char ask_server[] =
    "pki csr dbserver-g7-3f9a CN:core1 "
    "subjectAltName:10.0.0.1,db1.example.com,10.0.0.2";

static void all_of_it(void **state)
{
    static const char *const lines[] = {
        "pki selfsigned dbca-g7-3f9a CN:certfleet-db-CA-lab-g7-3f9a",
        ask_server,
        "pki csr dbclient-g7-3f9a CN:postgres",
        "pki sign dbserver-g7-3f9a dbca-g7-3f9a",
        "pki sign dbclient-g7-3f9a dbca-g7-3f9a",
        TAKES,
        "remove dbca-g7-3f9a.key",
        "remove dbserver-g7-3f9a.csr",
        "remove dbclient-g7-3f9a.csr",
        NULL};
    struct fixture fx;

    (void)state;
    open_bed(&fx);
    says(&fx, lines);
    assert_true(plan_has_cell(fx.pc, row_sign(), 0));
    assert_false(plan_has_cell(fx.pc, row_sign(), 1));
    assert_false(plan_has_cell(fx.pc, row_sign(), 2));
    cms_db_assign(fx.pc, 1); /* the primary has moved */
    assert_false(plan_has_cell(fx.pc, row_sign(), 0));
    assert_true(plan_has_cell(fx.pc, row_sign(), 1));
    close_bed(&fx);
}

/* A key without its request is a torn one; what is whole is not made again. */
static void what_is_missing(void **state)
{
    static const char *const half[] = {
        "dbca-g7-3f9a.key",     "dbca-g7-3f9a.crt",     "dbserver-g7-3f9a.key",
        "dbserver-g7-3f9a.csr", "dbclient-g7-3f9a.key", NULL};
    static const char *const then[] = {"pki csr dbclient-g7-3f9a CN:postgres",
                                       "pki sign dbserver-g7-3f9a dbca-g7-3f9a",
                                       "pki sign dbclient-g7-3f9a dbca-g7-3f9a",
                                       TAKES,
                                       "remove dbca-g7-3f9a.key",
                                       "remove dbserver-g7-3f9a.csr",
                                       "remove dbclient-g7-3f9a.csr",
                                       NULL};
    static const char *const whole[] = {
        "dbca-g7-3f9a.crt", "dbserver-g7-3f9a.crt", "dbclient-g7-3f9a.crt",
        "dbclient-g7-3f9a.csr", NULL};
    static const char *const last[] = {TAKES, "remove dbclient-g7-3f9a.csr",
                                       NULL};
    struct fixture fx;

    (void)state;
    open_bed(&fx);
    lists(&fx, half);
    says(&fx, then);
    lists(&fx, whole);
    says(&fx, last);
    close_bed(&fx);
}

/* -- the guard ------------------------------------------------------------- */

static int ask(struct fixture *fx, size_t node, enum act_kind kind,
               const char *text)
{
    const struct act act = {kind, text};
    const struct view view = view_of(fx, node);
    struct err err = {0};
    bool hold;

    return cms_guard(&view, &act, text, &hold, &err);
}

#define SIGN "pki sign dbserver-g7-3f9a dbca-g7-3f9a"

static void nothing_else(void **state)
{
    static const char *const commands[] = {
        "pki csr webadmin CN:a",
        "pki csr dbserver CN:a",
        "pki csr dbserver-g6-3f9a CN:a", /* another run's */
        "pki csr dbca-g7-3f9a CN:a",
        "pki selfsigned dbserver-g7-3f9a CN:a",
        "pki selfsigned dbca CN:a",
        "pki sign dbca-g7-3f9a dbca-g7-3f9a",
        "pki sign dbserver-g7-3f9a dbca",
        "pki sign dbserver-g7-3f9a dbclient-g7-3f9a",
        "pki sign dbserver dbca-g7-3f9a",
        "pki unlock dbserver-g7-3f9a.key",
        "pki pkcs12-to-ssh admin",
    };
    static const char *const files[] = {
        "dbserver-g7-3f9a.key", "dbca-g7-3f9a.crt", "dbca-g6-3f9a.key",
        "dbclusterserver.key",  "dbserver.csr",     "log",
    };
    struct fixture fx;

    (void)state;
    open_bed(&fx);
    assert_int_equal(ask(&fx, 0, ACT_COMMAND, SIGN), 0);
    assert_int_equal(ask(&fx, 0, ACT_REMOVE, "dbca-g7-3f9a.key"), 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (ask(&fx, 0, ACT_COMMAND, commands[i]) == 0)
            fail_msg("`%s' was let through", commands[i]);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        if (ask(&fx, 0, ACT_REMOVE, files[i]) == 0)
            fail_msg("%s would be removed", files[i]);
    close_bed(&fx);
}

static void only_on_its_ground(void **state)
{
    static const char *const there[] = {"dbserver-g7-3f9a.crt", NULL};
    struct fixture fx;

    (void)state;
    open_bed(&fx);
    assert_int_equal(ask(&fx, 1, ACT_COMMAND, SIGN), -1); /* no primary */
    fx.pc->issued = true;
    assert_int_equal(ask(&fx, 0, ACT_COMMAND, SIGN), -1);
    fx.pc->issued = false;
    facts_of(&fx, 0)->base.read_ms[1] = 0; /* its list was never read */
    assert_int_equal(ask(&fx, 0, ACT_COMMAND, SIGN), -1);
    lists(&fx, there);
    assert_int_equal(ask(&fx, 0, ACT_COMMAND, SIGN), -1);
    lists(&fx, there + 1);
    assert_int_equal(ask(&fx, 0, ACT_COMMAND, SIGN), 0);
    /* I4: its status names the very file */
    snprintf(facts_of(&fx, 0)->status.files[CMS_SERVER_KEY], CMS_NAME_BYTES,
             "dbserver-g7-3f9a.key");
    assert_int_equal(ask(&fx, 0, ACT_COMMAND, SIGN), -1);
    close_bed(&fx);
}

/* With another issuer there is no such row, and no such command. */
static void not_for_others(void **state)
{
    struct fixture fx;

    (void)state;
    fixture_open(&fx);
    cms_db_assign(fx.pc, 0);
    for (size_t i = 0; i < fx.pc->n_nodes; i++)
        assert_false(plan_has_cell(fx.pc, row_sign(), i));
    plan_name_set(fx.pc, 7, "3f9a", "/s", NULL);
    assert_int_equal(ask(&fx, 0, ACT_COMMAND, SIGN), -1);
    fixture_close(&fx);
}

/* What a command made is this run's: to be known, and to be taken away. */
static void made_files_are_ours(void **state)
{
    struct fixture fx;
    const struct plan_node *pn;

    (void)state;
    open_bed(&fx);
    pn = &fx.pc->nodes[0];
    plan_note_sent(fx.pc, 0,
                   "pki csr dbserver-g7-3f9a CN:a "
                   "subjectAltName:a,b");
    plan_note_sent(fx.pc, 0, SIGN);
    plan_note_sent(fx.pc, 0, "pki match a.key b.crt");
    assert_int_equal(pn->n_put, 3);
    assert_true(plan_has_put(pn, "dbserver-g7-3f9a.key"));
    assert_true(plan_has_put(pn, "dbserver-g7-3f9a.csr"));
    assert_true(plan_has_put(pn, "dbserver-g7-3f9a.crt"));
    close_bed(&fx);
}

static void lists_of_arguments(void **state)
{
    static const char *const good[] = {"a", "a,b", "a,10.0.0.1,fe80::1"};
    static const char *const bad[] = {"",   ",",    "a,",  ",a",    "a,,b",
                                      "-a", "a,-b", "a b", "a,b;c", "a,$b"};
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        snprintf(text, sizeof(text), "pki csr x CN:y subjectAltName:%s",
                 good[i]);
        assert_non_null(command_match(&cms_product, text, NULL));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        snprintf(text, sizeof(text), "pki csr x CN:y subjectAltName:%s",
                 bad[i]);
        assert_null(command_match(&cms_product, text, NULL));
    }
    assert_null(command_match(&cms_product, "pki csr x CN:y,z", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it),
        cmocka_unit_test(what_is_missing),
        cmocka_unit_test(nothing_else),
        cmocka_unit_test(only_on_its_ground),
        cmocka_unit_test(not_for_others),
        cmocka_unit_test(made_files_are_ours),
        cmocka_unit_test(lists_of_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
