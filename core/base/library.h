/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/library.h - a shared library that is loaded when it is first
 * wanted.
 *
 * For those that few runs want and that bring a dozen more of their own: libpq,
 * libcurl, libmicrohttpd.  To load them was two thirds of what every start took
 * (docs/adr/0012).
 */
#ifndef CERTFLEET_BASE_LIBRARY_H
#define CERTFLEET_BASE_LIBRARY_H

#include <stddef.h>

#include "core/base/err.h"

struct library_call {
    const char *name; /* in the library */
    void *call;       /* the pointer to a function that gets its address */
};

/* For the life of the process.  `file` is the name that the dynamic linker
 * knows: its number is its ABI.  -1: it is not there, or lacks a call. */
int library_load(const char *file, const struct library_call *calls, size_t n,
                 struct err *err);

#endif
