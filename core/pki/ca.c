/* SPDX-License-Identifier: Apache-2.0
 *
 * The internal CA as two files: reading it, judging it, and making it once.
 *
 * Order of making: the key first, then the certificate.  A crash in between
 * leaves a key that has signed nothing and that nobody trusts; the message
 * says so, and deleting it is safe.  The other way round a certificate would
 * stand there, be copied to nodes as a root, and have no key.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/pki/pki_priv.h"

enum {
    CA_FILE_CAP = 256 * 1024,
    CN_CLUSTER_BYTES = 28, /* 64 less the words around it */
    LOCK_WAIT_MS = 30000,  /* an RSA-4096 key takes 1.5 s, seldom 10 */
    LOCK_STEP_MS = 20,
};

void pki_ca_release(struct pki_ca *ca)
{
    free(ca->cert_pem);
    secret_free(ca->key_pem);
    memset(ca, 0, sizeof(*ca));
}

/* -- reading ------------------------------------------------------------- */

static int check_times(X509 *cert, const struct pki_ca_options *options,
                       struct err *err)
{
    int64_t before = pki_time(X509_get0_notBefore(cert));
    int64_t after = pki_time(X509_get0_notAfter(cert));
    char when[PKI_TIME_BYTES];

    if (after <= options->now) {
        pki_time_text(after, when);
        return err_set(err, CAUSE_INPUT,
                       "%s: the CA's certificate has expired (%s); move it "
                       "and %s away to get a new CA",
                       options->cert_path, when, options->key_path);
    }
    if (before > options->now) {
        pki_time_text(before, when);
        return err_set(err, CAUSE_INPUT,
                       "%s: the CA's certificate is not valid before %s; "
                       "look at this machine's clock",
                       options->cert_path, when);
    }
    return 0;
}

/* The same test as a verifier's for an issuer (facts C5): basicConstraints,
 * or an old root of version 1, and no keyUsage that forbids signing. */
static int check_cert(X509 *cert, const struct pki_ca_options *options,
                      struct err *err)
{
    char subject[PKI_NAME_BYTES];

    if (X509_check_ca(cert) == 0) {
        pki_subject_text(cert, subject);
        return err_set(err, CAUSE_INPUT,
                       "%s: certificate \"%s\" is no CA (basicConstraints "
                       "CA:TRUE or keyUsage keyCertSign is missing)",
                       options->cert_path, subject);
    }
    return check_times(cert, options, err);
}

/* Normalised: it goes to the nodes as their CA bundle. */
static char *read_cert(const struct pki_ca_options *options, X509 **cert,
                       struct err *err)
{
    struct secret *file = file_read(options->cert_path, CA_FILE_CAP, err);
    STACK_OF(X509) * certs;
    char *pem = NULL;
    struct str out;

    *cert = NULL;
    if (!file)
        return NULL;
    str_init(&out, CA_FILE_CAP);
    certs = pki_read_certs(file->data, file->len, err);
    for (int i = 0; certs && i < sk_X509_num(certs); i++) {
        char *one = pki_cert_pem(sk_X509_value(certs, i));
        str_add(&out, one ? one : "");
        free(one);
    }
    if (certs && !out.cut) {
        *cert = sk_X509_shift(certs);
        pem = str_take(&out);
    } else {
        err_context(err, "%s", options->cert_path);
    }
    sk_X509_pop_free(certs, X509_free);
    str_release(&out);
    secret_free(file);
    return pem;
}

static struct secret *read_key(const struct pki_ca_options *options,
                               EVP_PKEY **key, struct err *err)
{
    struct secret *file = file_read(options->key_path, CA_FILE_CAP, err);
    struct secret *pem = NULL;

    *key = NULL;
    if (!file)
        return NULL;
    *key = pki_read_key(file->data, file->len, options->password, err);
    if (*key)
        pem = pki_key_pem(*key, NULL, err);
    if (!pem)
        err_context(err, "%s", options->key_path);
    secret_free(file);
    return pem;
}

static int read_ca(const struct pki_ca_options *options, struct pki_ca *ca,
                   struct err *err)
{
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    int rc = -1;

    ca->cert_pem = read_cert(options, &cert, err);
    if (!ca->cert_pem || check_cert(cert, options, err) < 0)
        goto out;
    ca->key_pem = read_key(options, &key, err);
    if (!ca->key_pem)
        goto out;
    if (X509_check_private_key(cert, key) == 1)
        rc = 0;
    else
        err_set(err, CAUSE_INPUT, "%s: the key does not belong to %s",
                options->key_path, options->cert_path);
out:
    EVP_PKEY_free(key);
    X509_free(cert);
    ERR_clear_error();
    return rc;
}

