/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as JSON: whatever a text holds, it is told, and as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/run/event.h"

static void test_hostile_texts_are_told(void **state)
{
    static const char *const texts[][2] = {
        {"the node says: no", "the node says: no"},
        {"\x1b[31m\x7f\xc2\x9b", "\\x1b[31m\\x7f\\xc2\\x9b"},
        {"FAILURE: \xe2\x82", "FAILURE: \\xe2\\x82"}, /* cut */
        {"two\nlines", "two\nlines"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const struct event event = {
            .event = "warning", .detail = texts[i][0], .took_ms = -1};
        json_t *json = event_json(&event);
        char *line = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);

        assert_string_equal(json_string_value(json_object_get(json, "detail")),
                            texts[i][1]);
        for (const char *p = line; *p; p++)
            assert_true(*p >= 0x20 && *p < 0x7f);
        assert_null(json_object_get(json, "node"));
        assert_null(json_object_get(json, "took_ms"));
        free(line);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_texts_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
