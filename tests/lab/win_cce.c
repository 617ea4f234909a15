/* SPDX-License-Identifier: Apache-2.0
 *
 * A CCE server as the installer leaves it: a self-signed certificate for IIS
 * and one for the Diagnostic Portico (seed 003's pictures show both), trust
 * stores that know neither's successor.
 */
#include "tests/lab/win_cce.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/lab/faults.h"
#include "tests/lab/record.h"
#include "tests/lab/tlsport.h"

enum {
    AW = 1,
    HDS = 2,
    ROUTER = 4,
    LOGGER = 8,
    PG = 16,
    EVERY = AW | HDS | ROUTER | LOGGER | PG,
    WITH_TOMCAT = EVERY & ~ROUTER
};

/* clang-format off */
static const struct win_kind_row kinds[] = {
    { "aw", AW }, { "hds", HDS }, { "router", ROUTER }, { "logger", LOGGER }, { "pg", PG }, { NULL, 0 },
};
static const struct win_variable variables[] = {
    { "CCE_JAVA_HOME", CCE_JAVA },
    { "COMSPEC", "C:\\Windows\\system32\\cmd.exe" },
    { NULL, NULL },
};
static const struct win_folder folders[] = {
    { "C:\\icm\\ssl\\", "icm\\" }, { CCE_JAVA "\\lib\\security\\", "java\\" }, { NULL, NULL },
};
static const struct win_program programs[] = {
    { "certreq", cce_certreq },
    { "certutil", cce_certutil },
    { "netsh", cce_netsh },
    { "C:\\icm\\serviceability\\diagnostics\\bin\\DiagFwCertMgr", cce_diagfw },
    { CCE_JAVA "\\bin\\keytool.exe", cce_keytool },
    { NULL, NULL },
};
static const struct win_service_row services[] = {
    { "IISADMIN", "IIS Admin Service", 0, NULL, EVERY, NULL },
    { "W3SVC", "World Wide Web Publishing Service", 443, "iis", EVERY, "IISADMIN" },
    { "DiagFwSvc", "Cisco ICM Diagnostic Framework", 7890, "portico", EVERY, NULL },
    { "Tomcat9", "Apache Tomcat 9", 0, NULL, WITH_TOMCAT, NULL },
    { NULL, NULL, 0, NULL, 0, NULL },
};
/* clang-format on */

struct cce *cce_of(const struct lab_node *node)
{
    return node->win->own;
}

const struct cce_cert *cce_find(const struct cce_cert *list, size_t n,
                                const char *thumb)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].cert && strcasecmp(list[i].thumb, thumb) == 0)
            return &list[i];
    return NULL;
}

bool cce_lies(struct mmp_run *run)
{
    return faults_match(run->node, F_FAIL_ASYNC, run->text) != NULL;
}

static void install(struct lab_node *node, struct cce_binding *b,
                    const char *name)
{
    struct cce *cce = cce_of(node);
    struct cce_cert *c = &cce->my[cce->n_my++];

    c->key = EVP_EC_gen("P-256");
    c->cert = cce_self_signed(name, c->key, lab_node_now(node));
    cce_thumb(c->cert, c->thumb);
    memcpy(b->thumb, c->thumb, sizeof(b->thumb));
    memcpy(b->first, c->thumb, sizeof(b->first));
}

static int begin(struct lab_node *node, struct err *err)
{
    static const char *const stores[] = {"icm\\cacerts", "java\\cacerts"};
    struct cce *cce = lab_calloc(1, sizeof(*cce));

    (void)err;
    node->win->own = cce;
    node->win->secret = lab_strdup("changeit");
    cce->japanese = node->win->kind != AW;
    cce->bound[0] = (struct cce_binding){
        .port = 443, .app = "{4dc3e181-e14b-4a21-b022-59fc669b0914}"};
    cce->bound[1] = (struct cce_binding){
        .port = 7890, .app = "{ba195980-cd49-458b-9e23-c84ee0adcd75}"};
    install(node, &cce->bound[0], "Cisco ICM SSL Certificate");
    install(node, &cce->bound[1], "Cisco ICM Diagnostic Framework service");
    for (size_t i = 0; i < 2; i++)
        lab_file_set(node, stores[i], stores[i], strlen(stores[i]));
    return 0;
}

