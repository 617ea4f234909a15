/* SPDX-License-Identifier: Apache-2.0
 *
 * The store as a whole: its folder and files, opening and closing, new ids.
 * Knows no SQL.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/store/store_priv.h"

static char *text_copy(const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        abort();
    return copy;
}

static char *path_in(const struct store *store, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", store->folder, name) < 0)
        abort();
    return path;
}

/* -- who we are, for locks ------------------------------------------------ */

static char *user_name(void)
{
    struct passwd entry, *found = NULL;
    char room[4096], *name = NULL;

    if (getpwuid_r(geteuid(), &entry, room, sizeof(room), &found) == 0 && found)
        return text_copy(found->pw_name);
    if (asprintf(&name, "uid-%u", (unsigned)geteuid()) < 0)
        abort();
    return name;
}

static char *host_name(void)
{
    char name[256] = "";

    if (gethostname(name, sizeof(name) - 1) < 0 || !name[0])
        return text_copy("localhost");
    return text_copy(name);
}

/* -- the folder ----------------------------------------------------------- */

static int open_locks(struct store *store, struct err *err)
{
    char *path = path_in(store, "locks");
    int rc = 0;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        rc = err_errno(err, CAUSE_SYSTEM, "make folder %s", path);
    if (rc == 0) {
        store->locks_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (store->locks_fd < 0)
            rc = err_errno(err, CAUSE_SYSTEM, "open folder %s", path);
    }
    free(path);
    return rc;
}

/* A folder that was there before us keeps its mode: it may be anything, /tmp
 * included. */
static int open_folder(struct store *store, struct err *err)
{
    struct stat st;

    if (file_make_folders(store->folder, err) < 0)
        return err_context(err, "state folder %s", store->folder);
    if (access(store->folder, R_OK | W_OK | X_OK) < 0)
        return err_errno(err, CAUSE_SYSTEM,
                         "state folder %s cannot be written (another one: "
                         "--state-dir DIR)",
                         store->folder);
    if (stat(store->folder, &st) == 0 && (st.st_mode & 022))
        log_warn("state folder %s: others may write in it; chmod 700 it",
                 store->folder);
    return open_locks(store, err);
}

static int sync_folder(const struct store *store)
{
    int fd = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return rc;
}

/* SQLite gives its -wal and -shm the mode of the database.  A database that
 * exists is never opened here: closing it would drop the POSIX locks that
 * SQLite may hold on it elsewhere in this process. */
static int make_database(struct store *store, struct err *err)
{
    char *path = path_in(store, "certfleet.db");
    struct stat st;
    int fd, rc = 0;

    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        if (sync_folder(store) < 0)
            rc = err_errno(err, CAUSE_SYSTEM, "sync %s", store->folder);
    } else if (errno != EEXIST) {
        rc = err_errno(err, CAUSE_SYSTEM, "make %s", path);
    } else if (stat(path, &st) == 0 && (st.st_mode & 077) &&
               chmod(path, 0600) < 0) {
        rc = err_errno(err, CAUSE_SYSTEM, "make %s private", path);
    }
    free(path);
    return rc;
}

/* -- opening and closing -------------------------------------------------- */

/* Entering WAL mode and migrating are not for two processes at once: SQLite
 * may answer "busy" there without waiting. */
static int migrate_alone(struct store *store, struct err *err)
{
    struct flock lock;
    int fd =
        openat(store->locks_fd, ".open", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc;

    memset(&lock, 0, sizeof(lock));
    lock.l_type = F_WRLCK;
    if (fd < 0 || fcntl(fd, F_OFD_SETLKW, &lock) < 0)
        rc = err_errno(err, CAUSE_SYSTEM, "lock %s/locks/.open", store->folder);
    else
        rc = db_migrate(&store->writer, err);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int open_database(struct store *store, struct err *err)
{
    bool wal = false;
    int version = 0;

    if (make_database(store, err) < 0 ||
        db_open(&store->writer, store->folder, DB_WRITE, err) < 0 ||
        db_version(&store->writer, &version, &wal, err) < 0)
        return -1;
    if ((!wal || version < STORE_SCHEMA) && migrate_alone(store, err) < 0)
        return -1;
    return db_open(&store->reader, store->folder, DB_READ, err);
}

static struct store *store_new(const char *state_dir, struct uv_loop_s *loop)
{
    struct store *store = calloc(1, sizeof(*store));

    if (!store || uv_mutex_init(&store->writing) < 0)
        abort();
    store->locks_fd = -1;
    store->loop = loop;
    store->folder = text_copy(state_dir);
    store->user = user_name();
    store->host = host_name();
    store->writer.fail_in = store->reader.fail_in = &store->fail_in;
    return store;
}

struct store *store_open(const char *state_dir, struct uv_loop_s *loop,
                         struct err *err)
{
    struct store *store = store_new(state_dir, loop);

    if (open_folder(store, err) == 0 && open_database(store, err) == 0 &&
        queue_init(store, err) == 0)
        return store;
    store_close(store);
    return NULL;
}

static int open_to_look(struct store *store, struct err *err)
{
    char *path = path_in(store, "certfleet.db");
    bool there = file_exists(path), wal = false;
    int version = 0;

    free(path);
    if (!there)
        return err_set(err, CAUSE_INPUT,
                       "state folder %s has no certfleet.db: nothing has "
                       "been run from it",
                       store->folder);
    if (db_open(&store->reader, store->folder, DB_LOOK, err) < 0 ||
        db_version(&store->reader, &version, &wal, err) < 0)
        return -1;
    if (version < STORE_SCHEMA)
        return err_set(err, CAUSE_INPUT,
                       "state folder %s was written by an older certfleet "
                       "(schema %d): `certfleet runs' brings it up",
                       store->folder, version);
    return 0;
}

struct store *store_open_reader(const char *state_dir, struct err *err)
{
    struct store *store = store_new(state_dir, NULL);

    if (open_to_look(store, err) == 0)
        return store;
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    queue_release(store);
    db_close(&store->reader);
    db_close(&store->writer);
    holds_free(store);
    if (store->locks_fd >= 0)
        close(store->locks_fd);
    uv_mutex_destroy(&store->writing);
    free(store->folder);
    free(store->user);
    free(store->host);
    free(store);
}

const char *store_folder(const struct store *store)
{
    return store->folder;
}

/* -- ids, and what tests ask for ------------------------------------------ */

void store_new_id(char id[STORE_ID_BYTES])
{
    time_t now = time(NULL);
    unsigned char tail[2];
    struct tm tm;
    size_t n;

    if (getrandom(tail, sizeof(tail), 0) != (ssize_t)sizeof(tail))
        abort();
    gmtime_r(&now, &tm);
    n = strftime(id, STORE_ID_BYTES, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(id + n, STORE_ID_BYTES - n, "-%02x%02x", tail[0], tail[1]);
}

void store_fail_at(struct store *store, int n)
{
    atomic_store(&store->fail_in, n);
}

unsigned long store_commits(const struct store *store)
{
    return atomic_load(&store->commits);
}
