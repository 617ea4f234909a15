/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command by exec asks for: which words are a prompt, wherever the
 * output is cut; each is answered once; what is asked for again was refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/link_priv.h"

static const struct link_typed rows[] = {
    {"Enter keystore password:", true, NULL},
    {"(RETURN if same as keystore password):", false, ""},
    {NULL, false, NULL},
};

struct bed {
    struct link_dialect dialect;
    struct link_target target;
    struct link link;
    struct request request;
    struct lane lane;
};

static void open_bed(struct bed *bed, const char *secret)
{
    memset(bed, 0, sizeof(*bed));
    bed->dialect.typed = rows;
    bed->target.dialect = &bed->dialect;
    bed->target.typed_secret =
        secret ? secret_from(secret, strlen(secret)) : NULL;
    bed->link.target = &bed->target;
    bed->lane.link = &bed->link;
    bed->lane.current = &bed->request;
    str_init(&bed->request.out, 65536);
    typed_forget(&bed->lane);
}

static void close_bed(struct bed *bed)
{
    typed_forget(&bed->lane);
    str_release(&bed->request.out);
    secret_free(bed->target.typed_secret);
}

static int say(struct bed *bed, const char *text, struct err *err)
{
    str_add(&bed->request.out, text);
    return typed_answer(&bed->lane, err);
}

static void is_typed(struct bed *bed, const char *wanted)
{
    size_t len;
    const char *text = typed_output(&bed->lane, &len);

    assert_int_equal(len, strlen(wanted));
    assert_memory_equal(text, wanted, len);
    typed_sent(&bed->lane, len);
    (void)typed_output(&bed->lane, &len);
    assert_int_equal(len, 0);
    assert_null(bed->lane.typing); /* and so wiped */
}

/* As keytool asks, with blanks behind, one byte after the other: the answer
 * goes out at the prompt's last byte, and never before. */
static void test_cut_at_every_byte(void **state)
{
    static const char said[] = "Warning: Enter keystore password\r\n"
                               "Enter keystore password:  ";
    struct bed bed;
    struct err err = {0};
    char one[2] = "";
    size_t at = 0;

    (void)state;
    open_bed(&bed, "a%b(c)^");
    for (size_t i = 0; said[i]; i++) {
        one[0] = said[i];
        if (say(&bed, one, &err) == 1)
            at = i + 1;
    }
    assert_int_equal(at, strlen(said) - 2);
    is_typed(&bed, "a%b(c)^\n");
    /* what was typed is not in what it printed */
    assert_null(strstr(str_text(&bed.request.out), "a%b(c)^"));
    close_bed(&bed);
}

static void test_each_once(void **state)
{
    struct bed bed;
    struct err err = {0};

    (void)state;
    open_bed(&bed, "secret");
    assert_int_equal(say(&bed, "Enter keystore password:  ", &err), 1);
    is_typed(&bed, "secret\n");
    assert_int_equal(say(&bed,
                         "Enter key password for <a>\n\t(RETURN if same "
                         "as keystore password):  ",
                         &err),
                     1);
    is_typed(&bed, "\n");
    assert_int_equal(say(&bed, "done\n", &err), 0);
    assert_int_equal(say(&bed, "Enter keystore password:  ", &err), -1);
    assert_int_equal(err.cause, CAUSE_REFUSED);
    assert_null(strstr(err.text, "secret"));
    /* another command may be told again */
    typed_forget(&bed.lane);
    str_reset(&bed.request.out);
    assert_int_equal(say(&bed, "Enter keystore password:", &err), 1);
    close_bed(&bed);
}

static void test_no_secret(void **state)
{
    struct bed bed;
    struct err err = {0};
    size_t len;

    (void)state;
    open_bed(&bed, NULL);
    assert_int_equal(say(&bed, "Enter keystore password:  ", &err), -1);
    (void)typed_output(&bed.lane, &len);
    assert_int_equal(len, 0);
    bed.dialect.typed = NULL;
    assert_int_equal(say(&bed, "Enter keystore password:  ", &err), 0);
    close_bed(&bed);
}

static void test_too_long(void **state)
{
    char secret[TYPED_MAX + 2];
    struct bed bed;
    struct err err = {0};

    (void)state;
    memset(secret, 'x', TYPED_MAX + 1);
    secret[TYPED_MAX + 1] = '\0';
    open_bed(&bed, secret);
    assert_int_equal(say(&bed, "Enter keystore password:", &err), -1);
    close_bed(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_each_once),
        cmocka_unit_test(test_no_secret),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
