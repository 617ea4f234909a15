/* SPDX-License-Identifier: Apache-2.0
 *
 * The status parser on what devices really printed (facts/cms.md 2), on both
 * vocabularies, on what nobody has printed yet, and on every torn piece.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "playbooks/cms/facts.h"

/* clang-format off */
static const char healthy[] = /* facts/cms.md 2.1, R:210530 */
    "Status                   : Enabled\n"
    "\n"
    "Nodes:\n"
    "    10.48.36.61          : Connected Primary\n"
    "    10.48.36.118         : Connected Replica ( In Sync )\n"
    "    10.48.36.182 (me)    : Connected Replica ( In Sync )\n"
    "Node in use              : 10.48.36.61\n"
    "\n"
    "Interface                : a\n"
    "\n"
    "Certificates\n"
    "  Server Key             : dbclusterserver.key\n"
    "  Server Certificate     : dbclusterserver.cer\n"
    "  Client Key             : dbclusterclient.key\n"
    "  Client Certificate     : dbclusterclient.cer\n"
    "  CA Certificate         : vngtpRootca.cer\n"
    "\n"
    "Last command             : 'database cluster join 10.48.36.61' (Success)\n";

static const char error[] = /* facts/cms.md 2.1, R:210530 */
    "ERROR                    : Couldn't upgrade the schema\n"
    "Status                   : Error\n"
    "\n"
    "Nodes:\n"
    "    10.48.54.75          : Connected Primary\n"
    "    10.48.54.76          : Connected Replica ( In Sync )\n"
    "    10.48.54.119 (me)    : Connected Replica ( In Sync )\n"
    "Node in use              : 10.48.54.75\n"
    "\n"
    "Interface                : a\n"
    "\n"
    "Certificates\n"
    "  Server Key             : dbclusterServer.key\n"
    "  Server Certificate     : dbserver.cer\n"
    "  Client Key             : dbclusterClient.key\n"
    "  Client Certificate     : dbclient.cer\n"
    "  CA Certificate         : Root.cer\n"
    "\n"
    "Last command             : 'database cluster upgrade_schema' (Failed)\n";

static const char standalone[] =
    "Status                   : Disabled\n"
    "\n"
    "Interface                : none\n"
    "\n"
    "Certificates\n"
    "  Server Key             : none\n"
    "\n"
    "Last command             : 'database cluster remove' (Success)\n";

static const char client[] =
    "Status                   : Enabled\n"
    "\n"
    "Nodes:\n"
    "    10.0.0.1             : Connected Master\n"
    "    10.0.0.2             : Connected Slave ( In Sync )\n"
    "Node in use              : 10.0.0.1\n"
    "\n"
    "Certificates\n"
    "  Client Key             : c.key\n"
    "  Client Certificate     : c.crt expired\n"
    "  CA Certificate         : ca.crt\n"
    "\n"
    "Last command             : 'database cluster connect 10.0.0.1' (Success)\n";
/* clang-format on */

static struct cms_status parse(const char *text)
{
    struct cms_status s;

    cms_status_parse(text, strlen(text), &s, NULL);
    return s;
}

static void healthy_replica(void **state)
{
    struct cms_status s = parse(healthy);
    const struct cms_member *me = cms_status_me(&s);

    (void)state;
    assert_int_equal(s.word, CMS_ENABLED);
    assert_int_equal(s.place, CMS_IS_REPLICA);
    assert_int_equal(s.n_members, 3);
    assert_string_equal(me->address, "10.48.36.182");
    assert_true(me->in_sync);
    assert_string_equal(cms_status_primary(&s)->address, "10.48.36.61");
    assert_string_equal(s.in_use, "10.48.36.61");
    assert_string_equal(s.interface, "a");
    assert_string_equal(s.files[CMS_SERVER_KEY], "dbclusterserver.key");
    assert_string_equal(s.files[CMS_CA_CRT], "vngtpRootca.cer");
    assert_string_equal(s.last, "database cluster join 10.48.36.61");
    assert_int_equal(s.last_result, CMS_LAST_SUCCESS);
    assert_int_equal(s.odd_lines, 0);
}

static void error_state(void **state)
{
    struct cms_status s = parse(error);

    (void)state;
    assert_int_equal(s.word, CMS_ERROR);
    assert_string_equal(s.error, "Couldn't upgrade the schema");
    assert_int_equal(s.last_result, CMS_LAST_FAILED);
}

static void out_of_a_cluster(void **state)
{
    struct cms_status s = parse(standalone);

    (void)state;
    assert_int_equal(s.place, CMS_STANDALONE);
    assert_true(s.interface_shown);
    assert_string_equal(s.interface, "");
    assert_string_equal(s.files[CMS_SERVER_KEY], "");
}

