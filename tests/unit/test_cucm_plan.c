/* SPDX-License-Identifier: Apache-2.0
 *
 * cucm/rotate's table: every row is sound, every act can be sent, nothing else
 * can; and its gates, one broken fact at a time.
 */
#include "tests/unit/cucm_fixture.h"

static void every_row_is_sound(void **state)
{
    unsigned last = STEP_READ;

    (void)state;
    for (size_t i = 0; i < cucm_rotate.n_steps; i++) {
        const struct step *s = &cucm_rotate.steps[i];
        unsigned kind = s->flags & (STEP_READ | STEP_STAGE | STEP_LIVE);

        assert_int_equal(__builtin_popcount(kind), 1);
        assert_true(kind >= last);
        last = kind;
        assert_non_null(s->goal);
        for (size_t k = 0; k < i; k++)
            if (strcmp(s->id, cucm_rotate.steps[k].id) == 0)
                assert_int_equal(s->roles & cucm_rotate.steps[k].roles, 0);
    }
}

static void acts_of(struct fixture *fx, size_t *restarts)
{
    for (size_t i = 0; i < cucm_rotate.n_steps; i++)
        for (size_t n = 0; n < fx->pc->n_nodes; n++) {
            const struct step *step = &cucm_rotate.steps[i];
            const struct view view = fixture_view(fx, n);
            const struct act *act;

            if (!plan_has_cell(fx->pc, step, n))
                continue;
            for (size_t k = 0; (act = act_at(&view, step, k)); k++) {
                struct err err = {0};
                struct str text;

                if (!act_is_text(act))
                    continue;
                str_init(&text, 4096);
                if (act_text(&view, act, &text, &err) < 0 ||
                    !command_match(&cucm_product, str_text(&text), &err))
                    fail_msg("%s", err.text);
                *restarts +=
                    strncmp(str_text(&text), "utils service restart ", 22) == 0;
                str_release(&text);
            }
        }
}

/* And each service of the table has its act. */
static void every_act_can_be_sent(void **state)
{
    (void)state;
    for (const struct cucm_type *t = cucm_types; t->name; t++) {
        struct fixture fx;
        size_t restarts = 0, wanted = 0;

        fixture_open(&fx, t->name);
        acts_of(&fx, &restarts);
        for (size_t n = 0; n < fx.pc->n_nodes; n++)
            for (size_t k = 0; k < CUCM_RESTARTS && t->restarts[k].service; k++)
                wanted += (t->restarts[k].roles & t->scope &
                           fx.pc->nodes[n].node->roles) != 0;
        assert_int_equal(restarts, wanted);
        fixture_close(&fx);
    }
}

/* A row's acts come in each type's own order. */
static void restarts_are_in_order(void **state)
{
    (void)state;
    for (const struct cucm_type *t = cucm_types; t->name; t++) {
        struct fixture fx;
        const struct step *step = cucm_rotate.steps;
        size_t head, next = 0;
        const struct act *act;

        fixture_open(&fx, t->name);
        head = cucm_head(fx.pc);
        const struct view view = fixture_view(&fx, head);
        while (strcmp(step->id, "restart") != 0)
            step++;
        for (size_t k = 0; (act = act_at(&view, step, k)); k++) {
            const char *service = act->text + strlen("utils service restart ");

            while (next < CUCM_RESTARTS && t->restarts[next].service &&
                   strcmp(t->restarts[next].service, service) != 0)
                next++;
            assert_true(next < CUCM_RESTARTS);
        }
        fixture_close(&fx);
    }
}

