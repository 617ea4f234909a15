/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/model/world.h - a database cluster as small as it can be: what the
 * order of a rotation can harm, and nothing else.
 *
 * A node is standalone, leads, follows or is connected only; its command runs
 * in the background and ends well, badly or never; more than half of the
 * members make a quorum, and a lost primary is replaced by a replica in sync
 * (facts/cms.md 3).  Data is one bit a node: does it hold all that was ever
 * acknowledged?  Every living primary is taken to write at every moment, so
 * that a copy is old as soon as it no longer follows.  Knows no engine.
 */
#ifndef CERTFLEET_TESTS_MODEL_WORLD_H
#define CERTFLEET_TESTS_MODEL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WORLD_MAX = 5
};

enum world_role {
    ALONE,
    LEADS,
    FOLLOWS,
    CLIENT
};

enum world_verb {
    NO_VERB,
    REMOVING,
    INITIALIZING,
    JOINING,
    CONNECTING
};

/* What is typed on a node, and what `Last command` shows. */
enum code {
    CODE_NONE,
    CODE_REMOVE,
    CODE_CLEAR,
    CODE_CERTS_OLD,
    CODE_CERTS_NEW,
    CODE_LOCALNODE,
    CODE_INIT,
    CODE_FOREIGN, /* somebody else's */
    CODE_JOIN,    /* + index of the node that is joined */
    CODE_CONNECT = CODE_JOIN + WORLD_MAX,
    CODES = CODE_CONNECT + WORLD_MAX
};

/* Bytes only: it is part of a state's identity. */
struct world_node {
    uint8_t up, role, group; /* group: 0 none */
    uint8_t in_sync;
    uint8_t newest;      /* holds all that was ever acknowledged */
    uint8_t new_set;     /* `certs` has switched it to the new set */
    uint8_t has_new;     /* the new set's files are there, whole */
    uint8_t verb, peer;  /* at work, with whom */
    uint8_t error;       /* Status: Error */
    uint8_t last, badly; /* Last command, and did it fail */
    uint8_t stray;       /* code on its way when the connection broke */
    uint8_t foreign;     /* somebody else was there */
};

struct world {
    uint8_t n, n_data, lag; /* lag: a replica in sync may lack the last row */
    struct world_node node[WORLD_MAX];
};

/* Something that must not be: the first one is kept. */
struct breach {
    bool found;
    char rule[12];
    char text[200];
};
extern struct breach breach;
void breach_note(const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void world_begin(struct world *w, size_t data, size_t clients);
bool world_leads(const struct world *w, size_t i);
/* Would the node take this command now, or answer FAILURE? */
bool world_takes(const struct world *w, size_t i, uint8_t code);
void world_take(struct world *w, size_t i, uint8_t code);
/* What is under way ends: `badly` as somebody wants it, or as it must. */
void world_finish(struct world *w, size_t i, bool badly);

void world_down(struct world *w, size_t i);
void world_up(struct world *w, size_t i);
bool world_may_lead(const struct world *w, size_t i); /* after a loss */
bool world_may_move(const struct world *w, size_t i); /* leads another now */
void world_lead(struct world *w, size_t i);
bool world_may_sync(const struct world *w, size_t i);
void world_sync(struct world *w, size_t i);
bool world_may_write(const struct world *w, size_t i);
void world_write(struct world *w, size_t i);
/* Nothing would change any more by itself. */
bool world_is_still(const struct world *w);
/* Group numbers in the order of nodes: equal worlds have equal bytes. */
void world_renumber(struct world *w);
/* What must hold always: nothing acknowledged is lost, one leads, and holds
 * it. */
void world_check(const struct world *w);

#endif
