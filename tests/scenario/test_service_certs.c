/* SPDX-License-Identifier: Apache-2.0
 *
 * What cms/service-rotate makes: each node has certificates of its own, with
 * its names and no other node's.
 */
#include <glob.h>
#include <string.h>

#include "core/pki/pki.h"
#include "tests/scenario/crew.h"
#include "tests/scenario/services.h"

#define BOTH                                                                   \
    "apply cms/service-rotate lab --yes --accept trust-store "                 \
    "service=webadmin,callbridge"

/* "callbridge-*.crt" of a node, as this machine keeps it. */
static struct pki_cert_info kept(struct bed *bed, const char *node,
                                 const char *pattern)
{
    struct pki_cert_info info;
    glob_t found;
    const char *text;

    assert_int_equal(
        glob(arena_printf(&bed->arena, "%s/state/clusters/lab/*/%s/%s",
                          bed->dir, node, pattern),
             0, NULL, &found),
        0);
    assert_int_equal(found.gl_pathc, 1);
    text = bed_read(bed, found.gl_pathv[0] + strlen(bed->dir) + 1);
    assert_int_equal(pki_describe(text, strlen(text), &info, NULL), 0);
    globfree(&found);
    return info;
}

static const char *address_of(struct bed *bed, const char *node)
{
    const char *text = bed_read(bed, "certfleet.ini");
    const char *at = strstr(text, arena_printf(&bed->arena, "[node %s]", node));

    assert_non_null(at);
    at = strstr(at, "address = ") + strlen("address = ");
    return arena_strndup(&bed->arena, at, strcspn(at, "\n"));
}

static void names(struct bed *bed, const char *node, const char *cn,
                  const char *all_names)
{
    static const char *const patterns[] = {"callbridge-*.crt",
                                           "webadmin-*.crt"};
    const char *address = address_of(bed, node);

    for (size_t i = 0; i < 2; i++) {
        struct pki_cert_info info = kept(bed, node, patterns[i]);

        assert_string_equal(info.common_name, cn ? cn : address);
        assert_string_equal(info.names, arena_printf(&bed->arena, "%sIP:%s",
                                                     all_names, address));
    }
}

/* What CUCM, peers and browsers ask a node for is in its certificate, and no
 * other node's name; nobody has another's key. */
static void test_each_its_own(void **state)
{
    struct bed *bed = services_bed(state, "webadmin,callbridge");
    const char *keys[3];

    bed_inventory(bed, "node core1",
                  "names = cms1.example.com join.example.com");
    bed_inventory(bed, "node core2",
                  "names = cms2.example.com join.example.com");
    bed_ends(bed_do(bed, BOTH), 0, "done");
    names(bed, "core1", "cms1.example.com",
          "DNS:cms1.example.com, DNS:join.example.com, ");
    names(bed, "core2", "cms2.example.com",
          "DNS:cms2.example.com, DNS:join.example.com, ");
    names(bed, "core3", NULL, "");
    for (size_t i = 0; i < 3; i++) {
        keys[i] = arena_strdup(
            &bed->arena,
            kept(bed, services_nodes[i], "callbridge-*.crt").spki_sha256);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(keys[i], keys[k]);
    }
    /* and `show' tells of each node's */
    {
        struct bed_run *run = bed_do(bed, "show last");

        for (size_t i = 0; i < 3; i++)
            assert_true(bed_said(
                run, kept(bed, services_nodes[i], "callbridge-*.crt").sha256));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_each_its_own, bed_stop),
    };

    return crew_tests(tests);
}
