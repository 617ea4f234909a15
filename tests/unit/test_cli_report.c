/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports of journals that a test wrote: well-formed, complete, and nothing
 * that a node, an inventory or a journal says becomes markup.
 */
#include <pty.h>
#include <sqlite3.h>

#include "cli/html.h"
#include "cli/report_page.h"
#include "tests/unit/cli_store.h"
#include "tests/unit/html_check.h"

static const char inventory[] = "[fleet]\n"
                                "state_dir = state\n"
                                "ssh_config = none\n"
                                "[cluster emea]\n"
                                "product = cms\n";

static char page[1 << 20];

static int setup(void **state)
{
    if (capture_setup(state) < 0)
        return -1;
    capture_write("certfleet.ini", inventory);
    return 0;
}

/* -- a store -------------------------------------------------------------- */

struct told { /* a record; .kind NULL ends a list */
    const char *node, *step, *kind, *data;
    const char *cluster; /* NULL: the run's target */
};

static void make_run(const struct store_run *run, const struct told *told)
{
    struct cli_store s;

    cli_store_begin(&s, run);
    for (; told->kind; told++) {
        const struct store_record r = {
            run->id,    told->cluster ? told->cluster : run->target,
            told->node, told->step,
            told->kind, told->data};

        cli_store_put(&s, &r);
    }
    cli_store_end(&s, run->id, run->outcome, run->exit_code);
}

/* The report of the last run, as it is in the file. */
static void report_last(void)
{
    assert_int_equal(CERTFLEET("report", "last", "-o", "r.html"), 0);
    capture_read("r.html", page, sizeof(page));
    html_is_well_formed(page);
}

#define MOVE(event, from, to, walk)                                            \
    "{\"event\":\"" event "\",\"from\":\"" from "\",\"to\":\"" to              \
    "\",\"walk\":\"" walk "\",\"tries\":0}"

/* -- escaping ------------------------------------------------------------- */

static void test_every_value_is_escaped(void **state)
{
    struct str out;

    (void)state;
    str_init(&out, 4096);
    HTML(&out, "<a b=\"{}\">{}</a>{}", "\"'<>&", "<b>\033[0m\xff\n", NULL);
    assert_string_equal(str_text(&out), "<a b=\"&quot;&#39;&lt;&gt;&amp;\">"
                                        "&lt;b&gt;\\x1b[0m\\xff\n</a>");
    str_reset(&out);
    HTML(&out, "{}{}", "{}", "x"); /* a value is no template */
    assert_string_equal(str_text(&out), "{}x");
    str_release(&out);
}

/* -- a run that went well, but for a retry -------------------------------- */

static const struct told retried[] = {
    {"core1", "gates", "cell", MOVE("start", "pending", "check", "forward")},
    {"core1", "gates", "cell", MOVE("proven", "check", "done", "forward")},
    {NULL, NULL, "plan",
     "{\"holder\":\"core1\",\"way_back\":true,\"way_back_until\":1800000000,"
     "\"nodes\":[{\"node\":\"core1\",\"old\":[{\"slot\":\"server_crt\","
     "\"name\":\"old.cer\",\"sha256\":\"ee\",\"cert_sha256\":\"aaaa\"}]}]}"},
    {NULL, NULL, "go", "{\"mode\":\"apply\",\"plan_sha256\":\"dddd\"}"},
    {NULL, NULL, "generation",
     "{\"files\":[{\"slot\":\"server_crt\",\"name\":\"new.crt\","
     "\"sha256\":\"ff\",\"cert_sha256\":\"bbbb\"}]}"},
    {NULL, NULL, "clock",
     "{\"clock\":\"degraded\",\"edge\":\"began\",\"ms\":1}"},
    {NULL, NULL, "clock", "{\"clock\":\"outage\",\"edge\":\"began\",\"ms\":1}"},
    {"core1", "join", "cell", MOVE("start", "pending", "check", "forward")},
    {"core1", "join", "cell",
     "{\"event\":\"error\",\"from\":\"verify\",\"to\":\"wait\",\"walk\":"
     "\"forward\",\"tries\":1,\"detail\":\"no answer\"}"},
    {"core1", "join", "cell", MOVE("again", "wait", "check", "forward")},
    {"core1", "join", "cell", MOVE("met", "verify", "done", "forward")},
    {NULL, NULL, "clock",
     "{\"clock\":\"outage\",\"edge\":\"ended\",\"ms\":769}"},
    {NULL, NULL, "clock",
     "{\"clock\":\"degraded\",\"edge\":\"ended\",\"ms\":2587}"},
    {NULL, "gates", "note",
     "{\"id\":\"clock-skew\",\"weight\":\"warning\",\"text\":\"40 s off\"}"},
    {NULL, NULL, "weather", "{\"rain\":true}"},
    {NULL, NULL, "outcome",
     "{\"outcome\":\"done\",\"outage_ms\":769,\"degraded_ms\":62587,"
     "\"why\":\"\"}"},
    {NULL, NULL, NULL, NULL},
};

