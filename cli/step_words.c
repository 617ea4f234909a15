/* SPDX-License-Identifier: Apache-2.0
 *
 * A playbook's row in words, for lists and pictures.
 */
#include "cli/step_words.h"

const char *step_order_word(enum step_order order)
{
    static const char *const words[] = {
        [STEP_ONCE] = "here",
        [STEP_PARALLEL] = "in parallel",
        [STEP_ONE_BY_ONE] = "one by one",
        [STEP_AS_LEAVE] = "as `leave' says",
        [STEP_AS_JOIN] = "as `join' says",
    };

    return words[order];
}

void step_add_roles(struct str *out, const struct playbook *playbook,
                    uint32_t roles)
{
    const struct role_word *r = playbook->product->words->roles;
    size_t before = out->len;

    for (; r && r->word; r++)
        if (r->bit & roles)
            str_addf(out, "%s%s", out->len > before ? "," : "", r->word);
    if (out->len == before)
        str_add(out, "as read"); /* what status shows, not the inventory */
}

const char *step_kind_word(unsigned flags)
{
    if (flags & STEP_OUTAGE)
        return "OUTAGE";
    if (flags & STEP_ONE_WAY)
        return "ONE_WAY";
    if (flags & STEP_LIVE)
        return "live";
    return flags & STEP_STAGE ? "stage" : "read only";
}
