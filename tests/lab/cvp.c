/* SPDX-License-Identifier: Apache-2.0
 *
 * A CVP server: a real JCEKS keystore, made, changed and read by a real keytool
 * (the setting `keytool`; Debian's default-jre-headless has one), which asks
 * its own questions over the client's channel.
 */
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/child.h"
#include "core/base/file.h"
#include "tests/lab/config.h"
#include "tests/lab/cvp_keytool.h"
#include "tests/lab/record.h"
#include "tests/lab/win.h"

enum {
    SERVER = 1,
    REPORTING = 2,
    OAMP = 4,
    KEYTOOL_S = 60
};

/* clang-format off */
static const struct win_kind_row kinds[] = {
    { "server", SERVER }, { "reporting", REPORTING }, { "oamp", OAMP }, { NULL, 0 },
};
static const struct win_variable variables[] = {
    { "CVP_HOME", "C:\\Cisco\\CVP" },
    { "COMSPEC", "C:\\Windows\\system32\\cmd.exe" },
    { NULL, NULL },
};
static const struct win_folder folders[] = {
    { "C:\\Cisco\\CVP\\conf\\security\\", "conf\\" }, { NULL, NULL },
};
static const struct win_program programs[] = {
    { "C:\\Cisco\\CVP\\jre\\bin\\keytool.exe", cvp_keytool }, { NULL, NULL },
};
/* The Call Server's SIP port shows nothing: TLS is off, as by default. */
static const struct win_service_row services[] = {
    { "WebServicesManager", "Cisco CVP WebServicesManager", 8111, "wsm_certificate", SERVER | REPORTING | OAMP },
    { "VXMLServer", "Cisco CVP VXMLServer", 7443, "vxml_certificate", SERVER },
    { "W3SVC", "World Wide Web Publishing Service", 0, NULL, OAMP },
    { "OPSConsoleServer", "Cisco CVP OPSConsoleServer", 9443, "oamp_certificate", OAMP },
    { "CallServer", "Cisco CVP CallServer", 0, "callserver_certificate", SERVER | REPORTING },
    { NULL, NULL, 0, NULL, 0 },
};
/* clang-format on */

/* -- keytool, blocking: at the start, and as a service loads --------------- */

char *cvp_folder(const struct lab_node *node)
{
    char *path = NULL;

    if (asprintf(&path, "%s/win-%s", node->lab->dir, node->name) < 0)
        abort();
    return path;
}

static int keytool(const struct lab_node *node, const char *const *argv,
                   const char *input, struct err *err)
{
    static const char *const passed[] = {"PATH", "HOME", NULL};
    struct child child = {
        .argv = argv,
        .passed = passed,
        .input = input,
        .input_len = strlen(input),
        .deadline_s = KEYTOOL_S,
    };
    int rc = child_run(&child, err);

    if (rc == 0 && child.code != 0)
        rc = err_set(err, CAUSE_SYSTEM, "%s: keytool: %s%s", node->name,
                     str_text(&child.output), str_text(&child.words));
    child_release(&child);
    return rc;
}

static int make_key(struct lab_node *node, const char *alias, bool first,
                    struct err *err)
{
    char *folder = cvp_folder(node), *path = NULL, *input = NULL;
    int rc;

    if (asprintf(&path, "%s/" CVP_LIVE, folder) < 0 ||
        asprintf(&input, "%s\n%s%s\n", node->win->secret,
                 first ? node->win->secret : "", first ? "\n" : "") < 0)
        abort();
    {
        const char *const argv[] = {node->set.keytool,
                                    CVP_QUICK,
                                    "-J-Duser.language=en",
                                    "-storetype",
                                    "JCEKS",
                                    "-keystore",
                                    path,
                                    "-genkeypair",
                                    "-alias",
                                    alias,
                                    "-keyalg",
                                    "EC",
                                    "-groupname",
                                    "secp256r1",
                                    "-validity",
                                    "10",
                                    "-dname",
                                    "CN=installed",
                                    NULL};

        rc = keytool(node, argv, input, err);
    }
    free(input);
    free(path);
    free(folder);
    return rc;
}

static int read_live(struct lab_node *node, struct err *err)
{
    char *folder = cvp_folder(node), *path = NULL;
    struct secret *bytes;

    if (asprintf(&path, "%s/" CVP_LIVE, folder) < 0)
        abort();
    bytes = file_read(path, 1 << 20, err);
    if (bytes)
        lab_file_set(node, CVP_LIVE, bytes->data, bytes->len);
    if (bytes)
        lab_digest(bytes->data, bytes->len, node->win->first_sha256);
    secret_free(bytes);
    free(path);
    free(folder);
    return bytes ? 0 : -1;
}