static void test_a_run_is_told(void **state)
{
    (void)state;
    make_run(&(struct store_run){.id = "20260101T000000Z-0001",
                                 .playbook = "cms/db-rotate",
                                 .target = "emea",
                                 .inputs = "{\"primary\":\"core1\"}",
                                 .outcome = "done"},
             retried);
    report_last();
    assert_says(page, "<html lang=\"en\">");
    assert_says(page, "<title>cms/db-rotate of emea: done</title>");
    assert_says(page, "<code>20260101T000000Z-0001</code>");
    assert_says(page, "<dt>plan</dt><dd><code>dddd</code></dd>");
    assert_says(page, "verifies</span>: 18 records of 1 run, each follows");
    assert_says(page, "{&quot;primary&quot;:&quot;core1&quot;}");
    assert_says(page, "<td class=\"num\">0.769 s</td>"
                      "<td class=\"num\">1:02</td>");
    assert_says(page, "old.cer<br/><span class=\"mono\">aaaa</span>");
    assert_says(page, "new.crt<br/><span class=\"mono\">bbbb</span>");
    assert_says(page, "<title>join: a try failed: no answer</title>");
    assert_says(page, "<td class=\"warn\">1 failed</td>");
    assert_says(page, "<td class=\"warn\">warning</td>"
                      "<td class=\"text\">40 s off</td>");
    assert_says(page, "2027-01-15 08:00:00Z"); /* way back until */
    assert_says(page, "prefers-color-scheme:dark");
    assert_says(page, "@media print");
    assert_null(strstr(page, "@import"));
    assert_null(strstr(page, "url(h"));
    assert_null(strstr(page, "<dt>next</dt>"));
    assert_null(strstr(page, "not ended"));
}

/* -- several clusters ------------------------------------------------------ */

#define GATES(node, to, cluster)                                               \
    {                                                                          \
        node, "gates", "cell", MOVE("start", "pending", to, "forward"),        \
            cluster                                                            \
    }
#define ENDED(outcome, cluster)                                                \
    {                                                                          \
        NULL, NULL, "outcome",                                                 \
            "{\"outcome\":\"" outcome "\",\"outage_ms\":70}", cluster          \
    }

/* The run is "done" in one word; one of its clusters is not. */
static void test_what_differs_is_in_the_head(void **state)
{
    static const struct told three[] = {
        GATES("a1", "done", "a"), GATES("b1", "failed", "b"),
        GATES("c1", "done", "c"), ENDED("done", "a"),
        ENDED("refused", "b"),    ENDED("done", "c"),
        {NULL, NULL, NULL, NULL}};

    (void)state;
    make_run(&(struct store_run){.id = "20260106T000000Z-0006",
                                 .playbook = "cms/db-rotate",
                                 .target = "three",
                                 .inputs = "{}",
                                 .outcome = "done",
                                 .exit_code = 5},
             three);
    report_last();
    assert_says(page, "<span class=\"badge good\">done</span>\n"
                      "<span class=\"badge bad\">b: refused</span>\n</p>");
    assert_says(page, ", all clusters: time since");
    assert_says(page, ">done, outage 0.070 s</text>");
    assert_says(page, "<b class=\"\">3</b>clusters");
}

/* -- resumed, taken back, cut off ----------------------------------------- */

static const struct told stopped[] = {
    {NULL, NULL, "go", "{\"mode\":\"apply\"}"},
    {"core1", "leave", "cell", MOVE("start", "pending", "check", "forward")},
    {NULL, NULL, "clock", "{\"clock\":\"outage\",\"edge\":\"began\",\"ms\":1}"},
    {"core1", "leave", "cell",
     "{\"event\":\"fatal\",\"from\":\"apply\",\"to\":\"failed\",\"walk\":"
     "\"forward\",\"tries\":3,\"detail\":\"refused\"}"},
    {"core1", "certs", "cell", MOVE("start", "pending", "check", "back")},
    {"core1", "certs", "cell", MOVE("open", "check", "apply", "back")},
    {NULL, NULL, "outcome",
     "{\"outcome\":\"incomplete\",\"outage_ms\":5,\"why\":\"it is stuck\"}"},
    {NULL, NULL, NULL, NULL},
};

static void test_what_stopped_says_what_is_next(void **state)
{
    (void)state;
    make_run(&(struct store_run){.id = "20260102T000000Z-0002",
                                 .playbook = "cms/db-rotate",
                                 .target = "emea",
                                 .inputs = "{}",
                                 .outcome = "incomplete",
                                 .exit_code = 4},
             stopped);
    report_last();
    assert_says(page, "<dd>4</dd>");
    assert_says(page, "<dt>next</dt><dd><code>certfleet rollback "
                      "20260102T000000Z-0002</code></dd>");
    assert_says(page, "it is stuck");
    assert_says(page, ", not ended</text>");
    assert_says(page, "<title>leave: failed, ");
    assert_says(page, "<title>certs (way back): apply, ");
    assert_says(page, "class=\"back\"");
    assert_says(page, "class=\"cross\"");
}

