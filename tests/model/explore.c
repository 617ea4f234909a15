/* SPDX-License-Identifier: Apache-2.0
 *
 * Breadth first, level by level: only two levels are kept in full.
 */
#include "tests/model/explore.h"

#include <stdlib.h>
#include <string.h>

enum {
    NO_STATE = UINT32_MAX
};

struct origin { /* how a state was first come to */
    uint32_t parent;
    event_t event;
    uint8_t end;
};

struct level {
    unsigned char *shots;
    size_t n, room;
};

struct edge {
    uint32_t from, to;
};

struct search {
    size_t most, shot_bytes;
    struct origin *origins;
    size_t n, room;
    uint64_t *hashes;  /* open addressing; 0: free */
    uint32_t *numbers; /* of the state in the slot */
    size_t mask;
    struct edge *edges;
    size_t n_edges, edge_room;
    struct level now, next;
    struct explored *result;
    FILE *out;
};

static void *grow(void *list, size_t *room, size_t n, size_t size)
{
    if (n < *room)
        return list;
    *room = *room ? 2 * *room : 4096;
    list = realloc(list, *room * size);
    if (!list)
        abort();
    return list;
}

/* -- which states are known ----------------------------------------------- */

static uint64_t hash_of(const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t x = 0x9e3779b97f4a7c15u ^ len, word;

    for (size_t i = 0; i < len; i += 8) {
        size_t n = len - i < 8 ? len - i : 8;
        word = 0;
        memcpy(&word, p + i, n);
        x = (x ^ word) * 0xff51afd7ed558ccdu;
        x ^= x >> 32;
    }
    x *= 0xc4ceb9fe1a85ec53u;
    x ^= x >> 29;
    return x ? x : 1;
}

static void make_table(struct search *s, size_t slots)
{
    free(s->hashes);
    free(s->numbers);
    s->hashes = calloc(slots, sizeof(*s->hashes));
    s->numbers = calloc(slots, sizeof(*s->numbers));
    if (!s->hashes || !s->numbers)
        abort();
    s->mask = slots - 1;
}

static size_t slot_of(const struct search *s, uint64_t hash)
{
    size_t slot = hash & s->mask;

    while (s->hashes[slot] && s->hashes[slot] != hash)
        slot = (slot + 1) & s->mask;
    return slot;
}

static void widen(struct search *s)
{
    uint64_t *hashes = s->hashes;
    uint32_t *numbers = s->numbers;
    size_t slots = s->mask + 1;

    if (3 * s->n < 2 * slots)
        return;
    s->hashes = NULL;
    s->numbers = NULL;
    make_table(s, 2 * slots);
    for (size_t i = 0; i < slots; i++)
        if (hashes[i]) {
            size_t slot = slot_of(s, hashes[i]);
            s->hashes[slot] = hashes[i];
            s->numbers[slot] = numbers[i];
        }
    free(hashes);
    free(numbers);
}

/* The state's number; a new one is put into the next level. */
static uint32_t number_of(struct search *s, const struct shot *shot,
                          struct origin origin)
{
    uint64_t hash = hash_of(shot, s->shot_bytes);
    size_t slot = slot_of(s, hash);

    if (s->hashes[slot])
        return s->numbers[slot];
    s->hashes[slot] = hash;
    s->numbers[slot] = (uint32_t)s->n;
    s->origins = grow(s->origins, &s->room, s->n, sizeof(*s->origins));
    origin.end = (uint8_t)model_end(shot);
    s->result->ends[origin.end]++;
    s->origins[s->n++] = origin;
    s->next.shots =
        grow(s->next.shots, &s->next.room, s->next.n, s->shot_bytes);
    memcpy(s->next.shots + s->next.n++ * s->shot_bytes, shot, s->shot_bytes);
    widen(s);
    return (uint32_t)(s->n - 1);
}

/* -- telling how a state is come to --------------------------------------- */

static void tell_event(FILE *out, size_t n, event_t event,
                       const struct shot *from, const struct shot *to)
{
    char text[256];

    model_describe(event, from, to, text, sizeof(text));
    fprintf(out, "    %3zu  %s\n", n, text);
}

/* Done once more from the beginning, and told. */
static struct shot tell_way(struct search *s, uint32_t state,
                            const event_t *last)
{
    size_t n = 0, len = 0;
    event_t *events = calloc(s->n + 1, sizeof(*events));
    struct shot shot, next;

    if (!events)
        abort();
    for (uint32_t i = state; i != 0; i = s->origins[i].parent)
        len++;
    for (uint32_t i = state; i != 0; i = s->origins[i].parent)
        events[--len] = s->origins[i].event, n++;
    if (last)
        events[n++] = *last;
    model_first(&shot);
    for (size_t i = 0; i < n; i++) {
        model_step(&shot, events[i], &next);
        struct breach found = breach;
        tell_event(s->out, i + 1, events[i], &shot, &next);
        if (found.found)
            fprintf(s->out, "         %s: %s\n", found.rule, found.text);
        shot = next;
    }
    free(events);
    return shot;
}

/* How it goes on when nothing else happens: the first thing that changes
 * anything, again and again; a person types resume. */
