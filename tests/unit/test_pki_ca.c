/* SPDX-License-Identifier: Apache-2.0
 *
 * The CA's files: made once, also by many at a time, read back, and refused in
 * words when something about them is wrong.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/unit/pki_make.h"
#include "tests/unit/slow.h"

enum {
    MAKERS = 8
};

static char folder[64], cert_path[128], key_path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/certfleet-ca-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(cert_path, sizeof(cert_path), "%s/a/ca.crt", folder);
    snprintf(key_path, sizeof(key_path), "%s/b/c/ca.key", folder);
    return 0;
}

static int teardown(void **state)
{
    char path[160];

    (void)state;
    unlink(cert_path);
    unlink(key_path);
    snprintf(path, sizeof(path), "%s/a", folder);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/b/c", folder);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/b", folder);
    rmdir(path);
    /* nothing else may lie around: no lock, no temporary file */
    return rmdir(folder);
}

static struct pki_ca_options options(void)
{
    struct pki_ca_options o = {.cert_path = cert_path,
                               .key_path = key_path,
                               .cluster = "emea",
                               .key = "ec:P-256",
                               .days = 3650,
                               .now = MAKE_NOW,
                               .make = true};
    return o;
}

static void refused(const struct pki_ca_options *o, const char *a,
                    const char *b)
{
    struct err err = {0};
    struct pki_ca ca;
    bool made = true;

    assert_int_equal(pki_ca_open(o, &ca, &made, &err), -1);
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_false(made);
    assert_null(ca.cert_pem);
    assert_null(ca.key_pem);
    if (!strstr(err.text, a) || !strstr(err.text, b))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err.text, a, b);
}

static void put(const char *path, const void *data, size_t len)
{
    struct err err = {0};
    char *copy = strdup(path);

    *strrchr(copy, '/') = '\0';
    assert_int_equal(file_make_folders(copy, &err), 0);
    free(copy);
    assert_int_equal(file_write(path, data, len, 0600, false, &err), 0);
}

static void put_pair(const struct made *cert, const struct made *key)
{
    put(cert_path, cert->pem, strlen(cert->pem));
    put(key_path, key->key_pem->data, key->key_pem->len);
}

