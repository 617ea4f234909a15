/* SPDX-License-Identifier: Apache-2.0
 *
 * Write beside, sync, link or rename, sync the folder; a new folder is synced
 * into the one above it.
 */
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    free(copy);
    return rc;
}

/* The new folder and its entry in the one above: without that a power cut
 * takes the folder, with all that was synced in it. */
static int make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0700) < 0)
        return errno == EEXIST
                   ? 0
                   : err_errno(err, CAUSE_SYSTEM, "make folder %s", path);
    if (sync_folder(path) < 0)
        return err_errno(err, CAUSE_SYSTEM, "sync the folder of %s", path);
    return 0;
}

int file_make_folders(const char *path, struct err *err)
{
    char *copy = strdup(path);
    int rc = 0;

    for (char *p = copy + 1; rc == 0 && p;) {
        p = strchr(p, '/');
        if (p)
            *p = '\0';
        rc = make_folder(copy, err);
        if (p)
            *p++ = '/';
    }
    free(copy);
    return rc;
}

static struct secret *read_open(int fd, const char *path, size_t cap,
                                struct err *err)
{
    struct secret *s;
    struct stat st;
    size_t got = 0;
    ssize_t n = 0;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        err_set(err, CAUSE_INPUT, "%s: not a regular file", path);
        return NULL;
    }
    if ((size_t)st.st_size > cap) {
        err_set(err, CAUSE_INPUT, "%s: over %zu bytes", path, cap);
        return NULL;
    }
    s = secret_new((size_t)st.st_size);
    while (got < s->len && (n = read(fd, s->data + got, s->len - got)) > 0)
        got += (size_t)n;
    if (n < 0) {
        err_errno(err, CAUSE_SYSTEM, "read %s", path);
        secret_free(s);
        return NULL;
    }
    s->len = got;
    return s;
}

struct secret *file_read(const char *path, size_t cap, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct secret *s;

    if (fd < 0) {
        err_errno(err, CAUSE_INPUT, "open %s", path);
        return NULL;
    }
    s = read_open(fd, path, cap, err);
    close(fd);
    return s;
}

static int write_all(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

int file_write(const char *path, const void *data, size_t len, unsigned mode,
               bool exclusive, struct err *err)
{
    char *tmp = NULL;
    int fd, rc = -1;

    if (asprintf(&tmp, "%s.XXXXXX", path) < 0)
        abort();
    fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) {
        err_errno(err, CAUSE_SYSTEM, "write %s", path);
        goto out;
    }
    if (fchmod(fd, mode) < 0 || write_all(fd, data, len) < 0)
        err_errno(err, CAUSE_SYSTEM, "write %s", path);
    else if (exclusive ? link(tmp, path) < 0 : rename(tmp, path) < 0)
        err_errno(err, CAUSE_SYSTEM, "write %s", path);
    else if (sync_folder(path) < 0)
        err_errno(err, CAUSE_SYSTEM, "sync the folder of %s", path);
    else
        rc = 0;
    close(fd);
    {
        int saved = errno;
        if (exclusive || rc < 0)
            unlink(tmp);
        errno = saved;
    }
out:
    free(tmp);
    return rc;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
