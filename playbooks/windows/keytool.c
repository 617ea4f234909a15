/* SPDX-License-Identifier: Apache-2.0
 *
 * keytool's refusals, in English, as every command of ours asks for
 * (facts/uc.md 6, measured).
 */
#include <string.h>

#include "core/base/str.h"
#include "playbooks/windows/windows.h"

static const char *const refusals[] = {
    "keytool error:",
    "was not added to keystore",
    "was not installed in keystore",
    "keystore password was incorrect",
    "Too many failures",
};

static int refused(const char *at, size_t len, struct err *err)
{
    struct str line;
    const char *nl = memchr(at, '\n', len);

    str_init(&line, 400);
    str_add_visible(&line, at, nl ? (size_t)(nl - at) : len, false);
    err_set(err, CAUSE_REMOTE, "the node says: %s", str_text(&line));
    str_release(&line);
    return -1;
}

int win_keytool_complains(const char *output, size_t len, struct err *err)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(char *); i++) {
        const char *at =
            len ? memmem(output, len, refusals[i], strlen(refusals[i])) : NULL;

        if (at)
            return refused(at, (size_t)(output + len - at), err);
    }
    return 0;
}
