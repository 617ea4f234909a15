/* SPDX-License-Identifier: Apache-2.0
 *
 * core/base/file.h - small files, whole, durably.  Blocking: at start, in the
 * pool, or for files of a few KB on a local disk; never a remote's bytes
 * unbounded.
 */
#ifndef CERTFLEET_BASE_FILE_H
#define CERTFLEET_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/secret.h"

/* Makes every missing folder of `path` with mode 0700, each synced into the one
 * above it. */
int file_make_folders(const char *path, struct err *err);

/* The whole file, at most `cap` bytes, as a secret (the caller frees); a
 * longer one, a folder or a device is an error.  errno stays set. */
struct secret *file_read(const char *path, size_t cap, struct err *err);

/* Writes a temporary file beside `path` with `mode`, syncs it, puts it in
 * place and syncs the folder: a crash leaves the old file or the new one.
 * `exclusive`: fails when `path` exists (errno EEXIST). */
int file_write(const char *path, const void *data, size_t len, unsigned mode,
               bool exclusive, struct err *err);

bool file_exists(const char *path);

#endif
