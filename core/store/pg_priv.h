/* SPDX-License-Identifier: Apache-2.0
 *
 * core/store/pg_priv.h - the PostgreSQL side of the store: pg.c, pg_conn.c,
 * pg_schema.c, lease.c.
 */
#ifndef CERTFLEET_STORE_PG_PRIV_H
#define CERTFLEET_STORE_PG_PRIV_H

#include "core/store/pq_load.h"
#include "core/store/store_priv.h"

enum {
    PG_TEXT = 512
};

/* -- pg_conn.c --------------------------------------------------------------
 */

/* Makes db->pg.  On error it is NULL, as after every loss. */
int pg_connect(struct db *db, struct err *err);
/* Always -1.  `why` NULL: libpq's own words. */
int pg_lost(struct db *db, const char *why, struct err *err);
/* Always -1: what the server's refusal means. */
int pg_fail(struct db *db, const struct pg_result *result, struct err *err);
/* Awaits what was sent; the caller clears the result. */
int pg_finish(struct db *db, struct pg_result **result, struct err *err);
/* Statements without parameters. */
int pg_script(struct db *db, const char *sql, struct err *err);

/* -- pg.c -------------------------------------------------------------------
 */

extern const struct db_ops pg_ops;

/* -- lease.c ----------------------------------------------------------------
 */

extern const struct life_ops lease_ops;
void leases_init(struct store *store);
void leases_release(struct store *store);

#endif
