/* SPDX-License-Identifier: Apache-2.0
 *
 * Services without a packet: their tables, the inputs, and what the guard lets
 * through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "playbooks/cms/service_priv.h"
#include "tests/unit/cms_fixture.h"

/* -- tables ---------------------------------------------------------------- */

static void tables_are_whole(void **state)
{
    uint32_t bits = 0;

    (void)state;
    for (int s = 0; s < CMS_SERVICES; s++) {
        assert_non_null(cms_services[s].name);
        assert_int_equal(cms_service_of(cms_services[s].name), s);
        assert_true(cms_services[s].role & 0xffff);
        bits |= cms_switch_bit((enum cms_service)s);
    }
    assert_int_equal(bits, cms_switch_bits());
    for (int i = 0; i < CMS_SVC_SLOTS; i++) {
        const struct cms_slot_row *row = &cms_slots[i];
        assert_non_null(row->labels[PART_KEY]);
        assert_non_null(row->labels[PART_CRT]);
        assert_non_null(pki_service_find(row->rules));
        assert_int_equal(pki_service_find(row->rules)->full_chain,
                         !row->labels[PART_CA]);
        assert_int_equal(cms_base_owner(row->word, strlen(row->word)),
                         row->service);
        assert_non_null(cms_services[row->service].drops);
        assert_non_null(cms_services[row->service].dependents);
    }
    for (int i = 0; i < CMS_SVC_STORES; i++) {
        const struct cms_store_row *row = &cms_stores[i];
        if (row->word)
            assert_int_equal(cms_base_owner(row->word, strlen(row->word)),
                             row->service);
        assert_true(!row->word || cms_trust_bit(row->service));
    }
    assert_int_equal(cms_service_of("webadminx certs"), CMS_SERVICES);
    assert_int_equal(cms_service_of("database cluster remove"), CMS_SERVICES);
}

static void files_are_ours(void **state)
{
    unsigned generation = 0;

    (void)state;
    assert_true(cms_is_ours("webadmin-g7-3f9a.key", &generation));
    assert_int_equal(generation, 7);
    assert_true(cms_is_ours("callbridgeca-g12-3f9a.crt", &generation));
    assert_int_equal(generation, 12);
    assert_true(cms_is_ours("cbc2wtrustboth-g7-3f9a.crt", &generation));
    assert_true(cms_is_ours("wb3c2wtrust-g7-3f9a.crt", &generation));
    assert_false(cms_is_ours("cbc2wtrustnone-g7-3f9a.crt", &generation));
    assert_false(cms_is_ours("webadmin.key", &generation));
    assert_false(cms_is_ours("webadminx-g7-3f9a.key", &generation));
    assert_false(cms_is_ours("web-g7-3f9a.key", &generation));
}

/* -- the plan -------------------------------------------------------------- */

static const char ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nkind = internal\nca_cert = ca.crt\nca_key = ca.key\n"
    "[issuer svc]\nkind = internal\nca_cert = s.crt\nca_key = s.key\n"
    "[cluster lab]\nproduct = cms\nissuer = ca\nservice_issuer = svc\n"
    "[node core1]\ncluster = lab\naddress = 10.0.0.1\n"
    "names = cms1.example.com\nroles = database webadmin callbridge\n"
    "[node core2]\ncluster = lab\naddress = 10.0.0.2\n"
    "roles = connect callbridge uploader\n";

static struct plan *make_plan(struct fixture *fx, const char *word,
                              struct err *err)
{
    const char *const inputs[] = {word, NULL};
    const struct plan_request request = {
        .inventory = fx->inventory,
        .playbook = registry_playbook("cms/service-rotate"),
        .target = "lab",
        .clusters = fx->inventory->clusters,
        .n_clusters = fx->inventory->n_clusters,
        .inputs = inputs,
        .tag = "3f9a",
    };

    return plan_new(&request, err);
}

