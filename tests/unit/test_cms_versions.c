/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of versions: each version has just what the facts say, and the
 * tables of services and of the playbook have no version of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/str.h"
#include "playbooks/cms/services.h"
#include "playbooks/cms/versions.h"

#define BIT(trait) (1U << (trait))

enum {
    SINCE_207 = BIT(CMS_DB_NEEDS_SET) | BIT(CMS_HAS_SIGN),
    COMMON = BIT(CMS_ALWAYS) | SINCE_207,
    OLD = COMMON | BIT(CMS_HAS_WEBBRIDGE) | BIT(CMS_HAS_XMPP) |
          BIT(CMS_PLAIN_FORMS),
    THREE = COMMON | BIT(CMS_SIP_FORMS) | BIT(CMS_HAS_WEBBRIDGE3) |
            BIT(CMS_FULL_CHAINS),
    THREE_3 = THREE | BIT(CMS_HAS_SCHEDULER),
    THREE_4 = THREE_3 | BIT(CMS_PEERS_BY_NAME),
    THREE_5 = THREE_4 | BIT(CMS_HAS_MEETINGAPPS) | BIT(CMS_DB_BY_NAME),
};

static uint32_t traits_of(unsigned version)
{
    uint32_t bits = 0;

    for (int t = 0; t < CMS_TRAITS; t++)
        if (cms_version_has(version, (enum cms_trait)t))
            bits |= BIT(t);
    return bits;
}

static void every_version(void **state)
{
    static const struct {
        const char *text;
        unsigned number;
        uint32_t traits;
    } rows[] = {
        {"2.9", 209, OLD},          {"3.0", 300, THREE},
        {"3.1", 301, THREE},        {"3.2", 302, THREE},
        {"3.3", 303, THREE_3},      {"3.4", 304, THREE_4},
        {"3.5", 305, THREE_5},      {"3.6", 306, THREE_5},
        {"3.7", 307, THREE_5},      {"3.8", 308, THREE_5},
        {"3.9.1", 309, THREE_5},    {"3.10", 310, THREE_5},
        {"3.11.2.3", 311, THREE_5}, {"3.12", 312, THREE_5},
    };

    (void)state;
    assert_int_equal(cms_n_versions, sizeof(rows) / sizeof(*rows));
    for (size_t i = 0; i < cms_n_versions; i++) {
        assert_int_equal(cms_versions[i], rows[i].number);
        assert_int_equal(cms_version_number(rows[i].text), rows[i].number);
        assert_int_equal(traits_of(rows[i].number), rows[i].traits);
    }
}

static void other_versions(void **state)
{
    (void)state;
    assert_int_equal(cms_version_number(""), 0);
    assert_int_equal(cms_version_number("x3"), 0);
    assert_int_equal(cms_version_number("-3.1"), 0);
    assert_int_equal(cms_version_number("3"), 300);
    assert_int_equal(cms_version_number("3."), 300);
    assert_int_equal(cms_version_number("99999999999999999999.1"), 0);
    assert_int_equal(cms_version_number("3.99999999999999999999"), 0);
    assert_int_equal(traits_of(0), THREE_5); /* unknown: as the newest */
    assert_int_equal(traits_of(400), THREE_5);
    assert_int_equal(traits_of(206), OLD & ~SINCE_207);
}

static void rows_are_whole(void **state)
{
    (void)state;
    for (int t = 0; t < CMS_TRAITS; t++) {
        const struct cms_trait_row *row = &cms_traits[t];
        assert_non_null(row->what);
        assert_non_null(row->source);
        assert_true(strchr("RIM", row->trust) && row->trust);
        assert_true(!row->until || row->since < row->until);
    }
    for (size_t i = 1; i < cms_n_versions; i++)
        assert_true(cms_versions[i - 1] < cms_versions[i]);
}

static bool has_service(unsigned version, enum cms_service service)
{
    return cms_version_has(version, cms_services[service].trait);
}

static void services_by_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < cms_n_versions; i++) {
        unsigned v = cms_versions[i];

        assert_true(has_service(v, SVC_CALLBRIDGE));
        assert_true(has_service(v, SVC_RECORDER));
        assert_true(has_service(v, SVC_STREAMER));
        assert_int_equal(has_service(v, SVC_WEBBRIDGE), v < 300);
        assert_int_equal(has_service(v, SVC_XMPP), v < 300);
        assert_int_equal(has_service(v, SVC_WEBBRIDGE3), v >= 300);
        assert_int_equal(has_service(v, SVC_SCHEDULER), v >= 303);
        assert_int_equal(has_service(v, SVC_MEETINGAPPS), v >= 305);
        /* one of the two forms, always */
        assert_int_equal(cms_version_has(v, CMS_SIP_FORMS),
                         !cms_version_has(v, CMS_PLAIN_FORMS));
    }
}

/* -- docs/cms.md has it, row by row ---------------------------------------- */

static void read_page(struct str *page)
{
    const char *end = strstr(__FILE__, "/tests/unit/");
    char path[4096], part[4096];
    size_t n;
    FILE *f;

    assert_non_null(end);
    snprintf(path, sizeof(path), "%.*s/docs/cms.md", (int)(end - __FILE__),
             __FILE__);
    f = fopen(path, "re");
    assert_non_null(f);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        str_addn(page, part, n);
    fclose(f);
}

static void the_page_is_current(void **state)
{
    static const unsigned columns[][2] = {
        {209, 209}, {300, 302}, {303, 303}, {304, 304}, {305, 312}};
    struct str page, row;

    (void)state;
    str_init(&page, 1 << 20);
    str_init(&row, 1024);
    read_page(&page);
    for (int t = 0; t < CMS_TRAITS; t++) {
        str_reset(&row);
        str_addf(&row, "\n| %s |", cms_traits[t].what);
        for (size_t c = 0; c < 5; c++) {
            bool has = cms_version_has(columns[c][0], (enum cms_trait)t);
            for (unsigned v = columns[c][0]; v <= columns[c][1]; v++)
                assert_int_equal(cms_version_has(v, (enum cms_trait)t), has);
            str_addf(&row, " %s |", has ? "yes" : "no");
        }
        str_addf(&row, " %c |\n", cms_traits[t].trust);
        if (!strstr(str_text(&page), str_text(&row)))
            fail_msg("docs/cms.md has no row %s", str_text(&row));
    }
    str_release(&row);
    str_release(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version),
        cmocka_unit_test(other_versions),
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(services_by_version),
        cmocka_unit_test(the_page_is_current),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
