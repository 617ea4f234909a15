/* SPDX-License-Identifier: Apache-2.0
 *
 * Cisco's appendix of OpenSSL commands (RSA and ECDSA), word for word, against
 * the pki commands: what openssl makes ours read, match and verify, and the
 * other way round, with the same subject, names and extensions.
 */
#include <ctype.h>

#include "tests/unit/cli_openssl.h"

#define UK(cn) ("/C=UK/ST=London/L=London/O=Example/OU=Support/CN=" cn)

static void made(int code)
{
    if (code != 0)
        fail_msg("openssl: %s", said);
}

static void ours(int code)
{
    if (code != 0)
        fail_msg("certfleet: %s%s", capture.out, capture.err);
}

/* -- two readings of one file --------------------------------------------- */

/* What follows `label` on its line, or "" when there is no such line. */
static void field(const char *text, const char *label, char *value, size_t room)
{
    const char *at = strstr(text, label);
    size_t n = 0;

    if (at)
        for (at += strlen(label), at += strspn(at, " "); *at && *at != '\n';)
            if (n + 1 < room)
                value[n++] = *at++;
    value[n] = '\0';
}

/* The line behind openssl's head of an extension, with "(critical)" as ours. */
static void extension(const char *head, char *value, size_t room)
{
    const char *at = strstr(said, head);
    const char *eol = at ? strchr(at, '\n') : NULL;
    size_t n;

    value[0] = '\0';
    if (!eol)
        return;
    n = strcspn(eol + 1, "\n");
    while (n > 0 && isspace((unsigned char)eol[n]))
        n--;
    eol++;
    while (n > 0 && isspace((unsigned char)*eol)) {
        eol++;
        n--;
    }
    snprintf(value, room, "%.*s%s", (int)n, eol,
             memmem(at, (size_t)(eol - at), "critical", 8) ? " (critical)"
                                                           : "");
}

/* "IP Address:10.0.0.2" and "IP:10.0.0.2" are one. */
static void drop_word(char *text, const char *word)
{
    for (char *at; (at = strstr(text, word));)
        memmove(at, at + strlen(word), strlen(at + strlen(word)) + 1);
}

static void same_extension(const char *path, const char *label,
                           const char *head)
{
    char theirs[512], mine[512];

    field(capture.out, label, mine, sizeof(mine));
    extension(head, theirs, sizeof(theirs));
    drop_word(theirs, " Address");
    /* openssl writes a long address out */
    drop_word(theirs, "2001:DB8:0:0:0:0:0:1");
    drop_word(mine, "2001:db8::1");
    if (strcmp(theirs, mine) != 0)
        fail_msg("%s: %s: openssl reads `%s', ours `%s'", path, head, theirs,
                 mine);
}

static void same_subject(const char *path)
{
    char theirs[512], mine[512];

    field(said, "subject=", theirs, sizeof(theirs));
    field(capture.out, "subject ", mine, sizeof(mine));
    if (strcmp(theirs, mine) != 0)
        fail_msg("%s: openssl reads `%s', ours `%s'", path, theirs, mine);
}

/* `type`: x509 or req; `form`: PEM or DER. */
static void same_reading(const char *type, const char *path, const char *form)
{
    ours(CERTFLEET("pki", "inspect", path));
    made(OPENSSL(type, "-in", path, "-inform", form, "-noout", "-subject",
                 "-nameopt", "RFC2253"));
    same_subject(path);
    made(OPENSSL(type, "-in", path, "-inform", form, "-noout", "-text"));
    same_extension(path, "  names ", "X509v3 Subject Alternative Name");
    same_extension(path, "  key usage ", "X509v3 Key Usage");
    same_extension(path, "  purposes ", "X509v3 Extended Key Usage");
    same_extension(path, "  constraints ", "X509v3 Basic Constraints");
    same_extension(path, "  subject id ", "X509v3 Subject Key Identifier");
    assert_says(capture.out, form);
}

