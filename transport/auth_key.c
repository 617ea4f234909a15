/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/auth_key.c - the keyring.  It must not know nodes.
 */
#include "transport/auth_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct key_entry {
    struct key_entry *next;
    uv_work_t work;
    char *path;
    struct secret *passphrase; /* NULL: none */
    ssh_key key;
    bool missing;
    bool done;
    bool orphan; /* the keyring is gone: free when the pool is done */
    struct err err;
    struct key_want *waiting;
};

struct keyring {
    uv_loop_t *loop;
    struct key_entry *first;
};

struct keyring *keyring_new(uv_loop_t *loop)
{
    struct keyring *k = calloc(1, sizeof(*k));

    if (k == NULL)
        abort();
    k->loop = loop;
    return k;
}

static void entry_free(struct key_entry *e)
{
    ssh_key_free(e->key);
    secret_free(e->passphrase);
    free(e->path);
    free(e);
}

void keyring_free(struct keyring *k)
{
    if (k == NULL)
        return;
    while (k->first != NULL) {
        struct key_entry *e = k->first;

        k->first = e->next;
        if (e->done)
            entry_free(e);
        else
            e->orphan = true;
    }
    free(k);
}

/* Without it OpenSSL would ask the terminal for a passphrase. */
static int no_passphrase(/* lint: allow params, the type is libssh's */
                         const char *prompt, char *buf, size_t len, int echo,
                         int verify, void *user)
{
    (void)prompt;
    (void)echo;
    (void)verify;
    (void)user;
    if (len > 0)
        buf[0] = '\0';
    return -1;
}

/* In the pool. */
static void load(uv_work_t *work)
{
    struct key_entry *e = work->data;
    const char *pass = e->passphrase ? secret_text(e->passphrase) : NULL;
    int rc;

    if (access(e->path, R_OK) != 0) {
        e->missing = errno == ENOENT || errno == ENOTDIR;
        err_errno(&e->err, CAUSE_INPUT, "the private key %s cannot be read",
                  e->path);
        return;
    }
    rc = ssh_pki_import_privkey_file(e->path, pass, no_passphrase, NULL,
                                     &e->key);
    if (rc == SSH_OK)
        return;
    e->key = NULL;
    err_set(&e->err, CAUSE_INPUT,
            pass != NULL
                ? "the private key %s cannot be used: its passphrase is wrong "
                  "or it is no private key"
                : "the private key %s cannot be used: it wants a passphrase, "
                  "or it is no private key",
            e->path);
}

static void tell(struct key_want *want)
{
    const struct key_entry *e = want->entry;

    want->key = e->key;
    want->missing = e->missing;
    want->err = &e->err;
}

static void on_loaded(uv_work_t *work, int status)
{
    struct key_entry *e = work->data;

    (void)status;
    e->done = true;
    if (e->orphan) {
        entry_free(e);
        return;
    }
    while (e->waiting != NULL) {
        struct key_want *want = e->waiting;

        e->waiting = want->next;
        want->next = NULL;
        tell(want);
        want->loaded(want);
    }
}

static bool is_entry(const struct key_entry *e, const char *path,
                     const struct secret *pass)
{
    const struct secret *own = e->passphrase;

    if (strcmp(e->path, path) != 0 || (own == NULL) != (pass == NULL))
        return false;
    return own == pass || (own->len == pass->len &&
                           memcmp(own->data, pass->data, own->len) == 0);
}

static struct key_entry *entry_new(struct keyring *k, const char *path,
                                   struct secret *passphrase)
{
    struct key_entry *e = calloc(1, sizeof(*e));

    if (e == NULL || (e->path = strdup(path)) == NULL)
        abort();
    e->passphrase = secret_share(passphrase);
    e->work.data = e;
    e->next = k->first;
    k->first = e;
    uv_queue_work(k->loop, &e->work, load, on_loaded);
    return e;
}

bool keyring_ask(struct keyring *k, struct key_want *want, const char *path,
                 struct secret *passphrase)
{
    struct key_entry *e = k->first;

    while (e != NULL && !is_entry(e, path, passphrase))
        e = e->next;
    if (e == NULL)
        e = entry_new(k, path, passphrase);
    want->entry = e;
    if (e->done) {
        tell(want);
        return true;
    }
    want->next = e->waiting;
    e->waiting = want;
    return false;
}

void keyring_leave(struct key_want *want)
{
    struct key_want **at;

    if (want->entry == NULL)
        return;
    for (at = &want->entry->waiting; *at != NULL; at = &(*at)->next) {
        if (*at == want) {
            *at = want->next;
            break;
        }
    }
    want->entry = NULL;
}

bool key_is_slow(ssh_key key)
{
    return ssh_key_type(key) == SSH_KEYTYPE_RSA;
}
