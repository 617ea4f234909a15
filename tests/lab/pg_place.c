/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs, user and folders of the PostgreSQL servers.  Knows no server.
 *
 * PostgreSQL refuses to run as root, and a lab's own folder is closed to
 * others: the data lies in a fresh folder of its own, on tmpfs where that has
 * room, and its name stands in DIR/pg.path.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/lab/pg_priv.h"

enum {
    OLDEST = 15
};
#define MEMORY "/dev/shm"
#define PREFIX "certfleet-pg."
static const uint64_t MEMORY_WANTED = UINT64_C(2) << 30; /* bytes */

void pg_path(char to[PG_PATH], const char *folder, const char *name)
{
    if (snprintf(to, PG_PATH, "%s/%s", folder, name) >= PG_PATH)
        abort(); /* the base is short, names are ours */
}

/* -- programs -------------------------------------------------------------- */

static bool holds_server(const char *folder)
{
    static const char *const programs[] = {"postgres", "initdb", "psql",
                                           "pg_basebackup"};
    char path[PG_PATH];

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        pg_path(path, folder, programs[i]);
        if (access(path, X_OK) != 0)
            return false;
    }
    return true;
}

/* ".../15/bin", "/usr/pgsql-16/bin": the number */
static long version_of(const char *folder)
{
    const char *end = folder + strlen(folder) - strlen("/bin");
    const char *digits = end;

    while (digits > folder && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    return strtol(digits, NULL, 10);
}

bool pg_find_programs(char *folder, size_t size)
{
    static const char *const patterns[] = {"/usr/lib/postgresql/*/bin",
                                           "/usr/pgsql-*/bin",
                                           "/usr/local/pgsql-*/bin"};
    long best = OLDEST - 1;
    glob_t found;

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (glob(patterns[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++) {
            const char *path = found.gl_pathv[k];
            if (version_of(path) > best && strlen(path) < size &&
                holds_server(path)) {
                best = version_of(path);
                snprintf(folder, size, "%s", path);
            }
        }
        globfree(&found);
    }
    return best >= OLDEST;
}

/* -- folders --------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    remove(path);
    return 0;
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

/* A lab that was killed hard could not remove its folder. */
static void remove_stale(const char *note)
{
    struct secret *s = file_read(note, PG_PATH - 1, NULL);
    const char *name = s ? strrchr(secret_text(s), '/') : NULL;

    if (name && strncmp(name + 1, PREFIX, strlen(PREFIX)) == 0)
        remove_tree(secret_text(s));
    secret_free(s);
    unlink(note);
}

static bool has_room(const char *folder)
{
    struct statvfs v;

    return statvfs(folder, &v) == 0 && access(folder, W_OK | X_OK) == 0 &&
           (uint64_t)v.f_bavail * v.f_frsize >= MEMORY_WANTED;
}

/* The user postgres must be able to pass through. */
static bool is_passable(const char *folder)
{
    char path[PG_PATH];
    struct stat st;

    if (strlen(folder) >= sizeof(path))
        return false;
    for (size_t i = 1; i <= strlen(folder); i++) {
        if (folder[i] != '/' && folder[i] != '\0')
            continue;
        snprintf(path, sizeof(path), "%.*s", (int)i, folder);
        if (stat(path, &st) < 0 || !(st.st_mode & S_IXOTH))
            return false;
    }
    return true;
}

static const char *choose_parent(bool as_root)
{
    const char *wish = getenv("TMPDIR");

    if (wish && *wish == '/' && (!as_root || is_passable(wish)))
        return wish;
    return has_room(MEMORY) ? MEMORY : "/tmp";
}

static int own(const struct pg_place *place, const char *path, struct err *err)
{
    if (place->as_root && chown(path, place->uid, place->gid) < 0)
        return err_errno(err, CAUSE_SYSTEM, "chown %s", path);
    return 0;
}

int pg_place_folder(struct pg_place *place, const char *path, struct err *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_errno(err, CAUSE_SYSTEM, "make %s", path);
    return own(place, path, err);
}

/* Created anew each time, so that nothing of the old file's owner stays. */
int pg_place_write(struct pg_place *place, const char *path, const void *data,
                   size_t len, struct err *err)
{
    int fd, rc = 0;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, CAUSE_SYSTEM, "write %s", path);
    if (len && write(fd, data, len) != (ssize_t)len)
        rc = err_errno(err, CAUSE_SYSTEM, "write %s", path);
    close(fd);
    return rc < 0 ? rc : own(place, path, err);
}

static int find_user(struct pg_place *place, struct err *err)
{
    struct passwd entry, *found = NULL;
    char room[4096];

    place->as_root = geteuid() == 0;
    if (!place->as_root)
        return 0;
    if (getpwnam_r("postgres", &entry, room, sizeof(room), &found) != 0 ||
        !found)
        return err_set(err, CAUSE_SYSTEM,
                       "PostgreSQL does not run as root, and there is no "
                       "user postgres");
    place->uid = found->pw_uid;
    place->gid = found->pw_gid;
    return 0;
}

static int make_base(struct pg_place *place, struct err *err)
{
    const char *parent = choose_parent(place->as_root);

    if (strspn(parent, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                       "0123456789._/-") != strlen(parent) ||
        strlen(parent) > 60)
        return err_set(err, CAUSE_INPUT,
                       "%s: too long, or too strange, a folder for sockets",
                       parent);
    snprintf(place->base, sizeof(place->base), "%s/" PREFIX "XXXXXX", parent);
    if (!mkdtemp(place->base)) {
        place->base[0] = '\0';
        return err_errno(err, CAUSE_SYSTEM, "make a folder in %s", parent);
    }
    return own(place, place->base, err);
}

int pg_place_make(struct pg_place *place, struct lab *lab, struct err *err)
{
    char note[PG_PATH];

    if (!pg_find_programs(place->programs, sizeof(place->programs)))
        return err_set(err, CAUSE_SYSTEM,
                       "no PostgreSQL server 15 or newer is installed "
                       "(scripts/deps.sh demo)");
    if (strlen(lab->dir) > PG_PATH - 16)
        return err_set(err, CAUSE_INPUT, "%s: too long", lab->dir);
    pg_path(note, lab->dir, "pg.path");
    remove_stale(note);
    if (find_user(place, err) < 0 || make_base(place, err) < 0)
        return -1;
    return file_write(note, place->base, strlen(place->base), 0644, false, err);
}

void pg_place_remove(struct pg_place *place, struct lab *lab)
{
    char note[PG_PATH];

    if (!place->base[0])
        return;
    remove_tree(place->base);
    pg_path(note, lab->dir, "pg.path");
    unlink(note);
}
