/* SPDX-License-Identifier: Apache-2.0
 *
 * Which shell has answered: by the end of what it said, in any case, with
 * whatever blanks behind it and whatever banner before it; or none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/login_shell.h"

static const struct link_shell shells[] = {
    {"%COMSPEC%", "p '", "'"},
    {"\\cmd.exe", "c \"", "\""},
    {NULL, NULL, NULL},
};

/* clang-format off */
static const struct {
    const char *answer;
    int shell; /* -1: none */
} rows[] = {
    { "%COMSPEC%\r\n", 0 },
    { "%COMSPEC%", 0 },
    { "%comspec%\n", 0 },
    { "C:\\Windows\\system32\\cmd.exe\r\n", 1 },
    { "C:\\WINDOWS\\SYSTEM32\\CMD.EXE \t\r\n\r\n", 1 },
    { "Authorised use only\r\nC:\\Windows\\system32\\cmd.exe\r\n", 1 },
    { "Authorised use only\r\n%COMSPEC%\r\n", 0 },
    { "", -1 },
    { "\r\n", -1 },
    { "$COMSPEC\n", -1 },
    { "%COMSPEC\n", -1 },
    { "C:\\Windows\\system32\\cmd.exe\r\nAuthorised use only\r\n", -1 },
    { "C:\\Program Files\\PowerShell\\7\\pwsh.exe\r\n", -1 },
    { "cmd.exe", -1 },
};
/* clang-format on */

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct link_shell *found =
            login_shell_find(shells, rows[i].answer, strlen(rows[i].answer));

        if (found != (rows[i].shell < 0 ? NULL : &shells[rows[i].shell]))
            fail_msg("row %zu: %s", i, rows[i].answer);
    }
}

/* Where it is cut it is nobody's; memory that ends there is not read over. */
static void test_cut(void **state)
{
    static const char whole[] = "C:\\Windows\\system32\\cmd.exe";

    (void)state;
    for (size_t n = 0; n < strlen(whole); n++) {
        char *piece = malloc(n + 1);

        memcpy(piece, whole, n);
        assert_null(login_shell_find(shells, piece, n));
        free(piece);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
