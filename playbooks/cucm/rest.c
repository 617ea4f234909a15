/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON for certmgr, and of it.
 */
#include "playbooks/cucm/rest.h"
#include "playbooks/vos/pem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PEM_CAP = 16 * 1024,
    MESSAGE_CAP = 300
};

/* -- bodies ---------------------------------------------------------------- */

static void dump(json_t *json, struct str *out)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    if (!text)
        abort();
    str_add(out, text);
    free(text);
    json_decref(json);
}

void cucm_csr_body(const struct cucm_csr_wish *wish, struct str *out)
{
    dump(json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "service", wish->service,
                   "distribution", wish->distribution, "commonName",
                   wish->common_name, "keyType", "rsa", "keyLength",
                   (int)wish->key_bits, "hashAlgorithm", "sha256"),
         out);
}

void cucm_trust_body(const char *service, const char *const *pems, size_t n,
                     struct str *out)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(pems[i]));
    dump(json_pack("{s:[s], s:o, s:s}", "service", service, "certificates",
                   list, "description", "Trust Certificate"),
         out);
}

void cucm_identity_body(const char *service, const char *pem, struct str *out)
{
    dump(json_pack("{s:s, s:[s]}", "service", service, "certificates", pem),
         out);
}

/* -- PEM ------------------------------------------------------------------- */

/* -- answers --------------------------------------------------------------- */

static int odd(struct err *err, const char *what)
{
    return err_set(err, CAUSE_REMOTE, "its API's answer is no %s", what);
}

static json_t *load(const char *json, size_t len)
{
    json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);

    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

int cucm_csr_answer(const char *json, size_t len, struct str *out,
                    struct err *err)
{
    json_t *root = load(json, len);
    const char *text = json_string_value(json_object_get(root, "csr"));
    int rc = text ? vos_pem(text, "CERTIFICATE REQUEST", out) : -1;

    json_decref(root);
    return rc < 0 ? odd(err, "request (`csr')") : 0;
}

void cucm_rest_message(const char *json, size_t len, struct str *out)
{
    json_t *root = load(json, len);
    json_t *list = json_object_get(root, "messages");
    const char *text = json_string_value(json_object_get(root, "message"));

    if (!text)
        text = json_string_value(json_object_get(root, "error"));
    if (!text)
        text = json_string_value(json_array_get(list, 0));
    if (text)
        str_add_visible(out, text,
                        strlen(text) < MESSAGE_CAP ? strlen(text) : MESSAGE_CAP,
                        false);
    json_decref(root);
}

/* -- what a node has ---------------------------------------------------------
 */

static char *take_pem(const json_t *object, const char *key, const char *label)
{
    const char *text = json_string_value(json_object_get(object, key));
    struct str pem;
    char *kept = NULL;

    str_init(&pem, PEM_CAP);
    if (text && vos_pem(text, label, &pem) == 0 && !pem.cut)
        kept = strdup(str_text(&pem));
    str_release(&pem);
    return kept;
}

static bool is_there(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && *text;
}

static int take_identity(const json_t *entry, struct cucm_snapshot *out)
{
    out->certificate = take_pem(entry, "certificate", "CERTIFICATE");
    out->request = take_pem(entry, "csr", "CERTIFICATE REQUEST");
    if ((!out->certificate && is_there(entry, "certificate")) ||
        (!out->request && is_there(entry, "csr")))
        return -1;
    return 0;
}

static int take_trusts(const json_t *entry, struct cucm_snapshot *out)
{
    const json_t *list = json_object_get(entry, "certificate_data"), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        char *pem = take_pem(item, "certificate", "CERTIFICATE");

        if (!pem || out->n_trusts == CUCM_TRUSTS_MAX) {
            free(pem);
            return -1;
        }
        out->trusts[out->n_trusts++] = pem;
    }
    return json_is_array(list) ? 0 : -1;
}

/* The store is called by its unit, or by its own name. */
static bool is_store_of(const char *name, const char *service)
{
    size_t len = strlen(service);

    return name && strncmp(name, service, len) == 0 &&
           (name[len] == '\0' || strcmp(name + len, "-trust") == 0);
}

static int take_all(const json_t *root, const char *service,
                    struct cucm_snapshot *out)
{
    const json_t *identities = json_object_get(root, "identities");
    const json_t *trusts = json_object_get(root, "trusts"), *entry;
    size_t i;
    int rc = json_is_array(identities) && json_is_array(trusts) ? 0 : -1;

    json_array_foreach(identities, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "service"));

        if (rc == 0 && name && strcmp(name, service) == 0)
            rc = out->certificate || out->request ? -1
                                                  : take_identity(entry, out);
    }
    json_array_foreach(trusts, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "service"));

        if (rc == 0 && is_store_of(name, service))
            rc = take_trusts(entry, out);
    }
    return rc;
}

int cucm_snapshot_parse(const char *json, size_t len, const char *service,
                        struct cucm_snapshot *out, struct err *err)
{
    json_t *root = load(json, len);
    int rc;

    memset(out, 0, sizeof(*out));
    rc = root ? take_all(root, service, out) : -1;
    json_decref(root);
    if (rc == 0)
        return 0;
    cucm_snapshot_release(out);
    return odd(err, "snapshot of its certificates");
}

void cucm_snapshot_release(struct cucm_snapshot *s)
{
    free(s->certificate);
    free(s->request);
    for (size_t i = 0; i < s->n_trusts; i++)
        free(s->trusts[i]);
    memset(s, 0, sizeof(*s));
}
