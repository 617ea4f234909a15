/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates that were read lately, by the digest of their DER.  A run meets
 * the same few in every status, read-back and handshake, and to parse one costs
 * OpenSSL 3 a hundred times what its digest does (it looks for a decoder of the
 * key each time).  One object then serves many readers and threads: nobody may
 * change what was read.
 */
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "core/pki/pki_priv.h"

enum {
    SLOTS = 1024, /* some 6 MB when all are taken */
    DIGEST_BYTES = 32,
};

static struct slot {
    unsigned char digest[DIGEST_BYTES];
    X509 *cert; /* NULL: free */
} slots[SLOTS];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

/* Two that want one slot put each other out. */
static struct slot *slot_of(const unsigned char *digest)
{
    return &slots[(digest[0] | digest[1] << 8) % SLOTS];
}

static X509 *known(const unsigned char *digest)
{
    struct slot *slot = slot_of(digest);
    X509 *cert = NULL;

    pthread_mutex_lock(&guard);
    if (slot->cert && memcmp(slot->digest, digest, DIGEST_BYTES) == 0 &&
        X509_up_ref(slot->cert))
        cert = slot->cert;
    pthread_mutex_unlock(&guard);
    return cert;
}

static void keep(const unsigned char *digest, X509 *cert)
{
    struct slot *slot = slot_of(digest);
    X509 *old;

    if (!X509_up_ref(cert))
        return;
    pthread_mutex_lock(&guard);
    old = slot->cert;
    slot->cert = cert;
    memcpy(slot->digest, digest, DIGEST_BYTES);
    pthread_mutex_unlock(&guard);
    X509_free(old);
}

static X509 *parse(const unsigned char *der, size_t len)
{
    const unsigned char *p = der;
    X509 *cert = d2i_X509(NULL, &p, (long)len);

    if (cert && p != der + len) {
        X509_free(cert);
        cert = NULL;
    }
    return cert;
}

X509 *pki_der_cert(const unsigned char *der, size_t len)
{
    unsigned char digest[DIGEST_BYTES];
    X509 *cert;

    if (!pki_der_is_whole(der, len))
        return NULL;
    if (EVP_Digest(der, len, digest, NULL, EVP_sha256(), NULL) != 1)
        return parse(der, len);
    cert = known(digest);
    if (!cert && (cert = parse(der, len)) != NULL)
        keep(digest, cert);
    return cert;
}
