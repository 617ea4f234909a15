/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows, columns, and what does not go together.
 */
#include "tests/fault/axes.h"

#include <stdio.h>
#include <stdlib.h>

#include "playbooks/cms/cms.h"
#include "tests/fault/aim.h"

enum {
    LATE = 4500,        /* ms: longer than command_timeout (play.c) */
    LATER = 7500,       /* ms: longer than timeout_leave and its like */
    SHORT_BOOT = 600,   /* ms */
    LONG_BOOT = 3600000 /* ms: it stays down */
};

/* clang-format off */
const struct column columns[] = {
    { "drop before",    "drop-before",    AT_LINE,       false, { 0, 0 } },
    { "drop asked",     "drop-asked",     AT_QUESTION,   false, { 0, 0 } },
    { "drop during",    "drop-during",    AT_LINE,       false, { 0, 0 } },
    { "drop half",      "drop-half",      AT_LINE,       false, { 0, 0 } },
    { "drop after",     "drop-after",     AT_LINE,       false, { 0, 0 } },
    { "no reply",       "no-reply",       AT_LINE,       false, { 0, 0 } },
    { "no answer",      "no-answer",      AT_LINE,       false, { 0, 0 } },
    { "torn",           "torn",           AT_LINE,       false, { 0, 0 } },
    { "garbled",        "garble",         AT_LINE,       false, { 0, 0 } },
    { "prompt inside",  "prompt-inside",  AT_LINE,       false, { 0, 0 } },
    { "fail",           "fail",           AT_LINE,       false, { 0, 0 } },
    { "fail behind",    "fail-async",     AT_BACKGROUND, false, { 0, 0 } },
    { "slow",           "slow",           AT_LINE,       false, { LATE, LATE } },
    { "slow behind",    "slow-async",     AT_BACKGROUND, false, { LATER, LATER } },
    { "reboot before",  "reboot-before",  AT_LINE,       true,  { SHORT_BOOT, LONG_BOOT } },
    { "reboot during",  "reboot-during",  AT_LINE,       true,  { SHORT_BOOT, LONG_BOOT } },
    { "disk full",      "disk-full",      AT_WRITE,      false, { 0, 0 } },
    { "short write",    "short-write",    AT_WRITE,      false, { 0, 0 } },
    { "corrupt write",  "corrupt",        AT_WRITE,      false, { 0, 0 } },
    { "file refused",   "sftp-fail",      AT_FILE,       false, { 0, 0 } },
    { "file drop",      "sftp-drop-before", AT_FILE,     false, { 0, 0 } },
    { "file silent",    "sftp-no-reply",  AT_FILE,       false, { 0, 0 } },
    { "channel refused", "channel-refused", AT_CHANNEL,  false, { 0, 0 } },
    { "login lost",     "auth-lost",      AT_LOGIN,      true,  { 0, 0 } },
    { "host key",       "other-host-key", AT_LOGIN,      true,  { 0, 0 } },
};
/* clang-format on */
const size_t n_columns = sizeof(columns) / sizeof(*columns);

struct row rows[MAX_ROWS];
size_t n_rows;

/* One node of each kind in a lab of 3+2; core3 and edge2 are spared. */
static const struct {
    uint32_t roles;
    const char *node;
} kinds[] = {
    {CMS_DATABASE | CMS_PRIMARY, "core1"},
    {CMS_DATABASE | CMS_REPLICA, "core2"},
    {CMS_CONNECT, "edge1"},
};

static void add_row(const struct step *step, const char *node)
{
    char *name = NULL;

    if (n_rows == MAX_ROWS ||
        asprintf(&name, "%s %s", step->id, node ? node : "here") < 0)
        abort();
    rows[n_rows++] = (struct row){step, node, name};
}

void axes_init(void)
{
    for (size_t i = 0; i < cms_db_rotate.n_steps; i++) {
        const struct step *step = &cms_db_rotate.steps[i];

        if (step->order == STEP_ONCE)
            add_row(step, NULL);
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
            if (step->order != STEP_ONCE && (step->roles & kinds[k].roles))
                add_row(step, kinds[k].node);
    }
}

uint32_t axes_roles(const char *node)
{
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
        if (kinds[k].node == node)
            return kinds[k].roles;
    abort();
}

const struct row *cell_row(const struct cell *cell)
{
    return &rows[cell->row];
}

const struct column *cell_column(const struct cell *cell)
{
    return &columns[cell->column];
}

const char *way_name(enum way way)
{
    static const char *const names[] = {"forward", "back", "taken"};

    return names[way];
}

const char *span_name(enum span span)
{
    return span == SPAN_ONCE ? "once" : "good";
}

void cell_name(const struct cell *cell, char *text, size_t size)
{
    snprintf(text, size, "%s/%s/%s/%s", way_name(cell->way),
             cell_row(cell)->name, cell_column(cell)->name,
             span_name(cell->span));
}

static bool puts_files(const struct step *step)
{
    return act_of_kind(step, ACT_PUT) != NULL;
}

const char *cell_unfit(const struct cell *cell)
{
    const struct step *step = cell_row(cell)->step;
    bool asks = act_of_kind(step, ACT_CONFIRM) != NULL;

    if (!cell_row(cell)->node)
        return "made on this machine: no node is asked";
    if (cell->way != WAY_FORWARD && (step->flags & STEP_STAGE))
        return "no part of a way back: the old set lies there already";
    switch (cell_column(cell)->reach) {
    case AT_QUESTION:
        return asks ? NULL : "its command asks nothing";
    case AT_BACKGROUND:
        return asks ? NULL : "its command has ended when it answers";
    case AT_WRITE:
        return puts_files(step) ? NULL : "it puts no file";
    case AT_FILE:
        return puts_files(step) || act_of_kind(step, ACT_FETCH) || !step->acts
                   ? NULL
                   : "its own work moves no file";
    case AT_LINE:
    case AT_CHANNEL:
    case AT_LOGIN:
        break;
    }
    return NULL;
}
