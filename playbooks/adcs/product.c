/* SPDX-License-Identifier: Apache-2.0
 *
 * AD CS as tables: dialect, reads, and the commands that may go out.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/adcs/adcs.h"
#include "playbooks/windows/windows.h"

/* clang-format off */
static const struct role_word roles[] = {
    { "ca", ADCS_CA },
    { NULL, 0 },
};

static const struct product_words words = {
    .product = "adcs",
    .roles = roles,
    .signer = &adcs_signer,
};

static const struct link_dialect dialect = {
    .prompt = ">$", /* no command of ours wants a shell */
    .channel_retry_ms = 100,
    .output_cap = 256 * 1024,
    .sftp_depth = 8,
    .exec_before = WIN_BEFORE,
    .exec_after = WIN_AFTER,
};

/* Everything that may ever be sent (invariant I6): requests are given in and
 * asked for, and nothing else.  Nobody is issued, denied or revoked from here,
 * and only files that begin as ours do are written. */
#define CONFIG "-config {}\\{} "
#define FILES "cf-{} cf-{} >cf-{}"
static const struct command_row commands[] = {
    { "echo %COMSPEC%",                                                   COMMAND_READS },
    { "certutil " CONFIG "-ping",                                         COMMAND_READS },
    { "certutil -f " CONFIG "-ca.cert nul",                               COMMAND_READS },
    { "certreq -submit -q -f " CONFIG "-attrib CertificateTemplate:{} cf-{} " FILES, 0 },
    { "certreq -submit -q -f " CONFIG "cf-{} " FILES,                     0 },
    { "certreq -retrieve -q -f " CONFIG "{} " FILES,                      0 },
    { NULL, 0 },
};
/* clang-format on */

/* It has no playbook: nothing goes out as an act. */
static enum reply judge(const char *command, const char *output, size_t len,
                        struct err *err)
{
    (void)command;
    (void)output;
    (void)len;
    (void)err;
    return REPLY_ODD;
}

static int guard(const struct view *view, const struct act *act,
                 const char *text, bool *hold, struct err *err)
{
    (void)view;
    (void)act;
    *hold = false;
    return err_set(err, CAUSE_REFUSED, "I6: a CA is not changed: `%s'", text);
}

const struct product adcs_product = {
    .name = "adcs",
    .title = "Microsoft Active Directory Certificate Services",
    .words = &words,
    .dialect = &dialect,
    .commands = commands,
    .reads = adcs_reads,
    .check_reads = ADCS_READ_STATUS | ADCS_READ_PING | ADCS_READ_CERT,
    .status_read = ADCS_READ_STATUS,
    .ground_reads = ADCS_READ_STATUS,
    .facts_new = adcs_facts_new,
    .facts_free = adcs_facts_free,
    .variable = adcs_variable,
    .judge = judge,
    .guard = guard,
    .health = adcs_health,
    .certificates = adcs_certificates,
};
