/* SPDX-License-Identifier: Apache-2.0
 *
 * A TLS server in a thread, for test_transport_tls.c and _https.c: with or
 * without a client certificate, after PostgreSQL's SSLRequest or at once, with
 * an answer to HTTP, or no TLS at all.  Its certificates are made at start.
 */
#ifndef CERTFLEET_TEST_TRANSPORT_TLS_SERVER_H
#define CERTFLEET_TEST_TRANSPORT_TLS_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct identity { /* a leaf and the one that signed it */
    EVP_PKEY *key, *issuer_key;
    X509 *leaf, *issuer;
    char *pem; /* both, leaf first */
};

struct server {
    int version;      /* TLS1_2_VERSION, TLS1_3_VERSION; 0: both */
    bool wants_cert;  /* and turns away who has none */
    bool postgres;    /* answers an SSLRequest first ... */
    const char *says; /* ... with this; without TLS: at once */
    size_t says_len;
    bool silent;      /* accepts and says nothing */
    const char *http; /* its answer, to one request */
    size_t http_len;
    size_t wants_body; /* bytes that follow a request's head */
    bool http_silent;  /* it reads the request, and no more */
    struct identity *identity;
    /* its own */
    int fd, stop[2];
    unsigned port;
    pthread_t thread;
    char name[64]; /* SNI of the last client */
    unsigned served;
    bool bad_request; /* not the SSLRequest that was expected */
    char asked[2048]; /* the last request's head */
    SSL_CTX *context;
};

static inline X509 *make_cert(EVP_PKEY *key, const char *cn, X509 *issuer,
                              EVP_PKEY *issuer_key, const EVP_MD *md)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name);
    X509_set_pubkey(x, key);
    if (!issuer) {
        X509_EXTENSION *ca = X509V3_EXT_conf_nid(
            NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        X509_add_ext(x, ca, -1);
        X509_EXTENSION_free(ca);
    }
    X509_sign(x, issuer_key, md);
    return x;
}

static inline char *pem_of(X509 *a, X509 *b)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *text;
    long len;

    PEM_write_bio_X509(bio, a);
    PEM_write_bio_X509(bio, b);
    len = BIO_get_mem_data(bio, &data);
    text = strndup(data, (size_t)len);
    BIO_free(bio);
    return text;
}

/* `weak`: a short key, signed with SHA-1. */
static inline void identity_init(struct identity *id, bool weak)
{
    const EVP_MD *md = weak ? EVP_sha1() : EVP_sha256();

    id->key = weak ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256");
    id->issuer_key = weak ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256");
    id->issuer = make_cert(id->issuer_key, "root", NULL, id->issuer_key, md);
    id->leaf = make_cert(id->key, "leaf", id->issuer, id->issuer_key, md);
    id->pem = pem_of(id->leaf, id->issuer);
}

static inline void identity_release(struct identity *id)
{
    X509_free(id->leaf);
    X509_free(id->issuer);
    EVP_PKEY_free(id->key);
    EVP_PKEY_free(id->issuer_key);
    free(id->pem);
}

static inline SSL_CTX *server_context(const struct server *s)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_security_level(c, 0);
    SSL_CTX_use_certificate(c, s->identity->leaf);
    SSL_CTX_use_PrivateKey(c, s->identity->key);
    SSL_CTX_add1_chain_cert(c, s->identity->issuer);
    SSL_CTX_set_min_proto_version(c, s->version ? s->version : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(c, s->version ? s->version : TLS1_3_VERSION);
    if (s->wants_cert)
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    return c;
}

static inline bool has_asked(const struct server *s)
{
    const char *end = strstr(s->asked, "\r\n\r\n");

    return end && strlen(end + 4) >= s->wants_body;
}

/* One request, one answer; then until the client closes. */
static inline void serve_http(struct server *s, SSL *ssl)
{
    size_t n = 0;
    int got;
    char byte;

    while (n + 1 < sizeof(s->asked) && !has_asked(s) &&
           (got = SSL_read(ssl, s->asked + n,
                           (int)(sizeof(s->asked) - 1 - n))) > 0) {
        n += (size_t)got;
        s->asked[n] = '\0';
    }
    if (n && s->http_len)
        SSL_write(ssl, s->http, (int)s->http_len);
    if (!s->http_silent)
        SSL_shutdown(ssl);
    while (SSL_read(ssl, &byte, 1) > 0)
        ;
}

static inline void serve_tls(struct server *s, int fd)
{
    SSL *ssl = SSL_new(s->context);
    char byte;

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && (s->http || s->http_silent))
        serve_http(s, ssl);
    else
        SSL_read(ssl, &byte, 1); /* until the client closes */
    snprintf(s->name, sizeof(s->name), "%s",
             SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
                 ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
                 : "");
    SSL_free(ssl);
}

static inline void serve(struct server *s, int fd)
{
    static const char expected[] = {0, 0, 0, 8, 4, (char)0xd2, 22, 47};
    char request[8] = "", drain[512];
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN},
                             {.fd = s->stop[0], .events = POLLIN}};

    if (s->silent) {
        while (poll(both, 2, -1) > 0 && !both[1].revents)
            if (read(fd, drain, sizeof(drain)) <= 0)
                break;
        return;
    }
    if (s->postgres)
        s->bad_request |= recv(fd, request, 8, MSG_WAITALL) != 8 ||
                          memcmp(request, expected, 8) != 0;
    if (s->says_len)
        s->bad_request |= send(fd, s->says, s->says_len, MSG_NOSIGNAL) < 0;
    if (s->identity) {
        serve_tls(s, fd);
        return;
    }
    shutdown(fd, SHUT_WR); /* an EOF, not a reset */
    while (read(fd, drain, sizeof(drain)) > 0)
        ;
}

static inline void *server_main(void *arg)
{
    struct server *s = arg;
    struct pollfd both[2] = {{.fd = s->fd, .events = POLLIN},
                             {.fd = s->stop[0], .events = POLLIN}};
    int fd;

    while (poll(both, 2, -1) > 0 && !both[1].revents) {
        fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            break;
        serve(s, fd);
        s->served++;
        close(fd);
    }
    return NULL;
}

/* A listener on a free port of 127.0.0.1. */
static inline int listen_somewhere(unsigned *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 512) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        abort();
    *port = ntohs(a.sin_port);
    return fd;
}

static inline void server_start(struct server *s)
{
    s->fd = listen_somewhere(&s->port);
    if (s->identity)
        s->context = server_context(s);
    if (pipe(s->stop) < 0 ||
        pthread_create(&s->thread, NULL, server_main, s) != 0)
        abort();
}

static inline void server_stop(struct server *s)
{
    close(s->stop[1]);
    pthread_join(s->thread, NULL);
    close(s->stop[0]);
    close(s->fd);
    SSL_CTX_free(s->context);
}

#endif
