/* SPDX-License-Identifier: Apache-2.0
 *
 * A fleet of three products in one inventory: read by one `check', renewed by
 * one `fleet/renew'.  Each product has a lab of its own; CVP's keystores want
 * Java's keytool, and are left out where there is none.
 */
#include <stdio.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/cvp.h"

/* A lab whose cluster joins the first one's inventory under this name. */
static const struct guest {
    const char *name, *shape;
    const char *const *args;
} guests[] = {
    {"portal", "1+0", (const char *const[]){"--servers", "cvp-oamp", NULL}},
    {"voice", "ucm:1+1",
     (const char *const[]){"--set", "service_ms=5", "--set", "ucm_days=10",
                           "--set", "ucm_phones_ms=200", NULL}},
};
enum {
    GUESTS = sizeof(guests) / sizeof(*guests)
};

enum {
    PORTAL,
    VOICE
};

static struct bed *others[GUESTS]; /* NULL: it is not there */

/* -- one inventory -------------------------------------------------------- */

static const char *with(struct bed *bed, const char *text, const char *old,
                        const char *new)
{
    struct str out;
    const char *at, *copy;

    str_init(&out, 1 << 20);
    for (; (at = strstr(text, old)); text = at + strlen(old)) {
        str_addn(&out, text, (size_t)(at - text));
        str_add(&out, new);
    }
    str_add(&out, text);
    copy = arena_strdup(&bed->arena, str_text(&out));
    str_release(&out);
    return copy;
}

/* Its sections from the issuer on, with names and paths of its own. */
static const char *sections_of(struct bed *bed, const struct guest *guest,
                               struct bed *other)
{
    static const char *const pairs[][2] = {
        {"[issuer ", "[issuer %s-"},
        {"issuer = ", "issuer = %s-"},
        {"[cluster lab]\n", "[cluster %s]\nuser = admin\n"},
        {"cluster = lab\n", "cluster = %s\n"},
    };
    const char *const paths[] = {"file:password", "file:keystore.pass",
                                 "id_ed25519", "ucm-ca.crt"};
    const char *text = strstr(bed_read(other, "certfleet.ini"), "[issuer ");

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        text = with(bed, text, pairs[i][0],
                    with(bed, pairs[i][1], "%s", guest->name));
    text = with(bed, text, "user = admin\nproduct",
                "user = admin\nidentity = id_ed25519\n"
                "password = file:password\nproduct");
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        const char *name = paths[i] + (paths[i][4] == ':' ? 5 : 0);

        text =
            with(bed, text, paths[i],
                 arena_printf(&bed->arena, "%.*s%s/%s", (int)(name - paths[i]),
                              paths[i], other->dir, name));
    }
    return text;
}

static void join(struct bed *bed, const struct guest *guest, struct bed *other)
{
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%s\n%s",
                           bed_read(bed, "certfleet.ini"),
                           sections_of(bed, guest, other)));
    bed_write(bed, "known_hosts",
              arena_printf(&bed->arena, "%s%s", bed_read(bed, "known_hosts"),
                           bed_read(other, "known_hosts")));
}

static struct bed *start(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);
    void *guest;

    for (size_t i = cvp_has_keytool() ? PORTAL : VOICE; i < GUESTS; i++) {
        others[i] = bed_start(&guest, guests[i].shape, guests[i].args);
        join(bed, &guests[i], others[i]);
    }
    return bed;
}

static int stop(void **state)
{
    int rc = bed_stop(state);

    for (size_t i = 0; i < GUESTS; i++) {
        void *guest = others[i];

        others[i] = NULL;
        rc |= bed_stop(&guest);
    }
    return rc;
}

/* -- the fleet ------------------------------------------------------------ */

static void cucm_is(struct bed *voice, const char *state)
{
    static const char *const nodes[] = {"ucm1", "ucm2", "imp1"};

    for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
        assert_string_equal(
            bed_text(
                json_object_get(bed_lab(voice, "node %s", nodes[i]), "ucm"),
                "tomcat"),
            state);
    bed_is_safe(voice);
}

static void test_one_fleet(void **state)
{
    struct bed *bed = start(state);
    struct bed_run *run = bed_do(bed, "check");

    bed_ends(run, 3, "due");
    assert_int_equal(bed_events(run, "certificate", "core1", NULL), 3);
    assert_int_equal(bed_events(run, "certificate", "ucm1", NULL), 2);
    if (others[PORTAL])
        assert_int_equal(bed_events(run, "certificate", "oamp1", NULL), 2);
    run = bed_do(bed, "apply fleet/renew * due=30 --yes");
    bed_ends(run, 3, "due"); /* CallManager and what drops chats is nobody's */
    assert_string_equal(bed_text(bed_cluster(run, "lab"), "outcome"), "done");
    assert_string_equal(bed_text(bed_cluster(run, "voice"), "outcome"), "done");
    assert_true(bed_events(run, "alarm", NULL, NULL) > 0);
    bed_is_new(bed, "lab", "core1");
    cucm_is(others[VOICE], "new");
    if (others[PORTAL])
        cvp_shows(others[PORTAL], "oamp1", "WebServicesManager", "new");
    /* and nothing of it is due again */
    bed_do(bed, "apply fleet/renew * due=30 --yes");
    assert_int_equal(bed_count(bed, "*", "database cluster initialize"), 1);
    assert_int_equal(
        bed_count(others[VOICE], "*", "utils service restart Cisco Tomcat"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_one_fleet, stop),
    };

    return crew_tests(tests);
}
