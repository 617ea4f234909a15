/* SPDX-License-Identifier: Apache-2.0
 *
 * A fleet of three products in one inventory: read by one `check', renewed by
 * one `fleet/renew'.  Each product has a lab of its own; CVP's keystores want
 * Java's keytool, and are left out where there is none.
 */
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/cvp.h"
#include "tests/scenario/guest.h"

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

static struct bed *start(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);
    void *guest;

    for (size_t i = cvp_has_keytool() ? PORTAL : VOICE; i < GUESTS; i++) {
        others[i] = bed_start(&guest, guests[i].shape, guests[i].args);
        guest_join(bed, guests[i].name, others[i]);
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
