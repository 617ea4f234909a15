/* SPDX-License-Identifier: Apache-2.0
 *
 * core/store/sqlite_priv.h - the SQLite side of the store: sqlite.c and
 * sqlite_open.c.
 */
#ifndef CERTFLEET_STORE_SQLITE_PRIV_H
#define CERTFLEET_STORE_SQLITE_PRIV_H

#include "core/store/store_priv.h"

/* Always -1: what SQLite's code means, from the last call of `db`. */
int lite_fail(struct db *db, int rc, struct err *err);
extern const struct db_ops sqlite_ops;

#endif
