/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of times.
 */
#include "tests/lab/times.h"

#include <stdio.h>

/* clang-format off */
static const struct {
    const char *setting;
    unsigned field_ms;
} times[] = {
    { "certs_ms", 300 },
    { "localnode_ms", 300 },
    { "remove_ms", 17500 },     /* 5 to 30 s */
    { "initialize_ms", 35000 }, /* 10 to 60 s */
    { "join_ms", 20000 },       /* and more, by the size of the database */
    { "connect_ms", 10000 },    /* 5 to 15 s */
    /* these two are our guess: a command that only prints, a backup */
    { "command_ms", 200 },
    { "snapshot_ms", 5000 },
};
/* clang-format on */

size_t times_settings(unsigned by, const char *settings[TIMES_MAX])
{
    static char texts[TIMES_MAX][40];
    const size_t n = sizeof(times) / sizeof(times[0]);

    for (size_t i = 0; i < n; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%s=%u", times[i].setting,
                 times[i].field_ms / (by ? by : 1));
        settings[i] = texts[i];
    }
    return n;
}
