/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS handshake of a probe over memory BIOs: any certificate is taken,
 * none is sent, the chain is kept.  Knows no loop and no socket; from any
 * thread.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "transport/tls_priv.h"

enum {
    CHAIN_CAP = 512 * 1024 /* OpenSSL stops at 100 KB of DER */
};

/* Called by OpenSSL when the peer's Certificate message is complete: before a
 * server that wants ours can turn us away. */
static int on_chain(X509_STORE_CTX *store, void *user)
{
    struct shake *s = SSL_get_app_data(X509_STORE_CTX_get_ex_data(
        store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);
    BIO *pem = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    (void)user;
    str_reset(&s->chain);
    for (int i = 0; pem && i < sk_X509_num(chain); i++)
        PEM_write_bio_X509(pem, sk_X509_value(chain, i));
    len = pem ? BIO_get_mem_data(pem, &text) : 0;
    if (len > 0)
        str_addn(&s->chain, text, (size_t)len);
    BIO_free(pem);
    return 1; /* whatever it is: it is judged elsewhere */
}

static int tell_name(struct shake *s, const char *name)
{
    size_t len = strlen(name);
    char *copy;
    int rc;

    if (len > 0 && name[len - 1] == '.') /* not part of it in SNI */
        len--;
    copy = strndup(name, len);
    if (!copy)
        abort();
    rc = SSL_set_tlsext_host_name(s->ssl, copy) == 1 ? 0 : -1;
    free(copy);
    return rc;
}

/* One for all probes, for the life of the process: to make one takes half the
 * time of a handshake. */
static SSL_CTX *context;

static void make_context(void)
{
    SSL_CTX *made = SSL_CTX_new(TLS_client_method());

    if (!made || SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION) != 1) {
        SSL_CTX_free(made);
        return;
    }
    /* short keys and old signatures are looked at too */
    SSL_CTX_set_security_level(made, 0);
    SSL_CTX_set_cert_verify_callback(made, on_chain, NULL);
    context = made;
}

int shake_init(struct shake *s, const char *name)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_context);
    memset(s, 0, sizeof(*s));
    str_init(&s->chain, CHAIN_CAP);
    s->ssl = context ? SSL_new(context) : NULL;
    s->from_peer = BIO_new(BIO_s_mem());
    s->to_peer = BIO_new(BIO_s_mem());
    if (!s->ssl || !s->from_peer || !s->to_peer) {
        BIO_free(s->from_peer);
        BIO_free(s->to_peer);
        return -1;
    }
    SSL_set_bio(s->ssl, s->from_peer, s->to_peer);
    SSL_set_app_data(s->ssl, s);
    SSL_set_connect_state(s->ssl);
    return name ? tell_name(s, name) : 0;
}

void shake_release(struct shake *s)
{
    SSL_free(s->ssl);
    str_release(&s->chain);
    memset(s, 0, sizeof(*s));
}

/* An alert of the peer after its chain is its right; what OpenSSL found
 * itself (a signature that is not of the key shown) spoils the chain. */
static enum shake_end failed(struct shake *s, struct err *err)
{
    unsigned long e = ERR_peek_error();
    const char *why = ERR_reason_error_string(e);

    if (ERR_GET_LIB(e) != ERR_LIB_SSL ||
        ERR_GET_REASON(e) < SSL_AD_REASON_OFFSET)
        str_reset(&s->chain);
    err_set(err, CAUSE_REMOTE, "no TLS handshake: %s",
            why ? why : "unknown error");
    return SHAKE_FAILED;
}

static enum shake_end go_on(struct shake *s, struct err *err)
{
    int rc = SSL_do_handshake(s->ssl);

    if (rc == 1) {
        SSL_shutdown(s->ssl); /* so that the server logs no error */
        return SHAKE_DONE;
    }
    if (SSL_get_error(s->ssl, rc) == SSL_ERROR_WANT_READ)
        return SHAKE_MORE;
    return failed(s, err);
}

enum shake_end shake_take(struct shake *s, const void *data, size_t len,
                          struct err *err)
{
    enum shake_end end;

    if (len > 0 && BIO_write(s->from_peer, data, (int)len) != (int)len)
        abort(); /* a memory BIO grows */
    ERR_clear_error();
    end = go_on(s, err);
    ERR_clear_error();
    return end;
}

const void *shake_output(struct shake *s, size_t *len)
{
    char *data = NULL;
    long n = BIO_get_mem_data(s->to_peer, &data);

    *len = n > 0 ? (size_t)n : 0;
    return *len ? data : NULL;
}

void shake_sent(struct shake *s)
{
    (void)BIO_reset(s->to_peer);
}
