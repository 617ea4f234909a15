/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/pg.h - what others may know of the PostgreSQL engine.
 */
#ifndef CERTFLEET_LAB_PG_H
#define CERTFLEET_LAB_PG_H

#include <stdbool.h>
#include <stddef.h>

/* The folder with the programs of the newest PostgreSQL server, 15 or newer,
 * that is installed; false: none. */
bool pg_find_programs(char *folder, size_t size);

#endif
