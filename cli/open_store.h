/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/open_store.h - the store that the inventory names.
 */
#ifndef CERTFLEET_CLI_OPEN_STORE_H
#define CERTFLEET_CLI_OPEN_STORE_H

#include "core/fleet/inventory.h"
#include "core/store/store.h"

/* Blocking; reads the password of a store on a server.  `loop` as in
 * store_open_at.  NULL on error. */
struct store *open_store(const struct inventory *inventory,
                         struct uv_loop_s *loop, struct err *err);
/* For a look that changes nothing: store_open_reader. */
struct store *open_store_reader(const struct inventory *inventory,
                                struct err *err);
/* Is there one?  A server is asked when it is opened. */
bool open_store_is_there(const struct inventory *inventory);

#endif
