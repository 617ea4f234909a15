/* SPDX-License-Identifier: Apache-2.0
 *
 * The pki commands that make files on the appliance: csr, selfsigned, sign
 * (facts/cms.md 4).  A name that is in use is overwritten without a word, as
 * appliances do; the record says so.
 *
 * RSA 2048 and SHA-256 are documented.  That they begin now (or before it:
 * `pki_backdate_s'), are good for a year, that
 * what is self-signed may be a CA, and that what is signed has the names of its
 * request and no extended key usage, is not: it does for what Cisco's papers
 * use them for, a root for the database and its leaves.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/mmp.h"
#include "tests/lab/record.h"

enum {
    KEY_BITS = 2048,
    VALID_S = 365 * 86400,
    NAME_ROOM = 256,
    NAMES_CAP = 1 << 16,
    SINCE_SIGN = 207
};

/* -- names ----------------------------------------------------------------- */

/* No dot and no underscore (facts/cms.md 1.5). */
static bool is_base(struct mmp_run *run, const char *base)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

    if (*base && strlen(base) < NAME_ROOM - 8 && !base[strspn(base, good)])
        return true;
    mmp_fail(run, "Invalid name %s", base);
    return false;
}

static void add_alt(struct str *alt, const char *name, size_t len)
{
    char one[NAME_ROOM];
    struct in_addr a;

    snprintf(one, sizeof(one), "%.*s", (int)len, name);
    str_addf(alt, "%s%s:%s", alt->len ? "," : "",
             inet_pton(AF_INET, one, &a) == 1 ? "IP" : "DNS", one);
}

static void add_alts(struct str *alt, const char *list)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        add_alt(alt, list, len);
        list += len;
        list += *list == ',';
    }
}

/* "CN:www.example.com"; false: no attribute, or a value that it cannot have */
static bool take_attribute(X509_NAME *name, struct str *alt, const char *word)
{
    static const char *const known[] = {"CN", "OU",           "O", "L", "ST",
                                        "C",  "emailAddress", NULL};
    const char *colon = strchr(word, ':');
    size_t len = colon ? (size_t)(colon - word) : 0;

    if (len == strlen("subjectAltName") &&
        strncmp(word, "subjectAltName", len) == 0) {
        add_alts(alt, colon + 1);
        return true;
    }
    for (const char *const *k = known; colon && *k; k++)
        if (strlen(*k) == len && strncmp(*k, word, len) == 0)
            return X509_NAME_add_entry_by_txt(name, *k, MBSTRING_UTF8,
                                              (const unsigned char *)colon + 1,
                                              -1, -1, 0) == 1;
    return false;
}

/* Of the arguments behind the base; the common name is an alternative one too,
 * once there are any. */
static bool take_attributes(struct mmp_run *run, X509_NAME *name,
                            struct str *alt)
{
    char cn[NAME_ROOM];
    int len;

    for (int i = 1; i < run->n_args; i++)
        if (!take_attribute(name, alt, run->args[i])) {
            ERR_clear_error();
            mmp_fail(run, "Invalid attribute %s", run->args[i]);
            return false;
        }
    len = X509_NAME_get_text_by_NID(name, NID_commonName, cn, sizeof(cn));
    if (alt->len && len > 0)
        add_alt(alt, cn, (size_t)len);
    return true;
}

static X509_EXTENSION *alt_extension(const struct str *alt)
{
    return X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, str_text(alt));
}

/* -- files ----------------------------------------------------------------- */

static void store(struct mmp_run *run, const char *base, const char *ending,
                  BIO *bio)
{
    char name[NAME_ROOM], *data;
    long len = BIO_get_mem_data(bio, &data);

    snprintf(name, sizeof(name), "%s%s", base, ending);
    if (lab_file(run->node, name))
        rule_file(run->node, name, "overwrite");
    lab_file_set(run->node, name, data, (size_t)len);
    BIO_free(bio);
}

static void store_key(struct mmp_run *run, const char *base, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    store(run, base, ".key", bio);
}

static void store_cert(struct mmp_run *run, const char *base, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, x);
    store(run, base, ".crt", bio);
}

/* NULL: it is not there; the run has ended. */
static BIO *open_file(struct mmp_run *run, const char *base, const char *ending)
{
    char name[NAME_ROOM];
    struct lab_file *f;

    snprintf(name, sizeof(name), "%s%s", base, ending);
    f = lab_file(run->node, name);
    if (!f)
        mmp_fail(run, "File %s not found", name);
    return f ? BIO_new_mem_buf(f->data ? f->data : (void *)"", (int)f->len)
             : NULL;
}

/* -- certificates ---------------------------------------------------------- */

static X509 *begin(const struct mmp_run *run, X509_NAME *subject,
                   X509_NAME *issuer, EVP_PKEY *key)
{
    time_t now = (time_t)lab_node_now(run->node);
    X509 *x = X509_new();
    BIGNUM *serial = BN_new();

    X509_set_version(x, X509_VERSION_3);
    BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x));
    BN_free(serial);
    X509_time_adj(X509_getm_notBefore(x), -(long)run->node->set.pki_backdate_s,
                  &now);
    X509_time_adj(X509_getm_notAfter(x), VALID_S, &now);
    X509_set_subject_name(x, subject);
    X509_set_issuer_name(x, issuer);
    X509_set_pubkey(x, key);
    return x;
}

static void add_extension(X509 *x, X509 *ca, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, ca, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
}

/* -- pki selfsigned -------------------------------------------------------- */

