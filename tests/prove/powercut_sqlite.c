/* SPDX-License-Identifier: Apache-2.0
 *
 * A VFS for SQLite that keeps what is written in memory until it is synced.
 * Below it is the default one, which does the locks and the shared memory:
 * the -shm file is made anew from the WAL by whoever comes first.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/prove/powercut.h"

/* A file as its readers see it; all handles of a path share it.  It lives until
 * the file is deleted: a closed file is not a synced one. */
struct image {
    struct image *next;
    char *path;
    unsigned char *bytes;
    sqlite3_int64 len, room;
    sqlite3_int64 from, to; /* written, not synced; from == to: nothing */
    bool cut;               /* truncated, not synced */
};

enum {
    PIECE = 64 * 1024
};

struct file {
    sqlite3_file base;
    struct image *image; /* NULL: passed on as it is */
    sqlite3_file *real;
};

static struct image *images;
static sqlite3_vfs *below;

/* -- images --------------------------------------------------------------- */

static struct image *find(const char *path)
{
    for (struct image *i = images; i; i = i->next)
        if (strcmp(i->path, path) == 0)
            return i;
    return NULL;
}

static void grow(struct image *i, sqlite3_int64 len)
{
    if (len > i->room) {
        i->room = len + (1 << 20);
        i->bytes = realloc(i->bytes, (size_t)i->room);
        if (!i->bytes)
            abort();
    }
    if (len > i->len) {
        memset(i->bytes + i->len, 0, (size_t)(len - i->len));
        i->len = len;
    }
}

static struct image *make(const char *path)
{
    struct image *i = calloc(1, sizeof(*i));

    if (!i || !(i->path = strdup(path)))
        abort();
    i->next = images;
    images = i;
    return i;
}

static void forget(const char *path)
{
    struct image **p = &images, *i;

    while (*p && strcmp((*p)->path, path) != 0)
        p = &(*p)->next;
    i = *p;
    if (!i)
        return;
    *p = i->next;
    free(i->path);
    free(i->bytes);
    free(i);
}

/* In pieces: the VFS below takes at most 128 KB at a time. */
static int piece(sqlite3_int64 left)
{
    return left < PIECE ? (int)left : PIECE;
}

static int load(struct image *i, sqlite3_file *real)
{
    sqlite3_int64 len = 0, at;
    int rc = real->pMethods->xFileSize(real, &len);

    grow(i, len);
    for (at = 0; rc == SQLITE_OK && at < len; at += PIECE)
        rc = real->pMethods->xRead(real, i->bytes + at, piece(len - at), at);
    return rc;
}

static int write_out(struct image *i, sqlite3_file *real)
{
    sqlite3_int64 at;
    int rc = SQLITE_OK;

    if (i->cut)
        rc = real->pMethods->xTruncate(real, i->len);
    for (at = i->from; rc == SQLITE_OK && at < i->to; at += PIECE)
        rc = real->pMethods->xWrite(real, i->bytes + at, piece(i->to - at), at);
    if (rc == SQLITE_OK) {
        i->cut = false;
        i->from = i->to = 0;
    }
    return rc;
}

/* -- a file --------------------------------------------------------------- */

static struct file *as_file(sqlite3_file *base)
{
    return (struct file *)base;
}

/* The one below, for what is only passed on. */
#define REAL(base) (as_file(base)->real)
#define BELOW(base) (as_file(base)->real->pMethods)

static int f_close(sqlite3_file *base)
{
    return BELOW(base)->xClose(REAL(base));
}

