/* SPDX-License-Identifier: Apache-2.0
 *
 * Holds what a command printed until it has ended, and lets it out in pages.
 */
#include "tests/lab/pager.h"

#include <string.h>

static const char words[] =
    "Press <enter> for 1 line, <space> for one page, or <q> to quit";

void pager_init(struct pager *pager, unsigned lines, pager_put_f *put,
                void *user)
{
    pager->lines = lines;
    pager->put = put;
    pager->user = user;
    str_init(&pager->held, 1 << 22);
}

void pager_release(struct pager *pager)
{
    str_release(&pager->held);
}

void pager_write(struct pager *pager, const char *text, size_t len)
{
    if (pager->lines)
        str_addn(&pager->held, text, len);
    else
        pager->put(pager->user, text, len);
}

static void let_out(struct pager *pager, size_t len)
{
    pager->put(pager->user, str_text(&pager->held), len);
    str_shift(&pager->held, len);
}

void pager_flush(struct pager *pager)
{
    if (pager->held.len > 0)
        let_out(pager, pager->held.len);
}

static bool show(struct pager *pager, unsigned lines)
{
    const char *text = str_text(&pager->held), *p = text, *nl;

    while (lines > 0 && (nl = strchr(p, '\n'))) {
        p = nl + 1;
        lines--;
    }
    if (!*p || lines > 0) {
        pager_flush(pager);
        return true;
    }
    let_out(pager, (size_t)(p - text));
    pager->put(pager->user, words, sizeof(words) - 1);
    return false;
}

bool pager_end(struct pager *pager)
{
    return show(pager, pager->lines);
}

bool pager_key(struct pager *pager, char key)
{
    pager->put(pager->user, "\n", 1);
    if (key == 'q')
        str_reset(&pager->held);
    return show(pager, key == ' ' ? pager->lines : 1);
}
