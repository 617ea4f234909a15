/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a node prints for `database cluster status`: what is kept of it can
 * be shown, the node's place follows from its lines, and line ends of either
 * kind say the same.
 */
#include <string.h>

#include "core/base/str.h"
#include "playbooks/cms/status.h"
#include "tests/fuzz/fuzz.h"

static void show(const char *text, size_t room)
{
    must(memchr(text, '\0', room));
    must_be_visible(text, strlen(text), false);
}

static void check_texts(const struct cms_status *s)
{
    show(s->word_text, sizeof(s->word_text));
    show(s->error, sizeof(s->error));
    show(s->in_use, sizeof(s->in_use));
    show(s->interface, sizeof(s->interface));
    show(s->last, sizeof(s->last));
    for (size_t i = 0; i < CMS_SLOTS; i++)
        show(s->files[i], sizeof(s->files[i]));
    for (size_t i = 0; i < s->n_members; i++)
        show(s->members[i].address, sizeof(s->members[i].address));
}

static void check_place(const struct cms_status *s)
{
    const struct cms_member *me = cms_status_me(s);
    const struct cms_member *primary = cms_status_primary(s);

    must(!primary || (primary->primary && primary->connected));
    must(strlen(cms_place_word(s->place)) > 3);
    if (s->place == CMS_IS_PRIMARY)
        must(me && me->connected && me->primary && !me->replica);
    if (s->place == CMS_IS_REPLICA)
        must(me && me->connected && me->replica && !me->primary);
    if (s->place == CMS_IS_DOWN)
        must(me && !me->connected);
    if (s->place == CMS_STANDALONE)
        must(s->n_members == 0);
    if (s->word == CMS_ODD || s->word == CMS_BUSY)
        must(s->place == CMS_NOWHERE || s->place == CMS_STANDALONE);
    for (size_t i = 0; i < s->n_members; i++)
        must(!s->members[i].in_sync || s->members[i].replica);
}

static bool same_member(const struct cms_member *a, const struct cms_member *b)
{
    return strcmp(a->address, b->address) == 0 && a->me == b->me &&
           a->connected == b->connected && a->primary == b->primary &&
           a->replica == b->replica && a->in_sync == b->in_sync;
}

static void must_be_same(const struct cms_status *a, const struct cms_status *b)
{
    must(a->word == b->word && strcmp(a->word_text, b->word_text) == 0);
    must(a->place == b->place && a->n_members == b->n_members);
    must(strcmp(a->error, b->error) == 0 && strcmp(a->in_use, b->in_use) == 0);
    must(strcmp(a->interface, b->interface) == 0);
    must(strcmp(a->last, b->last) == 0 && a->last_result == b->last_result);
    must(a->odd_lines == b->odd_lines);
    for (size_t i = 0; i < CMS_SLOTS; i++)
        must(strcmp(a->files[i], b->files[i]) == 0 &&
             a->flagged[i] == b->flagged[i]);
    for (size_t i = 0; i < a->n_members; i++)
        must(same_member(&a->members[i], &b->members[i]));
}

static void check_line_ends(const struct cms_status *s, struct input in)
{
    struct cms_status again;
    struct str text;

    str_init(&text, 2 * in.left + 1);
    for (size_t i = 0; i < in.left; i++) {
        if (in.p[i] == '\n')
            str_addc(&text, '\r');
        str_addc(&text, (char)in.p[i]);
    }
    cms_status_parse(str_text(&text), text.len, &again, NULL);
    must_be_same(s, &again);
    str_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct cms_status s;
    struct err err = {0};
    int rc = cms_status_parse((const char *)data, size, &s, &err);

    must(s.n_members <= CMS_MEMBERS);
    must((rc < 0) == (s.word == CMS_ODD && s.place != CMS_STANDALONE));
    must((rc < 0) == (err.text[0] != '\0'));
    must_be_visible(err.text, strlen(err.text), false);
    check_texts(&s);
    check_place(&s);
    check_line_ends(&s, in);
    return 0;
}
