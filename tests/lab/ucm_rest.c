/* SPDX-License-Identifier: Apache-2.0
 *
 * The certmgr REST API (facts/uc.md 1.5), behind Tomcat's own certificate.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/api.h"
#include "tests/lab/faults.h"
#include "tests/lab/record.h"
#include "tests/lab/ucm.h"

#define BASE "/platformcom/api/v1/certmgr/config"

struct call {
    struct lab_node *node;
    struct ucm *u;
    json_t *body; /* of a POST; NULL: none */
    int status;
    json_t *answer;
};

static void say(struct call *c, int status, const char *message)
{
    c->status = status;
    c->answer = json_pack("{s:s}", "message", message);
}

static int unit_of(const json_t *body)
{
    const json_t *service = json_object_get(body, "service");
    const char *name = json_string_value(
        json_is_array(service) ? json_array_get(service, 0) : service);

    for (int i = 0; name && i < UCM_UNITS; i++)
        if (strcmp(ucm_kinds[i].name, name) == 0)
            return i;
    return -1;
}

static const char *text_of(const json_t *body, const char *key)
{
    const char *text = json_string_value(json_object_get(body, key));

    return text ? text : "";
}

/* -- GET /snapshot/server -------------------------------------------------- */

static void take_text(json_t *object, const char *key, char *text)
{
    json_object_set_new(object, key, json_string(text));
    free(text);
}

static json_t *trusts_json(const struct ucm_unit *unit)
{
    json_t *list = json_array();

    for (int i = 0; i < sk_X509_num(unit->trusts); i++) {
        json_t *o = json_pack("{s:s}", "filename", "ca.pem");
        take_text(o, "certificate",
                  ucm_cert_pem(sk_X509_value(unit->trusts, i)));
        json_array_append_new(list, o);
    }
    return list;
}

static void snapshot(struct call *c)
{
    json_t *identities = json_array(), *trusts = json_array();

    for (int i = 0; i < UCM_UNITS; i++) {
        const struct ucm_unit *unit = &c->u->units[i];
        char store[64];
        json_t *o;

        if (!unit->cert)
            continue;
        o = json_pack("{s:s}", "service", ucm_kinds[i].name);
        take_text(o, "certificate", ucm_cert_pem(unit->cert));
        if (unit->request)
            take_text(o, "csr", ucm_request_pem(unit->request));
        json_array_append_new(identities, o);
        snprintf(store, sizeof(store), "%s-trust", ucm_kinds[i].name);
        json_array_append_new(trusts,
                              json_pack("{s:s, s:o}", "service", store,
                                        "certificate_data", trusts_json(unit)));
    }
    c->status = 200;
    c->answer = json_pack("{s:s, s:s, s:o, s:o, s:[]}", "trackingId", "1",
                          "server", ucm_fqdn(c->node), "identities", identities,
                          "trusts", trusts, "revokedCertificates");
}

/* -- POST ------------------------------------------------------------------ */

static void post_csr(struct call *c)
{
    int id = unit_of(c->body);

    if (id < 0 || !(ucm_kinds[id].head & c->u->role)) {
        say(c, 400, "The service is not available on this server");
    } else if (strcmp(text_of(c->body, "distribution"), "multi-server") != 0 ||
               !*text_of(c->body, "commonName") ||
               strcmp(text_of(c->body, "keyType"), "rsa") != 0) {
        say(c, 400, "Invalid request");
    } else if (ucm_make_request(c->u, (enum ucm_unit_id)id,
                                text_of(c->body, "commonName")) < 0) {
        say(c, 500, "Internal error");
    } else {
        c->status = 200;
        c->answer = json_object();
        take_text(c->answer, "csr", ucm_request_pem(c->u->units[id].request));
    }
}

static void post_trust(struct call *c)
{
    int id = unit_of(c->body);
    const json_t *item;
    size_t i;

    if (id < 0 || !json_is_array(json_object_get(c->body, "service"))) {
        say(c, 400, "Invalid request");
        return;
    }
    json_array_foreach(json_object_get(c->body, "certificates"), i, item)
    {
        const char *pem = json_string_value(item);
        const char *why = ucm_trust(c->u, (enum ucm_unit_id)id, pem ? pem : "");

        if (why) {
            say(c, 400, why);
            return;
        }
    }
    say(c, 201, "Trust certificates uploaded");
}

static void post_identity(struct call *c)
{
    int id = unit_of(c->body), status = 200;
    const char *pem = json_string_value(
        json_array_get(json_object_get(c->body, "certificates"), 0));
    const char *why;

    if (id < 0 || !pem ||
        !json_is_string(json_object_get(c->body, "service")) ||
        !(ucm_kinds[id].head & c->u->role)) {
        say(c, 400, "Invalid request");
        return;
    }
    why = ucm_upload(c->u, (enum ucm_unit_id)id, pem, &status);
    say(c, why ? status : 201, why ? why : "Certificate uploaded");
}

/* -- one request ----------------------------------------------------------- */

static const struct {
    const char *line; /* as it is recorded, and faults see it */
    void (*run)(struct call *);
} orders[] = {
    {"GET " BASE "/snapshot/server", snapshot},
    {"POST " BASE "/csr", post_csr},
    {"POST " BASE "/trust/certificates", post_trust},
    {"POST " BASE "/identity/certificates", post_identity},
};

static void run(struct call *c, const char *line)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
        if (strcmp(orders[i].line, line) == 0) {
            if (faults_match(c->node, F_FAIL, line))
                say(c, 500, "Internal error");
            else
                orders[i].run(c);
            return;
        }
    say(c, 404, "Not found");
}

static void answer(struct call *c, struct str *reply)
{
    char *text = json_dumps(c->answer, JSON_COMPACT);

    str_addf(reply,
             "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
             c->status, strlen(text), text);
    free(text);
}

void ucm_rest(struct lab_node *node, const char *request, struct str *reply)
{
    struct call c = {.node = node, .u = node->ucm};
    const char *body = strstr(request, "\r\n\r\n");
    size_t verb = strcspn(request, " ");
    char line[512];
    uint64_t entry;

    snprintf(line, sizeof(line), "%.*s",
             (int)(verb + 1 + strcspn(request + verb + 1, " ")), request);
    node->api_asked++;
    if (!api_may_ask(node, request)) {
        node->api_refused++;
        str_add(reply, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic "
                       "realm=\"CMPlatform Realm\"\r\nContent-Length: 0\r\n"
                       "Connection: close\r\n\r\n");
        return;
    }
    entry = record_add(node, "rest", "admin", line);
    c.body = body ? json_loads(body + 4, 0, NULL) : NULL;
    run(&c, line);
    record_entry(node->lab, entry)->state = "done";
    record_entry(node->lab, entry)->result = c.status < 300 ? "ok" : "failure";
    if (!faults_match(node, F_NO_REPLY, line)) /* it has acted */
        answer(&c, reply);
    json_decref(c.body);
    json_decref(c.answer);
    lab_changed(node->lab);
}
