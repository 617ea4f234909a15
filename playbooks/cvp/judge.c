/* SPDX-License-Identifier: Apache-2.0
 *
 * keytool's answers (facts/uc.md 6, measured).  Its exit code is no use: a
 * trust question that nobody answered is `Certificate was not added' and 0, and
 * a reply for an alias that is not there is `added', as a trusted certificate,
 * and 0.  What is not said plainly is seen in the list, by the row's goal.
 */
#include <string.h>

#include "playbooks/cvp/cvp.h"

/* clang-format off */
/* An earlier try of the same row did it. */
static const struct {
    const char *option, *words;
} done_before[] = {
    { " -delete ", "> does not exist" },
    { " -alias root-", "Certificate not imported, alias <root-" },
    { "_certificate -file ", "Certificate reply and certificate in keystore are identical" },
};
/* clang-format on */

static bool holds(const char *text, size_t len, const char *word)
{
    return len && memmem(text, len, word, strlen(word)) != NULL;
}

static bool was_done_before(const char *command, const char *output, size_t len)
{
    for (size_t i = 0; i < sizeof(done_before) / sizeof(*done_before); i++)
        if (strstr(command, done_before[i].option) &&
            holds(output, len, done_before[i].words))
            return true;
    return false;
}

/* A reply makes a key's chain; a root is added. */
static enum reply judge_import(const char *command, const char *output,
                               size_t len, struct err *err)
{
    bool root = strstr(command, " -alias root-") != NULL;
    const char *want = root ? "Certificate was added to keystore"
                            : "Certificate reply was installed in keystore";

    if (holds(output, len, want))
        return REPLY_OK;
    if (!root && holds(output, len, "was added to keystore"))
        err_set(err, CAUSE_REMOTE,
                "the node took the certificate as somebody else's: the alias "
                "has no key in the copy");
    else
        err_set(err, CAUSE_REMOTE, "the node does not say `%s'", want);
    return REPLY_FAILED;
}

enum reply cvp_judge(const char *command, const char *output, size_t len,
                     struct err *err)
{
    if (!strstr(command, "\\keytool.exe "))
        return REPLY_OK; /* Windows' own words are translated: seen by goals */
    if (was_done_before(command, output, len))
        return REPLY_OK;
    if (win_keytool_complains(output, len, err) < 0)
        return REPLY_FAILED;
    return strstr(command, " -import ")
               ? judge_import(command, output, len, err)
               : REPLY_OK;
}