static void open_plan(struct fixture *fx, const char *word)
{
    struct err err = {0};

    fixture_open_ini(fx, ini);
    plan_free(fx->plan);
    fx->plan = make_plan(fx, word, &err);
    assert_non_null(fx->plan);
    fx->pc = &fx->plan->clusters[0];
    assert_int_equal(plan_name_set(fx->pc, 7, "3f9a", "/s", &err), 0);
}

static void inputs_choose_services(void **state)
{
    struct fixture fx;

    (void)state;
    open_plan(&fx, "service=callbridge");
    assert_int_equal(fx.pc->set.n, 0); /* each node has its own */
    for (size_t i = 0; i < 2; i++) {
        const struct file_set *own = &fx.pc->nodes[i].own;

        assert_ptr_equal(plan_target(fx.pc, i, false), own);
        assert_int_equal(own->n, 3);
        assert_string_equal(own->files[0].name, "callbridge-g7-3f9a.key");
        assert_string_equal(own->files[2].name, "callbridgeca-g7-3f9a.crt");
    }
    assert_true(fx.pc->nodes[1].roles & cms_switch_bit(SVC_CALLBRIDGE));
    assert_false(fx.pc->nodes[0].roles & cms_switch_bit(SVC_WEBADMIN));
    assert_ptr_equal(plan_issuer(fx.pc), fx.pc->cluster->service_issuer);
    fixture_close(&fx);
    open_plan(&fx, "service=all");
    /* two stores judge webadmin */
    assert_int_equal(fx.pc->nodes[0].own.n, 8);
    assert_string_equal(fx.pc->nodes[0].own.files[6].name,
                        "clustertrustboth-g7-3f9a.crt");
    assert_int_equal(fx.pc->nodes[1].own.n, 7);
    assert_string_equal(fx.pc->nodes[1].own.files[6].name,
                        "uploadertrust-g7-3f9a.crt");
    fixture_close(&fx);
}

static void each_names_its_node(void **state)
{
    static const char *const names[] = {"cms1.example.com", "join.example.com",
                                        "10.0.0.1", NULL};
    const struct node with = {
        .name = "core1", .address = "10.0.0.1", .names = names};
    const struct node bare = {.name = "core2", .address = "10.0.0.2"};
    const char **hosts = cms_service_hosts(&with);

    (void)state;
    assert_string_equal(hosts[0], "cms1.example.com");
    assert_string_equal(hosts[1], "join.example.com");
    assert_string_equal(hosts[2], "10.0.0.1");
    assert_null(hosts[3]);
    free(hosts);
    hosts = cms_service_hosts(&bare);
    assert_string_equal(hosts[0], "10.0.0.2");
    assert_null(hosts[1]);
    free(hosts);
}

/* A stopped run has again what each node was to get. */
static void the_journal_keeps_them_apart(void **state)
{
    struct fixture fx;
    struct err err = {0};
    struct plan *again;
    json_t *json;

    (void)state;
    open_plan(&fx, "service=callbridge");
    for (size_t i = 0; i < 2; i++)
        snprintf(fx.pc->nodes[i].own.files[1].sha256, PKI_SHA256_HEX, "%064zu",
                 i);
    json = plan_cluster_json(fx.pc);
    again = make_plan(&fx, "service=callbridge", &err);
    assert_int_equal(plan_cluster_load(&again->clusters[0], json, &err), 0);
    for (size_t i = 0; i < 2; i++) {
        const struct file_set *own = &again->clusters[0].nodes[i].own;

        assert_string_equal(own->files[1].name, "callbridge-g7-3f9a.crt");
        assert_string_equal(own->files[1].sha256,
                            fx.pc->nodes[i].own.files[1].sha256);
    }
    json_decref(json);
    plan_free(again);
    fixture_close(&fx);
}

