/* SPDX-License-Identifier: Apache-2.0
 *
 * A Microsoft CA: certreq and certutil as far as requests are given in, asked
 * for, issued and denied.  The CA is real, by OpenSSL: a root, an issuing CA
 * below it, templates that decide on the extended key usage.
 *
 * Its manager is a person (`foreign'): certutil -resubmit ID issues what is
 * pending, certutil -deny ID denies it.  What is printed is imitated: seed 002
 * 3.3 has the lines of a pending request, the rest is Microsoft's form.
 */
#include "tests/lab/win_ca.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/lab/config.h"
#include "tests/lab/record.h"
#include "tests/lab/win.h"

#define CONFIG "CA1\\IssuingCA"

enum {
    ISSUER = 1,
    SAID_CAP = 64 * 1024
};

enum state {
    PENDING,
    ISSUED,
    DENIED,  /* by the policy */
    REJECTED /* by its manager */
};

struct request {
    X509_REQ *req;
    X509 *cert; /* once it is issued */
    enum state state;
    const struct win_ca_template *template;
    char *template_name; /* as asked for; NULL: none was */
};

struct ca {
    struct win_ca_maker maker;
    struct request *list; /* id 1 is the first */
    size_t n;
};

/* clang-format off */
static const struct win_kind_row kinds[] = { { "ca", ISSUER }, { NULL, 0 } };
static const struct win_variable variables[] = {
    { "COMSPEC", "C:\\Windows\\system32\\cmd.exe" }, { NULL, NULL },
};
static const struct win_folder folders[] = { { NULL, NULL } };
static const struct win_service_row services[] = { { NULL, NULL, 0, NULL, 0 } };

/* A template says what a certificate is for, whatever its request asks. */
static const struct win_ca_template templates[] = {
    { "WebServer",   "serverAuth",            "critical,digitalSignature,keyEncipherment" },
    { "Workstation", "clientAuth",            "critical,digitalSignature,keyEncipherment" },
    { "Machine",     "clientAuth,serverAuth", "critical,digitalSignature,keyEncipherment" },
    /* of a domain's own making: a VOS platform wants dataEncipherment, too */
    { "CiscoUC",     "clientAuth,serverAuth", "critical,digitalSignature,keyEncipherment,dataEncipherment" },
};

static const struct words {
    const char *id, *pending, *issued, *denied, *rejected;
} spoken[] = {
    { "RequestId: ", "Certificate request is pending: Taken Under Submission (0)",
      "Certificate retrieved(Issued) Issued",
      "Certificate not issued (Denied) Denied by Policy Module  0x80094800, The "
      "request was for a certificate template that is not supported by the "
      "Active Directory Certificate Services policy.",
      "Certificate not issued (Denied) Denied by LAB\\manager" },
    /* code page 932, where no word is as above */
    { "\x97v\x8b\x81 ID: ",
      "\x8f\xd8\x96\xbe\x8f\x91\x82\xcc\x97v\x8b\x81\x82\xcd\x95\xdb\x97\xaf\x92"
      "\x86\x82\xc5\x82\xb7: \x91\x97\x90M\x92\x86 (0)",
      "\x8f\xd8\x96\xbe\x8f\x91\x82\xf0\x8e\xe6\x93\xbe\x82\xb5\x82\xdc\x82\xb5"
      "\x82\xbd (\x94\xad\x8ds\x8d\xcf\x82\xdd)",
      "\x8f\xd8\x96\xbe\x8f\x91\x82\xcd\x94\xad\x8ds\x82\xb3\x82\xea\x82\xdc\x82"
      "\xb9\x82\xf1 (\x8b\x91\x94\xdb) 0x80094800",
      "\x8f\xd8\x96\xbe\x8f\x91\x82\xcd\x94\xad\x8ds\x82\xb3\x82\xea\x82\xdc\x82"
      "\xb9\x82\xf1 (\x8b\x91\x94\xdb) 0x80094014" },
};
/* clang-format on */

static struct ca *ca_of(const struct mmp_run *run)
{
    return run->node->win->own;
}

static const struct words *words_of(const struct lab_node *node)
{
    return &spoken[strcmp(node->set.adcs_words, "japanese") == 0];
}

static struct request *request_of(struct ca *ca, const char *id)
{
    size_t n = strtoul(id, NULL, 10);

    return n > 0 && n <= ca->n ? &ca->list[n - 1] : NULL;
}

static void issue(struct lab_node *node, struct request *r)
{
    r->cert = win_ca_sign(&((struct ca *)node->win->own)->maker, r->req,
                          r->template, lab_node_now(node));
    r->state = r->cert ? ISSUED : DENIED;
    lab_changed(node->lab);
}

/* -- certreq --------------------------------------------------------------- */

