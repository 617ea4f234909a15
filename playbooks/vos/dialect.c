/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns and words of the platform's shell.
 */
#include "playbooks/vos/dialect.h"

#include <string.h>

const struct link_dialect vos_dialect = {
    .shell_commands = true,
    .pty_columns = 512,
    .prompt = "(^|\n)admin:[[:space:]]*$",
    .question = "\\(y/n\\)[?:]?|\\(yes[/|]no\\)[?:]?",
    .answer = "y",
    .password_change = "new password",
    .paste = "paste the certificate and hit enter",
    .opening = "set cli pagination off",
    .start_ms = 120000,
    .channel_retry_ms = 1000,
    .output_cap = 4 * 1024 * 1024,
    .sftp_depth = 1,
};

/* The errors of an upload are Cisco's own sentences (facts/uc.md 1.3). */
static const char *const bad[] = {
    "Executed command unsuccessfully",
    "No valid command entered",
    "[FAILED]",
    "is not available in the trust-store",
    "public key do not match",
    "SAN does not match",
    "does not exist",
    "could not be uploaded",
};

enum reply vos_judge_words(const char *output, size_t len, struct err *err)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (memmem(output, len, bad[i], strlen(bad[i]))) {
            err_set(err, CAUSE_REMOTE, "the node says: %s", bad[i]);
            return REPLY_FAILED;
        }
    return REPLY_OK;
}
