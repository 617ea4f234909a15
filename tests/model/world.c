/* SPDX-License-Identifier: Apache-2.0
 *
 * The appliance's rules in their smallest form (tests/lab/mmp_db.c and
 * tests/lab/cluster.c are the long one).
 */
#include "tests/model/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct breach breach;

void breach_note(const char *rule, const char *fmt, ...)
{
    va_list ap;

    if (breach.found)
        return;
    breach.found = true;
    snprintf(breach.rule, sizeof(breach.rule), "%s", rule);
    va_start(ap, fmt);
    vsnprintf(breach.text, sizeof(breach.text), fmt, ap);
    va_end(ap);
}

/* -- questions ------------------------------------------------------------ */

static bool is_member(const struct world *w, size_t i, uint8_t group)
{
    return w->node[i].group == group &&
           (w->node[i].role == LEADS || w->node[i].role == FOLLOWS);
}

static size_t leader_of(const struct world *w, uint8_t group)
{
    for (size_t i = 0; group && i < w->n_data; i++)
        if (w->node[i].role == LEADS && w->node[i].group == group)
            return i;
    return SIZE_MAX;
}

bool world_leads(const struct world *w, size_t i)
{
    return w->node[i].up && w->node[i].role == LEADS;
}

static bool has_quorum(const struct world *w, uint8_t group)
{
    size_t n = 0, up = 0;

    for (size_t i = 0; i < w->n_data; i++)
        if (is_member(w, i, group)) {
            n++;
            up += w->node[i].up;
        }
    return 2 * up > n;
}

/* -- data ----------------------------------------------------------------- */

static bool follows_now(const struct world *w, size_t i, size_t leader)
{
    const struct world_node *n = &w->node[i];

    return n->role == FOLLOWS && n->group == w->node[leader].group && n->up &&
           n->in_sync;
}

/* A row is acknowledged: who follows has it, too, all others are old now. */
static void acknowledge(struct world *w, size_t leader)
{
    for (size_t i = 0; i < w->n; i++)
        if (i != leader && (w->lag || !follows_now(w, i, leader)))
            w->node[i].newest = 0;
        else if (i != leader)
            w->node[i].newest = w->node[leader].newest;
}

/* Demotions are at once; then every living primary writes.  With a lag, rows
 * are written by an event of their own. */
static void settle(struct world *w)
{
    for (size_t i = 0; i < w->n_data; i++)
        if (w->node[i].role == LEADS &&
            (!w->node[i].up || !has_quorum(w, w->node[i].group)))
            w->node[i].role = FOLLOWS;
    for (size_t i = 0; !w->lag && i < w->n_data; i++)
        if (world_leads(w, i) && w->node[i].newest)
            acknowledge(w, i);
}

bool world_may_write(const struct world *w, size_t i)
{
    return w->lag && world_leads(w, i) && w->node[i].newest;
}

void world_write(struct world *w, size_t i)
{
    acknowledge(w, i);
}

/* -- at once -------------------------------------------------------------- */

bool world_takes(const struct world *w, size_t i, uint8_t code)
{
    const struct world_node *n = &w->node[i];

    if (n->verb)
        return false;
    switch (code) {
    case CODE_REMOVE:
        return n->role != ALONE || n->error;
    case CODE_CLEAR:
        return n->error;
    case CODE_CERTS_NEW:
        return n->role == ALONE && n->has_new;
    case CODE_CERTS_OLD:
    case CODE_LOCALNODE:
        return n->role == ALONE;
    default:
        return n->role == ALONE && !n->error;
    }
}

static void begin(struct world_node *n, enum world_verb verb, uint8_t peer)
{
    n->verb = (uint8_t)verb;
    n->peer = peer;
}

static void begin_join(struct world *w, size_t i, uint8_t peer)
{
    struct world_node *n = &w->node[i];

    begin(n, JOINING, peer);
    n->newest = 0; /* its own copy is destroyed */
}

void world_take(struct world *w, size_t i, uint8_t code)
{
    struct world_node *n = &w->node[i];

    if (code == CODE_REMOVE) {
        begin(n, REMOVING, 0);
    } else if (code == CODE_INIT) {
        begin(n, INITIALIZING, 0);
    } else if (code >= CODE_CONNECT) {
        begin(n, CONNECTING, (uint8_t)(code - CODE_CONNECT));
    } else if (code >= CODE_JOIN) {
        begin_join(w, i, (uint8_t)(code - CODE_JOIN));
    } else {
        if (code == CODE_CLEAR)
            n->error = 0;
        else if (code != CODE_LOCALNODE)
            n->new_set = code == CODE_CERTS_NEW;
        n->last = code;
        n->badly = 0;
    }
}

/* -- in the background ---------------------------------------------------- */

static uint8_t free_group(const struct world *w)
{
    for (uint8_t g = 1;; g++) {
        bool used = false;
        for (size_t i = 0; i < w->n; i++)
            used = used || w->node[i].group == g;
        if (!used)
            return g;
    }
}

static uint8_t code_of(const struct world_node *n)
{
    switch (n->verb) {
    case REMOVING:
        return CODE_REMOVE;
    case INITIALIZING:
        return CODE_INIT;
    case JOINING:
        return (uint8_t)(CODE_JOIN + n->peer);
    default:
        return (uint8_t)(CODE_CONNECT + n->peer);
    }
}

/* The peer may be any member; what counts is who leads it.  Different sets do
 * not verify each other. */
static size_t reached_leader(const struct world *w, size_t i)
{
    const struct world_node *n = &w->node[i];
    size_t leader =
        w->node[n->peer].up ? leader_of(w, w->node[n->peer].group) : SIZE_MAX;

    return leader != SIZE_MAX && w->node[leader].new_set == n->new_set
               ? leader
               : SIZE_MAX;
}

