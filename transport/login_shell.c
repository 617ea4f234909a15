/* SPDX-License-Identifier: Apache-2.0
 *
 * Told by the end of its answer: what stands before it may be a banner.
 */
#include "transport/login_shell.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const struct link_shell *login_shell_find(const struct link_shell *shells,
                                          const char *answer, size_t len)
{
    while (len > 0 && isspace((unsigned char)answer[len - 1]))
        len--;
    for (; shells->answer; shells++) {
        size_t n = strlen(shells->answer);

        if (len >= n && strncasecmp(answer + len - n, shells->answer, n) == 0)
            return shells;
    }
    return NULL;
}