struct call { /* of certreq */
    const char *config, *attributes, *into;
    const char *file[3];
    int n_files;
    bool quiet, over;
};

static bool take_word(struct call *call, char **words, int n, int *i)
{
    const char *word = words[*i];

    if (strcmp(word, "-q") == 0)
        call->quiet = true;
    else if (strcmp(word, "-f") == 0)
        call->over = true;
    else if (strcmp(word, "-config") == 0 && *i + 1 < n)
        call->config = words[++*i];
    else if (strcmp(word, "-attrib") == 0 && *i + 1 < n)
        call->attributes = words[++*i];
    else if (word[0] == '>')
        call->into = word + 1;
    else if (word[0] != '-' && call->n_files < 3)
        call->file[call->n_files++] = word;
    else
        return false;
    return true;
}

static void print(struct mmp_run *run, const struct call *call,
                  const struct str *text, const char *result)
{
    win_say(run, call->into, text);
    mmp_end(run, result);
}

static void fail(struct mmp_run *run, const struct call *call, const char *line)
{
    struct str text;

    str_init(&text, SAID_CAP);
    str_addf(&text, "%s\n", line);
    print(run, call, &text, "failure");
    str_release(&text);
}

static void put(struct mmp_run *run, const char *name, char *text)
{
    lab_file_set(run->node, name, text, strlen(text));
    free(text);
}

/* What the CA has to say about a request, and its files. */
static void answer(struct mmp_run *run, const struct call *call, size_t id)
{
    struct ca *ca = ca_of(run);
    const struct request *r = &ca->list[id - 1];
    const struct words *w = words_of(run->node);
    const char *const why[] = {w->pending, w->issued, w->denied, w->rejected};
    struct str text;

    str_init(&text, SAID_CAP);
    str_addf(&text, "%s%zu\n%s\"%zu\"\n%s\n", w->id, id, w->id, id,
             why[r->state]);
    if (r->state == ISSUED) {
        char rsp[256];

        put(run, call->file[1], win_ca_pem(r->cert));
        if (call->n_files > 2)
            put(run, call->file[2], win_ca_path(&ca->maker, r->cert));
        snprintf(rsp, sizeof(rsp), "%.*s.rsp", (int)strcspn(call->file[1], "."),
                 call->file[1]);
        put(run, rsp, win_ca_path(&ca->maker, r->cert));
    }
    print(run, call, &text, r->state == ISSUED ? "ok" : "pending");
    str_release(&text);
}

static const struct win_ca_template *template_of(const char *name)
{
    for (size_t i = 0; name && i < sizeof(templates) / sizeof(*templates); i++)
        if (strcmp(templates[i].name, name) == 0)
            return &templates[i];
    return NULL;
}

static void decide(struct lab_node *node, struct request *r)
{
    const char *policy = node->set.adcs_policy;

    r->template = template_of(r->template_name);
    if (!r->template || strcmp(policy, "deny") == 0)
        r->state = DENIED;
    else if (strcmp(policy, "pending") == 0)
        r->state = PENDING;
    else
        issue(node, r);
}

static void submit(struct mmp_run *run, const struct call *call)
{
    static const char head[] = "CertificateTemplate:";
    struct ca *ca = ca_of(run);
    struct lab_file *f = lab_file(run->node, call->file[0]);
    X509_REQ *req = f ? win_ca_request(f->data, f->len) : NULL;
    struct request *r;

    if (!req) {
        fail(run, call,
             f ? "CertReq: ASN1 bad tag value met. 0x8009310b (ASN: 267)"
               : "CertReq: The system cannot find the file specified. "
                 "0x80070002 (WIN32: 2)");
        return;
    }
    ca->list = lab_grow(ca->list, ca->n, sizeof(*ca->list));
    r = &ca->list[ca->n++];
    memset(r, 0, sizeof(*r));
    r->req = req;
    if (call->attributes && strncmp(call->attributes, head, strlen(head)) == 0)
        r->template_name = lab_strdup(call->attributes + strlen(head));
    decide(run->node, r);
    answer(run, call, ca->n);
}

static void retrieve(struct mmp_run *run, const struct call *call)
{
    struct request *r = request_of(ca_of(run), call->file[0]);

    if (!r)
        fail(run, call,
             "Certificate Request Processor: The requested property value is "
             "empty. 0x80094004 (-2146877436 CERTSRV_E_PROPERTY_EMPTY)");
    else
        answer(run, call, (size_t)(r - ca_of(run)->list) + 1);
}

