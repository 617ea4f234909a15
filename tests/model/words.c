/* SPDX-License-Identifier: Apache-2.0
 *
 * Events in readable words.
 */
#include <stdio.h>

#include "tests/model/harness.h"

/* clang-format off */
static const char *const words[KINDS] = {
    [DO_READ]    = "is read",
    [DO_LATE]    = "is read, past its deadline",
    [DO_SPOIL]   = "is read; the file that is put does not arrive",
    [DO_WAITED]  = "another try begins",
    [DO_INTENT]  = "intent is durable, the act goes out",
    [DO_ARRIVE]  = "the command arrives and is answered",
    [DO_LOSE]    = "the connection breaks",
    [DO_REFUSE]  = "answers FAILURE",
    [DO_LOOK]    = "all nodes are read again",
    [DO_LOOK_LATE] = "all nodes are read for the last time",
    [ONCE_READ]  = "the new set is made",
    [NODE_ENDS]  = "its background command ends",
    [NODE_FAILS] = "its background command fails",
    [NODE_DOWN]  = "goes down",
    [NODE_UP]    = "comes up",
    [NODE_LEADS] = "is elected",
    [NODE_MOVES] = "leads from now on (moved)",
    [NODE_SYNCS] = "is in sync",
    [NODE_WRITES] = "takes a row that no other has yet",
    [STRAY_ACTS] = "the lost command arrives after all",
    [STRAY_GONE] = "the lost command never arrives",
    [SOMEBODY]   = "somebody else types a command",
    [CRASH]      = "the controller is killed",
    [RESUME]     = "a person types resume",
    [ROLLBACK]   = "a person types rollback",
    [ACCEPT]     = "a person types resume --accept foreign",
    [CLEARS]     = "a person types clear_error on it",
    [NAMES]      = "a person types resume primary=(this) --accept data-loss",
};
/* clang-format on */

static const char *step_id(const struct cell *cell)
{
    return cell ? cell->step->id : "";
}

void model_describe(event_t event, const struct shot *from,
                    const struct shot *to, char *text, size_t room)
{
    enum kind kind = (enum kind)(event / 8);
    size_t i = event % 8;
    const char *name, *row, *command = "";

    harness_put(from);
    name = (kind >= CRASH && kind < CLEARS) || kind == DO_LOOK ||
                   kind == DO_LOOK_LATE || kind == ONCE_READ
               ? "-"
               : h.pc->nodes[i].node->name;
    row = kind < DO_LOOK ? step_id(harness_cell(i)) : "";
    if (h.flight[i] && kind < DO_LOOK)
        command = view_code_text(i, h.flight[i]);
    else if (kind == DO_INTENT)
        command = to->node[i].flight ? view_code_text(i, to->node[i].flight)
                                     : "(nothing)";
    snprintf(text, room, "%-6s %-8s %s%s%s%s", name, row, words[kind],
             *command ? ": " : "", command,
             to->life == LIFE_ENDED && from->life != LIFE_ENDED ? ". It ends"
                                                                : "");
}