/* A password as real ones are (facts/uc.md 5). */
static int take_secret(struct lab_node *node, struct err *err)
{
    char *path = NULL;
    struct secret *s;

    if (asprintf(&path, "%s/keystore.pass", node->lab->dir) < 0)
        abort();
    s = file_read(path, 256, err);
    free(path);
    if (!s)
        return -1;
    node->win->secret = strndup((const char *)s->data, s->len);
    node->win->secret[strcspn(node->win->secret, "\r\n")] = '\0';
    secret_free(s);
    return 0;
}

/* As the installer leaves it: self-signed, for the server's bare name.  Not
 * RSA, which takes Java a second for each key. */
static int begin(struct lab_node *node, struct err *err)
{
    char *folder = cvp_folder(node);
    bool first = true;
    int rc = file_make_folders(folder, err);

    free(folder);
    if (rc == 0)
        rc = take_secret(node, err);
    for (size_t i = 0; rc == 0 && i < node->win->n_services; i++)
        if (node->win->service[i].row->alias) {
            rc = make_key(node, node->win->service[i].row->alias, first, err);
            first = false;
        }
    return rc == 0 ? read_live(node, err) : -1;
}

/* -- what a service reads -------------------------------------------------- */

static SSL_CTX *context(const unsigned char *data, size_t len)
{
    const unsigned char *p = data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)len);
    STACK_OF(X509) *more = NULL;
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    SSL_CTX *ctx = NULL;

    if (p12 && PKCS12_parse(p12, CVP_EXPORT, &key, &cert, &more)) {
        ctx = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_cert_and_key(ctx, cert, key, more, 1);
    }
    sk_X509_pop_free(more, X509_free);
    X509_free(cert);
    EVP_PKEY_free(key);
    PKCS12_free(p12);
    return ctx;
}

static int export_alias(struct lab_node *node, const char *alias,
                        const char *from, const char *to, struct err *err)
{
    char *input = NULL;
    int rc;
    const char *const argv[] = {
        node->set.keytool, CVP_QUICK,       "-J-Duser.language=en",
        "-importkeystore", "-noprompt",     "-srcstoretype",
        "JCEKS",           "-srckeystore",  from,
        "-srcalias",       alias,           "-deststoretype",
        "PKCS12",          "-destkeystore", to,
        "-deststorepass",  CVP_EXPORT,      NULL};

    if (asprintf(&input, "%s\n", node->win->secret) < 0)
        abort();
    rc = keytool(node, argv, input, err);
    free(input);
    return rc;
}

/* What was exported of the very same keystore before is there still. */
static SSL_CTX *load(struct lab_node *node, const struct win_service_row *row,
                     struct err *err)
{
    char *folder = cvp_folder(node), *from = NULL, *to = NULL;
    struct lab_file *live = lab_file(node, CVP_LIVE);
    struct secret *bytes = NULL;
    SSL_CTX *ctx = NULL;
    char hex[65] = "";

    if (live)
        lab_digest(live->data, live->len, hex);
    if (asprintf(&from, "%s/" CVP_LIVE, folder) < 0 ||
        asprintf(&to, "%s/%.16s-%s.p12", folder, hex, row->alias) < 0)
        abort();
    if (live && make_write(from, live->data, live->len, 0600, err) == 0 &&
        (file_exists(to) || export_alias(node, row->alias, from, to, err) == 0))
        bytes = file_read(to, 1 << 20, err);
    if (bytes)
        ctx = context(bytes->data, bytes->len);
    secret_free(bytes);
    free(to);
    free(from);
    free(folder);
    return ctx;
}

/* -- for tests ------------------------------------------------------------- */

static void tell(struct lab_node *node, json_t *json)
{
    struct lab_file *live = lab_file(node, CVP_LIVE);
    char hex[65] = "";

    if (live)
        lab_digest(live->data, live->len, hex);
    json_object_set_new(
        json, "keystore",
        json_string(strcmp(hex, node->win->first_sha256) == 0 ? "old" : "new"));
    json_object_set_new(json, "keystore_sha256", json_string(hex));
}

static void inventory(struct str *out)
{
    str_add(out, "keystore_password = file:keystore.pass\n");
}

const struct win_product win_cvp = {
    .name = "cvp",
    .kinds = kinds,
    .variables = variables,
    .folders = folders,
    .programs = programs,
    .services = services,
    .begin = begin,
    .load = load,
    .tell = tell,
    .inventory = inventory,
};
