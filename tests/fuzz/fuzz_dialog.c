/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a shell shows: nothing is typed but the command, one answer to one
 * question that was expected, the lines of one text, in order, and empty lines
 * at the login; memory stays bounded; and where packets end makes no
 * difference.
 *
 * First byte: bytes in a packet.  Second: `y` when a question is expected, `p`
 * when there is a text to paste.
 * Then what is shown before each time that nothing comes, parted by `%%`.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/registry.h"
#include "tests/fuzz/fuzz.h"
#include "transport/dialog.h"

#define COMMAND "database cluster remove"

enum {
    CAP = 2000,
    SHOWN_MAX = 30000 /* below what a login may show */
};

struct play {
    struct dialog d;
    size_t packet; /* 0: all at once */
    unsigned answers, commands, enters;
    bool confirm;
    const char *paste, *left; /* NULL: none; what was not typed yet */
};

#define TEXT "-----BEGIN\nMII\n-----END\n"

/* What is to be typed now, as one of the few things that may be. */
static void take_typed(struct play *p)
{
    size_t len;
    const char *text = dialog_output(&p->d, &len);

    while (len > 0) {
        size_t n = 1;

        if (len > strlen(COMMAND) &&
            memcmp(text, COMMAND "\r", strlen(COMMAND) + 1) == 0) {
            n = strlen(COMMAND) + 1;
            p->commands--;
        } else if (text[0] == 'Y') {
            must(len > 1 && text[1] == '\r');
            n = 2;
            must(p->confirm && dialog_was_confirmed(&p->d));
            must(++p->answers == 1);
        } else if (p->left && (*p->left ? text[0] != '\r' : p->enters == 0)) {
            n = strcspn(p->left, "\n");
            must(len > n && memcmp(text, p->left, n) == 0 && text[n] == '\r');
            p->left = *p->left ? p->left + n + 1 : NULL;
            n++;
        } else {
            must(text[0] == '\r');
            must(++p->enters <= DIALOG_SYNC_MAX);
        }
        dialog_sent(&p->d, n);
        text = dialog_output(&p->d, &len);
    }
    must(p->commands == 0);
}

static void check(struct play *p)
{
    size_t len;
    const char *answer = dialog_answer(&p->d, &len);

    take_typed(p);
    must(len <= CAP + 4096 && answer[len] == '\0');
    for (size_t i = 0; i < len; i++)
        must((unsigned char)answer[i] >= 0x20 || answer[i] == '\n' ||
             answer[i] == '\t');
    if (dialog_state(&p->d) == DIALOG_FAILED)
        must(strlen(dialog_failure_text(&p->d)) > 10);
}

static void show(struct play *p, struct input part)
{
    while (part.left > 0) {
        struct input packet =
            input_take(&part, p->packet ? p->packet : part.left);

        dialog_feed(&p->d, packet.p, packet.left);
        check(p);
    }
    if (dialog_quiet_ms(&p->d) > 0)
        dialog_quiet(&p->d);
    check(p);
}

/* The command follows as soon as the prompt is there. */
static void go_on(struct play *p)
{
    if (dialog_state(&p->d) != DIALOG_READY)
        return;
    p->answers = p->enters = 0;
    p->left = p->paste;
    p->commands++;
    dialog_offer(&p->d, NULL, p->paste);
    dialog_command(&p->d, COMMAND, p->confirm);
    check(p);
}

static void must_be_same(const struct play *a, const struct play *b)
{
    size_t m, n;
    const char *x = dialog_answer(&a->d, &m);
    const char *y = dialog_answer(&b->d, &n);

    must(dialog_state(&a->d) == dialog_state(&b->d));
    if (dialog_state(&a->d) == DIALOG_FAILED) {
        must(dialog_failure(&a->d) == dialog_failure(&b->d));
        return; /* what came after it counts for nothing */
    }
    must(m == n && memcmp(x, y, n) == 0);
}

static struct dialog_rules *rules(void)
{
    static struct dialog_rules *made;

    struct link_dialect dialect = *registry_product("cms")->dialect;

    dialect.paste = "paste the certificate";
    if (!made)
        made = dialog_rules_new(&dialect, NULL);
    must(made);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct play whole = {.packet = 0}, cut = {.packet = 1};
    uint8_t expected;
    /* A backspace takes back words that were seen already; and what is typed of
     * a text goes by when its lines were shown. */
    bool differs;

    cut.packet += input_byte(&in) % 64;
    expected = input_byte(&in);
    cut.confirm = whole.confirm = expected == 'y';
    cut.paste = whole.paste = expected == 'p' ? TEXT : NULL;
    if (in.left > SHOWN_MAX)
        return 0;
    differs = cut.paste || (in.left && memchr(in.p, '\b', in.left));
    dialog_init(&whole.d, rules(), CAP);
    dialog_init(&cut.d, rules(), CAP);
    while (in.left > 0) {
        struct input part = input_part(&in);

        show(&whole, part);
        show(&cut, part);
        if (!differs)
            must_be_same(&whole, &cut);
        go_on(&whole);
        go_on(&cut);
    }
    dialog_release(&whole.d);
    dialog_release(&cut.d);
    return 0;
}