static void to_der(const char *type, const char *path, const char *to)
{
    made(OPENSSL(type, "-in", path, "-outform", "DER", "-out", to));
}

/* -- what openssl makes ---------------------------------------------------- */

/* A.1, RSA: a key and a request; a request of a key that is there; a
 * self-signed certificate. */
static void test_rsa(void **state)
{
    (void)state;
    made(OPENSSL("req", "-out", "webbridge3.csr", "-new", "-newkey", "rsa:2048",
                 "-nodes", "-keyout", "webbridge3.key", "-subj",
                 UK("www.example.com/emailAddress=admin@example.com")));
    same_reading("req", "webbridge3.csr", "PEM");
    assert_says(capture.out, "rsa:2048");
    ours(CERTFLEET("pki", "match", "webbridge3.key", "webbridge3.csr"));
    made(OPENSSL("req", "-out", "again.csr", "-key", "webbridge3.key", "-new",
                 "-subj", UK("www.example.com")));
    ours(CERTFLEET("pki", "match", "webbridge3.key", "again.csr"));
    made(OPENSSL("req", "-x509", "-nodes", "-days", "100", "-newkey",
                 "rsa:2048", "-keyout", "callbridge.key", "-out",
                 "callbridge.crt", "-subj", UK("callbridge.example.com")));
    same_reading("x509", "callbridge.crt", "PEM");
    ours(CERTFLEET("pki", "match", "callbridge.key", "callbridge.crt"));
    assert_int_equal(CERTFLEET("pki", "match", "callbridge.key", "again.csr"),
                     1);
}

/* A.3: CA, server and client of a database, by -text dumps as it has them. */
static void test_rsa_database(void **state)
{
    (void)state;
    made(OPENSSL("req", "-new", "-text", "-nodes", "-keyout", "db01ca.key",
                 "-out", "db01ca.csr", "-subj", UK("example")));
    made(OPENSSL("req", "-x509", "-text", "-in", "db01ca.csr", "-key",
                 "db01ca.key", "-out", "db01ca.crt", "-days", "3650"));
    made(OPENSSL("req", "-new", "-nodes", "-keyout", "db01server.key", "-out",
                 "db01server.csr", "-subj", UK("server1")));
    made(OPENSSL("x509", "-req", "-CAcreateserial", "-in", "db01server.csr",
                 "-CA", "db01ca.crt", "-CAkey", "db01ca.key", "-out",
                 "db01server.crt", "-days", "3650"));
    made(OPENSSL("req", "-new", "-nodes", "-keyout", "db01client.key", "-out",
                 "db01client.csr", "-subj", UK("postgres")));
    made(OPENSSL("x509", "-req", "-CAcreateserial", "-in", "db01client.csr",
                 "-CA", "db01ca.crt", "-CAkey", "db01ca.key", "-out",
                 "db01client.crt", "-days", "3650"));
    same_reading("x509", "db01ca.crt", "PEM");
    assert_says(capture.out, "db01ca.crt: certificate (CA)");
    same_reading("x509", "db01server.crt", "PEM");
    ours(CERTFLEET("pki", "match", "db01server.key", "db01server.crt"));
    ours(CERTFLEET("pki", "match", "db01client.key", "db01client.crt"));
    ours(CERTFLEET("pki", "verify", "db01server.crt", "db01ca.crt", "--purpose",
                   "server"));
    ours(CERTFLEET("pki", "verify", "db01client.crt", "db01ca.crt", "--purpose",
                   "client"));
    assert_int_equal(CERTFLEET("pki", "verify", "callbridge.crt", "db01ca.crt"),
                     1);
}

static void write_conf(const char *path, const char *cn, const char *extensions)
{
    struct str text;

    str_init(&text, 4096);
    str_addf(&text,
             "[req]\ndistinguished_name = req_distinguished_name\n"
             "req_extensions = v3_req\nprompt = no\n"
             "[req_distinguished_name]\nC = UK\nST = London\nL = London\n"
             "O = Example\nOU = Support\nCN = %s\n[v3_req]\n%s",
             cn, extensions);
    capture_write(path, str_text(&text));
    str_release(&text);
}