static void drop(struct cce_cert *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        X509_free(list[i].cert);
        EVP_PKEY_free(list[i].key);
    }
}

static void end(struct lab_node *node)
{
    struct cce *cce = cce_of(node);

    if (!cce)
        return;
    drop(cce->my, cce->n_my);
    drop(cce->trusted, cce->n_trusted);
    free(cce);
}

/* -- what is shown --------------------------------------------------------- */

static SSL_CTX *load(struct lab_node *node, const struct win_service_row *row,
                     struct err *err)
{
    const struct cce *cce = cce_of(node);
    const struct cce_binding *b = &cce->bound[row->port == 443 ? 0 : 1];
    const struct cce_cert *c = cce_find(cce->my, cce->n_my, b->thumb);
    SSL_CTX *ctx;

    if (!c || !c->key) {
        err_set(err, CAUSE_SYSTEM, "nothing is bound");
        return NULL;
    }
    ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_cert_and_key(ctx, c->cert, c->key, NULL, 1);
    return ctx;
}

/* http.sys hands out what is bound, without a restart. */
void cce_rebound(struct lab_node *node, const struct cce_binding *binding)
{
    for (size_t i = 0; i < node->win->n_services; i++)
        if (node->win->service[i].row->port == binding->port)
            win_reload(node, &node->win->service[i]);
}

/* -- for tests ------------------------------------------------------------- */

/* New is what was accepted last, behind those of the installer. */
static const char *age_of(const struct cce *cce, const struct cce_binding *b)
{
    size_t last = cce->n_my;

    while (last > CCE_BINDINGS && !cce->my[last - 1].cert)
        last--;
    if (!b->thumb[0])
        return "none";
    if (strcmp(b->thumb, b->first) == 0)
        return "old";
    return last > CCE_BINDINGS && strcmp(b->thumb, cce->my[last - 1].thumb) == 0
               ? "new"
               : "other";
}

static void tell_store(const struct lab_node *node, json_t *json,
                       const char *name, const char *file)
{
    struct lab_file *f = lab_file((struct lab_node *)(uintptr_t)node, file);
    bool old =
        f && f->len == strlen(file) && memcmp(f->data, file, f->len) == 0;

    char hex[65] = "", label[64];

    json_object_set_new(json, name, json_string(old ? "old" : "new"));
    if (f)
        lab_digest(f->data, f->len, hex);
    snprintf(label, sizeof(label), "%s_sha256", name);
    json_object_set_new(json, label, json_string(hex));
}

static void tell(struct lab_node *node, json_t *json)
{
    const struct cce *cce = cce_of(node);

    json_object_set_new(json, "iis", json_string(age_of(cce, &cce->bound[0])));
    json_object_set_new(json, "portico",
                        json_string(age_of(cce, &cce->bound[1])));
    json_object_set_new(json, "iis_thumb", json_string(cce->bound[0].thumb));
    json_object_set_new(json, "portico_thumb",
                        json_string(cce->bound[1].thumb));
    tell_store(node, json, "icm_store", "icm\\cacerts");
    tell_store(node, json, "java_store", "java\\cacerts");
}

static void inventory(struct str *out)
{
    str_add(out, "keystore_password = file:cacerts.pass\n");
}

const struct win_product win_cce = {
    .name = "cce",
    .kinds = kinds,
    .variables = variables,
    .folders = folders,
    .programs = programs,
    .services = services,
    .begin = begin,
    .end = end,
    .load = load,
    .tell = tell,
    .inventory = inventory,
};
