/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting the cluster together fails once, in every way: tried again, and the
 * rotation ends well.
 */
#include "tests/scenario/matrix.h"

#define INIT "database cluster initialize"
#define CONNECT "database cluster connect*"
#define JOIN "database cluster join*"
#define STATUS "database cluster status"

/* clang-format off */
static const struct mishap rows[] = {
    { "core1", "fail",          INIT, "" },
    { "core1", "fail-async",    INIT, "" },
    { "core1", "drop-before",   INIT, "" },
    { "core1", "drop-asked",    INIT, "" },
    { "core1", "drop-during",   INIT, "" },
    { "core1", "drop-after",    INIT, "" },
    { "core1", "no-reply",      INIT, "" },
    { "core1", "no-answer",     INIT, "" },
    { "core1", "slow-async",    INIT, "ms=3500" },
    { "core1", "reboot-before", INIT, "ms=600" },
    { "core1", "reboot-during", INIT, "ms=600" },
    { "edge1", "fail",          CONNECT, "" },
    { "edge1", "fail-async",    CONNECT, "" },
    { "edge1", "drop-before",   CONNECT, "" },
    { "edge1", "drop-asked",    CONNECT, "" },
    { "edge1", "drop-during",   CONNECT, "" },
    { "edge1", "drop-after",    CONNECT, "" },
    { "edge1", "no-answer",     CONNECT, "" },
    { "edge1", "reboot-during", CONNECT, "ms=600" },
    { "core2", "fail",          JOIN, "" },
    { "core2", "fail-async",    JOIN, "" },
    { "core2", "drop-before",   JOIN, "" },
    { "core2", "drop-asked",    JOIN, "" },
    { "core2", "drop-during",   JOIN, "" },
    { "core2", "drop-after",    JOIN, "" },
    { "core2", "no-reply",      JOIN, "" },
    { "core2", "no-answer",     JOIN, "" },
    { "core2", "slow-async",    JOIN, "ms=3500" },
    { "core2", "reboot-before", JOIN, "ms=600" },
    { "core2", "reboot-during", JOIN, "ms=600" },
    /* the primary is away while the others want to come to it */
    { "core1", "reboot-during", STATUS, "nth=11 ms=600" },
    { "core1", "drop-half",     STATUS, "nth=12" },
    { "core1", "no-answer",     STATUS, "nth=13" },
    { "core2", "garble",        STATUS, "nth=8" },
    { "core2", "prompt-inside", STATUS, "nth=8" },
    { "core2", "torn",          STATUS, "nth=8" },
    { "core1", "torn",          STATUS, "nth=12" },
};
/* clang-format on */

int main(void)
{
    return matrix_run(rows, sizeof(rows) / sizeof(*rows), "2+1");
}
