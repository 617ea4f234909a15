/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/hand.h - another hand in a copy of a bed's database.
 */
#ifndef CERTFLEET_SCENARIO_HAND_H
#define CERTFLEET_SCENARIO_HAND_H

#include <sqlite3.h>
#include <stdint.h>

#include "tests/scenario/bed.h"

struct hand {
    struct bed *bed;
    const char *folder; /* in the bed's, named `name` */
    sqlite3 *db;
    int64_t last; /* record */
};

/* Copies the database, without a log beside it: each change is there at once.
 * The caller closes hand->db. */
void hand_reach_in(struct hand *hand, struct bed *bed, const char *name);

/* The journal, the runs and the chain as they were copied. */
void hand_put_back(struct hand *hand);

/* Statements; a fault of SQLite fails the test. */
void hand_sql(struct hand *hand, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The one value that a question has, as text of the bed's; "" for NULL. */
const char *hand_ask(struct hand *hand, const char *question);

#endif
