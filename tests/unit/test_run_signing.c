/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, notes and words of what is asked of a CA's node.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/run/signing_priv.h"
#include "tests/unit/remove_tree.h"

static char folder[] = "/tmp/certfleet-test-XXXXXX";
static char request_path[sizeof(folder) + 16], note_path[sizeof(folder) + 24];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(request_path, sizeof(request_path), "%s/a.csr", folder);
    snprintf(note_path, sizeof(note_path), "%s.id", request_path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return remove_tree(folder);
}

static const struct issuer ca = {.config = "CA1\\IssuingCA"};

static bool noted(const struct issuer *issuer, char id[SIGNER_ID_BYTES])
{
    const struct issue_wish wish = {.request_path = request_path};

    return signing_noted(issuer, &wish, id);
}

static void note_text(const char *text)
{
    struct err err = {0};

    assert_int_equal(
        file_write(note_path, text, strlen(text), 0600, false, &err), 0);
}

static void test_note(void **state)
{
    const struct issuer other = {.config = "CA2\\IssuingCA"};
    const struct issue_wish wish = {.request_path = request_path};
    char id[SIGNER_ID_BYTES] = "";
    struct err err = {0};

    (void)state;
    assert_false(noted(&ca, id));
    assert_int_equal(signing_note(&ca, &wish, "1207", &err), 0);
    assert_true(noted(&ca, id));
    assert_string_equal(id, "1207");
    /* an id means nothing to another CA */
    assert_false(noted(&other, id));
    assert_int_equal(unlink(note_path), 0);
    assert_false(noted(&ca, id));
}

static void test_odd_notes(void **state)
{
    static const char *const odd[] = {
        "",
        "8",
        "8 ",
        "8 CA1\\IssuingCA",
        "8 CA1\\IssuingCA2\n",
        " CA1\\IssuingCA\n",
        "-8 CA1\\IssuingCA\n",
        "8x CA1\\IssuingCA\n",
        "8\n CA1\\IssuingCA\n",
        "123456789012345678901 CA1\\IssuingCA\n",
    };
    char id[SIGNER_ID_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        note_text(odd[i]);
        if (noted(&ca, id))
            fail_msg("%s", odd[i]);
    }
}

/* Each request has files of its own; no others are made than those that the
 * product names. */
static void test_names(void **state)
{
    const struct signer signer = {
        .endings = {[SIGNER_REQUEST] = ".csr", [SIGNER_SAID] = ".txt"}};
    struct signing_names a, b;

    (void)state;
    signing_name(&signer, "one", &a);
    signing_name(&signer, "two", &b);
    assert_int_equal(strlen(a.base), strlen("cf-0123456789abcdef"));
    assert_string_not_equal(a.base, b.base);
    assert_int_equal(strncmp(a.file[SIGNER_REQUEST], a.base, strlen(a.base)),
                     0);
    assert_string_equal(a.file[SIGNER_REQUEST] + strlen(a.base), ".csr");
    assert_string_equal(a.file[SIGNER_SAID] + strlen(a.base), ".txt");
    assert_string_equal(a.file[SIGNER_ANSWER], "");
    signing_name(&signer, "one", &b);
    assert_string_equal(a.base, b.base);
}

/* clang-format off */
#define BYTES(text) text, sizeof(text) - 1
static const struct {
    const char *said;
    size_t len;
    const char *want;
} words[] = {
    { BYTES(""), "nothing" },
    { BYTES(" \r\n\t\n"), "nothing" },
    { BYTES("one"), "one" },
    { BYTES("one\r\ntwo\r\n\r\n  three \r\n\r\n"), "two   three " },
    { BYTES("\xff\xfe" "a\0b\0\r\0\n\0c\0"), "ab c" },
    { BYTES("\x97v\x1b[2J"), "\\x97v\\x1b[2J" },
};
/* clang-format on */

static void test_words(void **state)
{
    char endless[5000];
    struct str out;

    (void)state;
    str_init(&out, 4000);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        str_reset(&out);
        signing_say_words(words[i].said, words[i].len, &out);
        assert_string_equal(str_text(&out), words[i].want);
    }
    memset(endless, 'x', sizeof(endless));
    str_reset(&out);
    signing_say_words(endless, sizeof(endless), &out);
    assert_true(out.len > 0 && out.len <= 300);
    str_release(&out);
}

static void test_templates(void **state)
{
    struct issuer issuer = {.template_client = "C"};

    (void)state;
    assert_null(signer_template(&issuer, PKI_SERVER));
    assert_null(signer_template(&issuer, PKI_ANY));
    assert_string_equal(signer_template(&issuer, PKI_CLIENT), "C");
    issuer.template = "T";
    assert_string_equal(signer_template(&issuer, PKI_SERVER), "T");
    assert_string_equal(signer_template(&issuer, PKI_ANY), "T");
    issuer.template_server = "S";
    assert_string_equal(signer_template(&issuer, PKI_SERVER), "S");
    assert_string_equal(signer_template(&issuer, PKI_ANY), "T");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_note),      cmocka_unit_test(test_odd_notes),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_words),
        cmocka_unit_test(test_templates),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
