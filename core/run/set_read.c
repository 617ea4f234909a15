/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and unlocking; what is then done with the bytes is send.c's.
 */
#include "core/run/set_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"

enum {
    FILE_CAP = 256 * 1024
};

struct secret *set_file_read(const struct set_file *file, const char *path,
                             const struct secret *passphrase, struct err *err)
{
    struct secret *kept = file_read(path, FILE_CAP, err), *bytes;

    if (!kept || !file->secret)
        return kept;
    bytes = pki_key_unlock(kept, passphrase, err);
    secret_free(kept);
    if (!bytes)
        err_context(err, "key_passphrase: %s", path);
    return bytes;
}

static int check_key(const struct plan_cluster *pc, const struct set_file *file,
                     const struct secret *passphrase, struct err *err)
{
    struct secret *bytes = NULL;
    char *path = NULL;
    int rc = 0;

    if (asprintf(&path, "%s/%s", pc->folder, file->name) < 0)
        abort();
    if (file_exists(path)) {
        bytes = set_file_read(file, path, passphrase, err);
        rc = bytes ? 0 : -1;
    }
    secret_free(bytes);
    free(path);
    return rc;
}

int set_keys_check(const struct plan_cluster *pc,
                   const struct secret *passphrase, struct err *err)
{
    for (size_t i = 0; i < pc->set.n; i++)
        if (pc->set.files[i].secret &&
            check_key(pc, &pc->set.files[i], passphrase, err) < 0)
            return -1;
    return 0;
}
