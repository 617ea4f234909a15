/* SPDX-License-Identifier: Apache-2.0
 *
 * `check' and `prune' look at services, too: what their printouts name and
 * their ports show, and which of our files none of them names any more.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"
#include "tests/scenario/services.h"
#include "tests/scenario/theirs.h"

#define ROTATE                                                                 \
    "apply cms/service-rotate lab --yes --accept trust-store service=webadmin"

static struct bed *start(void **state)
{
    static const char *const args[] = {"--services",
                                       "webadmin,callbridge,webbridge3", NULL};
    struct bed *bed = bed_start(state, "2+0", args);

    services_issuer(bed);
    return bed;
}

static const json_t *listed(struct bed_run *run, const char *node,
                            const char *service)
{
    const json_t *event;
    size_t i;

    json_array_foreach(run->events, i, event)
    {
        if (strcmp(bed_text(event, "event"), "certificate") == 0 &&
            strcmp(bed_text(event, "node"), node) == 0 &&
            strcmp(bed_text(event, "service"), service) == 0)
            return event;
    }
    fail_msg("%s %s is not listed", node, service);
    return NULL;
}

static bool found(const json_t *certificate, const char *words)
{
    char *text = json_dumps(json_object_get(certificate, "findings"), 0);
    bool there = strstr(text, words) != NULL;

    free(text);
    return there;
}

/* -- check ----------------------------------------------------------------- */

static void test_listed(void **state)
{
    static const struct {
        const char *service, *file;
    } rows[] = {
        {"webadmin", "webadmin.cer"},
        {"callbridge", "callbridge.cer"},
        {"webbridge3 https", "web-chain.cer"},
        {"webbridge3 c2w", "c2w-chain.cer"},
        {"database server", "dbclusterserver.cer"},
    };
    struct bed *bed = start(state);
    struct bed_run *run = bed_do(bed, "check lab");

    bed_ends(run, 3, "due"); /* the lab's end in ten days */
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const json_t *c = listed(run, "core2", rows[i].service);
        json_int_t days = json_integer_value(json_object_get(c, "days_left"));

        assert_string_equal(bed_text(c, "file"), rows[i].file);
        assert_true(days == 9 || days == 10);
        assert_false(found(c, "shows another"));
        assert_false(found(c, "D8"));
    }
    /* it reads only */
    assert_int_equal(bed_count(bed, "*", "webadmin ?*"), 0);
}

/* Signed as public CAs do; named, and not started anew. */
static void test_public(void **state)
{
    struct bed *bed = start(state);
    struct bed_run *run;

    their_script(bed, "public",
                 "openssl req -x509 -newkey rsa:2048 -nodes -keyout p.key"
                 " -subj /CN=core1 -days 99 -out p.crt"
                 " -addext certificatePolicies=2.23.140.1.2.1"
                 " -addext extendedKeyUsage=serverAuth,clientAuth\n");
    their_run(bed, "public", NULL);
    bed_lab(bed, "put core1 p.key %s", their_path(bed, "p.key"));
    bed_lab(bed, "put core1 p.crt %s", their_path(bed, "p.crt"));
    bed_lab(bed, "foreign core1 'callbridge certs p.key p.crt'");
    bed_lab(bed, "foreign core1 'webadmin certs p.key p.crt'");
    run = bed_do(bed, "check lab");
    assert_string_equal(bed_text(listed(run, "core1", "callbridge"), "file"),
                        "p.crt");
    assert_true(found(listed(run, "core1", "callbridge"), "D8: "));
    assert_true(found(listed(run, "core1", "callbridge"),
                      "port 5061 shows another one"));
    /* it is shown to nobody but clients */
    assert_false(found(listed(run, "core1", "webadmin"), "D8"));
    assert_false(found(listed(run, "core2", "callbridge"), "D8"));
}

/* -- prune ----------------------------------------------------------------- */

static void take_role(struct bed *bed, const char *node, const char *role)
{
    const char *text = bed_read(bed, "certfleet.ini");
    const char *at = strstr(text, arena_printf(&bed->arena, "[node %s]", node));

    at = strstr(at, role);
    assert_non_null(at);
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%.*s%s", (int)(at - text), text,
                           at + strlen(role)));
}

static void test_pruned(void **state)
{
    struct bed *bed = start(state);
    const char *inventory;

    /* a store that names a file of a set keeps that set */
    for (size_t i = 0; i < 2; i++)
        bed_lab(bed, "foreign core%zu 'callbridge trust cluster none'", i + 1);
    bed_ends(bed_do(bed, ROTATE), 0, "done");
    bed_ends(bed_do(bed, ROTATE), 0, "done");
    bed_inventory(bed, "fleet", "keep_days = 0");
    inventory = bed_read(bed, "certfleet.ini");
    /* whose printout is not read may name them */
    take_role(bed, "core2", "webadmin ");
    bed_ends(bed_do(bed, "prune lab --yes"), 0, "ok");
    assert_int_equal(bed_files(bed, "core1", "webadmin*-g1-*"), 3);
    assert_int_equal(bed_files(bed, "core2", "webadmin*-g1-*"), 3);
    bed_write(bed, "certfleet.ini", inventory);
    bed_ends(bed_do(bed, "prune lab --yes"), 0, "ok");
    for (size_t i = 0; i < 2; i++) {
        const char *node = i ? "core2" : "core1";

        assert_int_equal(bed_files(bed, node, "webadmin*-g1-*"), 0);
        assert_int_equal(bed_files(bed, node, "webadmin*-g2-*"), 3);
        assert_int_equal(bed_files(bed, node, "webadmin.cer"), 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_listed, bed_stop),
        cmocka_unit_test_teardown(test_public, bed_stop),
        cmocka_unit_test_teardown(test_pruned, bed_stop),
    };

    return crew_tests(tests);
}
