/* SPDX-License-Identifier: Apache-2.0
 *
 * Edit distance with swaps; knows nothing but words.
 */
#include "core/fleet/suggest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    WORD_MAX = 63
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Row i of the table of distances from the two rows before it. */
static void next_row(const char *a, size_t i, const char *b,
                     size_t rows[3][WORD_MAX + 1])
{
    size_t *now = rows[i % 3], *last = rows[(i + 2) % 3];
    const size_t *before = rows[(i + 1) % 3];

    now[0] = i;
    for (size_t j = 1; b[j - 1]; j++) {
        now[j] = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
        now[j] = least(now[j], least(last[j], now[j - 1]) + 1);
        if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
            same(a[i - 2], b[j - 1]))
            now[j] = least(now[j], before[j - 2] + 1);
    }
}

size_t suggest_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1] = {{0}};
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return (size_t)-1;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++)
        next_row(a, i, b, rows);
    return rows[a_len % 3][b_len];
}

void suggest_start(struct suggest *suggest, const char *word)
{
    memset(suggest, 0, sizeof(*suggest));
    suggest->word = word;
}

/* A beginning counts as near: people type "em" for "emea". */
static size_t distance_to(const char *word, const char *name)
{
    size_t len = strlen(word), far = least((len + 2) / 3, 4);
    size_t d = suggest_distance(word, name);

    if (len >= 2 && strncasecmp(word, name, len) == 0)
        return least(d, far);
    return d <= far ? d : (size_t)-1;
}

void suggest_offer(struct suggest *suggest, const char *name)
{
    size_t d = distance_to(suggest->word, name), at = suggest->n;

    if (d == (size_t)-1)
        return;
    while (at > 0 && suggest->distance[at - 1] > d)
        at--;
    if (at == SUGGEST_NAMES)
        return;
    if (suggest->n < SUGGEST_NAMES)
        suggest->n++;
    for (size_t i = suggest->n - 1; i > at; i--) {
        suggest->best[i] = suggest->best[i - 1];
        suggest->distance[i] = suggest->distance[i - 1];
    }
    suggest->best[at] = name;
    suggest->distance[at] = d;
}

/* Beside a near miss a far one only distracts. */
static size_t worth_telling(const struct suggest *suggest)
{
    size_t n = 0;

    while (n < suggest->n && suggest->distance[n] <= suggest->distance[0] + 1)
        n++;
    return n;
}

void suggest_add(const struct suggest *suggest, struct str *out)
{
    size_t n = worth_telling(suggest);

    for (size_t i = 0; i < n; i++)
        str_addf(out, "%s`%s'",
                 i == 0      ? "; did you mean "
                 : i + 1 < n ? ", "
                             : " or ",
                 suggest->best[i]);
    if (n)
        str_addc(out, '?');
}

int suggest_fail(const struct suggest *suggest, const char *what,
                 struct err *err)
{
    struct str hint;

    str_init(&hint, 512);
    suggest_add(suggest, &hint);
    err_set(err, CAUSE_INPUT, "%s `%s'%s", what, suggest->word,
            str_text(&hint));
    str_release(&hint);
    return -1;
}
