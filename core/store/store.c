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
    return 0;
}

/* -- opening and closing -------------------------------------------------- */

/* Of two that are one process, or that had one number on one host, too. */
static char *owner_of(const struct store *store)
{
    unsigned char tail[8];
    char *owner = NULL, hex[2 * sizeof(tail) + 1];

    if (getrandom(tail, sizeof(tail), 0) != (ssize_t)sizeof(tail))
        abort();
    for (size_t i = 0; i < sizeof(tail); i++)
        snprintf(hex + 2 * i, 3, "%02x", tail[i]);
    if (asprintf(&owner, "%s:%d:%s", store->host, (int)getpid(), hex) < 0)
        abort();
    return owner;
}

static char *title_of(const struct store *store)
{
    char *title = NULL;

    if (asprintf(&title, "%s%s", store->url ? "store " : "state folder ",
                 store->url ? store->url : store->folder) < 0)
        abort();
    return title;
}

static struct store *store_new(const struct store_place *place,
                               struct uv_loop_s *loop)
{
    struct store *store = calloc(1, sizeof(*store));

    if (!store || uv_mutex_init(&store->writing) < 0)
        abort();
    store->backend = place->url ? &pg_backend : &sqlite_backend;
    store->locks_fd = -1;
    store->loop = loop;
    store->folder = text_copy(place->folder);
    store->url = place->url ? text_copy(place->url) : NULL;
    store->password = place->password ? secret_share(place->password) : NULL;
    store->title = title_of(store);
    store->user = user_name();
    store->host = host_name();
    store->owner = owner_of(store);
    store->lease_ms =
        1000 * (uint64_t)(place->lease_s ? place->lease_s : STORE_LEASE_S);
    store->writer = store->reader =
        (struct db){.ops = store->backend->db, .store = store};
    return store;
}

struct store *store_open_at(const struct store_place *place,
                            struct uv_loop_s *loop, struct err *err)
{
    struct store *store;

    if (place->url && store_url_check(place->url, err) < 0)
        return NULL;
    store = store_new(place, loop);
    if (open_folder(store, err) == 0 && store->backend->open(store, err) == 0 &&
        queue_init(store, err) == 0)
        return store;
    store_close(store);
    return NULL;
}

struct store *store_open(const char *state_dir, struct uv_loop_s *loop,
                         struct err *err)
{
    return store_open_at(&(struct store_place){.folder = state_dir}, loop, err);
}

struct store *store_open_reader(const struct store_place *place,
                                struct err *err)
{
    struct store *store;

    if (place->url && store_url_check(place->url, err) < 0)
        return NULL;
    store = store_new(place, NULL);
    if (store->backend->look(store, err) == 0)
        return store;
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    queue_release(store);
    store->backend->life->leave(store);
    db_close(&store->reader);
    db_close(&store->writer);
    holds_free(store);
    if (store->locks_fd >= 0)
        close(store->locks_fd);
    uv_mutex_destroy(&store->writing);
    secret_free(store->password);
    free(store->folder);
    free(store->title);
    free(store->url);
    free(store->owner);
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