static void wrong_inputs(void **state)
{
    static const struct {
        const char *word, *said;
    } rows[] = {
        {NULL, "which services?"},
        {"service=", "no service with a certificate"},
        {"service=callbridge,", "no service with a certificate"},
        {"service=uploader", "no service with a certificate"},
        {"service=webbridge", "no node of cluster lab has the role webbridge"},
        {"service=xmpp", "no node of cluster lab has the role xmpp"},
        {"service=webbridge2", "no service with a certificate"},
        {"service=turn", "no node of cluster lab has the role turn"},
    };
    struct fixture fx;

    (void)state;
    fixture_open_ini(&fx, ini);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct err err = {0};
        assert_null(make_plan(&fx, rows[i].word, &err));
        assert_int_equal(err.cause, CAUSE_INPUT);
        assert_non_null(strstr(err.text, rows[i].said));
    }
    fixture_close(&fx);
}

/* -- the guard ------------------------------------------------------------- */

/* -- what is looked at ------------------------------------------------------
 */

static bool looks_at_port(struct fixture *fx, const struct step *step,
                          enum cms_svc_slot slot)
{
    const struct view view = {.plan = fx->pc, .node = 0, .step = step};
    const struct read_file about = {NULL, slot};
    struct link_peer peer;

    return cms_service_peer(&view, &about, &peer);
}

static void a_row_looks_at_its_own_ports(void **state)
{
    struct fixture fx;
    size_t own = 0;

    (void)state;
    open_plan(&fx, "service=webadmin,callbridge");
    struct cms_facts *f = (struct cms_facts *)fx.pc->nodes[0].facts;

    for (int i = 0; i < CMS_SVC_SLOTS; i++)
        snprintf(f->services.slot[i].files[PART_CRT], 8, "a.crt");
    assert_true(looks_at_port(&fx, NULL, SLOT_WEBADMIN));
    assert_true(looks_at_port(&fx, NULL, SLOT_CALLBRIDGE));
    for (size_t i = 0; i < cms_service_rotate.n_steps; i++) {
        const struct step *step = &cms_service_rotate.steps[i];

        if (strcmp(step->id, "callbridge") != 0)
            continue;
        assert_true(looks_at_port(&fx, step, SLOT_CALLBRIDGE));
        assert_false(looks_at_port(&fx, step, SLOT_WEBADMIN));
        own++;
    }
    assert_int_equal(own, 1);
    fixture_close(&fx);
}

static struct err said; /* by the guard */

static int ask(struct fixture *fx, const char *text, bool *hold)
{
    const struct act act = {ACT_COMMAND, text};
    const struct view view = {.plan = fx->pc, .node = 0, .walk_ms = 1};

    *hold = false;
    err_reset(&said);
    return cms_guard(&view, &act, text, hold, &said);
}

/* Its set is there, as it was made, and its printout was just read. */
static void ready(struct fixture *fx, const char *printout)
{
    struct cms_facts *f = (struct cms_facts *)fx->pc->nodes[0].facts;

    cms_service_parse(&f->services, SVC_CALLBRIDGE, printout, strlen(printout));
    for (size_t i = 0; i < fx->pc->nodes[0].own.n; i++) {
        struct set_file *file = &fx->pc->nodes[0].own.files[i];

        snprintf(file->sha256, PKI_SHA256_HEX, "%064zu", i);
        memcpy(f->target_sha256[i], file->sha256, PKI_SHA256_HEX);
    }
}

static const char old_names[] = "Key file : cb.key\n"
                                "Certificate file : cb.crt\n"
                                "CA Bundle file : ca.crt\n";
static const char new_names[] = "Key file : callbridge-g7-3f9a.key\n"
                                "Certificate file : callbridge-g7-3f9a.crt\n"
                                "CA Bundle file : callbridgeca-g7-3f9a.crt\n";

#define RESTART "callbridge restart"

