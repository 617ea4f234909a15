/* SPDX-License-Identifier: Apache-2.0
 *
 * The appliance's own pki: a root, requests, what it signs, and that OpenSSL
 * and the appliance itself take it (facts/cms.md 4).
 */
#include "tests/lab/test_services.h"

static int openssl_run(struct rig *rig, const char *line)
{
    const char *const argv[] = {"bash", "-c", line, rig->dir, NULL};

    return rig_run(argv);
}

static void fetch(struct rig *rig, const char *name)
{
    char batch[300];

    snprintf(batch, sizeof(batch), "get %s %s/%s\n", name, rig->dir, name);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
}

/* The way of Cisco's paper: a root, then what it signs, in use at once. */
static void test_signed_here(void **state)
{
    struct rig *rig = start_services("webadmin");
    char address[16], command[300], root[200];

    (void)state;
    rig_address(rig, 1, address);
    says(rig, 1, "pki selfsigned dbca CN:\"My company CA\" O:Lab",
         "..............\n......\n"
         "Created key file dbca.key and certificate dbca.crt\n");
    snprintf(command, sizeof(command),
             "pki csr web CN:core1 OU:\"My Desk\" subjectAltName:%s,a.b.c",
             address);
    says(rig, 1, command,
         "..............\n......\n"
         "Created key file web.key and CSR web.csr\n"
         "CSR file web.csr ready for download via SFTP\n");
    says(rig, 1, "pki sign web dbca", "Created certificate web.crt\n");
    assert_true(prints(rig, 1, "pki match web.key web.crt", "SUCCESS"));
    assert_true(prints(rig, 1, "pki verify web.crt dbca.crt", "SUCCESS"));
    assert_true(prints(rig, 1, "pki list", "web.csr\nweb.crt"));
    assert_true(prints(rig, 1, "pki inspect web.crt", "DNS:a.b.c, DNS:core1"));
    says(rig, 1, "webadmin certs web.key web.crt dbca.crt", "");
    assert_true(prints(rig, 1, "webadmin restart", "verified by CA bundle"));
    fetch(rig, "dbca.crt");
    snprintf(root, sizeof(root), "%s/dbca.crt", rig->dir);
    assert_true(serves(rig, 1, 8443, root));
    stop(rig, NULL, 0);
}

static void test_request(void **state)
{
    struct rig *rig = start("1+0", NULL);

    (void)state;
    assert_true(prints(rig, 1, "pki csr dbclient CN:postgres", "Created"));
    fetch(rig, "dbclient.csr");
    fetch(rig, "dbclient.key");
    assert_int_equal(
        openssl_run(rig, "openssl req -in $0/dbclient.csr -verify -noout"), 0);
    assert_int_equal(
        openssl_run(rig, "openssl req -in $0/dbclient.csr -noout -text | grep "
                         "-q 'Subject: CN = postgres' && ! openssl req -in "
                         "$0/dbclient.csr -noout -text | grep -q Alternative"),
        0);
    assert_int_equal(
        openssl_run(rig, "test \"$(openssl rsa -in $0/dbclient.key -noout "
                         "-modulus)\" = \"$(openssl req -in "
                         "$0/dbclient.csr -noout -modulus)\""),
        0);
    stop(rig, NULL, 0);
}

static void test_refused(void **state)
{
    struct rig *rig = start("1+0", NULL);

    (void)state;
    assert_true(prints(rig, 1, "pki csr base.name CN:a", "FAILURE: "));
    assert_true(prints(rig, 1, "pki csr base_name CN:a", "FAILURE: "));
    assert_true(prints(rig, 1, "pki csr a XX:b", "FAILURE: "));
    assert_true(prints(rig, 1, "pki csr a CN:b C:GBR", "FAILURE: "));
    assert_true(prints(rig, 1, "pki sign a dbca", "File a.csr not found"));
    assert_true(prints(rig, 1, "pki csr a CN:b", "Created"));
    assert_true(prints(rig, 1, "pki sign a dbca", "File dbca.crt not found"));
    assert_true(rig_do(rig, "set core1 version 2.6"));
    assert_true(prints(rig, 1, "pki sign a dbca", "Usage:"));
    /* the name of a key in use: overwritten without a word, and seen */
    assert_true(prints(rig, 1, "pki csr dbclusterserver CN:a", "Created"));
    stop(rig, "I4", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed_here),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