/* -- making -------------------------------------------------------------- */

/* Cuts a long cluster name between characters: a common name has room for 64,
 * and the date and the random digits tell generations apart. */
static size_t cluster_bytes(const char *cluster)
{
    size_t n = strlen(cluster);

    if (n <= CN_CLUSTER_BYTES)
        return n;
    n = CN_CLUSTER_BYTES;
    while (n > 0 && ((unsigned char)cluster[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* A subject that no earlier generation had: two roots of one name in a bundle
 * make OpenSSL try the wrong key (facts/certs.md 0.5). */
static X509_NAME *make_name(const struct pki_ca_options *options,
                            struct err *err)
{
    const char *cluster = options->cluster ? options->cluster : "";
    struct pki_subject subject = {0};
    unsigned char random[2];
    time_t now = (time_t)options->now;
    char text[128], day[16];
    struct tm tm;

    if (!gmtime_r(&now, &tm) || !strftime(day, sizeof(day), "%Y%m%d", &tm) ||
        RAND_bytes(random, sizeof(random)) != 1) {
        pki_fail(err, CAUSE_SYSTEM, "name a CA");
        return NULL;
    }
    snprintf(text, sizeof(text), "certfleet CA %.*s %s-%02x%02x",
             (int)cluster_bytes(cluster), cluster, day, random[0], random[1]);
    subject.common_name = text;
    return pki_subject_name(&subject, err);
}

static char *self_sign(const struct pki_ca_options *options, EVP_PKEY *key,
                       struct err *err)
{
    static const int usage[] = {5, 6, -1}; /* keyCertSign, cRLSign */
    X509_NAME *name = make_name(options, err);
    X509 *cert = NULL;
    char *pem = NULL;

    if (!name)
        return NULL;
    cert = pki_cert_blank(name, key, options->now - PKI_BACKDATE_S,
                          options->now + (int64_t)options->days * 86400);
    if (cert && X509_set_issuer_name(cert, name) && pki_add_basic(cert, true) &&
        pki_add_usage(cert, usage) && pki_add_key_id(cert) &&
        pki_sign_with(cert, key))
        pem = pki_cert_pem(cert);
    if (!pem)
        pki_fail(err, CAUSE_SYSTEM, "make a CA's certificate");
    X509_free(cert);
    X509_NAME_free(name);
    return pem;
}

static int make_folders_of(const char *path, struct err *err)
{
    char *copy = strdup(path);
    int rc;

    if (!copy)
        abort();
    rc = file_make_folders(dirname(copy), err);
    free(copy);
    return rc;
}

/* Where the key waits until its certificate is there, too: whoever dies
 * between the two leaves something that says how far it came. */
static char *waiting_path(const struct pki_ca_options *options)
{
    char *path = NULL;

    if (asprintf(&path, "%s.new", options->key_path) < 0)
        abort();
    return path;
}

/* When the certificate cannot be written (a full disk) the key goes again:
 * it is ours, seconds old, and the next try begins clean. */
static int write_ca(const struct pki_ca_options *options,
                    const struct secret *key, const char *cert, struct err *err)
{
    char *waiting = waiting_path(options);
    int rc = -1;

    if (make_folders_of(options->cert_path, err) == 0 &&
        file_write(waiting, key->data, key->len, 0600, true, err) == 0) {
        rc =
            file_write(options->cert_path, cert, strlen(cert), 0644, true, err);
        if (rc == 0 && rename(waiting, options->key_path) < 0)
            rc = err_errno(err, CAUSE_SYSTEM, "rename %s", waiting);
        else if (rc < 0)
            unlink(waiting);
    }
    free(waiting);
    return rc;
}

/* What a maker left that died: a key with its certificate is put in place; one
 * without has signed nothing. */
static void clear_up(const struct pki_ca_options *options)
{
    char *waiting = waiting_path(options);

    if (!file_exists(options->key_path) && file_exists(waiting)) {
        if (file_exists(options->cert_path))
            rename(waiting, options->key_path);
        else
            unlink(waiting);
    }
    free(waiting);
}

static int check_options(const struct pki_ca_options *options, struct err *err)
{
    if (pki_key_kind_check(options->key, err) < 0)
        return -1;
    if (options->days == 0 || options->days > PKI_MAX_DAYS)
        return err_set(err, CAUSE_INPUT, "ca_days %u: not between 1 and %d",
                       options->days, PKI_MAX_DAYS);
    if (options->password && options->password->len == 0)
        return err_set(err, CAUSE_INPUT, "%s: its password is empty",
                       options->key_path);
    if (strcmp(options->cert_path, options->key_path) == 0)
        return err_set(err, CAUSE_INPUT,
                       "%s: the CA's key and certificate need two files",
                       options->key_path);
    return 0;
}

static int make_ca(const struct pki_ca_options *options, struct err *err)
{
    struct secret *pem = NULL;
    EVP_PKEY *key;
    char *cert = NULL;
    int rc = -1;

    if (check_options(options, err) < 0)
        return -1;
    key = pki_key_generate(options->key, err);
    if (key)
        cert = self_sign(options, key, err);
    if (cert)
        pem = pki_key_pem(key, options->password, err);
    if (pem)
        rc = write_ca(options, pem, cert, err);
    secret_free(pem);
    free(cert);
    EVP_PKEY_free(key);
    return rc;
}

/* -- one maker at a time ------------------------------------------------- */

/* Locks the key's folder; there is no file to leave behind.  -1: error, -2:
 * there is no folder, or its file system has no locks (NFS); then exclusive
 * creation alone decides, and the loser is told what it found. */
static int lock_folder(const char *key_path, struct err *err)
{
    const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
    uint64_t until = clock_mono_ms() + LOCK_WAIT_MS;
    char *copy = strdup(key_path);
    int fd, rc;

    if (!copy)
        abort();
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0)
        return errno == ENOENT
                   ? -2
                   : err_errno(err, CAUSE_INPUT, "folder of %s", key_path);
    while ((rc = flock(fd, LOCK_EX | LOCK_NB)) < 0 &&
           (errno == EWOULDBLOCK || errno == EINTR) && clock_mono_ms() < until)
        nanosleep(&step, NULL); /* lint: allow nanosleep, flock has no event */
    if (rc == 0)
        return fd;
    rc = errno == EWOULDBLOCK || errno == EINTR ? -1 : -2;
    close(fd);
    if (rc == -1)
        err_set(err, CAUSE_LOCKED,
                "%s: another process has been making this CA for %d s",
                key_path, LOCK_WAIT_MS / 1000);
    return rc;
}

/* One of the two alone: whose fault, and what to do. */
static int half(const struct pki_ca_options *options, bool key, struct err *err)
{
    if (key)
        return err_set(err, CAUSE_INPUT,
                       "%s exists and %s does not: put the certificate back; "
                       "or, when the making of a new CA was cut short, delete "
                       "the key, which then has signed nothing",
                       options->key_path, options->cert_path);
    return err_set(err, CAUSE_INPUT,
                   "%s exists and %s does not: without its key a CA signs "
                   "nothing; put the key back, or move the certificate away "
                   "to get a new CA",
                   options->cert_path, options->key_path);
}

/* Under the lock nobody is between the two files any more. */
static int settle(const struct pki_ca_options *options, bool *made,
                  struct err *err)
{
    bool key = file_exists(options->key_path);
    bool cert = file_exists(options->cert_path);

    if (key && cert)
        return 0;
    if (key || cert)
        return half(options, key, err);
    if (!options->make)
        return err_set(err, CAUSE_INPUT, "no CA: %s and %s do not exist",
                       options->cert_path, options->key_path);
    if (make_ca(options, err) < 0)
        return -1;
    *made = true;
    return 0;
}

static int find_or_make(const struct pki_ca_options *options, bool *made,
                        struct err *err)
{
    int fd = -1, rc;

    if (options->make && make_folders_of(options->key_path, err) < 0)
        return -1;
    fd = lock_folder(options->key_path, err);
    if (fd == -1)
        return -1;
    if (fd >= 0)
        clear_up(options);
    rc = settle(options, made, err);
    if (fd >= 0)
        close(fd);
    return rc;
}

int pki_ca_open(const struct pki_ca_options *options, struct pki_ca *ca,
                bool *made, struct err *err)
{
    bool new = false;
    int rc = 0;

    memset(ca, 0, sizeof(*ca));
    if (made)
        *made = false;
    if (!file_exists(options->key_path) || !file_exists(options->cert_path))
        rc = find_or_make(options, &new, err);
    if (rc == 0)
        rc = read_ca(options, ca, err);
    if (rc < 0)
        pki_ca_release(ca);
    else if (made)
        *made = new;
    return rc;
}
