/* SPDX-License-Identifier: Apache-2.0
 *
 * Where secrets come from: a table of kinds, and a cache so that each
 * reference is resolved once.  Values go straight into struct secret and never
 * into an error.
 */
#include "core/fleet/secret_ref.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fleet/path.h"
#include "core/fleet/secret_priv.h"

/* `rest` is what stands behind the colon; NULL: there is no colon. */
typedef int check_f(const char *rest, struct err *err);
typedef struct secret *read_f(const char *rest, const char *folder,
                              const char *what, struct err *err);
struct kind {
    const char *word;
    check_f *check;
    read_f *read;
};

struct cached {
    char *key;
    struct secret *secret;
    struct cached *next;
};
struct secret_cache {
    struct cached *first;
};

/* -- the kinds: what may follow the colon -------------------------------- */

static int check_env(const char *rest, struct err *err)
{
    bool good = rest && *rest && !isdigit((unsigned char)*rest);

    for (const char *p = rest; good && *p; p++)
        good = isalnum((unsigned char)*p) || *p == '_';
    return good ? 0
                : err_set(err, CAUSE_INPUT,
                          "env: wants the name of an environment variable");
}

static int check_file(const char *rest, struct err *err)
{
    char *path;

    if (!rest || !*rest)
        return err_set(err, CAUSE_INPUT, "file: wants a path");
    path = path_expand("/", rest, err);
    free(path);
    return path ? 0 : -1;
}

static int check_command(const char *rest, struct err *err)
{
    if (rest && rest[strspn(rest, " \t")] != '\0')
        return 0;
    return err_set(err, CAUSE_INPUT, "command: wants a command line");
}

static int check_prompt(const char *rest, struct err *err)
{
    if (!rest || *rest)
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "prompt: wants what is asked for, or no colon");
}

/* -- the kinds: reading --------------------------------------------------- */

static struct secret *read_env(const char *rest, const char *folder,
                               const char *what, struct err *err)
{
    const char *value = getenv(rest);

    (void)folder;
    (void)what;
    if (value)
        return secret_from(value, strlen(value));
    err_set(err, CAUSE_INPUT, "environment variable %s is not set", rest);
    return NULL;
}

/* As ssh does it for private keys, and stricter about the owner. */
static int check_mode(const struct stat *st, const char *path, struct err *err)
{
    if (!S_ISREG(st->st_mode))
        return err_set(err, CAUSE_INPUT, "%s: not a regular file", path);
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return err_set(err, CAUSE_INPUT, "%s: belongs to another user (uid %u)",
                       path, (unsigned)st->st_uid);
    if (st->st_mode & 077)
        return err_set(err, CAUSE_INPUT,
                       "%s: mode %04o lets others in; run: chmod 600 %s", path,
                       (unsigned)st->st_mode & 07777, path);
    return 0;
}

static struct secret *read_open_file(int fd, const char *path, struct err *err)
{
    struct secret *s = NULL;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        err_errno(err, CAUSE_INPUT, "%s", path);
    else if (check_mode(&st, path, err) == 0 && !(s = secret_read_all(fd)))
        err_errno(err, CAUSE_INPUT, "%s (at most %d bytes)", path,
                  SECRET_BYTES);
    return s;
}