static void test_a_cut_off_run(void **state)
{
    static const struct told begun[] = {
        {"core1", "push", "cell", MOVE("start", "pending", "check", "forward")},
        {NULL, NULL, NULL, NULL}};

    (void)state;
    make_run(&(struct store_run){.id = "20260103T000000Z-0003",
                                 .playbook = "no/such-playbook",
                                 .target = "apac",
                                 .inputs = "{}"},
             begun);
    report_last();
    assert_says(page, "cut off: its process is gone");
    assert_says(page, "still held by this run");
    assert_says(page, "certfleet resume 20260103T000000Z-0003");
}

/* -- hostile -------------------------------------------------------------- */

#define EVIL "</title></td></svg><script>alert(1)</script>&\\\"'\\u001b[2J"
#define EVIL_C "</title></td></svg><script>alert(1)</script>&\"'\033[2J"

static const struct told hostile[] = {
    {NULL, NULL, "go", "{\"mode\":\"" EVIL "\",\"plan_sha256\":\"" EVIL "\"}"},
    {EVIL_C, EVIL_C, "cell",
     "{\"event\":\"start\",\"from\":\"pending\",\"to\":\"" EVIL
     "\",\"walk\":\"forward\",\"detail\":\"" EVIL "\"}"},
    {EVIL_C, EVIL_C, "cell",
     "{\"event\":\"error\",\"from\":\"" EVIL
     "\",\"to\":\"wait\",\"walk\":\"back\",\"detail\":\"" EVIL "\"}"},
    {NULL, NULL, "plan",
     "{\"holder\":\"" EVIL "\",\"nodes\":[{\"node\":\"" EVIL
     "\",\"old\":[{\"slot\":\"" EVIL "\",\"name\":\"" EVIL
     "\",\"cert_sha256\":\"" EVIL "\"}]}]}"},
    {NULL, NULL, "outcome", "{\"outcome\":\"" EVIL "\",\"why\":\"" EVIL "\"}"},
    {EVIL_C, EVIL_C, "note",
     "{\"id\":\"" EVIL "\",\"weight\":\"" EVIL "\",\"text\":\"" EVIL "\"}"},
    {NULL, NULL, "clock", "{\"clock\":[],\"edge\":7}"},
    {NULL, NULL, "outcome", "no JSON"},
    {NULL, NULL, "plan", NULL},
    {NULL, NULL, NULL, NULL},
};

static void test_nothing_hostile_is_markup(void **state)
{
    (void)state;
    setenv("SSH_CONNECTION", EVIL_C " 1 2 3", 1);
    make_run(&(struct store_run){.id = "20260104T000000Z-0004",
                                 .playbook = EVIL_C,
                                 .target = EVIL_C,
                                 .inputs = "{\"x\":\"" EVIL "\"}",
                                 .outcome = "done"},
             hostile);
    unsetenv("SSH_CONNECTION");
    report_last();
    assert_says(page, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;"
                      "\\x1b[2J");
    assert_null(strchr(page, '\033'));
}

static void test_a_hostile_fleet(void **state)
{
    static struct fleet_cert certs[200];
    struct fleet_trouble troubles[2] = {
        {.cluster = EVIL_C, .node = EVIL_C, .unreachable = true, .bad = true},
        {.cluster = "emea", .node = "core1"}};
    const struct fleet_facts facts = {.now = 1800000000,
                                      .warn_days = 30,
                                      .certs = certs,
                                      .n_certs = 200,
                                      .troubles = troubles,
                                      .n_troubles = 2,
                                      .n_nodes = 1,
                                      .unreachable = 1};
    struct str out;

    (void)state;
    snprintf(troubles[0].text, sizeof(troubles[0].text), "%s", EVIL_C);
    for (int i = 0; i < 200; i++) {
        struct fleet_cert *c = &certs[i];

        c->cluster = c->node = i ? "n" : EVIL_C;
        c->days = i * 40 - 400;
        c->row.info.not_before = facts.now - 86400LL * 500;
        c->row.info.not_after = facts.now + 86400LL * (i * 40 - 400);
        snprintf(c->service, sizeof(c->service), "%s", EVIL_C);
        snprintf(c->row.info.subject, sizeof(c->row.info.subject), "%s",
                 EVIL_C);
        snprintf(c->row.findings, sizeof(c->row.findings), "%s", EVIL_C);
    }
    str_init(&out, HTML_CAP);
    fleet_page(&facts, EVIL_C, &out);
    html_is_well_formed(str_text(&out));
    assert_says(str_text(&out), "50 that end later are in the table only");
    assert_says(str_text(&out), "-400 EXPIRED");
    assert_says(str_text(&out), "unreachable");
    str_release(&out);
}