static void tell_on(struct search *s, struct shot shot, size_t steps)
{
    event_t events[MODEL_EVENTS];
    struct shot next;

    fprintf(s->out, "  and goes on, for example:\n");
    for (size_t n = 1; n <= steps; n++) {
        size_t count = model_events(&shot, events), i = 0;
        for (; i < count; i++) {
            model_step(&shot, events[i], &next);
            if (memcmp(&shot, &next, s->shot_bytes) != 0)
                break;
        }
        if (i == count)
            return;
        tell_event(s->out, n, events[i], &shot, &next);
        shot = next;
    }
}

/* -- forwards ------------------------------------------------------------- */

static bool expand(struct search *s, uint32_t number, const struct shot *shot)
{
    event_t events[MODEL_EVENTS];
    size_t n = model_events(shot, events);
    struct shot next;

    for (size_t i = 0; i < n; i++) {
        const struct origin origin = {number, events[i], 0};
        uint32_t to;

        model_step(shot, events[i], &next);
        s->result->transitions++;
        if (breach.found) {
            s->result->breach = breach;
            if (s->out)
                tell_way(s, number, &events[i]);
            return false;
        }
        to = number_of(s, &next, origin);
        s->edges = grow(s->edges, &s->edge_room, s->n_edges, sizeof(*s->edges));
        s->edges[s->n_edges++] = (struct edge){number, to};
    }
    return s->n < s->most;
}

static bool forwards(struct search *s)
{
    struct shot shot;
    uint32_t number = 0;
    bool going = true;

    memset(&shot, 0, sizeof(shot));
    model_first(&shot);
    number_of(s, &shot, (struct origin){NO_STATE, 0, 0});
    while (going && s->next.n > 0) {
        struct level swap = s->now;
        s->now = s->next;
        s->next = swap;
        s->next.n = 0;
        for (size_t i = 0; going && i < s->now.n; i++) {
            memset(&shot, 0, sizeof(shot));
            memcpy(&shot, s->now.shots + i * s->shot_bytes, s->shot_bytes);
            going = expand(s, number++, &shot);
        }
    }
    return going;
}

/* -- backwards ------------------------------------------------------------ */

/* From which states can one of the marked ones be reached?  `back` holds the
 * edges by where they lead to. */
static void spread(const struct search *s, const uint32_t *first,
                   const uint32_t *back, bool *reached)
{
    uint32_t *todo = calloc(s->n + 1, sizeof(*todo));
    size_t n = 0;

    if (!todo)
        abort();
    for (uint32_t i = 0; i < s->n; i++)
        if (reached[i])
            todo[n++] = i;
    while (n > 0) {
        uint32_t to = todo[--n];
        for (uint32_t k = first[to]; k < first[to + 1]; k++)
            if (!reached[back[k]]) {
                reached[back[k]] = true;
                todo[n++] = back[k];
            }
    }
    free(todo);
}

static bool all_reach(struct search *s, const uint32_t *first,
                      const uint32_t *back, bool good)
{
    bool *reached = calloc(s->n + 1, sizeof(*reached)), all = true;

    if (!reached)
        abort();
    for (size_t i = 0; i < s->n; i++)
        reached[i] = s->origins[i].end != END_NOT &&
                     (!good || s->origins[i].end != END_INCOMPLETE);
    spread(s, first, back, reached);
    for (uint32_t i = 0; i < s->n && all; i++)
        if (!reached[i]) {
            all = false;
            if (!s->out)
                break;
            fprintf(s->out, "  no %send can be reached from here:\n",
                    good ? "good " : "");
            tell_on(s, tell_way(s, i, NULL), 60);
        }
    free(reached);
    return all;
}

static void backwards(struct search *s)
{
    uint32_t *first = calloc(s->n + 2, sizeof(*first));
    uint32_t *back = calloc(s->n_edges + 1, sizeof(*back));

    if (!first || !back)
        abort();
    for (size_t i = 0; i < s->n_edges; i++)
        first[s->edges[i].to + 2]++;
    for (size_t i = 2; i < s->n + 2; i++)
        first[i] += first[i - 1];
    for (size_t i = 0; i < s->n_edges; i++)
        back[first[s->edges[i].to + 1]++] = s->edges[i].from;
    s->result->ends_from_all = all_reach(s, first, back, false);
    s->result->good_from_all = all_reach(s, first, back, true);
    free(first);
    free(back);
}

static void show(struct search *s, enum model_end end)
{
    for (uint32_t i = 0; end != END_NOT && i < s->n; i++)
        if (s->origins[i].end == end) {
            tell_way(s, i, NULL);
            return;
        }
}

void explore(const struct model_options *options, size_t most, FILE *out,
             struct explored *result)
{
    struct search s = {.most = most, .out = out, .result = result};

    memset(result, 0, sizeof(*result));
    model_open(options);
    model_unseen_moves = 0;
    s.shot_bytes = model_shot_bytes();
    make_table(&s, 1 << 16);
    result->finished = forwards(&s);
    show(&s, options->show);
    result->states = s.n;
    result->unseen_moves = model_unseen_moves;
    if (result->finished)
        backwards(&s);
    free(s.origins);
    free(s.hashes);
    free(s.numbers);
    free(s.edges);
    free(s.now.shots);
    free(s.next.shots);
    model_close();
}