/* Without -q and -config it opens a window, and waits for somebody there. */
static void certreq(struct mmp_run *run, char **words, int n)
{
    bool submits = n > 1 && strcmp(words[1], "-submit") == 0;
    struct call call = {0};

    for (int i = 2; i < n; i++)
        if (!take_word(&call, words, n, &i)) {
            mmp_end(run, "usage");
            return;
        }
    if (!call.quiet || !call.over || !call.config || call.n_files < 2 ||
        (!submits && strcmp(words[1], "-retrieve") != 0))
        mmp_end(run, "usage");
    else if (strcmp(call.config, CONFIG) != 0)
        fail(run, &call,
             "Certificate Request Processor: The RPC server is unavailable. "
             "0x800706ba (WIN32: 1722 RPC_S_SERVER_UNAVAILABLE)");
    else if (submits)
        submit(run, &call);
    else
        retrieve(run, &call);
}

/* -- certutil -------------------------------------------------------------- */

static void ping(struct mmp_run *run, bool here)
{
    if (here)
        mmp_print(run, "Connecting to " CONFIG " ...\nServer \"IssuingCA\" "
                       "ICertRequest2 interface is alive (0ms)\n"
                       "CertUtil: -ping command completed successfully.\n");
    else
        mmp_print(run, "CertUtil: -ping command FAILED: 0x800706ba (WIN32: "
                       "1722 RPC_S_SERVER_UNAVAILABLE)\n");
    mmp_end(run, here ? "ok" : "failure");
}

static void show_ca(struct mmp_run *run)
{
    char *pem = win_ca_pem(ca_of(run)->maker.cert);

    mmp_print(run,
              "CA cert[0]: 3 -- Valid\nCA cert[0]:\n%s\nCertUtil: -ca.cert "
              "command completed successfully.\n",
              pem);
    free(pem);
    mmp_end(run, "ok");
}

static void manage(struct mmp_run *run, const char *what, const char *id)
{
    struct request *r = request_of(ca_of(run), id);

    if (!run->foreign || !r || r->state != PENDING) {
        mmp_print(run, "CertUtil: %s command FAILED: 0x80094003\n", what);
        mmp_end(run, "failure");
        return;
    }
    if (strcmp(what, "-deny") == 0)
        r->state = REJECTED;
    else
        issue(run->node, r);
    lab_changed(run->node->lab);
    mmp_print(run, "CertUtil: %s command completed successfully.\n", what);
    mmp_end(run, "ok");
}

static void certutil(struct mmp_run *run, char **words, int n)
{
    bool here = n > 2 && strcmp(words[n > 4 ? 3 : 2], CONFIG) == 0;

    if (n == 3 &&
        (strcmp(words[1], "-resubmit") == 0 || strcmp(words[1], "-deny") == 0))
        manage(run, words[1], words[2]);
    else if (n == 4 && strcmp(words[3], "-ping") == 0)
        ping(run, here);
    else if (n == 6 && strcmp(words[4], "-ca.cert") == 0 && here)
        show_ca(run);
    else
        mmp_end(run, "usage");
}

/* -- the node -------------------------------------------------------------- */

static const struct win_program programs[] = {
    {"certreq", certreq},
    {"certutil", certutil},
    {NULL, NULL},
};

/* What its clients trust lies beside the lab's files. */
static int begin(struct lab_node *node, struct err *err)
{
    struct ca *ca = lab_calloc(1, sizeof(*ca));
    char *path = NULL, *pem;
    int rc;

    node->win->own = ca;
    win_ca_make(&ca->maker);
    pem = win_ca_pem(ca->maker.root);
    if (asprintf(&path, "%s/adcs-root.crt", node->lab->dir) < 0)
        abort();
    rc = make_write(path, pem, strlen(pem), 0644, err);
    free(path);
    free(pem);
    return rc;
}

static void end(struct lab_node *node)
{
    struct ca *ca = node->win->own;

    for (size_t i = 0; ca && i < ca->n; i++) {
        X509_REQ_free(ca->list[i].req);
        X509_free(ca->list[i].cert);
        free(ca->list[i].template_name);
    }
    if (ca) {
        win_ca_release(&ca->maker);
        free(ca->list);
    }
    free(ca);
}

static SSL_CTX *load(struct lab_node *node, const struct win_service_row *row,
                     struct err *err)
{
    (void)node;
    err_set(err, CAUSE_SYSTEM, "%s shows nothing", row->name);
    return NULL;
}

static void tell(struct lab_node *node, json_t *json)
{
    static const char *const states[] = {"pending", "issued", "denied",
                                         "rejected"};
    const struct ca *ca = node->win->own;
    json_t *list = json_array();

    for (size_t i = 0; ca && i < ca->n; i++)
        json_array_append_new(list,
                              json_pack("{s:i, s:s, s:s*}", "id", (int)i + 1,
                                        "state", states[ca->list[i].state],
                                        "template", ca->list[i].template_name));
    json_object_set_new(json, "requests", list);
}

static void inventory(struct str *out)
{
    (void)out;
}

const struct win_product win_adcs = {
    .name = "adcs",
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
