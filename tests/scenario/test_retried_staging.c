/* SPDX-License-Identifier: Apache-2.0
 *
 * Each row before the first remove fails once, in every way: tried again, and
 * the rotation ends well.
 */
#include "tests/scenario/matrix.h"

#define SNAPSHOT "backup snapshot*"

/* clang-format off */
static const struct mishap rows[] = {
    /* gates */
    { "core2", "drop-before",      "database cluster status", "" },
    { "core2", "drop-half",        "database cluster status", "" },
    { "core2", "garble",           "version",                 "" },
    { "core1", "torn",             "database cluster status", "" },
    { "core2", "torn",             "database cluster status", "" },
    { "core2", "channel-refused",  "session",                 "" },
    { "core2", "channel-refused",  "exec *",                  "" },
    { "core2", "sftp-drop-before", "list *",                  "" },
    { "core2", "slow-login",       "*",                       "ms=1500" },
    { "core2", "refuse",           "*",                       "" },
    /* backup */
    { "core2", "fail",             SNAPSHOT, "" },
    { "core2", "drop-before",      SNAPSHOT, "" },
    { "core2", "drop-during",      SNAPSHOT, "" },
    { "core2", "drop-half",        SNAPSHOT, "" },
    { "core2", "drop-after",       SNAPSHOT, "" },
    { "core2", "no-reply",         SNAPSHOT, "" },
    { "core2", "no-answer",        SNAPSHOT, "" },
    { "core2", "channel-refused",  "exec *", "nth=6" },
    { "core2", "sftp-fail",        "open *.bak", "" },
    { "core2", "sftp-drop-before", "read *.bak", "" },
    { "core2", "sftp-drop-after",  "read *.json", "" },
    { "edge1", "reboot-during",    SNAPSHOT, "ms=600" },
    /* push */
    { "core2", "channel-refused",  "sftp", "" },
    { "core2", "sftp-fail",        "open dbserver*", "" },
    { "core2", "sftp-fail",        "write dbclient*", "" },
    { "core2", "sftp-drop-before", "write dbserver*", "" },
    { "core2", "sftp-drop-after",  "write dbserver*", "" },
    { "core2", "sftp-drop-after",  "open dbca*", "" },
    { "core2", "sftp-drop-before", "close dbserver*", "" },
    { "core2", "sftp-no-reply",    "write dbserver*", "" },
    { "core2", "short-write",      "write dbserver*", "" },
    { "core2", "corrupt",          "write dbclient*.key", "" },
    { "core2", "disk-full",        "write dbclient*.key", "" },
    { "core1", "fail",             "pki match*",  "" },
    { "core1", "drop-during",      "pki verify*", "" },
    { "edge1", "reboot-before",    "pki match*",  "ms=600" },
};
/* clang-format on */

int main(void)
{
    return matrix_run(rows, sizeof(rows) / sizeof(*rows), "2+1");
}
