/* SPDX-License-Identifier: Apache-2.0
 *
 * What a CUCM node's shell prints about its cluster: the shapes of
 * facts/uc.md 1.4, whole, torn at every byte, and with what must not pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "playbooks/cucm/words.h"
#include "playbooks/vos/serial.h"

static const char new_shape[] =
    "Server Time: Fri Jan  2 16:18:22 -05 2026\r\n"
    "Cluster Replication State: Replication status command started at: "
    "2026-01-02-16-18\r\n"
    "     Replication status command COMPLETED. Checked 754 tables out of 754"
    "\r\n"
    "     Last Completed Table: functionrole\r\n"
    "     No Errors or Mismatches found.\r\n"
    "DB Version: ccm15_0_1_12900_234\r\n"
    "Cluster Detailed View from cucm-01 (2 Servers):\r\n"
    "                                 PING      DB/RPC/   REPL.\r\n"
    "SERVER-NAME   IP ADDRESS     (msec)    DbMon?    QUEUE\r\n"
    "-----------   ----------     ------    -------   -----\r\n"
    "cucm-01       172.168.0.101  0.045     Y/Y/Y     0   (g_2)   "
    "(2) Setup Completed\r\n"
    "cucm-02       172.168.0.102  1.711     Y/Y/Y     0   (g_3)   "
    "(2) Setup Completed\r\n";

static const char old_shape[] =
    "DB and Replication Services: ALL RUNNING\n\n"
    "Cluster Detailed View from PUB (2 Servers):\n\n"
    "                PING            REPLICATION   REPL.  DBver& REPL. "
    "REPLICATION SETUP\n"
    "SERVER-NAME     IP ADDRESS      (msec) RPC?   STATUS QUEUE TABLES LOOP? "
    "(RTMT) & details\n"
    "-----------     ------------    ------ ----   ------ ----- ------ ----- "
    "-----------------\n"
    "PUB             10.1.1.1        0.053  Yes    Connected 0  match  Yes "
    "(2) PUB Setup Completed\n"
    "SUB             10.1.1.2        0.310  Yes    Connected 0  match  Yes "
    "(2) Setup Completed\n\n";

static int replication(const char *text, struct cucm_replication *r)
{
    struct err err = {0};

    return cucm_replication_parse(text, strlen(text), r, &err);
}

static void both_shapes(void **state)
{
    struct cucm_replication r;

    (void)state;
    assert_int_equal(replication(new_shape, &r), 0);
    assert_int_equal(r.n, 2);
    assert_string_equal(r.rows[1].name, "cucm-02");
    assert_string_equal(r.rows[1].address, "172.168.0.102");
    assert_int_equal(r.rows[1].state, 2);
    assert_true(r.rows[0].monitored);
    assert_false(r.mismatched);
    assert_int_equal(replication(old_shape, &r), 0);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.rows[0].state, 2);
    assert_string_equal(r.rows[0].name, "PUB");
}

/* Whatever is put in place of one text by another. */
static char *with(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    size_t len = strlen(text) + strlen(to) + 1;
    char *copy = malloc(len);

    assert_non_null(at);
    assert_non_null(copy);
    snprintf(copy, len, "%.*s%s%s", (int)(at - text), text, to,
             at + strlen(from));
    return copy;
}

static void broken_replication(void **state)
{
    char *text;
    struct cucm_replication r;

    (void)state;
    text =
        with(new_shape, "1.711     Y/Y/Y     0   (g_3)   (2) Setup Completed",
             "1.711     N/Y/Y     5   (g_3)   (4) Setup Incomplete");
    assert_int_equal(replication(text, &r), 0);
    assert_int_equal(r.rows[1].state, 4);
    assert_false(r.rows[1].monitored);
    free(text);
    text = with(new_shape, "No Errors or Mismatches found.",
                "Errors or Mismatches Were Found!!!");
    assert_int_equal(replication(text, &r), 0);
    assert_true(r.mismatched);
    free(text);
    text = with(new_shape, "(2 Servers)", "(3 Servers)");
    assert_int_equal(replication(text, &r), -1);
    free(text);
    text = with(new_shape, "(g_3)   (2)", "(g_3)   (?)");
    assert_int_equal(replication(text, &r), -1);
    free(text);
}

/* Cut at any byte it is never a whole view of both, but at the very end. */
static void torn_replication(void **state)
{
    size_t last = (size_t)(strstr(new_shape, "(g_3)   (2)") - new_shape) +
                  strlen("(g_3)   (2)");
    struct cucm_replication r;

    (void)state;
    for (size_t len = 0; len < last; len++)
        if (cucm_replication_parse(new_shape, len, &r, NULL) == 0)
            fail_msg("%zu bytes were taken", len);
}