static void test_make_and_read(void **state)
{
    struct pki_ca_options o = options();
    struct pki_cert_info info;
    struct pki_ca ca, again;
    struct err err = {0};
    struct stat st;
    bool made;

    (void)state;
    assert_int_equal(pki_ca_open(&o, &ca, &made, &err), 0);
    assert_true(made);
    assert_int_equal(stat(key_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(cert_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(
        pki_describe(ca.cert_pem, strlen(ca.cert_pem), &info, &err), 0);
    assert_true(info.is_ca);
    assert_true(info.self_issued);
    assert_int_equal(info.not_before, MAKE_NOW - 3600);
    assert_int_equal(info.not_after, MAKE_NOW + 3650LL * 86400);
    assert_string_equal(info.key, "ec:P-256");
    assert_int_equal(
        strncmp(info.common_name, "certfleet CA emea 20270115-", 27), 0);
    assert_int_equal(strlen(info.common_name), 31);
    o.make = false; /* present: `make` does not matter */
    assert_int_equal(pki_ca_open(&o, &again, &made, &err), 0);
    assert_false(made);
    assert_string_equal(ca.cert_pem, again.cert_pem);
    assert_string_equal(secret_text(ca.key_pem), secret_text(again.key_pem));
    assert_int_equal(pki_match(ca.key_pem->data, ca.key_pem->len, NULL,
                               ca.cert_pem, strlen(ca.cert_pem), &err),
                     0);
    pki_ca_release(&ca);
    pki_ca_release(&again);
}

/* Each generation has a name of its own (facts/certs.md 0.5). */
static void test_new_name(void **state)
{
    struct pki_ca_options o = options();
    struct pki_cert_info first, second;
    struct err err = {0};
    struct pki_ca ca;

    (void)state;
    o.cluster = "a-cluster-whose-name-is-much-longer-than-a-subject-can-take";
    assert_int_equal(pki_ca_open(&o, &ca, NULL, &err), 0);
    pki_describe(ca.cert_pem, strlen(ca.cert_pem), &first, &err);
    pki_ca_release(&ca);
    unlink(cert_path);
    unlink(key_path);
    o.now += 86400; /* the digits alone could be equal, once in 65536 */
    assert_int_equal(pki_ca_open(&o, &ca, NULL, &err), 0);
    pki_describe(ca.cert_pem, strlen(ca.cert_pem), &second, &err);
    pki_ca_release(&ca);
    assert_string_not_equal(first.subject, second.subject);
    assert_true(strlen(first.common_name) <= 64);
    assert_non_null(strstr(first.common_name, " 20270115-"));
    assert_non_null(strstr(second.common_name, " 20270116-"));
}

static void test_password(void **state)
{
    struct pki_ca_options o = options();
    struct secret *good, *bad, *none, *file;
    struct err err = {0};
    struct pki_ca ca;

    (void)state;
    if (is_slow())
        skip(); /* half a minute of valgrind's, and all of it OpenSSL's */
    good = secret_from("correct horse", 13);
    bad = secret_from("wrong pony", 10);
    none = secret_from("", 0);
    o.password = none;
    refused(&o, key_path, "password is empty");
    o.password = good;
    assert_int_equal(pki_ca_open(&o, &ca, NULL, &err), 0);
    assert_non_null(strstr(secret_text(ca.key_pem), "BEGIN PRIVATE KEY"));
    pki_ca_release(&ca);
    file = file_read(key_path, 65536, &err);
    assert_non_null(strstr(secret_text(file), "BEGIN ENCRYPTED PRIVATE KEY"));
    secret_free(file);
    assert_int_equal(pki_ca_open(&o, &ca, NULL, &err), 0);
    pki_ca_release(&ca);
    o.password = bad;
    refused(&o, key_path, "does not open");
    assert_int_equal(pki_ca_open(&o, &ca, NULL, &err), -1);
    assert_null(strstr(err.text, "pony"));
    o.password = NULL;
    refused(&o, key_path, "no passphrase");
    secret_free(good);
    secret_free(bad);
    secret_free(none);
}

static void test_missing(void **state)
{
    struct pki_ca_options o = options();
    struct recipe r = CA_RECIPE("X");
    struct made x = make_cert(&r, NULL);

    (void)state;
    o.make = false;
    refused(&o, "no CA", key_path);
    put(key_path, x.key_pem->data, x.key_pem->len);
    refused(&o, key_path, cert_path); /* a key without a certificate */
    o.make = true;
    refused(&o, key_path, cert_path);
    unlink(key_path);
    o.make = false;
    refused(&o, "no CA", cert_path);
    put(cert_path, x.pem, strlen(x.pem));
    refused(&o, "without its key", key_path);
    o.make = true;
    refused(&o, "without its key", key_path);
    assert_false(file_exists(key_path));
    made_free(&x);
}

static void test_options(void **state)
{
    struct pki_ca_options o = options();

    (void)state;
    o.key = "rsa:1024";
    refused(&o, "rsa:1024", "rsa:2048");
    o.key = NULL;
    refused(&o, "key", "rsa:2048");
    o = options();
    o.days = 0;
    refused(&o, "ca_days 0", "");
    o.days = 4000000;
    refused(&o, "ca_days 4000000", "");
    o = options();
    o.cert_path = key_path;
    refused(&o, key_path, "two files");
    assert_false(file_exists(key_path));
}

static void test_wrong_files(void **state)
{
    struct recipe r = CA_RECIPE("CA"), l = SERVER_RECIPE("leaf", "DNS:leaf");
    struct recipe nosign = r;
    struct made good = make_cert(&r, NULL), other = make_cert(&r, NULL);
    struct made leaf = make_cert(&l, &good), bad;
    struct pki_ca_options o = options();

    (void)state;
    put_pair(&leaf, &leaf);
    refused(&o, cert_path, "\"CN=leaf\" is no CA");
    nosign.ku = "critical,cRLSign";
    bad = make_cert(&nosign, NULL);
    put_pair(&bad, &bad);
    refused(&o, cert_path, "is no CA");
    put_pair(&good, &other);
    refused(&o, key_path, "does not belong");
    put_pair(&good, &good);
    o.now = MAKE_NOW + 366LL * 86400;
    refused(&o, cert_path, "has expired (2028-01-15 08:00:00Z)");
    o.now = MAKE_NOW + 365LL * 86400; /* the very second */
    refused(&o, cert_path, "has expired");
    o.now = MAKE_NOW - 7200;
    refused(&o, cert_path, "not valid before");
    o.now = MAKE_NOW;
    put(cert_path, "junk", 4);
    refused(&o, cert_path, "no certificate");
    put_pair(&good, &good);
    put(key_path, good.pem, strlen(good.pem));
    refused(&o, key_path, "no private key");
    put(key_path, "", 0);
    refused(&o, key_path, "private key");
    made_free(&good);
    made_free(&other);
    made_free(&leaf);
    made_free(&bad);
}

/* An intermediate CA brings its root along; text around it goes. */
static void test_chain_file(void **state)
{
    struct recipe r = CA_RECIPE("Root"), m = CA_RECIPE("Sub");
    struct made root = make_cert(&r, NULL), sub = make_cert(&m, &root);
    char *file = join("Bag Attributes\r\n", sub.pem, root.pem);
    char *want = join(sub.pem, root.pem, NULL);
    struct pki_ca_options o = options();
    struct err err = {0};
    struct pki_ca ca;

    (void)state;
    put(cert_path, file, strlen(file));
    put(key_path, sub.key_pem->data, sub.key_pem->len);
    assert_int_equal(pki_ca_open(&o, &ca, NULL, &err), 0);
    assert_string_equal(ca.cert_pem, want);
    pki_ca_release(&ca);
    free(file);
    free(want);
    made_free(&root);
    made_free(&sub);
}

/* A folder that takes no certificate: the key goes again. */
static void test_write_fails(void **state)
{
    struct pki_ca_options o = options();
    struct err err = {0};
    struct pki_ca ca;
    char name[512];

    (void)state;
    o.cert_path = "/proc/certfleet/ca.crt";
    assert_int_equal(pki_ca_open(&o, &ca, NULL, &err), -1);
    assert_non_null(strstr(err.text, "/proc/certfleet"));
    assert_false(file_exists(key_path));
    /* a name too long for the temporary file beside it */
    memset(name, 'x', sizeof(name));
    snprintf(name, sizeof(name), "%s/a/", folder);
    name[strlen(name)] = 'x';
    name[strlen(folder) + 3 + 252] = '\0';
    o.cert_path = name;
    assert_int_equal(pki_ca_open(&o, &ca, NULL, &err), -1);
    assert_non_null(strstr(err.text, "too long"));
    assert_false(file_exists(key_path));
}

/* One maker writes one byte down the pipe when it made the CA, and the digest
 * of what it holds either way. */
static int race_child(int start, int report)
{
    struct pki_ca_options o = options();
    struct pki_cert_info info;
    struct err err = {0};
    struct pki_ca ca;
    char go, line[PKI_SHA256_HEX + 1];
    bool made;

    if (read(start, &go, 1) < 0 || pki_ca_open(&o, &ca, &made, &err) < 0 ||
        pki_describe(ca.cert_pem, strlen(ca.cert_pem), &info, &err) < 0 ||
        pki_match(ca.key_pem->data, ca.key_pem->len, NULL, ca.cert_pem,
                  strlen(ca.cert_pem), &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    line[0] = made ? 'M' : 'R';
    memcpy(line + 1, info.sha256, PKI_SHA256_HEX);
    pki_ca_release(&ca);
    return write(report, line, sizeof(line)) == sizeof(line) ? 0 : 1;
}

static void test_race(void **state)
{
    char line[PKI_SHA256_HEX + 1], first[PKI_SHA256_HEX] = "";
    int start[2], report[2], makers = 0;

    (void)state;
    assert_int_equal(pipe(start), 0);
    assert_int_equal(pipe(report), 0);
    for (int i = 0; i < MAKERS; i++)
        if (fork() == 0) {
            close(start[1]);
            _exit(race_child(start[0], report[1]));
        }
    close(start[0]);
    close(report[1]);
    close(start[1]); /* all read the end of file at once: go */
    for (int i = 0; i < MAKERS; i++) {
        int status = -1;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    for (int i = 0; i < MAKERS; i++) {
        assert_int_equal(read(report[0], line, sizeof(line)), sizeof(line));
        makers += line[0] == 'M';
        if (i == 0)
            memcpy(first, line + 1, sizeof(first));
        assert_string_equal(line + 1, first);
    }
    assert_int_equal(makers, 1);
    close(report[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_make_and_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_password, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_options, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chain_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_race, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