static void connected_only_in_the_old_words(void **state)
{
    struct cms_status s = parse(client);

    (void)state;
    assert_int_equal(s.place, CMS_IS_CLIENT);
    assert_string_equal(cms_status_primary(&s)->address, "10.0.0.1");
    assert_true(s.members[1].in_sync);
    assert_string_equal(s.files[CMS_CLIENT_CRT], "c.crt");
    assert_true(s.flagged[CMS_CLIENT_CRT]);
    assert_false(s.flagged[CMS_CLIENT_KEY]);
}

/* -- words that nobody documented: closed where it matters ---------------- */

static void odd_words_stand_still(void **state)
{
    static const char *const texts[] = {
        "",
        "\n\n",
        "Unknown command: database\n",
        "Nodes:\n",
        "Status : Sideways\n",
        "Status                   :\n",
        "Nodes:\n    10.0.0.1 (me) : Connected Primary\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cms_status s;
        struct err err = {0};
        assert_int_equal(cms_status_parse(texts[i], strlen(texts[i]), &s, &err),
                         -1);
        assert_int_equal(s.word, CMS_ODD);
        assert_int_equal(err.cause, CAUSE_REMOTE);
        assert_int_not_equal(s.place, CMS_STANDALONE);
    }
}

/* What a node prints that has left is not documented, that its last command
 * is a remove with success is (facts/cms.md 2.3). */
static void an_odd_word_after_a_remove_is_standalone(void **state)
{
    struct cms_status s =
        parse("Status : Not clustered\n"
              "Last command : 'database cluster remove' (Success)\n");

    (void)state;
    assert_int_equal(s.place, CMS_STANDALONE);
    s = parse("Status : Not clustered\n"
              "Last command : 'database cluster remove' (Failed)\n");
    assert_int_equal(s.place, CMS_NOWHERE);
    s = parse("Status : Not clustered\n"
              "Nodes:\n    10.0.0.1 : Connected Primary\n"
              "Last command : 'database cluster remove' (Success)\n");
    assert_int_equal(s.place, CMS_NOWHERE);
}

static void at_work(void **state)
{
    static const char *const words[] = {"Initializing", "Attaching",
                                        "Detaching"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char text[64];
        snprintf(text, sizeof(text), "Status : %s\n", words[i]);
        struct cms_status s = parse(text);
        assert_int_equal(s.word, CMS_BUSY);
        assert_int_equal(s.place, CMS_NOWHERE);
    }
}

static void out_of_sync_in_any_words(void **state)
{
    static const char *const values[] = {
        "Connected Replica",
        "Connected Replica ( Not In Sync )",
        "Connected Replica ( Syncing )",
        "Connected Slave ( behind )",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[160];
        snprintf(text, sizeof(text),
                 "Status : Enabled\nNodes:\n    10.0.0.2 (me) : %s\n",
                 values[i]);
        struct cms_status s = parse(text);
        assert_int_equal(s.place, CMS_IS_REPLICA);
        assert_false(cms_status_me(&s)->in_sync);
    }
}

static void down_is_down(void **state)
{
    struct cms_status s =
        parse("Status : Enabled\nNodes:\n    10.0.0.1 (me) : Disconnected\n");

    (void)state;
    assert_int_equal(s.place, CMS_IS_DOWN);
}

static void two_primaries_are_none(void **state)
{
    struct cms_status s = parse("Status : Enabled\nNodes:\n"
                                "    10.0.0.1 : Connected Primary\n"
                                "    10.0.0.2 (me) : Connected Primary\n");

    (void)state;
    assert_null(cms_status_primary(&s));
}

static void listed_without_me_and_never_connected(void **state)
{
    struct cms_status s =
        parse("Status : Enabled\nNodes:\n    10.0.0.1 : Connected Primary\n"
              "Last command : 'database cluster join 10.0.0.1' (Success)\n");

    (void)state;
    assert_int_equal(s.place, CMS_NOWHERE);
}

/* Our remove failed, its error was cleared, and the next remove was refused:
 * the node is connected as before, and must not be a riddle for ever. */
static void cleared_is_where_it_was(void **state)
{
    struct cms_status s =
        parse("Status : Enabled\nNodes:\n    10.0.0.1 : Connected Primary\n"
              "Last command : 'database cluster clear_error' (Success)\n");

    (void)state;
    assert_int_equal(s.place, CMS_IS_CLIENT);
}

static void ipv6_members(void **state)
{
    struct cms_status s = parse("Status : Enabled\nNodes:\n"
                                "    2001:db8::1 (me) : Connected Primary\n");

    (void)state;
    assert_string_equal(cms_status_me(&s)->address, "2001:db8::1");
    assert_int_equal(s.place, CMS_IS_PRIMARY);
}

static void unknown_lines_are_counted(void **state)
{
    char text[2048];

    (void)state;
    snprintf(text, sizeof(text), "%sSomething new            : 7\n", healthy);
    struct cms_status s = parse(text);
    assert_int_equal(s.odd_lines, 1);
    assert_int_equal(s.place, CMS_IS_REPLICA);
}