static void make_ecdsa_cas(void)
{
    made(OPENSSL("ecparam", "-genkey", "-name", "prime256v1", "-out",
                 "root.key"));
    made(OPENSSL("req", "-new", "-x509", "-SHA256", "-key", "root.key", "-out",
                 "root.crt", "-days", "3650", "-subj", UK("example")));
    made(OPENSSL("ecparam", "-genkey", "-name", "prime256v1", "-out",
                 "intermediate.key"));
    write_conf("intermediate.conf", "intermediate",
               "basicConstraints = CA:TRUE, pathlen:0\n");
    made(OPENSSL("req", "-new", "-sha256", "-key", "intermediate.key", "-out",
                 "intermediate.csr", "-config", "intermediate.conf"));
    made(OPENSSL("x509", "-req", "-in", "intermediate.csr", "-CA", "root.crt",
                 "-CAkey", "root.key", "-CAcreateserial", "-out",
                 "intermediate.crt", "-days", "365", "-SHA256", "-extfile",
                 "intermediate.conf", "-extensions", "v3_req"));
}

/* `by`: the issuer's base name; `to`: the certificate's. */
static void sign_ecdsa(const char *by, const char *to)
{
    char ca[64], key[64], crt[64];

    snprintf(ca, sizeof(ca), "%s.crt", by);
    snprintf(key, sizeof(key), "%s.key", by);
    snprintf(crt, sizeof(crt), "%s.crt", to);
    made(OPENSSL("x509", "-req", "-in", "server.csr", "-CA", ca, "-CAkey", key,
                 "-CAcreateserial", "-out", crt, "-days", "365", "-SHA256",
                 "-extfile", "server.conf", "-extensions", "v3_req"));
}

/* A.2 and A.4: root, intermediate, and a server's certificate by each. */
static void test_ecdsa(void **state)
{
    (void)state;
    make_ecdsa_cas();
    made(OPENSSL("ecparam", "-genkey", "-name", "prime256v1", "-out",
                 "server.key"));
    write_conf("server.conf", "server1.example.com",
               "keyUsage=digitalSignature, keyEncipherment, dataEncipherment\n"
               "extendedKeyUsage=serverAuth, clientAuth\n"
               "subjectAltName=@alt_names\n[alt_names]\n"
               "DNS.1 = server1.example.com\nDNS.2 = server2.example.com\n"
               "IP.1 = 10.0.0.2\n");
    made(OPENSSL("req", "-new", "-SHA256", "-key", "server.key", "-out",
                 "server.csr", "-config", "server.conf"));
    sign_ecdsa("intermediate", "server");
    sign_ecdsa("root", "byroot");
    same_reading("req", "server.csr", "PEM");
    same_reading("req", "intermediate.csr", "PEM");
    same_reading("x509", "intermediate.crt", "PEM");
    assert_says(capture.out, "CA:TRUE, pathlen:0");
    same_reading("x509", "server.crt", "PEM");
    assert_says(capture.out, "DNS:server2.example.com, IP:10.0.0.2");
    ours(CERTFLEET("pki", "match", "server.key", "server.crt"));
    ours(CERTFLEET("pki", "match", "server.key", "server.csr"));
    ours(CERTFLEET("pki", "verify", "byroot.crt", "root.crt"));
    ours(CERTFLEET("pki", "verify", "server.crt", "intermediate.crt",
                   "root.crt"));
    assert_int_equal(CERTFLEET("pki", "verify", "server.crt", "root.crt"), 1);
    assert_int_equal(
        CERTFLEET("pki", "verify", "server.crt", "intermediate.crt"), 1);
}