static void only_commands_of_the_table_match(void **state)
{
    static const char *const never[] = {
        "utils system restart",
        "utils system shutdown",
        "set cert regen tomcat",
        "set cert delete tomcat-trust a.pem",
        "set cert import own tomcat",
        "set csr gen tomcat",
        "utils service stop Cisco Tomcat",
        "utils service restart Cisco DB",
        "utils service restart Cisco Tomcat; x",
        "utils sso disable",
        "utils dbreplication reset all",
        "utils ctl set-cluster mixed-mode",
        "run sql delete from certificate",
        ("POST " CUCM_REST "/csr tomcat multi-server a b"),
        ("POST " CUCM_REST "/identity/certificates ../tomcat"),
        "POST /other tomcat",
        ("DELETE " CUCM_REST "/trust/certificates tomcat"),
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        if (command_match(&cucm_product, never[i], NULL))
            fail_msg("%s", never[i]);
}

/* -- the gates ------------------------------------------------------------- */

typedef void break_f(struct fixture *fx);

static void replica_is_off(struct fixture *fx)
{
    fixture_facts(fx, PUB)->replication->rows[1].state = 4;
}

static void replica_is_not_watched(struct fixture *fx)
{
    fixture_facts(fx, IMP1)->replication->rows[0].monitored = false;
}

static void replica_is_missing(struct fixture *fx)
{
    fixture_facts(fx, PUB)->replication->n--;
}

static void tables_differ(struct fixture *fx)
{
    fixture_facts(fx, PUB)->replication->mismatched = true;
}

static void tomcat_is_down(struct fixture *fx)
{
    fixture_service(fx, SUB2, "Cisco Tomcat", VOS_DOWN);
}

static void a_service_is_down(struct fixture *fx)
{
    fixture_service(fx, SUB1, "Cisco AXL Tomcat", VOS_DOWN);
}

static void sso_is_on(struct fixture *fx)
{
    fixture_facts(fx, IMP1)->sso = true;
}

static void sso_is_unknown(struct fixture *fx)
{
    fixture_facts(fx, SUB1)->sso_known = false;
}

static void a_member_is_unknown(struct fixture *fx)
{
    struct cucm_members *m = fixture_facts(fx, PUB)->members;

    m->rows[m->n] = m->rows[1];
    FILL(m->rows[m->n].address, "10.0.0.9");
    FILL(m->rows[m->n].fqdn, "sub9.example.com");
    m->n++;
}

static void a_member_is_missing(struct fixture *fx)
{
    fixture_facts(fx, PUB)->members->n--;
}

static void a_member_is_not_authenticated(struct fixture *fx)
{
    fixture_facts(fx, PUB)->members->rows[2].authenticated = false;
}

static void a_member_has_another_role(struct fixture *fx)
{
    fixture_facts(fx, PUB)->members->rows[1].publisher = true;
}

static void no_api(struct fixture *fx)
{
    fixture_facts(fx, SUB2)->certs_known = false;
}

static void nothing_is_shown(struct fixture *fx)
{
    fixture_facts(fx, SUB1)->node.shown.at_ms = 0;
}

static void a_request_waits(struct fixture *fx)
{
    FILL(fixture_facts(fx, PUB)->units[0].request_sha256, FIXTURE_CSR);
}

static void a_name_is_missing(struct fixture *fx)
{
    FILL(fixture_facts(fx, PUB)->units[0].info.names, "DNS:pub.example.com");
}

/* clang-format off */
static const struct {
    const char *id;
    enum severity severity;
    break_f *broken;
} gates[] = {
    { "replication",  SEVERITY_ERROR,   replica_is_off },
    { "replication",  SEVERITY_ERROR,   replica_is_not_watched },
    { "replication",  SEVERITY_ERROR,   replica_is_missing },
    { "replication",  SEVERITY_ERROR,   tables_differ },
    { "service-down", SEVERITY_ERROR,   tomcat_is_down },
    { "service-down", SEVERITY_ERROR,   a_service_is_down },
    { "sso",          SEVERITY_BLOCK,   sso_is_on },
    { "sso",          SEVERITY_BLOCK,   sso_is_unknown },
    { "members",      SEVERITY_ERROR,   a_member_is_unknown },
    { "members",      SEVERITY_ERROR,   a_member_is_missing },
    { "members",      SEVERITY_ERROR,   a_member_is_not_authenticated },
    { "members",      SEVERITY_ERROR,   a_member_has_another_role },
    { "no-api",       SEVERITY_ERROR,   no_api },
    { "request",      SEVERITY_BLOCK,   a_request_waits },
    { "not-shown",    SEVERITY_ERROR,   nothing_is_shown },
    { "due",          SEVERITY_WARNING, a_name_is_missing },
};
/* clang-format on */

static bool found(const struct findings *f, const char *id,
                  enum severity severity)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->list[i].id, id) == 0 && f->list[i].severity == severity)
            return true;
    return false;
}

