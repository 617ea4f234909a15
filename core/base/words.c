/* SPDX-License-Identifier: Apache-2.0
 *
 * A line into words, one character at a time; knows no program.
 */
#include "core/base/words.h"

#include <string.h>

static const char blanks[] = " \t";

/* One word to `out`; *at is moved behind it. */
static int take_word(const char **at, char *out, struct err *err)
{
    const char *p = *at;
    char quote = '\0';

    for (; *p && (quote || !strchr(blanks, *p)); p++) {
        if (*p == '\\' && quote != '\'') {
            if (!*++p)
                return err_set(err, CAUSE_INPUT,
                               "a backslash with nothing behind it");
            *out++ = *p;
        } else if (quote ? *p == quote : *p == '\'' || *p == '"') {
            quote = quote ? '\0' : *p;
        } else {
            *out++ = *p;
        }
    }
    if (quote)
        return err_set(err, CAUSE_INPUT, "a %c that is not closed", quote);
    *out = '\0';
    *at = p;
    return 0;
}

const char **words_split(struct arena *arena, const char *line, struct err *err)
{
    size_t len = strlen(line), n = 0;
    const char **list = arena_alloc(arena, (len / 2 + 2) * sizeof(*list));
    const char *at = line + strspn(line, blanks);

    while (*at) {
        char *word = arena_alloc(arena, strlen(at) + 1);

        if (take_word(&at, word, err) < 0)
            return NULL;
        list[n++] = word;
        at += strspn(at, blanks);
    }
    if (n == 0) {
        err_set(err, CAUSE_INPUT, "there is no word in it");
        return NULL;
    }
    return list;
}