static void make_selfsigned(struct mmp_run *run, X509_NAME *name,
                            const struct str *alt)
{
    const char *base = run->args[0];
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    X509 *x = begin(run, name, name, key);

    add_extension(x, x, NID_subject_key_identifier, "hash");
    add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE");
    if (alt->len)
        add_extension(x, x, NID_subject_alt_name, str_text(alt));
    X509_sign(x, key, EVP_sha256());
    store_key(run, base, key);
    store_cert(run, base, x);
    X509_free(x);
    EVP_PKEY_free(key);
    mmp_print(run,
              "..............\n......\n"
              "Created key file %s.key and certificate %s.crt\n",
              base, base);
    mmp_end(run, "ok");
}

/* -- pki csr --------------------------------------------------------------- */

static void make_csr(struct mmp_run *run, X509_NAME *name,
                     const struct str *alt)
{
    const char *base = run->args[0];
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    X509_REQ *req = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());

    X509_REQ_set_subject_name(req, name);
    X509_REQ_set_pubkey(req, key);
    if (alt->len) {
        STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
        sk_X509_EXTENSION_push(all, alt_extension(alt));
        X509_REQ_add_extensions(req, all);
        sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    }
    X509_REQ_sign(req, key, EVP_sha256());
    PEM_write_bio_X509_REQ(bio, req);
    store_key(run, base, key);
    store(run, base, ".csr", bio);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    mmp_print(run,
              "..............\n......\n"
              "Created key file %s.key and CSR %s.csr\n"
              "CSR file %s.csr ready for download via SFTP\n",
              base, base, base);
    mmp_end(run, "ok");
}

static void with_attributes(struct mmp_run *run,
                            void (*make)(struct mmp_run *, X509_NAME *,
                                         const struct str *))
{
    X509_NAME *name = X509_NAME_new();
    X509_EXTENSION *ext = NULL;
    struct str alt;

    str_init(&alt, NAMES_CAP);
    if (is_base(run, run->args[0]) && take_attributes(run, name, &alt)) {
        if (alt.len)
            ext = alt_extension(&alt);
        ERR_clear_error();
        if (alt.len && !ext)
            mmp_fail(run, "Invalid attribute subjectAltName");
        else
            make(run, name, &alt);
    }
    X509_EXTENSION_free(ext);
    X509_NAME_free(name);
    str_release(&alt);
}

static void selfsigned(struct mmp_run *run)
{
    with_attributes(run, make_selfsigned);
}

static void csr(struct mmp_run *run)
{
    with_attributes(run, make_csr);
}

/* -- pki sign -------------------------------------------------------------- */

static X509 *sign_request(const struct mmp_run *run, X509_REQ *req, X509 *ca,
                          EVP_PKEY *ca_key)
{
    STACK_OF(X509_EXTENSION) *all = X509_REQ_get_extensions(req);
    X509 *x = begin(run, X509_REQ_get_subject_name(req),
                    X509_get_subject_name(ca), X509_REQ_get0_pubkey(req));

    add_extension(x, ca, NID_basic_constraints, "CA:FALSE");
    add_extension(x, ca, NID_subject_key_identifier, "hash");
    add_extension(x, ca, NID_authority_key_identifier, "keyid");
    for (int i = 0; i < sk_X509_EXTENSION_num(all); i++)
        X509_add_ext(x, sk_X509_EXTENSION_value(all, i), -1);
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    X509_sign(x, ca_key, EVP_sha256());
    return x;
}

static void sign_with(struct mmp_run *run, BIO *const file[3])
{
    X509_REQ *req = PEM_read_bio_X509_REQ(file[0], NULL, NULL, NULL);
    X509 *ca = PEM_read_bio_X509(file[1], NULL, NULL, NULL), *x;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file[2], NULL, NULL, (void *)"");

    if (!req || !ca || !key ||
        X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1) {
        mmp_fail(run, "The files cannot be used");
    } else if (X509_check_private_key(ca, key) != 1) {
        mmp_fail(run, "Key and certificate problem: certificate and key do "
                      "not match");
    } else {
        x = sign_request(run, req, ca, key);
        store_cert(run, run->args[0], x);
        X509_free(x);
        mmp_print(run, "Created certificate %s.crt\n", run->args[0]);
        mmp_end(run, "ok");
    }
    ERR_clear_error();
    X509_REQ_free(req);
    X509_free(ca);
    EVP_PKEY_free(key);
}

/* <request's base> <CA's base> */
static void sign(struct mmp_run *run)
{
    static const char *const endings[3] = {".csr", ".crt", ".key"};
    BIO *file[3] = {NULL};

    if (!is_base(run, run->args[0]) || !is_base(run, run->args[1]))
        return;
    for (int i = 0; i < 3; i++) {
        file[i] = open_file(run, run->args[i > 0], endings[i]);
        if (!file[i])
            break;
    }
    if (file[2])
        sign_with(run, file);
    for (int i = 0; i < 3; i++)
        BIO_free(file[i]);
}

/* clang-format off */
const struct mmp_command mmp_pki_make_commands[] = {
    { "pki csr", csr, 1, 13,
      "<key/cert basename> [<attribute>:<value>]", false, 0 },
    { "pki selfsigned", selfsigned, 1, 13,
      "<key/cert basename> [<attribute>:<value>]", false, 0 },
    { "pki sign", sign, 2, 2,
      "<csr/cert basename> <CA key/cert basename>", false, SINCE_SIGN },
    { NULL, NULL, 0, 0, NULL, false, 0 },
};
/* clang-format on */