static void guard_wants_its_ground(void **state)
{
    struct fixture fx;
    struct cms_facts *f;
    bool hold;

    (void)state;
    open_plan(&fx, "service=callbridge");
    f = (struct cms_facts *)fx.pc->nodes[0].facts;
    assert_int_equal(ask(&fx, RESTART, &hold), -1); /* never read */
    ready(&fx, new_names);
    assert_int_equal(ask(&fx, RESTART, &hold), 0);
    assert_int_equal(ask(&fx, "webadmin enable", &hold), -1);
    f->services.service[SVC_CALLBRIDGE].read_ms = 1; /* long ago */
    assert_int_equal(ask(&fx, RESTART, &hold), -1);
    ready(&fx, new_names);
    f->base.unreachable = true;
    assert_int_equal(ask(&fx, RESTART, &hold), -1);
    f->base.unreachable = false;
    f->target_sha256[1][0] = 'f'; /* I3: a file is another one */
    assert_int_equal(ask(&fx, RESTART, &hold), -1);
    assert_false(hold);
    ready(&fx, old_names); /* names of neither set: somebody else's */
    assert_int_equal(ask(&fx, RESTART, &hold), -1);
    assert_true(hold);
    fixture_close(&fx);
}

static void no_word_to_the_database(void **state)
{
    static const char *const commands[] = {
        "database cluster remove",       "database cluster initialize",
        "database cluster join 1.2.3.4", "database cluster certs a b c",
        "database cluster clear_error",  "database cluster localnode a",
    };
    struct fixture fx;
    bool hold;

    (void)state;
    open_plan(&fx, "service=callbridge");
    ready(&fx, new_names);
    fixture_place(&fx, 0, AS_PRIMARY, NULL, "none");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        assert_int_equal(ask(&fx, commands[i], &hold), -1);
        assert_non_null(strstr(said.text, "has nothing to do with"));
    }
    fixture_close(&fx);
}

/* Whatever the ground is. */
static void never_sent(void **state)
{
    static const char *const commands[] = {
        "callbridge certs none",
        "callbridge trust c2w none",
        "callbridge trust cluster none",
        "callbridge trust edge x.crt",
        "callbridge ucm certs x.crt",
        "webbridge3 c2w trust none",
        "webbridge3 restart",
        "webbridge3 status",
        "meetingapps gensecret",
        "tls sip trust x.crt",
        "webbridge trust x.crt",
        "xmpp cluster trust x.crt",
        "xmpp reset",
        "recorder trust x.crt",
        "tls ldap verify disable",
        "reboot",
        "backup rollback x",
        "factory_reset full",
        "pki unlock x.key",
    };
    struct fixture fx;
    bool hold;

    (void)state;
    open_plan(&fx, "service=callbridge");
    ready(&fx, new_names);
    assert_int_equal(ask(&fx, RESTART, &hold), 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        assert_int_equal(ask(&fx, commands[i], &hold), -1);
        assert_non_null(strstr(said.text, "no run has a use for it"));
        assert_false(hold);
    }
    assert_int_equal(ask(&fx, "pki match a.key a.crt", &hold), 0);
    fixture_close(&fx);
}

/* And a rotation of the database sends none to a service. */
static void no_word_to_a_service(void **state)
{
    struct fixture fx;
    bool hold;

    (void)state;
    fixture_open(&fx);
    ready(&fx, new_names);
    assert_int_equal(ask(&fx, RESTART, &hold), -1);
    fixture_close(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_whole),
        cmocka_unit_test(files_are_ours),
        cmocka_unit_test(inputs_choose_services),
        cmocka_unit_test(each_names_its_node),
        cmocka_unit_test(the_journal_keeps_them_apart),
        cmocka_unit_test(wrong_inputs),
        cmocka_unit_test(a_row_looks_at_its_own_ports),
        cmocka_unit_test(guard_wants_its_ground),
        cmocka_unit_test(no_word_to_the_database),
        cmocka_unit_test(never_sent),
        cmocka_unit_test(no_word_to_a_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
