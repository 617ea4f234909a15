/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose process lives: one locked file a run, which the kernel lets go when
 * the process ends in whatever way.  Also what this process holds.  Knows
 * nothing of the database.
 *
 * Locks of the open file description (not of the process, as POSIX ones are):
 * closing another descriptor of the file does not lose them, and F_OFD_GETLK
 * asks without taking, so that two who ask never see each other as the owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store/store_priv.h"

static void file_name(const char *run, char name[NAME_MAX + 1])
{
    snprintf(name, NAME_MAX + 1, "%s.lock", run);
}

static struct flock whole_file(void)
{
    struct flock lock;

    memset(&lock, 0, sizeof(lock));
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

/* The last owner unlinks the file while it holds it: who locks it afterwards
 * may have locked a file that has no name any more. */
static bool is_in_place(int dir, const char *name, int fd)
{
    struct stat ours, named;

    return fstat(fd, &ours) == 0 && fstatat(dir, name, &named, 0) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* 1: locked, 0: somebody has it, -1: errno. */
static int lock_fd(int fd)
{
    struct flock lock = whole_file();

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 1;
    return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

int lock_file_take(struct store *store, const char *run, int *fd,
                   struct err *err)
{
    char name[NAME_MAX + 1];
    int rc = 1;

    file_name(run, name);
    *fd = -1;
    for (;;) {
        int file = openat(store->locks_fd, name,
                          O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file < 0 || (rc = lock_fd(file)) < 0)
            rc = err_errno(err, CAUSE_SYSTEM, "lock %s/locks/%s", store->folder,
                           name);
        if (rc > 0 && is_in_place(store->locks_fd, name, file)) {
            *fd = file;
            return 1;
        }
        if (file >= 0)
            close(file);
        if (rc <= 0)
            return rc;
    }
}

void lock_file_drop(struct store *store, const char *run, int fd)
{
    char name[NAME_MAX + 1];

    if (fd < 0)
        return;
    file_name(run, name);
    unlinkat(store->locks_fd, name, 0);
    close(fd);
}

bool lock_file_living(const struct store *store, const char *run)
{
    struct flock lock = whole_file();
    char name[NAME_MAX + 1];
    bool living;
    int fd;

    file_name(run, name);
    fd = openat(store->locks_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno != ENOENT;
    living = fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
    close(fd);
    return living;
}

/* -- holds ---------------------------------------------------------------- */

struct hold *hold_find(struct store *store, const char *run)
{
    for (struct hold *h = store->holds; h; h = h->next)
        if (strcmp(h->run, run) == 0)
            return h;
    return NULL;
}

struct hold *hold_make(struct store *store, const char *run)
{
    struct hold *h = hold_find(store, run);

    if (h)
        return h;
    h = calloc(1, sizeof(*h));
    if (!h || !(h->run = strdup(run)))
        abort();
    h->fd = -1;
    h->next = store->holds;
    store->holds = h;
    return h;
}

static void hold_drop(struct store *store, struct hold *h)
{
    lock_file_drop(store, h->run, h->fd);
    h->fd = -1;
}

void holds_keep(struct store *store)
{
    for (struct hold *h = store->holds; h; h = h->next) {
        if (h->ending)
            hold_drop(store, h);
        h->fresh = h->ending = false;
    }
}

void holds_undo(struct store *store)
{
    for (struct hold *h = store->holds; h; h = h->next) {
        if (h->fresh) {
            hold_drop(store, h);
            h->fence = 0;
        }
        h->fresh = h->ending = false;
    }
}

void holds_free(struct store *store)
{
    while (store->holds) {
        struct hold *h = store->holds;
        store->holds = h->next;
        hold_drop(store, h);
        free(h->run);
        free(h);
    }
}
