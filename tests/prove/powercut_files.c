/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program does to files and folders by itself, by --wrap of the calls
 * that core/base/file.c and its like make: each is done, and remembered until
 * it is synced.  A rename is whole or not at all, as every file system has it.
 */
#include "tests/prove/powercut.h"

#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind {
    NEW_FOLDER,
    NEW_NAME, /* by link or rename */
    NEW_BYTES /* of a file that was made */
};

struct undone { /* not synced: to be undone, the last one first */
    struct undone *next;
    enum kind kind;
    char *path;
    char *from; /* renamed: its name before; a file is never without one */
    dev_t dev;  /* of the folder that must be synced, or of the file */
    ino_t ino;
    int fd; /* NEW_BYTES: the file; NEW_NAME: what the name was before, or -1 */
};

static struct undone *list;
static bool is_set_up;
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

int __real_mkdir(const char *path, mode_t mode);
int __real_rename(const char *from, const char *to);
int __real_link(const char *from, const char *to);
int __real_mkostemp(char *path, int flags);
int __real_fsync(int fd);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_rename(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_mkostemp(char *path, int flags);
int __wrap_fsync(int fd);

void powercut_lock(void)
{
    pthread_mutex_lock(&disk);
}

void powercut_unlock(void)
{
    pthread_mutex_unlock(&disk);
}

void powercut_set_up(void)
{
    is_set_up = true;
    powercut_sqlite_set_up();
}

void powercut_flush(void)
{
    if (is_set_up)
        powercut_sqlite_flush();
}

/* -- remembering ---------------------------------------------------------- */

static void remember(enum kind kind, const char *path, const struct stat *st,
                     int fd)
{
    struct undone *u = calloc(1, sizeof(*u));

    if (!u || !(u->path = strdup(path)))
        abort();
    u->kind = kind;
    u->dev = st->st_dev;
    u->ino = st->st_ino;
    u->fd = fd;
    u->next = list;
    list = u;
}

static void remember_entry(enum kind kind, const char *path, int before)
{
    char *copy = strdup(path);
    struct stat st;

    if (!copy || stat(dirname(copy), &st) < 0)
        abort();
    remember(kind, path, &st, before);
    free(copy);
}

static void drop(struct undone **p)
{
    struct undone *u = *p;

    *p = u->next;
    if (u->fd >= 0)
        close(u->fd);
    free(u->path);
    free(u->from);
    free(u);
}

static void is_synced(const struct stat *st)
{
    struct undone **p = &list;

    while (*p)
        if ((*p)->dev == st->st_dev && (*p)->ino == st->st_ino)
            drop(p);
        else
            p = &(*p)->next;
}

/* -- the calls ------------------------------------------------------------ */

int __wrap_mkdir(const char *path, mode_t mode)
{
    int rc;

    powercut_lock();
    rc = __real_mkdir(path, mode);
    if (rc == 0 && is_set_up)
        remember_entry(NEW_FOLDER, path, -1);
    powercut_unlock();
    return rc;
}

int __wrap_rename(const char *from, const char *to)
{
    int before = -1, rc;

    powercut_lock();
    if (is_set_up)
        before = open(to, O_RDONLY | O_CLOEXEC);
    rc = __real_rename(from, to);
    if (rc == 0 && is_set_up) {
        remember_entry(NEW_NAME, to, before);
        list->from = strdup(from);
    } else if (before >= 0) {
        close(before);
    }
    powercut_unlock();
    return rc;
}

int __wrap_link(const char *from, const char *to)
{
    int rc;

    powercut_lock();
    rc = __real_link(from, to);
    if (rc == 0 && is_set_up)
        remember_entry(NEW_NAME, to, -1);
    powercut_unlock();
    return rc;
}

int __wrap_mkostemp(char *path, int flags)
{
    struct stat st;
    int fd;

    powercut_lock();
    fd = __real_mkostemp(path, flags);
    if (fd >= 0 && is_set_up && fstat(fd, &st) == 0)
        remember(NEW_BYTES, path, &st, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    powercut_unlock();
    return fd;
}

int __wrap_fsync(int fd)
{
    struct stat st;
    int rc;

    powercut_lock();
    rc = __real_fsync(fd);
    if (rc == 0 && is_set_up && fstat(fd, &st) == 0)
        is_synced(&st);
    powercut_unlock();
    return rc;
}

/* -- the cut -------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static void put_back(const struct undone *u)
{
    char buf[4096];
    ssize_t n;
    int fd;

    if (!u->from || __real_rename(u->path, u->from) < 0)
        unlink(u->path);
    if (u->fd < 0)
        return;
    fd = open(u->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while ((n = read(u->fd, buf, sizeof(buf))) > 0)
        if (write(fd, buf, (size_t)n) != n)
            abort();
    close(fd);
}

static void undo(const struct undone *u)
{
    switch (u->kind) {
    case NEW_FOLDER:
        nftw(u->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        break;
    case NEW_NAME:
        put_back(u);
        break;
    case NEW_BYTES:
        if (ftruncate(u->fd, 0) < 0)
            abort();
        break;
    }
}

void powercut_strike(void)
{
    if (!is_set_up)
        return;
    powercut_lock(); /* for good */
    for (const struct undone *u = list; u; u = u->next)
        undo(u);
}