/* -- one row for what several nodes share --------------------------------- */

static void test_a_shared_certificate_is_one_row(void **state)
{
    struct fleet_cert certs[3] = {{.cluster = "a", .node = "a1", .days = 5},
                                  {.cluster = "a", .node = "a2", .days = 5},
                                  {.cluster = "b", .node = "b1", .days = 5}};
    struct fleet_facts facts = {.now = 1800000000, .certs = certs};
    struct str out;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(certs[i].service, sizeof(certs[i].service), "server");
        memset(certs[i].row.info.sha256, i == 2 ? 'b' : 'a', 64);
        certs[i].row.info.not_after = facts.now + 5 * 86400LL;
    }
    facts.n_certs = 3;
    str_init(&out, HTML_CAP);
    fleet_timeline(&facts, &out);
    assert_says(str_text(&out), ">a server, 2 nodes<");
    assert_says(str_text(&out), ">b b1 server<");
    assert_null(strstr(str_text(&out), "a2"));
    str_release(&out);
}

/* -- the command ---------------------------------------------------------- */

static void test_where_the_page_goes(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(CERTFLEET("report", "20260101"), 0);
    html_is_well_formed(capture.out);
    assert_int_equal(CERTFLEET("report", "20260101", "-o", "new.html"), 0);
    assert_int_equal(stat("new.html", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(CERTFLEET("report", "20260101", "-o", "no/new.html"), 2);
    assert_int_equal(CERTFLEET("report", "--fleet", "-o", "f.html"), 0);
    capture_read("f.html", page, sizeof(page));
    html_is_well_formed(page);
    assert_says(page, "No certificate was read");
}

/* A page is nothing for a screen of text. */
static void test_not_to_a_terminal(void **state)
{
    char *argv[] = {(char *)(uintptr_t) "certfleet",
                    (char *)(uintptr_t) "report", (char *)(uintptr_t) "last"};
    int here, there, saved = dup(1), silent = dup(2), code;

    (void)state;
    assert_int_equal(openpty(&here, &there, NULL, NULL, NULL), 0);
    assert_non_null(freopen("stderr.txt", "w", stderr));
    fflush(NULL);
    dup2(there, 1);
    code = app_main(3, argv);
    fflush(NULL);
    dup2(saved, 1);
    dup2(silent, 2);
    assert_int_equal(code, 2);
    capture_read("stderr.txt", capture.err, sizeof(capture.err));
    assert_says(capture.err, "standard output is a terminal");
    assert_says(capture.err, "next: certfleet report last -o run.html");
    close(here);
    close(there);
    close(saved);
    close(silent);
}

static void test_what_it_refuses(void **state)
{
    json_t *result;

    (void)state;
    assert_int_equal(CERTFLEET("report"), 2);
    assert_says(capture.err, "--fleet");
    assert_int_equal(CERTFLEET("report", "a", "b"), 2);
    assert_int_equal(CERTFLEET("report", "2099"), 2);
    assert_int_equal(CERTFLEET("report", "--fleet", "nowhere"), 2);
    assert_int_equal(CERTFLEET("--json", "report", "last"), 2);
    assert_says(capture.err, "`show --json RUN'");
    result = capture_result();
    assert_int_equal(json_integer_value(json_object_get(result, "exit")), 2);
    json_decref(result);
}

/* -- the chain ------------------------------------------------------------ */

static void test_a_changed_journal_is_said(void **state)
{
    sqlite3 *db;

    (void)state;
    assert_int_equal(sqlite3_open("state/certfleet.db", &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE journal SET data = '{}' WHERE seq = 3", NULL,
                     NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    report_last();
    assert_says(page, "does not verify: it was changed by another hand");
    assert_null(strstr(page, ">verifies<"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_value_is_escaped),
        cmocka_unit_test(test_a_run_is_told),
        cmocka_unit_test(test_what_differs_is_in_the_head),
        cmocka_unit_test(test_what_stopped_says_what_is_next),
        cmocka_unit_test(test_a_cut_off_run),
        cmocka_unit_test(test_nothing_hostile_is_markup),
        cmocka_unit_test(test_a_hostile_fleet),
        cmocka_unit_test(test_a_shared_certificate_is_one_row),
        cmocka_unit_test(test_where_the_page_goes),
        cmocka_unit_test(test_not_to_a_terminal),
        cmocka_unit_test(test_what_it_refuses),
        cmocka_unit_test(test_a_changed_journal_is_said),
    };

    return cmocka_run_group_tests(tests, setup, capture_teardown);
}
