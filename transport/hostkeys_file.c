/* SPDX-License-Identifier: Apache-2.0
 *
 * known_hosts on the disk: read at start, appended to when a new key is
 * accepted.  Other programs (ssh, another run) append at the same time.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "transport/hostkeys_priv.h"

/* Reads what of the file has not been read yet; all of it when it is another
 * file than before (ssh-keygen -R writes a new one). */
static int catch_up(struct hostkeys *h, int fd, bool at_start, struct err *err)
{
    struct stat st;
    char *text;
    ssize_t n;

    if (fstat(fd, &st) < 0)
        return err_errno(err, CAUSE_INPUT, "read %s", h->path);
    if (S_ISCHR(st.st_mode))
        return 0; /* /dev/null */
    if (!S_ISREG(st.st_mode))
        return err_set(err, CAUSE_INPUT, "%s is not a file", h->path);
    if (st.st_dev != h->device || st.st_ino != h->inode ||
        st.st_size < h->read) {
        h->read = 0;
        h->line = 0;
    }
    h->device = st.st_dev;
    h->inode = st.st_ino;
    if (st.st_size - h->read > HOSTKEYS_FILE_MAX)
        return err_set(err, CAUSE_INPUT, "%s is larger than 16 MB", h->path);
    text = malloc((size_t)(st.st_size - h->read) + 1);
    if (!text)
        abort();
    n = pread(fd, text, (size_t)(st.st_size - h->read), h->read);
    if (n > 0)
        h->read += (off_t)hostkeys_parse(h, text, (size_t)n, at_start);
    free(text);
    return n < 0 ? err_errno(err, CAUSE_INPUT, "read %s", h->path) : 0;
}

struct hostkeys *hostkeys_load(const char *path, struct err *err)
{
    struct hostkeys *h = calloc(1, sizeof(*h));
    int fd, rc = 0;

    if (!h)
        abort();
    arena_init(&h->arena);
    if (!path)
        return h;
    h->path = arena_strdup(&h->arena, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) {
        rc = catch_up(h, fd, true, err);
        close(fd);
    } else if (errno != ENOENT) {
        rc = err_errno(err, CAUSE_INPUT, "read %s", path);
    }
    if (rc == 0)
        return h;
    hostkeys_free(h);
    return NULL;
}

void hostkeys_free(struct hostkeys *h)
{
    if (!h)
        return;
    hostkeys_forget_found(h);
    EVP_MAC_CTX_free(h->hmac);
    arena_release(&h->arena);
    free(h);
}

size_t hostkeys_skipped(const struct hostkeys *h)
{
    return h->skipped;
}

/* ------------------------------------------------------------- accept-new */

/* What may stand in a line as a name. */
static bool is_plain(const char *host)
{
    for (const char *p = host; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr(".-_:%", *p))
            return false;
    return *host && strlen(host) <= 255;
}

static int hashed_name(struct hostkeys *h, const char *name, struct str *out)
{
    unsigned char salt[HASHED_BYTES], digest[HASHED_BYTES], text[32];

    if (RAND_bytes(salt, sizeof(salt)) != 1 ||
        hostkeys_hmac(h, salt, name, digest) != 0)
        return -1;
    EVP_EncodeBlock(text, salt, sizeof(salt));
    str_addf(out, "|1|%s|", (char *)text);
    EVP_EncodeBlock(text, digest, sizeof(digest));
    return str_add(out, (char *)text);
}

static void add_base64(struct str *out, const unsigned char *p, size_t len)
{
    unsigned char *text = malloc(len / 3 * 4 + 8);

    if (!text)
        abort();
    EVP_EncodeBlock(text, p, (int)len);
    str_add(out, (char *)text);
    free(text);
}

/* One write: O_APPEND keeps lines of several writers apart. */
static int append(struct hostkeys *h, int fd, const char *line, size_t len,
                  struct err *err)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char last = '\n';
    struct str text;
    ssize_t n;

    str_init(&text, len + 1);
    if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n')
        str_addc(&text, '\n');
    str_addn(&text, line, len);
    n = write(fd, text.data, text.len);
    if (n == (ssize_t)text.len && h->read == size &&
        lseek(fd, 0, SEEK_CUR) == size + n)
        h->read = size + n; /* nobody came between: no need to read it */
    len = text.len;
    str_release(&text);
    if (n < 0)
        return err_errno(err, CAUSE_SYSTEM, "append to %s", h->path);
    return (size_t)n == len
               ? 0
               : err_set(err, CAUSE_SYSTEM, "append to %s: cut", h->path);
}

static int open_to_append(struct hostkeys *h, struct err *err)
{
    char *copy = strdup(h->path);
    int fd = -1, flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;

    if (!copy)
        abort();
    if (file_make_folders(dirname(copy), err) == 0) {
        fd = open(h->path, flags | O_NONBLOCK, 0600);
        if (fd < 0)
            err_errno(err, CAUSE_SYSTEM, "append to %s", h->path);
    }
    free(copy);
    return fd;
}

/* After what others appended was read: is the key still new? */
static int still_new(struct hostkeys *h, const struct hostkeys_offer *offer,
                     bool *known, struct err *err)
{
    enum hostkeys_answer answer = hostkeys_lookup(h, offer);

    *known = answer == HOSTKEYS_KNOWN;
    if (*known || answer == HOSTKEYS_UNKNOWN)
        return 0;
    return err_set(err, CAUSE_REFUSED,
                   "%s has another host key than the one that was shown",
                   offer->host);
}

static int accept_in_file(struct hostkeys *h,
                          const struct hostkeys_offer *offer,
                          const struct str *line, bool *known, struct err *err)
{
    int fd = open_to_append(h, err), rc;

    if (fd < 0)
        return -1;
    /* Not waited for: the append is safe without it, the lock only keeps two
     * runs from accepting two keys of one host. */
    flock(fd, LOCK_EX | LOCK_NB);
    rc = catch_up(h, fd, false, err);
    hostkeys_forget_found(h);
    if (rc == 0)
        rc = still_new(h, offer, known, err);
    if (rc == 0 && !*known)
        rc = append(h, fd, line->data, line->len, err);
    close(fd);
    return rc;
}

int hostkeys_accept(struct hostkeys *h, const struct hostkeys_offer *offer,
                    bool hashed, struct err *err)
{
    char *name = hostkeys_name(offer->host, offer->port);
    struct str names, line;
    bool known = false;
    int rc = -1;

    str_init(&names, 512);
    str_init(&line, 64 * 1024);
    if (!is_plain(offer->host)) {
        err_set(err, CAUSE_INPUT, "a host key cannot be kept for this name");
        goto out;
    }
    if (hashed ? hashed_name(h, name, &names) : str_add(&names, name)) {
        err_set(err, CAUSE_SYSTEM, "HMAC-SHA1 is not available");
        goto out;
    }
    str_addf(&line, "%s ", str_text(&names));
    if (hostkeys_type_of(offer->blob, offer->len, &line) != 0 ||
        offer->len > 16 * 1024) {
        err_set(err, CAUSE_REMOTE, "%s showed no host key", offer->host);
        goto out;
    }
    str_addc(&line, ' ');
    add_base64(&line, offer->blob, offer->len);
    str_addc(&line, '\n');
    rc = h->path ? accept_in_file(h, offer, &line, &known, err)
                 : still_new(h, offer, &known, err);
    if (rc == 0 && !known)
        rc = hostkeys_add(h, str_text(&names), false, offer->blob, offer->len);
    hostkeys_forget_found(h);
out:
    str_release(&names);
    str_release(&line);
    free(name);
    return rc;
}
