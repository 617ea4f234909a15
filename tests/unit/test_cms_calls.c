/* SPDX-License-Identifier: Apache-2.0
 *
 * How many calls a node carries, out of what its REST interface says: the real
 * answer of facts/cms.md 7, and everything that is not one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "playbooks/cms/calls.h"

static const char real[] =
    "<?xml version=\"1.0\"?>\n<status><softwareVersion>2.0(RC)"
    "</softwareVersion><uptimeSeconds>333717</uptimeSeconds>"
    "<cdrTime>2016-07-26T14:08:19Z</cdrTime><activated>true</activated>"
    "<clusterEnabled>true</clusterEnabled><callLegsActive>12</callLegsActive>"
    "<callLegsMaxActive>30</callLegsMaxActive></status>\n";
#define ONE "<callLegsActive>1</callLegsActive>"

static bool takes(const char *text, size_t len, unsigned *legs)
{
    char *copy = malloc(len + 1); /* what is read behind it is seen */
    struct err err = {0};
    bool good;

    assert_non_null(copy);
    memcpy(copy, text, len);
    *legs = 4711;
    good = cms_calls_parse(copy, len, legs, &err) == 0;
    assert_int_equal(good, err.text[0] == '\0');
    assert_true(good || *legs == 4711);
    free(copy);
    return good;
}

static void says(const char *text, unsigned wanted)
{
    unsigned legs;

    assert_true(takes(text, strlen(text), &legs));
    assert_int_equal(legs, wanted);
}

static void real_ones(void **state)
{
    (void)state;
    says(real, 12);
    says("<status>" ONE "</status>", 1);
    says(" \r\n<status a='>' b=\">\">\n<x/>" ONE "\n<y c='1'/></status> ", 1);
    says("<status><callLegsActive>0000000</callLegsActive></status>", 0);
    says("<status><callLegsActive>9999999</callLegsActive></status>", 9999999);
    says("<status><a><b><c>text</c></b></a>" ONE "</status>", 1);
}

static void others(void **state)
{
    static const char *const texts[] = {
        "",
        "0",
        "<html><body>404</body></html>",
        "<status></status>",
        "<status/>",
        "<status><callLegsActive/></status>",
        "<status><callLegsActive></callLegsActive></status>",
        "<status><callLegsActive>-1</callLegsActive></status>",
        "<status><callLegsActive> 0</callLegsActive></status>",
        "<status><callLegsActive>0x0</callLegsActive></status>",
        "<status><callLegsActive>0<b/></callLegsActive></status>x",
        "<status><callLegsActive>10000000</callLegsActive></status>",
        "<status><callLegsActive>4294967296</callLegsActive></status>",
        "<status>" ONE ONE "</status>",
        "<status>" ONE "</status><status></status>",
        "<status>" ONE "</status>text",
        "text<status>" ONE "</status>",
        "<status>" ONE,
        "<status>" ONE "</status",
        "<status>" ONE "</x></status>",
        "<status></x>" ONE "</status>",
        "</status>" ONE "<status>",
        "<other>" ONE "</other>",
        "<status><x>" ONE "</x></status>",
        ONE,
        "<status><!-- " ONE " --></status>",
        "<status><!-- x -->" ONE "</status>",
        "<status><![CDATA[" ONE "]]></status>",
        "<!DOCTYPE s [<!ENTITY z \"0\">]><status>" ONE "</status>",
        "<status><a>&z;</a>" ONE "</status>",
        "<status><callLegsActive>&z;</callLegsActive></status>",
        "<status a='<'>" ONE "</status>",
        "<status a='>" ONE "</status>",
        "<status><?pi?>" ONE "</status>",
        "<status>< x/>" ONE "</status>",
        "<status><>" ONE "</></status>",
        "<status><calllegsactive>0</calllegsactive></status>",
        "<status><a><a><a><a><a><a><a><a>" ONE "</a></a></a></a></a></a></a>"
        "</a></status>",
    };
    unsigned legs;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (takes(texts[i], strlen(texts[i]), &legs))
            fail_msg("taken as %u: %s", legs, texts[i]);
    assert_false(takes("<status>\0" ONE "</status>",
                       sizeof("<status>\0" ONE "</status>") - 1, &legs));
}

/* Cut anywhere, one byte changed anywhere: never another number. */
static void torn_ones(void **state)
{
    size_t len = strlen(real);
    unsigned legs;

    (void)state;
    for (size_t i = 0; i + 2 < len; i++)
        assert_false(takes(real, i, &legs));
    for (size_t i = 0; i < len; i++) {
        char *text = strdup(real);
        assert_non_null(text);
        text[i] = '<';
        assert_true(real[i] == '<' || !takes(text, len, &legs));
        text[i] = '\0';
        assert_false(takes(text, len, &legs) && legs != 12);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_ones),
        cmocka_unit_test(others),
        cmocka_unit_test(torn_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
