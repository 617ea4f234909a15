/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_typed.c - what a command by exec asks for, typed at its
 * prompt: the dialect's table.  It must not know what is asked.
 */
#include <string.h>

#include "transport/link_priv.h"

/* Nothing but blanks may stand behind a prompt: keytool's has two. */
bool typed_is_at(const char *text, size_t len, const char *prompt)
{
    size_t n = strlen(prompt);

    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return len >= n && memcmp(text + len - n, prompt, n) == 0;
}

static void drop(struct lane *lane)
{
    secret_free(lane->typing);
    lane->typing = NULL;
    lane->typing_at = 0;
}

void typed_forget(struct lane *lane)
{
    drop(lane);
    lane->typed_rows = 0;
}

static const struct link_typed *row_at(const struct lane *lane, unsigned *bit)
{
    const struct link_typed *row = lane->link->target->dialect->typed;
    const struct str *out = &lane->current->out;

    for (*bit = 1; row && row->prompt; row++, *bit <<= 1)
        if (typed_is_at(str_text(out), out->len, row->prompt))
            return row;
    return NULL;
}

static int take(struct lane *lane, const struct link_typed *row,
                struct err *err)
{
    const struct secret *secret = lane->link->target->typed_secret;
    const char *text = row->secret ? NULL : row->text;
    size_t len = text ? strlen(text) : secret ? secret->len : 0;

    if (row->secret && !secret)
        return err_set(err, CAUSE_REFUSED,
                       "it asks \"%s\", and no secret is named for this node",
                       row->prompt);
    if (len > TYPED_MAX)
        return err_set(err, CAUSE_REFUSED, "what it asks for is over %d bytes",
                       TYPED_MAX);
    drop(lane);
    lane->typing = secret_new(len + 1);
    memcpy(lane->typing->data, text ? text : (const char *)secret->data, len);
    lane->typing->data[len] = '\n';
    return 0;
}

int typed_answer(struct lane *lane, struct err *err)
{
    unsigned bit;
    const struct link_typed *row = row_at(lane, &bit);

    if (!row || lane->typing)
        return 0;
    if (lane->typed_rows & bit)
        return err_set(err, CAUSE_REFUSED,
                       "it asks \"%s\" again: what was typed is not it",
                       row->prompt);
    lane->typed_rows |= bit;
    if (take(lane, row, err) < 0)
        return -1;
    /* the answer ends the line, in what it prints as on a terminal */
    (void)str_addc(&lane->current->out, '\n');
    return 1;
}

const void *typed_output(const struct lane *lane, size_t *len)
{
    *len = lane->typing ? lane->typing->len - lane->typing_at : 0;
    return lane->typing ? lane->typing->data + lane->typing_at : NULL;
}

void typed_sent(struct lane *lane, size_t n)
{
    lane->typing_at += n;
    if (lane->typing && lane->typing_at >= lane->typing->len)
        drop(lane);
}