static void test_der(void **state)
{
    (void)state;
    to_der("x509", "server.crt", "server.der");
    to_der("req", "server.csr", "servercsr.der");
    to_der("x509", "root.crt", "root.der");
    to_der("pkey", "server.key", "serverkey.der");
    to_der("rsa", "db01server.key", "rsa.der");
    same_reading("x509", "server.der", "DER");
    same_reading("req", "servercsr.der", "DER");
    ours(CERTFLEET("pki", "inspect", "serverkey.der"));
    assert_says(capture.out, "serverkey.der: private key, DER");
    ours(CERTFLEET("pki", "match", "serverkey.der", "server.der"));
    ours(CERTFLEET("pki", "match", "serverkey.der", "servercsr.der"));
    ours(CERTFLEET("pki", "match", "rsa.der", "db01server.crt"));
    ours(CERTFLEET("pki", "verify", "server.der", "intermediate.crt",
                   "root.der"));
}

/* -- what ours make -------------------------------------------------------- */

/* Whatever the order of the words, the subject is the one of openssl. */
static void test_our_request_reads_as_theirs(void **state)
{
    char mine[512], theirs[512];

    (void)state;
    ours(CERTFLEET("pki", "csr", "mine", "emailAddress:admin@example.com",
                   "OU:Support", "CN:www.example.com", "L:London", "C:UK",
                   "O:Example", "ST:London"));
    assert_mode("mine.key", 0600);
    made(OPENSSL("req", "-in", "mine.csr", "-noout", "-subject"));
    field(said, "subject=", mine, sizeof(mine));
    made(OPENSSL("req", "-in", "webbridge3.csr", "-noout", "-subject"));
    field(said, "subject=", theirs, sizeof(theirs));
    assert_string_equal(mine, theirs);
    same_reading("req", "mine.csr", "PEM");
    made(OPENSSL("req", "-in", "mine.csr", "-noout", "-verify"));
    /* the MMP's rule: no names asked for, none in the request */
    made(OPENSSL("req", "-in", "mine.csr", "-noout", "-text"));
    assert_null(strstr(said, "Subject Alternative Name"));
    made(OPENSSL("pkey", "-in", "mine.key", "-noout", "-check"));
}

/* A CN of several words is kept to the letter, comma and blanks too. */
static void test_our_names(void **state)
{
    (void)state;
    ours(CERTFLEET("pki", "csr", "names", "CN:example.exampledemo.com", "C:US",
                   "O:Example,  Inc. ", "OU:Desk", "OU:Office",
                   ("subjectAltName:exampledemo.com,192.168.1.25,2001:db8::1,"
                    "admin@example.com,*.example.com,EXAMPLEDEMO.com"),
                   "--key", "ec:P-384"));
    same_reading("req", "names.csr", "PEM");
    made(OPENSSL("req", "-in", "names.csr", "-noout", "-text"));
    assert_says(said, "DNS:example.exampledemo.com, DNS:exampledemo.com, "
                      "IP Address:192.168.1.25, "
                      "IP Address:2001:DB8:0:0:0:0:0:1, "
                      "email:admin@example.com, DNS:*.example.com\n");
    made(OPENSSL("req", "-in", "names.csr", "-noout", "-subject", "-nameopt",
                 "esc_ctrl,sep_comma_plus"));
    assert_says(said, "C=US,O=Example,  Inc. ,OU=Desk,OU=Office,"
                      "CN=example.exampledemo.com");
}

static void test_our_chain(void **state)
{
    (void)state;
    ours(CERTFLEET("pki", "selfsigned", "ourca", "CN:My company CA", "C:UK"));
    same_reading("x509", "ourca.crt", "PEM");
    ours(CERTFLEET("pki", "sign", "mine", "ourca"));
    same_reading("x509", "mine.crt", "PEM");
    made(OPENSSL("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile",
                 "ourca.crt", "mine.crt"));
    made(OPENSSL("x509", "-in", "mine.crt", "-noout", "-text"));
    assert_says(said, "DNS:www.example.com"); /* its CN: browsers want it */
    ours(CERTFLEET("pki", "selfsigned", "shown", "CN:cms.example.com",
                   "subjectAltName:core1.example.com"));
    same_reading("x509", "shown.crt", "PEM");
    assert_says(capture.out, "DNS:cms.example.com, DNS:core1.example.com");
    made(OPENSSL("verify", "-purpose", "sslserver", "-CAfile", "shown.crt",
                 "shown.crt"));
}

