/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/mhd_load.h - libmicrohttpd, loaded when somebody is to be answered
 * (core/base/library.h).  Only metrics_http.c knows it.
 */
#ifndef CERTFLEET_CLI_MHD_LOAD_H
#define CERTFLEET_CLI_MHD_LOAD_H

#include <microhttpd.h>

#include "core/base/err.h"

/* What we call of it: MHD_run is mhd.run ... */
/* clang-format off */
#define MHD_CALLS(call) \
    call(add_response_header) call(create_response_from_buffer) \
    call(destroy_response) call(get_daemon_info) call(get_timeout) \
    call(queue_response) call(run) call(start_daemon) call(stop_daemon)
/* clang-format on */

#define MHD_MEMBER(name) __typeof__(MHD_##name) *(name);
extern struct mhd_calls {
    MHD_CALLS(MHD_MEMBER)
} mhd;
#undef MHD_MEMBER

/* Before any of them, for one thread.  -1: it is not here. */
int mhd_load(struct err *err);

#endif
