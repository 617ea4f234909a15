/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundles put together out of files of others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/pki_make.h"

static struct made root, leaf;

static int setup(void **state)
{
    const struct recipe r = CA_RECIPE("Root"), l = SERVER_RECIPE("a", "DNS:a");

    (void)state;
    root = make_cert(&r, NULL);
    leaf = make_cert(&l, &root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&root);
    made_free(&leaf);
    return 0;
}

static bool is_ca(const struct pki_cert_info *info, const void *user)
{
    return info->is_ca == *(const bool *)user;
}

/* In the order in which they came, whatever stands around them. */
static void each_once(void **state)
{
    char *twice = join(leaf.pem, "\r\n# a remark\r\n", root.pem);
    char *want = join(leaf.pem, root.pem, NULL);
    struct str out;
    struct err err = {0};

    (void)state;
    str_init(&out, 1 << 16);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            pki_bundle_add(&out, twice, strlen(twice), NULL, NULL, &err), 0);
    assert_string_equal(str_text(&out), want);
    str_release(&out);
    free(twice);
    free(want);
}

static void only_those_that_are_wanted(void **state)
{
    char *both = join(leaf.pem, root.pem, NULL);
    struct err err = {0};
    struct str out;

    (void)state;
    str_init(&out, 1 << 16);
    assert_int_equal(
        pki_bundle_add(&out, both, strlen(both), is_ca, &(bool){true}, &err),
        0);
    assert_string_equal(str_text(&out), root.pem);
    str_reset(&out);
    assert_int_equal(
        pki_bundle_add(&out, both, strlen(both), is_ca, &(bool){false}, &err),
        0);
    assert_string_equal(str_text(&out), leaf.pem);
    str_release(&out);
    free(both);
}

static void what_does_not_fit_is_an_error(void **state)
{
    struct err err = {0};
    struct str out;

    (void)state;
    str_init(&out, 100);
    assert_int_equal(
        pki_bundle_add(&out, root.pem, strlen(root.pem), NULL, NULL, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    str_release(&out);
    str_init(&out, 1 << 16);
    assert_int_equal(pki_bundle_add(&out, "nothing", 7, NULL, NULL, &err), -1);
    assert_int_equal(pki_bundle_add(&out, root.pem, 200, NULL, NULL, &err), -1);
    assert_int_equal(out.len, 0);
    str_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_once),
        cmocka_unit_test(only_those_that_are_wanted),
        cmocka_unit_test(what_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