static struct secret *read_file(const char *rest, const char *folder,
                                const char *what, struct err *err)
{
    char *path = path_expand(folder, rest, err);
    struct secret *s;
    int fd;

    (void)what;
    if (!path)
        return NULL;
    /* O_NONBLOCK: a FIFO is refused by check_mode, not waited for. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    s = read_open_file(fd, path, err);
    if (fd >= 0)
        close(fd);
    free(path);
    return s;
}

static struct secret *read_command(const char *rest, const char *folder,
                                   const char *what, struct err *err)
{
    (void)what;
    return secret_command(rest, folder, err);
}

static struct secret *read_prompt(const char *rest, const char *folder,
                                  const char *what, struct err *err)
{
    (void)folder;
    return secret_prompt(rest ? rest : what, err);
}

static const struct kind kinds[] = {
    {"env", check_env, read_env},
    {"file", check_file, read_file},
    {"command", check_command, read_command},
    {"prompt", check_prompt, read_prompt},
};

static const struct kind *kind_of(const char *ref, const char **rest)
{
    size_t len = strcspn(ref, ":");

    *rest = ref[len] ? ref + len + 1 : NULL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strlen(kinds[i].word) == len &&
            strncmp(kinds[i].word, ref, len) == 0)
            return &kinds[i];
    return NULL;
}

int secret_ref_check(const char *ref, struct err *err)
{
    const char *rest;
    const struct kind *kind = kind_of(ref, &rest);

    if (kind)
        return kind->check(rest, err);
    return err_set(err, CAUSE_INPUT,
                   "not a place where a secret is found: env:NAME, file:PATH, "
                   "command:COMMAND LINE and prompt are known");
}

/* -- the cache ------------------------------------------------------------ */

struct secret_cache *secret_cache_new(void)
{
    struct secret_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        abort();
    return cache;
}

void secret_cache_free(struct secret_cache *cache)
{
    while (cache && cache->first) {
        struct cached *c = cache->first;
        cache->first = c->next;
        secret_free(c->secret);
        free(c->key);
        free(c);
    }
    free(cache);
}

/* One newline less; what no login could carry is refused. */
static struct secret *tidy(struct secret *s, struct err *err)
{
    if (s->len && s->data[s->len - 1] == '\n') {
        s->data[--s->len] = '\0';
        if (s->len && s->data[s->len - 1] == '\r')
            s->data[--s->len] = '\0';
    }
    if (s->len == 0)
        err_set(err, CAUSE_INPUT, "it is empty");
    else if (memchr(s->data, '\0', s->len))
        err_set(err, CAUSE_INPUT, "it holds a NUL byte");
    else
        return s;
    secret_free(s);
    return NULL;
}

/* The reference itself stays out of the error: a command line may hold what
 * its author takes for a secret. */
static struct secret *resolve(const char *ref, const char *folder,
                              const char *what, struct err *err)
{
    const char *rest;
    const struct kind *kind = kind_of(ref, &rest);
    struct secret *s = kind->read(rest, folder, what, err);

    if (s)
        s = tidy(s, err);
    if (!s)
        err_context(err, "%s (%s)", what, kind->word);
    return s;
}

/* A bare prompt is told from others by what it asks for. */
static char *cache_key(const char *ref, const char *folder, const char *what)
{
    const char *more = strcmp(ref, "prompt") == 0 ? what : folder;
    char *key = NULL;

    if (asprintf(&key, "%s\n%s", ref, more ? more : "") < 0)
        abort();
    return key;
}

static void keep(struct secret_cache *cache, char *key, struct secret *s)
{
    struct cached *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    c->key = key;
    c->secret = s;
    c->next = cache->first;
    cache->first = c;
}

static struct secret *find_cached(struct secret_cache *cache, const char *key)
{
    for (struct cached *c = cache->first; c; c = c->next)
        if (strcmp(c->key, key) == 0)
            return c->secret;
    return NULL;
}

struct secret *secret_ref_read(struct secret_cache *cache, const char *ref,
                               const char *folder, const char *what,
                               struct err *err)
{
    struct secret *s;
    char *key;

    if (secret_ref_check(ref, err) < 0) {
        err_context(err, "%s", what);
        return NULL;
    }
    key = cache_key(ref, folder, what);
    s = find_cached(cache, key);
    if (s) {
        free(key);
        return secret_share(s);
    }
    s = resolve(ref, folder, what, err);
    if (!s) {
        free(key);
        return NULL;
    }
    keep(cache, key, s);
    return secret_share(s);
}

/* A bad value (empty) stays: whoever reads it says so. */
void secret_ref_hide(struct secret_cache *cache, const char *ref,
                     const char *folder)
{
    static const char env[] = "env:";
    const char *name = ref + strlen(env);
    struct secret *s;
    char *value;

    if (strncmp(ref, env, strlen(env)) != 0 || !(value = getenv(name)))
        return;
    s = secret_ref_read(cache, ref, folder, "a secret", NULL);
    if (!s)
        return;
    secret_free(s); /* the cache has its own */
    /* in place: /proc/PID/environ shows what the process was started with */
    explicit_bzero(value, strlen(value));
    unsetenv(name);
}
