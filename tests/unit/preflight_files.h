/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/preflight_files.h - files that trip one check each, and files
 * that do not: keys and certificates made by OpenSSL when the test runs.
 */
#ifndef CERTFLEET_TESTS_PREFLIGHT_FILES_H
#define CERTFLEET_TESTS_PREFLIGHT_FILES_H

#include <sys/stat.h>

#include <openssl/rsa.h>

#include "core/pki/checks.h"
#include "tests/unit/pki_db_set.h"

#define BOTH "serverAuth,clientAuth"
#define PUBLIC "2.23.140.1.2.2" /* policy of the Forum: validated */

/* -- the form of a file ---------------------------------------------------- */

/* In a text, each % stands for the root's PEM, each @ for the server's key. */
static inline void form(const char *name, const char *text,
                        struct pki_findings *f)
{
    struct str file;

    str_init(&file, 1 << 16);
    for (; *text; text++)
        if (*text == '%')
            str_add(&file, root.pem);
        else if (*text == '@')
            str_addn(&file, server.key_pem->data, server.key_pem->len);
        else
            str_addc(&file, *text);
    pki_lint_file(name, str_text(&file), file.len, f);
    str_release(&file);
}

/* The root's PEM with its n-th newline made into `by`. */
static inline void broken_line(int n, const char *by, struct pki_findings *f)
{
    struct str file;

    str_init(&file, 1 << 16);
    for (const char *p = root.pem; *p; p++)
        if (*p == '\n' && n-- == 0)
            str_add(&file, by);
        else
            str_addc(&file, *p);
    pki_lint_file("dbca.crt", str_text(&file), file.len, f);
    str_release(&file);
}

/* Good base64 in lines of another length. */
static inline void short_line(struct pki_findings *f)
{
    struct str file;

    str_init(&file, 1 << 16);
    str_addn(&file, root.pem, 60);
    str_addc(&file, '\n');
    str_add(&file, root.pem + 60);
    pki_lint_file("dbca.crt", str_text(&file), file.len, f);
    str_release(&file);
}

static inline void locked_key(struct pki_findings *f)
{
    struct secret *pem = make_key_pem(server.key, EVP_aes_256_cbc(), "pw");

    pki_lint_file("a.key", pem->data, pem->len, f);
    secret_free(pem);
}

static inline void damaged(struct pki_findings *f)
{
    struct str file;

    str_init(&file, 1 << 16);
    str_add(&file, root.pem);
    file.data[60] = file.data[60] == 'A' ? 'B' : 'A';
    file.data[30] = 'A'; /* the outer SEQUENCE is none any more */
    pki_lint_file("dbca.crt", file.data, file.len, f);
    str_release(&file);
}

static inline void owner(mode_t mode, struct pki_findings *f)
{
    char path[] = "/tmp/cf-preflight-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    pki_lint_owner(path, f);
    close(fd);
    unlink(path);
}

/* -- the database set ------------------------------------------------------ */

static inline void with_server(const struct recipe *r, const struct made *by,
                               const char *ca, struct pki_findings *f)
{
    struct made made = make_cert(r, by);
    struct change change = {.server = &made, .ca = ca};

    lint(&change, f);
    made_free(&made);
}

static inline void with_client(const struct recipe *r, const struct made *by,
                               const char *ca, struct pki_findings *f)
{
    struct made made = make_cert(r, by);
    struct change change = {.client = &made, .ca = ca};

    lint(&change, f);
    made_free(&made);
}

/* The server's certificate below a CA of this shape, that below the root. */
static inline void below(const struct recipe *ca, const struct recipe *leaf,
                         struct pki_findings *f)
{
    struct made sub = make_cert(ca, &root);
    char *bundle = join(sub.pem, root.pem, NULL);

    with_server(leaf, &sub, bundle, f);
    free(bundle);
    made_free(&sub);
}

static inline struct recipe sub_recipe(void)
{
    struct recipe r = CA_RECIPE("Sub");

    r.aki = "keyid";
    r.to = MAKE_NOW + 3000LL * 86400;
    return r;
}

/* Server and client under a root that ends then; `name`: the root's. */
static inline void under_root(int64_t to, struct pki_findings *f)
{
    struct recipe r = CA_RECIPE("Other Root"), s = server_recipe();
    struct recipe c = client_recipe();
    struct made other, sm, cm;
    struct change change = {0};

    r.to = to;
    other = make_cert(&r, NULL);
    sm = make_cert(&s, &other);
    cm = make_cert(&c, &other);
    change = (struct change){.server = &sm, .client = &cm, .ca = other.pem};
    lint(&change, f);
    made_free(&other);
    made_free(&sm);
    made_free(&cm);
}

static inline EVP_PKEY *small_exponent(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    BIGNUM *three = BN_new();

    BN_set_word(three, 3);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, three), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    BN_free(three);
    return key;
}

/* -- another service ------------------------------------------------------- */

struct service_case {
    const char *name, *host;
    const char *cert, *bundle; /* NULL: the leaf, and the root; a service of a
                                  full chain gets leaf and root in one */
};

static inline void service(const struct service_case *c, const struct recipe *r,
                           struct pki_findings *f)
{
    struct made leaf = make_cert(r, &root);
    const struct pki_service *what = pki_service_find(c->name);
    char *full = join(leaf.pem, root.pem, NULL);
    const char *cert = c->cert                    ? c->cert
                       : what && what->full_chain ? full
                                                  : leaf.pem;
    const char *bundle = c->bundle ? c->bundle : root.pem;
    const char *const names_of[] = {c->host, NULL};
    const struct pki_service_set set = {
        .service = what,
        .key = leaf.key_pem->data,
        .key_len = leaf.key_pem->len,
        .cert = cert,
        .cert_len = strlen(cert),
        .bundle = what->full_chain ? NULL : bundle,
        .bundle_len = what->full_chain ? 0 : strlen(bundle),
        .hosts = names_of,
        .at = MAKE_NOW,
    };

    pki_lint_service(&set, f);
    free(full);
    made_free(&leaf);
}

#endif
