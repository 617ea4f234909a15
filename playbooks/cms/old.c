/* SPDX-License-Identifier: Apache-2.0
 *
 * The old set of a node: is it a way back?  Every file that status names must
 * be there, keys must match, chains must verify on the node's own clock
 * (design.md, "Way back").
 */
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cms/cms.h"

static int missing_file(const struct cms_facts *f, struct err *err)
{
    static const enum cms_slot client[] = {CMS_CLIENT_KEY, CMS_CLIENT_CRT,
                                           CMS_CA_CRT};

    for (size_t i = 0; i < sizeof(client) / sizeof(client[0]); i++)
        if (!f->status.files[client[i]][0])
            return err_set(err, CAUSE_REMOTE, "its status names no %s",
                           cms_slot_word(client[i]));
    for (int i = 0; i < CMS_SLOTS; i++)
        if (f->status.files[i][0] && !f->bytes[i])
            return err_set(err, CAUSE_REMOTE,
                           "%s, which its status names, is not there",
                           f->status.files[i]);
    return 0;
}

static int judge_pair(const struct cms_facts *f, enum cms_slot key,
                      enum cms_slot cert, enum pki_purpose purpose,
                      struct err *err)
{
    const struct secret *k = f->bytes[key], *c = f->bytes[cert];
    const struct secret *ca = f->bytes[CMS_CA_CRT];
    int64_t at = (clock_wall_ms() + f->clock_off_ms) / 1000;

    if (!k || !c)
        return 0; /* a connect-only node has no server pair */
    if (pki_match(k->data, k->len, NULL, c->data, c->len, err) < 0)
        return err_context(err, "%s", f->status.files[key]);
    if (pki_verify(c->data, c->len, ca->data, ca->len, purpose, at, err) < 0)
        return err_context(err, "%s", f->status.files[cert]);
    return 0;
}

void cms_judge_old(struct cms_facts *f)
{
    struct err err = {0};

    f->old_good =
        missing_file(f, &err) == 0 &&
        judge_pair(f, CMS_SERVER_KEY, CMS_SERVER_CRT, PKI_SERVER, &err) == 0 &&
        judge_pair(f, CMS_CLIENT_KEY, CMS_CLIENT_CRT, PKI_CLIENT, &err) == 0;
    snprintf(f->old_why, sizeof(f->old_why), "%.250s",
             f->old_good ? "" : err.text);
}

int64_t cms_old_not_after(const struct cms_facts *f)
{
    int64_t earliest = 0;

    for (int i = 0; i < CMS_SLOTS; i++) {
        int64_t end = f->old[i].info.not_after;
        if (end && (!earliest || end < earliest))
            earliest = end;
    }
    return earliest;
}