static void control_characters_do_not_come_through(void **state)
{
    struct cms_status s = parse("Status : \x1b[2JEvil\n");

    (void)state;
    assert_null(strchr(s.word_text, 0x1b));
}

/* -- torn and swollen ------------------------------------------------------ */

/* A torn status must never look more advanced than the whole one: a node is
 * not standalone, and nobody is the primary, because the rest is missing. */
static void every_prefix_is_safe(void **state)
{
    static const char *const texts[] = {healthy, error, client};

    (void)state;
    for (size_t t = 0; t < 3; t++)
        for (size_t n = 0; n < strlen(texts[t]); n++) {
            struct cms_status s;
            char copy[2048];
            memcpy(copy, texts[t], n);
            cms_status_parse(copy, n, &s, NULL);
            assert_int_not_equal(s.place, CMS_STANDALONE);
            assert_int_not_equal(s.place, CMS_IS_PRIMARY);
        }
}

/* A channel may end as if all had been said: only the text itself can tell. */
static void a_piece_is_not_the_whole(void **state)
{
    static const char *const texts[] = {healthy, error, client, standalone};

    (void)state;
    for (size_t t = 0; t < 4; t++) {
        size_t len = strlen(texts[t]);
        for (size_t n = 0; n <= len; n++) {
            struct cms_status s;
            cms_status_parse(texts[t], n, &s, NULL);
            /* a shell's answer comes without its last line end */
            assert_int_equal(s.whole, n >= len - 1);
        }
    }
    assert_true(parse("Status : Enabled\nLast command : none").whole);
    assert_true(parse("Status : Enabled\nLast command : none\n").whole);
    assert_false(parse("Status : Enabled\nLast command : no").whole);
}

static void reads(struct facts *facts, size_t len, int rc)
{
    const struct link_result result = {
        .end = LINK_OK, .data = healthy, .len = len};
    struct err err = {0};

    assert_int_equal(cms_reads[0].parse(facts, NULL, &result, &err), rc);
    assert_int_equal(err.cause, rc < 0 ? CAUSE_REMOTE : CAUSE_NONE);
}

/* It is as if it had not been read: what was known before stays. */
static void a_piece_is_no_fact(void **state)
{
    struct facts *facts = cms_facts_new();
    const struct cms_facts *f = (const struct cms_facts *)facts;

    (void)state;
    reads(facts, strlen(healthy), 0);
    reads(facts, strlen(healthy) / 2, -1);
    assert_int_equal(f->status.place, CMS_IS_REPLICA);
    assert_string_equal(f->status.files[CMS_CA_CRT], "vngtpRootca.cer");
    cms_facts_free(facts);
}

static void carriage_returns_do_not_matter(void **state)
{
    char text[2048];
    size_t n = 0;

    (void)state;
    for (const char *p = healthy; *p; p++) {
        if (*p == '\n')
            text[n++] = '\r';
        text[n++] = *p;
    }
    struct cms_status s;
    cms_status_parse(text, n, &s, NULL);
    assert_int_equal(s.place, CMS_IS_REPLICA);
    assert_string_equal(s.files[CMS_CA_CRT], "vngtpRootca.cer");
    assert_int_equal(s.odd_lines, 0);
}

static void endless_members_are_bounded(void **state)
{
    struct str text;

    (void)state;
    str_init(&text, 1 << 20);
    str_add(&text, "Status : Enabled\nNodes:\n");
    for (int i = 0; i < 5000; i++)
        str_addf(&text, "    10.0.%d.%d : Connected Replica\n", i / 250,
                 i % 250);
    struct cms_status s;
    cms_status_parse(str_text(&text), text.len, &s, NULL);
    assert_int_equal(s.n_members, CMS_MEMBERS);
    assert_int_equal(s.odd_lines, 5000 - CMS_MEMBERS);
    str_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_replica),
        cmocka_unit_test(error_state),
        cmocka_unit_test(out_of_a_cluster),
        cmocka_unit_test(connected_only_in_the_old_words),
        cmocka_unit_test(odd_words_stand_still),
        cmocka_unit_test(an_odd_word_after_a_remove_is_standalone),
        cmocka_unit_test(at_work),
        cmocka_unit_test(out_of_sync_in_any_words),
        cmocka_unit_test(down_is_down),
        cmocka_unit_test(two_primaries_are_none),
        cmocka_unit_test(listed_without_me_and_never_connected),
        cmocka_unit_test(cleared_is_where_it_was),
        cmocka_unit_test(ipv6_members),
        cmocka_unit_test(unknown_lines_are_counted),
        cmocka_unit_test(control_characters_do_not_come_through),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(a_piece_is_not_the_whole),
        cmocka_unit_test(a_piece_is_no_fact),
        cmocka_unit_test(carriage_returns_do_not_matter),
        cmocka_unit_test(endless_members_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
