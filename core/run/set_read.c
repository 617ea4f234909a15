/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and unlocking; what is then done with the bytes is send.c's.
 */
#include "core/run/set_read.h"

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

static int check_key(const struct set_file *file, const char *path,
                     const struct secret *passphrase, struct err *err)
{
    struct secret *bytes;

    if (!file_exists(path))
        return 0;
    bytes = set_file_read(file, path, passphrase, err);
    secret_free(bytes);
    return bytes ? 0 : -1;
}

static int check_part(struct plan_cluster *pc, size_t part,
                      const struct secret *passphrase, struct err *err)
{
    const struct file_set *set = plan_part(pc, part);
    int rc = 0;

    for (size_t i = 0; i < set->n && rc == 0; i++) {
        char *path = plan_file_path(pc->folder, plan_part_node(pc, part),
                                    set->files[i].name);

        if (set->files[i].secret)
            rc = check_key(&set->files[i], path, passphrase, err);
        free(path);
    }
    return rc;
}

int set_keys_check(struct plan_cluster *pc, const struct secret *passphrase,
                   struct err *err)
{
    for (size_t part = 0; part <= pc->n_nodes; part++)
        if (check_part(pc, part, passphrase, err) < 0)
            return -1;
    return 0;
}
