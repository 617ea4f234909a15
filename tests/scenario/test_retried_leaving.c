/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking the cluster apart fails once, in every way, on a replica, on a
 * connect-only node and on the primary: tried again, and the rotation ends
 * well.
 */
#include "tests/scenario/matrix.h"

#define REMOVE "database cluster remove"
#define CERTS "database cluster certs*"
#define LOCALNODE "database cluster localnode*"

/* clang-format off */
static const struct mishap rows[] = {
    { "core2", "fail",          REMOVE, "" },
    { "core2", "fail-async",    REMOVE, "" },
    { "core2", "drop-before",   REMOVE, "" },
    { "core2", "drop-asked",    REMOVE, "" },
    { "core2", "drop-during",   REMOVE, "" },
    { "core2", "drop-after",    REMOVE, "" },
    { "core2", "no-reply",      REMOVE, "" },
    { "core2", "no-answer",     REMOVE, "" },
    { "core2", "channel-refused", "shell", "" },
    { "core2", "reboot-before", REMOVE, "ms=600" },
    { "core2", "reboot-during", REMOVE, "ms=600" },
    { "core2", "slow-async",    REMOVE, "ms=3500" },
    { "edge1", "fail",          REMOVE, "" },
    { "edge1", "fail-async",    REMOVE, "" },
    { "edge1", "drop-during",   REMOVE, "" },
    { "edge1", "reboot-during", REMOVE, "ms=600" },
    { "core1", "fail",          REMOVE, "" },
    { "core1", "fail-async",    REMOVE, "" },
    { "core1", "drop-before",   REMOVE, "" },
    { "core1", "drop-asked",    REMOVE, "" },
    { "core1", "drop-during",   REMOVE, "" },
    { "core1", "drop-after",    REMOVE, "" },
    { "core1", "no-answer",     REMOVE, "" },
    { "core1", "reboot-before", REMOVE, "ms=600" },
    { "core1", "reboot-during", REMOVE, "ms=600" },
    { "core2", "fail",          CERTS, "" },
    { "core2", "drop-before",   CERTS, "" },
    { "core2", "drop-during",   CERTS, "" },
    { "core2", "drop-half",     CERTS, "" },
    { "core2", "drop-after",    CERTS, "" },
    { "core2", "no-answer",     CERTS, "" },
    { "core2", "reboot-during", CERTS, "ms=600" },
    { "core1", "fail",          CERTS, "" },
    { "core1", "drop-during",   CERTS, "" },
    { "edge1", "fail",          CERTS, "" },
    { "core1", "fail",          LOCALNODE, "" },
    { "core1", "drop-during",   LOCALNODE, "" },
    { "core2", "drop-before",   LOCALNODE, "" },
};
/* clang-format on */

int main(void)
{
    return matrix_run(rows, sizeof(rows) / sizeof(*rows), "2+1");
}
