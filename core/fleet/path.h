/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/path.h - paths as users write them, made absolute.
 */
#ifndef CERTFLEET_FLEET_PATH_H
#define CERTFLEET_FLEET_PATH_H

#include "core/base/err.h"

/* `~` and `~/x` are below the home folder ($HOME, else the password file's);
 * a relative path is beside `folder` (NULL: the working folder).  The caller
 * frees; NULL for `~user`, which nobody here looks up. */
char *path_expand(const char *folder, const char *path, struct err *err);

/* The folder that holds `path`, absolute.  The caller frees. */
char *path_folder(const char *path);

#endif