static size_t refusing(const struct findings *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += f->list[i].severity >= SEVERITY_BLOCK;
    return n;
}

static void one_broken_fact_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(gates) / sizeof(*gates); i++) {
        struct findings findings = {0};
        struct fixture fx;

        fixture_open(&fx, "tomcat");
        assert_int_equal(cucm_rotate.decide(fx.pc, &findings, NULL), 0);
        assert_int_equal(refusing(&findings), 0);
        findings_release(&findings);
        memset(&findings, 0, sizeof(findings));
        gates[i].broken(&fx);
        cucm_rotate.decide(fx.pc, &findings, NULL);
        if (!found(&findings, gates[i].id, gates[i].severity))
            fail_msg("%zu: %s", i, gates[i].id);
        assert_false(fx.pc->way_back);
        findings_release(&findings);
        fixture_close(&fx);
    }
}

/* CallManager alone looks at mode, phones and what was renewed lately. */
static void gates_of_callmanager(void **state)
{
    struct findings findings = {0};
    struct fixture fx;
    struct cucm_unit *tvs;

    (void)state;
    fixture_open(&fx, "CallManager");
    tvs = &fixture_facts(&fx, SUB1)->units[CUCM_UNIT_TVS];
    cucm_rotate.decide(fx.pc, &findings, NULL);
    assert_int_equal(refusing(&findings), 0);
    assert_int_equal(cucm_phones_before(fx.pc), 12);
    fixture_facts(&fx, PUB)->mode_known = false;
    fixture_facts(&fx, PUB)->phones_known = false;
    fixture_facts(&fx, SUB2)->node.shown.at_ms = 0;
    tvs->there = true;
    tvs->info.kind = PKI_CERTIFICATE;
    tvs->info.not_before = clock_wall_ms() / 1000 - 3600;
    cucm_rotate.decide(fx.pc, &findings, NULL);
    assert_true(found(&findings, "mode", SEVERITY_ERROR));
    assert_true(found(&findings, "phones", SEVERITY_BLOCK));
    assert_true(found(&findings, "not-shown", SEVERITY_WARNING));
    assert_true(fx.pc->nodes[SUB1].serves_tls);
    assert_false(fx.pc->nodes[SUB2].serves_tls);
    assert_true(found(&findings, "apart", SEVERITY_BLOCK));
    assert_int_equal(cucm_phones_before(fx.pc), -1);
    findings_release(&findings);
    fixture_close(&fx);
}

static void names_of_the_request(void **state)
{
    struct fixture fx;
    struct str cn;

    (void)state;
    str_init(&cn, 256);
    fixture_open(&fx, "cup-xmpp");
    assert_int_equal(cucm_head(fx.pc), IMP1);
    cucm_common_name(fx.pc, &cn);
    assert_string_equal(str_text(&cn), "imp1-ms.example.com");
    str_release(&cn);
    fixture_close(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_sound),
        cmocka_unit_test(every_act_can_be_sent),
        cmocka_unit_test(restarts_are_in_order),
        cmocka_unit_test(only_commands_of_the_table_match),
        cmocka_unit_test(one_broken_fact_refuses),
        cmocka_unit_test(gates_of_callmanager),
        cmocka_unit_test(names_of_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