/* Our CA signs their request, also in DER, and their intermediate ours. */
static void test_mixed_chains(void **state)
{
    (void)state;
    made(OPENSSL("req", "-in", "server.csr", "-outform", "DER", "-out",
                 "theirs.csr"));
    ours(CERTFLEET("pki", "sign", "theirs", "ourca"));
    same_reading("x509", "theirs.crt", "PEM");
    assert_says(capture.out, "DNS:server1.example.com, "
                             "DNS:server2.example.com, IP:10.0.0.2");
    ours(CERTFLEET("pki", "match", "server.key", "theirs.crt"));
    made(OPENSSL("verify", "-CAfile", "ourca.crt", "theirs.crt"));
    ours(CERTFLEET("pki", "sign", "names", "intermediate", "--days", "30"));
    made(OPENSSL("verify", "-purpose", "sslserver", "-CAfile", "root.crt",
                 "-untrusted", "intermediate.crt", "names.crt"));
    ours(CERTFLEET("pki", "verify", "names.crt", "intermediate.crt",
                   "root.crt"));
}

/* -- bundles, locks ------------------------------------------------------- */

static void join_files(const char *to, const char *const *paths)
{
    static char part[1 << 15];
    struct str all;

    str_init(&all, 1 << 18);
    for (; *paths; paths++) {
        capture_read(*paths, part, sizeof(part));
        str_add(&all, part);
    }
    capture_write(to, str_text(&all));
    str_release(&all);
}

static void test_every_part_of_a_bundle(void **state)
{
    static const char *const parts[] = {"server.key",       "server.crt",
                                        "intermediate.crt", "root.crt",
                                        "server.csr",       NULL};

    (void)state;
    join_files("all.pem", parts);
    ours(CERTFLEET("pki", "inspect", "all.pem"));
    assert_says(capture.out, "all.pem (1 of 5): private key, PEM");
    assert_says(capture.out, "all.pem (2 of 5): certificate, PEM");
    assert_says(capture.out, "all.pem (3 of 5): certificate (CA), PEM");
    assert_says(capture.out, "all.pem (4 of 5): certificate (CA), PEM");
    assert_says(capture.out, "all.pem (5 of 5): request, PEM");
    assert_null(strstr(capture.out, "PRIVATE"));
}

static void lock_keys(void)
{
    made(OPENSSL("pkey", "-in", "server.key", "-aes256", "-passout",
                 "pass:correct horse", "-out", "locked.key"));
    made(OPENSSL("rsa", "-in", "db01server.key", "-aes128", "-traditional",
                 "-passout", "pass:correct horse", "-out", "oldform.key"));
    made(OPENSSL("pkcs8", "-topk8", "-in", "server.key", "-outform", "DER",
                 "-v2", "aes256", "-passout", "pass:correct horse", "-out",
                 "locked.der"));
    capture_write("good.pass", "correct horse\n");
    capture_write("wrong.pass", "correct house\n");
    chmod("good.pass", 0600);
    chmod("wrong.pass", 0600);
}