static int f_read(sqlite3_file *base, void *to, int n, sqlite3_int64 at)
{
    struct image *i = as_file(base)->image;
    sqlite3_int64 there;

    if (!i)
        return BELOW(base)->xRead(REAL(base), to, n, at);
    powercut_lock();
    there = at >= i->len ? 0 : i->len - at < n ? i->len - at : n;
    memset(to, 0, (size_t)n);
    if (there > 0)
        memcpy(to, i->bytes + at, (size_t)there);
    powercut_unlock();
    return there == n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int f_write(sqlite3_file *base, const void *from, int n,
                   sqlite3_int64 at)
{
    struct image *i = as_file(base)->image;

    if (!i)
        return BELOW(base)->xWrite(REAL(base), from, n, at);
    powercut_lock();
    grow(i, at + n);
    memcpy(i->bytes + at, from, (size_t)n);
    if (i->from == i->to || at < i->from)
        i->from = at;
    if (at + n > i->to)
        i->to = at + n;
    powercut_unlock();
    return SQLITE_OK;
}

static int f_truncate(sqlite3_file *base, sqlite3_int64 len)
{
    struct image *i = as_file(base)->image;

    if (!i)
        return BELOW(base)->xTruncate(REAL(base), len);
    powercut_lock();
    grow(i, len);
    i->len = len;
    i->cut = true;
    if (i->to > len)
        i->to = len;
    if (i->from > i->to)
        i->from = i->to;
    powercut_unlock();
    return SQLITE_OK;
}

static int f_sync(sqlite3_file *base, int flags)
{
    struct image *i = as_file(base)->image;
    int rc = SQLITE_OK;

    powercut_lock();
    if (i)
        rc = write_out(i, REAL(base));
    if (rc == SQLITE_OK)
        rc = BELOW(base)->xSync(REAL(base), flags);
    powercut_unlock();
    return rc;
}

static int f_size(sqlite3_file *base, sqlite3_int64 *len)
{
    struct image *i = as_file(base)->image;

    if (!i)
        return BELOW(base)->xFileSize(REAL(base), len);
    powercut_lock();
    *len = i->len;
    powercut_unlock();
    return SQLITE_OK;
}

static int f_lock(sqlite3_file *base, int level)
{
    return BELOW(base)->xLock(REAL(base), level);
}

static int f_unlock(sqlite3_file *base, int level)
{
    return BELOW(base)->xUnlock(REAL(base), level);
}

static int f_is_reserved(sqlite3_file *base, int *out)
{
    return BELOW(base)->xCheckReservedLock(REAL(base), out);
}

/* A hint may make the real file longer than what was synced. */
static int f_control(sqlite3_file *base, int op, void *arg)
{
    if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
        return SQLITE_NOTFOUND;
    return BELOW(base)->xFileControl(REAL(base), op, arg);
}

static int f_sector(sqlite3_file *base)
{
    return BELOW(base)->xSectorSize(REAL(base));
}

static int f_traits(sqlite3_file *base)
{
    return BELOW(base)->xDeviceCharacteristics(REAL(base));
}

static int f_shm_map(sqlite3_file *base, int region, int size, int extend,
                     void volatile **out)
{
    return BELOW(base)->xShmMap(REAL(base), region, size, extend, out);
}

static int f_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
    return BELOW(base)->xShmLock(REAL(base), offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *base)
{
    BELOW(base)->xShmBarrier(REAL(base));
}

static int f_shm_unmap(sqlite3_file *base, int remove)
{
    return BELOW(base)->xShmUnmap(REAL(base), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* 3 would map the real file into memory */
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_is_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_traits,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

/* -- the VFS -------------------------------------------------------------- */

static int take_image(struct file *f, const char *name)
{
    int rc = SQLITE_OK;

    powercut_lock();
    f->image = find(name);
    if (!f->image) {
        f->image = make(name);
        rc = load(f->image, f->real);
    }
    powercut_unlock();
    return rc;
}

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base,
                  int flags, int *out)
{
    const int kept =
        SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    struct file *f = as_file(base);
    int rc;

    (void)vfs;
    memset(f, 0, sizeof(*f));
    f->real = (sqlite3_file *)(f + 1);
    rc = below->xOpen(below, name, f->real, flags, out);
    if (rc != SQLITE_OK)
        return rc;
    f->base.pMethods = &methods;
    return name && (flags & kept) ? take_image(f, name) : SQLITE_OK;
}

static int v_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    int rc;

    (void)vfs;
    powercut_lock();
    forget(name);
    rc = below->xDelete(below, name, sync);
    powercut_unlock();
    return rc;
}

/* SQLite takes a file without bytes for one that is not there. */
static int v_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    const struct image *i;

    (void)vfs;
    powercut_lock();
    i = find(name);
    powercut_unlock();
    if (i && i->len > 0 && flags == SQLITE_ACCESS_EXISTS) {
        *out = 1;
        return SQLITE_OK;
    }
    return below->xAccess(below, name, flags, out);
}

void powercut_sqlite_set_up(void)
{
    static sqlite3_vfs vfs;

    below = sqlite3_vfs_find(NULL);
    vfs = *below; /* what is not about files is its own: time, randomness */
    vfs.zName = "powercut";
    vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    vfs.xOpen = v_open;
    vfs.xDelete = v_delete;
    vfs.xAccess = v_access;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
}

static void flush_one(struct image *i)
{
    sqlite3_file *real = calloc(1, (size_t)below->szOsFile);
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL;

    if (!real)
        abort();
    if (below->xOpen(below, i->path, real, flags, NULL) == SQLITE_OK) {
        if (write_out(i, real) != SQLITE_OK)
            abort();
        real->pMethods->xClose(real);
    }
    free(real);
}

void powercut_sqlite_flush(void)
{
    powercut_lock();
    for (struct image *i = images; i; i = i->next)
        if (i->cut || i->to > i->from)
            flush_one(i);
    powercut_unlock();
}
