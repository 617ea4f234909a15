/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of one key each; unlink() decides whose it is.
 */
#include "core/run/spare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/run/plan.h"

enum {
    KEY_CAP = 64 * 1024,
    KIND_BYTES = 32
};

bool spare_is_of_use(const char *kind)
{
    return kind && strncmp(kind, "rsa:", 4) == 0;
}

static char *folder_of(const char *state_dir, const char *cluster)
{
    char *path;

    if (asprintf(&path, "%s/spare%s%s", state_dir, cluster ? "/" : "",
                 cluster ? cluster : "") < 0)
        abort();
    return path;
}

/* "rsa-2048-", with which the names of its files begin */
static void prefix_of(const char *kind, char text[KIND_BYTES])
{
    snprintf(text, KIND_BYTES, "%s-", kind);
    for (char *p = text; *p; p++)
        if (*p == ':')
            *p = '-';
}

static bool is_of_kind(const char *name, const char *kind)
{
    char prefix[KIND_BYTES];

    prefix_of(kind, prefix);
    return strncmp(name, prefix, strlen(prefix)) == 0 &&
           strcmp(name + strlen(name) - 4, ".key") == 0;
}

/* -- made ------------------------------------------------------------------ */

static int put(const struct spare *spare, const struct secret *key,
               struct err *err)
{
    char *folder = folder_of(spare->state_dir, spare->cluster), *path = NULL;
    char prefix[KIND_BYTES];
    unsigned char tail[8];
    int rc;

    prefix_of(spare->kind, prefix);
    if (RAND_bytes(tail, sizeof(tail)) != 1)
        abort();
    if (asprintf(&path, "%s/%s%02x%02x%02x%02x%02x%02x%02x%02x.key", folder,
                 prefix, tail[0], tail[1], tail[2], tail[3], tail[4], tail[5],
                 tail[6], tail[7]) < 0)
        abort();
    rc = file_make_folders(folder, err);
    if (rc == 0)
        rc = file_write(path, key->data, key->len, 0600, true, err);
    free(path);
    free(folder);
    return rc;
}

int spare_make(const struct spare *spare, struct err *err)
{
    struct secret *key = pki_key_make(spare->kind, err), *locked;
    int rc;

    if (key && spare->passphrase) {
        locked = pki_key_lock(key, spare->passphrase, err);
        secret_free(key);
        key = locked;
    }
    if (!key)
        return -1;
    rc = put(spare, key, err);
    secret_free(key);
    return rc;
}

/* -- taken ----------------------------------------------------------------- */

static bool is_ours(int fd, const struct stat *st)
{
    return fd >= 0 && S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
           (st->st_mode & 07777) == 0600 && st->st_nlink == 1 &&
           st->st_size > 0 && st->st_size <= KEY_CAP;
}

static struct secret *read_whole(int fd, size_t len)
{
    struct secret *text = secret_new(len);
    size_t at = 0;

    while (at < len) {
        ssize_t n = read(fd, text->data + at, len - at);
        if (n <= 0) {
            secret_free(text);
            return NULL;
        }
        at += (size_t)n;
    }
    return text;
}

/* What the file holds, when it is as we put it there. */
static struct secret *read_ours(int folder, const char *name)
{
    int fd =
        openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct secret *text = NULL;
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && is_ours(fd, &st))
        text = read_whole(fd, (size_t)st.st_size);
    if (fd >= 0)
        close(fd);
    return text;
}

/* A key of this kind, or NULL; `text` is gone. */
static struct secret *unlock(const struct spare *spare, struct secret *text)
{
    struct secret *key = pki_key_unlock(text, spare->passphrase, NULL);
    struct pki_cert_info info;

    secret_free(text);
    if (key && (pki_describe(key->data, key->len, &info, NULL) < 0 ||
                info.kind != PKI_KEY || strcmp(info.key, spare->kind) != 0)) {
        secret_free(key);
        key = NULL;
    }
    return key;
}

/* It is ours when it was we who took its name away; then nobody else has it,
 * today or after a power cut. */
static struct secret *claim(const struct spare *spare, int folder,
                            const char *name)
{
    struct secret *text = read_ours(folder, name), *key;

    if (unlinkat(folder, name, 0) < 0 || fsync(folder) < 0) {
        secret_free(text);
        return NULL;
    }
    key = text ? unlock(spare, text) : NULL;
    if (!key)
        log_warn("spare key %s of %s was not as it was made: thrown away", name,
                 spare->cluster);
    return key;
}

struct secret *spare_take(const struct spare *spare)
{
    char *path = folder_of(spare->state_dir, spare->cluster);
    DIR *folder = opendir(path);
    struct secret *key = NULL;
    const struct dirent *entry;

    free(path);
    while (!key && folder && (entry = readdir(folder)))
        if (is_of_kind(entry->d_name, spare->kind))
            key = claim(spare, dirfd(folder), entry->d_name);
    if (folder)
        closedir(folder);
    return key;
}

struct secret *spare_or_new(const struct issue_job *job, const char *kind,
                            struct err *err)
{
    const struct spare spare = {
        .state_dir = job->plan->plan->inventory->state_dir,
        .cluster = job->plan->cluster->name,
        .kind = kind,
        .passphrase = job->key_passphrase,
    };
    struct secret *key = spare_is_of_use(kind) ? spare_take(&spare) : NULL;

    if (job->keys)
        (*(key ? &job->keys->ahead : &job->keys->made))++;
    return key ? key : pki_key_make(kind, err);
}

/* -- tidied ---------------------------------------------------------------- */

static bool is_fresh(int folder, const char *name)
{
    struct stat st;

    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           is_ours(0, &st) && time(NULL) - st.st_mtime < SPARE_KEEP_S;
}

size_t spare_tidy(const struct spare *spare, size_t keep)
{
    char *path = folder_of(spare->state_dir, spare->cluster);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    size_t n = 0;

    while (folder && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (n < keep && is_of_kind(entry->d_name, spare->kind) &&
            is_fresh(dirfd(folder), entry->d_name))
            n++;
        else
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder)
        closedir(folder);
    free(path);
    return n;
}

void spare_tidy_others(const char *state_dir,
                       bool (*is_wanted)(void *user, const char *cluster),
                       void *user)
{
    char *path = folder_of(state_dir, NULL);
    DIR *folder = opendir(path);
    const struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        const struct spare spare = {state_dir, entry->d_name, "none", NULL};

        if (entry->d_name[0] == '.' || is_wanted(user, entry->d_name))
            continue;
        spare_tidy(&spare, 0);
        (void)unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
    }
    if (folder)
        closedir(folder);
    free(path);
}
