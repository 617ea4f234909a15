/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose process lives: one locked file a run, which the kernel lets go when
 * the process ends in whatever way.  Knows nothing of the database.
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

static int take_file(struct store *store, const char *run, int *fd,
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

static int lock_take(struct turn *turn, struct hold *hold, struct err *err)
{
    if (hold->fd >= 0)
        return 0;
    return take_file(turn->store, hold->run, &hold->fd, err);
}

/* The kernel keeps it as long as we live. */
static int lock_confirm(struct turn *turn, const struct hold *hold,
                        struct err *err)
{
    (void)turn;
    (void)hold;
    (void)err;
    return 0;
}

static void lock_kept(struct store *store, struct hold *hold)
{
    (void)store;
    (void)hold;
}

static void lock_drop(struct store *store, struct hold *hold)
{
    char name[NAME_MAX + 1];

    if (hold->fd < 0)
        return;
    file_name(hold->run, name);
    unlinkat(store->locks_fd, name, 0);
    close(hold->fd);
    hold->fd = -1;
}

static void lock_leave(struct store *store)
{
    (void)store; /* holds_free() drops each */
}

const struct life_ops lock_file_ops = {
    .take = lock_take,
    .confirm = lock_confirm,
    .quit = lock_confirm, /* not before the turn is durable */
    .kept = lock_kept,
    .drop = lock_drop,
    .leave = lock_leave,
};

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
