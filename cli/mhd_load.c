/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd, call by call.
 */
#include "cli/mhd_load.h"

#include "core/base/library.h"

struct mhd_calls mhd;

int mhd_load(struct err *err)
{
#define ROW(name) {"MHD_" #name, &mhd.name},
    static const struct library_call rows[] = {MHD_CALLS(ROW)};
#undef ROW

    return library_load("libmicrohttpd.so.12", rows,
                        sizeof(rows) / sizeof(*rows), err);
}