static void enter(struct world *w, size_t i, size_t leader)
{
    struct world_node *n = &w->node[i];

    switch (n->verb) {
    case REMOVING:
        n->role = ALONE;
        n->group = n->in_sync = 0;
        break;
    case INITIALIZING:
        n->group = free_group(w);
        n->role = LEADS;
        n->in_sync = 1;
        break;
    case JOINING:
        n->role = FOLLOWS;
        n->group = w->node[leader].group;
        n->in_sync = 1;
        n->newest = w->node[leader].newest;
        break;
    default:
        n->role = CLIENT;
        n->group = w->node[leader].group;
        break;
    }
}

void world_finish(struct world *w, size_t i, bool badly)
{
    struct world_node *n = &w->node[i];
    size_t leader = SIZE_MAX;

    if (n->verb == JOINING || n->verb == CONNECTING) {
        leader = reached_leader(w, i);
        badly = badly || leader == SIZE_MAX;
    }
    if (!badly)
        enter(w, i, leader);
    n->error = badly;
    n->badly = badly;
    n->last = code_of(n);
    n->verb = NO_VERB;
    n->peer = 0;
    settle(w);
}

/* -- power, and who leads ------------------------------------------------- */

void world_down(struct world *w, size_t i)
{
    struct world_node *n = &w->node[i];
    size_t leader = leader_of(w, n->group);

    n->up = 0;
    n->verb = NO_VERB; /* neither success nor failure is ever told */
    n->peer = 0;
    n->stray = 0;
    if (leader != SIZE_MAX && leader != i)
        n->in_sync = 0;
    settle(w);
}

void world_up(struct world *w, size_t i)
{
    struct world_node *n = &w->node[i];
    size_t leader = leader_of(w, n->group);

    n->up = 1;
    if (leader != SIZE_MAX && leader != i)
        n->in_sync = 0;
    settle(w);
}

bool world_may_lead(const struct world *w, size_t i)
{
    const struct world_node *n = &w->node[i];

    return n->role == FOLLOWS && n->up && n->in_sync && !n->error &&
           leader_of(w, n->group) == SIZE_MAX && has_quorum(w, n->group);
}

bool world_may_move(const struct world *w, size_t i)
{
    const struct world_node *n = &w->node[i];

    return n->role == FOLLOWS && n->up && n->in_sync && n->newest &&
           !n->error && leader_of(w, n->group) != SIZE_MAX;
}

static bool somebody_left_with_it(const struct world *w)
{
    for (size_t i = 0; i < w->n_data; i++)
        if (w->node[i].role == ALONE && w->node[i].newest)
            return true;
    return false;
}

/* What the cluster itself forfeits in a failover (a row that no living member
 * has) is not our doing; what left with a node that we took out is. */
void world_lead(struct world *w, size_t i)
{
    struct world_node *n = &w->node[i];
    size_t old = leader_of(w, n->group);

    if (old != SIZE_MAX)
        w->node[old].role = FOLLOWS;
    n->role = LEADS;
    for (size_t k = 0; k < w->n_data; k++)
        if (k != i && is_member(w, k, n->group) && !w->node[k].up)
            w->node[k].in_sync = 0;
    if (!n->newest && w->lag && !somebody_left_with_it(w)) {
        for (size_t k = 0; k < w->n; k++)
            w->node[k].newest = 0;
        n->newest = 1;
    }
    settle(w);
}

bool world_may_sync(const struct world *w, size_t i)
{
    const struct world_node *n = &w->node[i];
    size_t leader = leader_of(w, n->group);

    return n->role == FOLLOWS && n->up && leader != SIZE_MAX &&
           (!n->in_sync || (w->lag && !n->newest && w->node[leader].newest));
}

void world_sync(struct world *w, size_t i)
{
    w->node[i].in_sync = 1;
    w->node[i].newest = w->node[leader_of(w, w->node[i].group)].newest;
    settle(w);
}

bool world_is_still(const struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->node[i].verb || w->node[i].stray || world_may_lead(w, i) ||
            world_may_sync(w, i))
            return false;
    return true;
}

/* -- all of it ------------------------------------------------------------ */

void world_begin(struct world *w, size_t data, size_t clients)
{
    memset(w, 0, sizeof(*w));
    w->n_data = (uint8_t)data;
    w->n = (uint8_t)(data + clients);
    for (size_t i = 0; i < w->n; i++) {
        struct world_node *n = &w->node[i];
        n->up = n->group = 1;
        n->role = i == 0 ? LEADS : i < data ? FOLLOWS : CLIENT;
        n->in_sync = n->newest = i < data;
        n->last = i == 0 ? CODE_INIT : i < data ? CODE_JOIN : CODE_CONNECT;
    }
}

void world_renumber(struct world *w)
{
    uint8_t map[2 * WORLD_MAX + 2] = {0}, next = 1;

    for (size_t i = 0; i < w->n; i++) {
        uint8_t *group = &w->node[i].group;
        if (*group && !map[*group])
            map[*group] = next++;
        *group = map[*group];
    }
}

void world_check(const struct world *w)
{
    size_t leaders = 0, newest = 0;

    for (size_t i = 0; i < w->n_data; i++) {
        newest += w->node[i].newest;
        leaders += world_leads(w, i);
        if (world_leads(w, i) && !w->node[i].newest)
            breach_note("I1", "core%zu leads with an old copy", i + 1);
    }
    if (leaders > 1)
        breach_note("I1", "%zu nodes lead at once", leaders);
    if (newest == 0)
        breach_note("data", "no node holds what was acknowledged");
}