static void test_unlock(void **state)
{
    static char before[1 << 14], after[1 << 14];

    (void)state;
    lock_keys();
    chmod("locked.key", 0644);
    capture_read("locked.key", before, sizeof(before));
    assert_int_equal(CERTFLEET("pki", "unlock", "locked.key"), 2);
    assert_int_equal(CERTFLEET("pki", "unlock", "locked.key", "--passphrase",
                               "file:wrong.pass"),
                     2);
    assert_says(capture.err,
                "locked.key: the passphrase does not open the private key");
    assert_int_equal(CERTFLEET("pki", "unlock", "locked.key", "--passphrase",
                               "correct horse"),
                     2);
    assert_int_equal(CERTFLEET("pki", "unlock", "locked.key", "--passphrase",
                               "file:good.pass", "-o", "server.key"),
                     2);
    assert_says(capture.err, "server.key exists and is not overwritten");
    capture_read("locked.key", after, sizeof(after));
    assert_string_equal(before, after);
    ours(CERTFLEET("pki", "unlock", "locked.key", "--passphrase",
                   "file:good.pass", "-o", "open.key"));
    assert_mode("open.key", 0600);
    ours(CERTFLEET("pki", "match", "open.key", "server.crt"));
    ours(CERTFLEET("pki", "unlock", "locked.key", "--passphrase",
                   "file:good.pass"));
    assert_mode("locked.key", 0600);
    made(OPENSSL("pkey", "-in", "locked.key", "-noout", "-check"));
    ours(CERTFLEET("pki", "match", "locked.key", "server.crt"));
    ours(CERTFLEET("pki", "unlock", "locked.key"));
    assert_says(capture.out, "locked.key is not locked; nothing was written");
}

static void test_unlock_of_every_form(void **state)
{
    (void)state;
    ours(CERTFLEET("pki", "inspect", "oldform.key", "locked.der"));
    assert_says(capture.out, "encrypted");
    assert_int_equal(CERTFLEET("pki", "match", "oldform.key", "db01server.crt"),
                     2);
    assert_says(capture.err, "oldform.key: the key is locked: give "
                             "--passphrase");
    ours(CERTFLEET("pki", "match", "oldform.key", "db01server.crt",
                   "--passphrase", "file:good.pass"));
    ours(CERTFLEET("pki", "unlock", "oldform.key", "--passphrase",
                   "command:cat good.pass"));
    made(OPENSSL("rsa", "-in", "oldform.key", "-noout", "-check"));
    ours(CERTFLEET("pki", "unlock", "locked.der", "--passphrase",
                   "file:good.pass"));
    ours(CERTFLEET("pki", "match", "locked.der", "server.crt"));
    assert_int_equal(
        CERTFLEET("pki", "unlock", "all.pem", "--passphrase", "file:good.pass"),
        2);
    assert_says(capture.err, "all.pem: it holds more than one key");
}

/* A CA whose key is locked signs when its passphrase is known. */
static void test_sign_with_a_locked_ca(void **state)
{
    (void)state;
    made(OPENSSL("pkey", "-in", "root.key", "-aes256", "-passout",
                 "pass:correct horse", "-out", "lockedca.key"));
    join_files("lockedca.crt", (const char *const[]){"root.crt", NULL});
    join_files("locked.csr", (const char *const[]){"names.csr", NULL});
    assert_int_equal(CERTFLEET("pki", "sign", "locked", "lockedca"), 2);
    assert_int_equal(access("locked.crt", F_OK), -1);
    ours(CERTFLEET("pki", "sign", "locked", "lockedca", "--passphrase",
                   "file:good.pass"));
    made(OPENSSL("verify", "-CAfile", "root.crt", "locked.crt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rsa),
        cmocka_unit_test(test_rsa_database),
        cmocka_unit_test(test_ecdsa),
        cmocka_unit_test(test_der),
        cmocka_unit_test(test_our_request_reads_as_theirs),
        cmocka_unit_test(test_our_names),
        cmocka_unit_test(test_our_chain),
        cmocka_unit_test(test_mixed_chains),
        cmocka_unit_test(test_every_part_of_a_bundle),
        cmocka_unit_test(test_unlock),
        cmocka_unit_test(test_unlock_of_every_form),
        cmocka_unit_test(test_sign_with_a_locked_ca),
    };

    return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
