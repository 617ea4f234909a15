/* SPDX-License-Identifier: Apache-2.0
 *
 * Who meets whom, step by step: the playbook's live rows played on a cluster
 * of pieces, each in the database cluster or out of it, with its old set or
 * the new one.  Who is in meets every database node that is in: any of them
 * may be the primary at any time (facts/cms.md 3.1).
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/cms/handshake.h"

/* What a command does to where a node stands. */
enum effect {
    LEAVES,
    SWITCHES, /* to the set that the walk aims at */
    ENTERS
};
// clang-format off
static const struct { const char *command; enum effect effect; } effects[] = {
    { "database cluster remove",     LEAVES   },
    { "database cluster certs",      SWITCHES },
    { "database cluster initialize", ENTERS   },
    { "database cluster connect",    ENTERS   },
    { "database cluster join",       ENTERS   },
};
// clang-format on

struct piece {
    bool in, fresh; /* has the new set */
};

struct board {
    const struct plan_cluster *pc;
    struct piece *pieces;    /* by node */
    struct cms_pair **known; /* [client][server][its new][its new] */
    struct cms_pairs *pairs;
    bool back;
    const char *step;
};

static struct cms_pair **place_of(const struct board *b, size_t client,
                                  size_t server)
{
    size_t at = (client * b->pc->n_nodes + server) * 4;

    return &b->known[at + 2 * (size_t)b->pieces[client].fresh +
                     (size_t)b->pieces[server].fresh];
}

static void meet(struct board *b, size_t client, size_t server)
{
    struct cms_pair **place = place_of(b, client, server);

    if (!*place) {
        *place = &b->pairs->list[b->pairs->n++];
        **place = (struct cms_pair){
            .client = client,
            .server = server,
            .client_new = b->pieces[client].fresh,
            .server_new = b->pieces[server].fresh,
            .step = b->step,
        };
    }
    (*place)->back = (*place)->back || b->back;
}

static void meet_all(struct board *b)
{
    for (size_t c = 0; c < b->pc->n_nodes; c++)
        for (size_t s = 0; s < b->pc->n_nodes; s++)
            if (b->pieces[c].in && b->pieces[s].in &&
                (b->pc->nodes[s].roles & CMS_DATABASE))
                meet(b, c, s);
}

static void act_on(struct board *b, size_t node, const char *command)
{
    struct piece *piece = &b->pieces[node];
    bool goes_out = b->back && b->pc->nodes[node].newcomer;

    for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
        if (strncmp(command, effects[i].command, strlen(effects[i].command)) !=
            0)
            continue;
        if (effects[i].effect == SWITCHES)
            piece->fresh = !b->back;
        else
            piece->in = effects[i].effect == ENTERS && !goes_out;
    }
}

static void play_row(struct board *b, const struct step *row)
{
    b->step = row->id;
    meet_all(b); /* who is in, until the row has acted */
    for (size_t i = 0; i < b->pc->n_nodes; i++) {
        if (!plan_has_cell(b->pc, row, i))
            continue;
        for (const struct act *act = row->acts; act && act->kind; act++)
            act_on(b, i, act->text);
        meet_all(b);
    }
}

static void play(struct board *b, bool back)
{
    const struct playbook *pb = b->pc->plan->playbook;

    b->back = back;
    for (size_t i = 0; i < b->pc->n_nodes; i++)
        b->pieces[i] =
            (struct piece){.in = plan_takes_part(b->pc, i) &&
                                 (back || !b->pc->nodes[i].newcomer),
                           .fresh = back || b->pc->nodes[i].bystander};
    for (size_t row = 0; row < pb->n_steps; row++)
        if (pb->steps[row].flags & STEP_LIVE)
            play_row(b, &pb->steps[row]);
}

void cms_pairs_make(const struct plan_cluster *pc, struct cms_pairs *pairs)
{
    size_t most = pc->n_nodes * pc->n_nodes * 4;
    struct board board = {.pc = pc, .pairs = pairs};

    pairs->n = 0;
    pairs->list = calloc(most + 1, sizeof(*pairs->list));
    board.known = calloc(most + 1, sizeof(*board.known));
    board.pieces = calloc(pc->n_nodes + 1, sizeof(*board.pieces));
    if (!pairs->list || !board.known || !board.pieces)
        abort();
    play(&board, false);
    play(&board, true);
    free(board.pieces);
    free(board.known);
}

void cms_pairs_release(struct cms_pairs *pairs)
{
    free(pairs->list);
    memset(pairs, 0, sizeof(*pairs));
}