static const char members[] =
    "192.168.125.10 pub.example.com pub Publisher callmanager DBPub "
    "authenticated\r\n"
    "192.168.125.11 sub.example.com sub Subscriber callmanager DBSub "
    "authenticated using TCP since Fri Nov 27 01:02:03 2026\r\n"
    "192.168.125.20 imp.example.com imp Publisher cups DBPub authenticated\r\n"
    "192.168.125.21 imp2.example.com imp2 Subscriber cups DBSub not "
    "authenticated\r\n"
    "\r\n"
    "Server Table (processnode) Entries\r\n"
    "----------------------------------\r\n"
    "pub\r\nsub\r\n";

static void the_cluster(void **state)
{
    struct cucm_members m;
    char *text;

    (void)state;
    assert_int_equal(cucm_members_parse(members, strlen(members), &m, NULL), 0);
    assert_int_equal(m.n, 4);
    assert_true(m.rows[0].publisher && !m.rows[0].presence);
    assert_string_equal(m.rows[1].fqdn, "sub.example.com");
    assert_string_equal(m.rows[1].host, "sub");
    assert_true(m.rows[1].authenticated);
    assert_true(m.rows[2].publisher && m.rows[2].presence);
    assert_false(m.rows[3].authenticated);
    assert_int_equal(cucm_members_parse("", 0, &m, NULL), -1);
    text = with(members, "sub Subscriber callmanager", "sub Other callmanager");
    assert_int_equal(cucm_members_parse(text, strlen(text), &m, NULL), -1);
    free(text);
    text = with(members, "sub.example.com sub", "sub'><x/>.example.com sub");
    assert_int_equal(cucm_members_parse(text, strlen(text), &m, NULL), -1);
    free(text);
    text = with(members, "Subscriber cups", "Subscriber gravity");
    assert_int_equal(cucm_members_parse(text, strlen(text), &m, NULL), -1);
    free(text);
}

static int mode(const char *text)
{
    bool mixed = false;

    return cucm_mode_parse(text, strlen(text), &mixed, NULL) < 0 ? -1 : mixed;
}

static int sso(const char *text)
{
    bool on = false;

    return cucm_sso_parse(text, strlen(text), &on, NULL) < 0 ? -1 : on;
}

static int phones(const char *text)
{
    unsigned n = 0;

    return cucm_phones_parse(text, strlen(text), &n, NULL) < 0 ? -1 : (int)n;
}

static void values(void **state)
{
    static const char head[] = "#TotalPhones, #TotalRegistered, #UnRegistered";

    (void)state;
    assert_int_equal(mode("paramvalue \n========== \n0          \n"), 0);
    assert_int_equal(mode("paramvalue\r\n==========\r\n1\r\n\r\n"), 1);
    assert_int_equal(mode("paramvalue\n==========\n2\n"), -1);
    assert_int_equal(mode("paramvalue\n==========\n0\n1\n"), -1);
    assert_int_equal(mode("paramvalue\n==========\n"), -1);
    assert_int_equal(mode("0\n"), -1);
    assert_int_equal(sso("SSO Status: SAML SSO Disabled\n"), 0);
    assert_int_equal(sso("SSO Status: SAML SSO Enabled\nIdP: x\n"), 1);
    assert_int_equal(sso("SSO Status: SAML SSO Enabled, OpenAM Disabled"), -1);
    assert_int_equal(sso("Executed command unsuccessfully\n"), -1);
    assert_int_equal(phones("--- Phone ---\n\n#TotalPhones, #TotalRegistered, "
                            "#UnRegistered\n\n12, 9, 3\n\n"),
                     9);
    assert_int_equal(phones(head), -1);
    assert_int_equal(phones("#TotalRegistered\nmany\n"), -1);
    assert_int_equal(phones("#TotalRegistered\n-1\n"), -1);
    assert_int_equal(phones("#TotalRegistered\n99999999999\n"), -1);
    assert_int_equal(phones("no such command"), -1);
}

static void the_ctl(void **state)
{
    static const char ctl[] = "SERIALNUMBER 8  4F:A1:00:1C:22:33\r\n";

    (void)state;
    assert_true(vos_holds_serial(ctl, strlen(ctl), "4fa1001c2233"));
    assert_false(vos_holds_serial(ctl, strlen(ctl), "4fa1001c2234"));
    assert_false(vos_holds_serial(ctl, strlen(ctl), "4fa1")); /* too short */
    /* 0x4fa1001c2233, as releases from 14SU2 on may print it */
    assert_true(
        vos_holds_serial("SerialNumber: 87552910172723\n", 29, "4fa1001c2233"));
    assert_false(
        vos_holds_serial("SerialNumber: 87552910172724\n", 29, "4fa1001c2233"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_shapes),
        cmocka_unit_test(broken_replication),
        cmocka_unit_test(torn_replication),
        cmocka_unit_test(the_cluster),
        cmocka_unit_test(values),
        cmocka_unit_test(the_ctl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
