/* SPDX-License-Identifier: Apache-2.0
 *
 * What `check' reads of a CA's node: does the CA answer from there, and what is
 * its own certificate?
 */
#include <stdlib.h>
#include <string.h>

#include "core/run/plan.h"
#include "playbooks/adcs/adcs.h"

enum {
    TEXT_MOST = 64 * 1024
};

struct facts *adcs_facts_new(void)
{
    struct adcs_facts *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    return &f->facts;
}

void adcs_facts_free(struct facts *facts)
{
    free(facts);
}

/* The first issuer that is asked here. */
static const struct issuer *issuer_at(const struct view *view)
{
    const struct inventory *inventory = view->plan->plan->inventory;

    for (size_t i = 0; i < inventory->n_issuers; i++)
        if (inventory->issuers[i].node == view->plan->nodes[view->node].node)
            return &inventory->issuers[i];
    return NULL;
}

bool adcs_variable(const struct view *view, const char *name, struct str *out)
{
    const struct issuer *issuer = issuer_at(view);

    if (strcmp(name, "config") != 0 || !issuer || !issuer->config)
        return false;
    str_add(out, issuer->config);
    return true;
}

/* Whatever it is: the login's shell has answered. */
static int parse_status(struct facts *facts, const struct read_file *about,
                        const struct link_result *result, struct err *err)
{
    (void)facts;
    (void)about;
    (void)result;
    (void)err;
    return 0;
}

static int parse_ping(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    struct adcs_facts *f = (struct adcs_facts *)facts;
    struct str text;

    (void)about;
    (void)err;
    str_init(&text, TEXT_MOST);
    for (size_t i = 0; i < result->len; i++)
        if (result->data[i])
            str_addc(&text, result->data[i]);
    f->pinged = true;
    f->alive = text.len && adcs_failure(str_text(&text)) == 0 &&
               strstr(str_text(&text), "-ping") != NULL;
    str_release(&text);
    return 0;
}

/* It prints the certificate in PEM, among other things. */
static int parse_cert(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    struct adcs_facts *f = (struct adcs_facts *)facts;

    (void)about;
    if (pki_describe(result->data, result->len, &f->ca, err) == 0 &&
        f->ca.kind == PKI_CERTIFICATE)
        return 0;
    memset(&f->ca, 0, sizeof(f->ca));
    return -1;
}

/* clang-format off */
const struct read_row adcs_reads[] = {
    { ADCS_READ_STATUS, READ_COMMAND, "echo %COMSPEC%", false, NULL, NULL, parse_status },
    { ADCS_READ_PING,   READ_COMMAND, "certutil -config {config} -ping", true, NULL, NULL, parse_ping },
    { ADCS_READ_CERT,   READ_COMMAND, "certutil -f -config {config} -ca.cert nul", true, NULL, NULL, parse_cert },
    { 0 },
};
/* clang-format on */

/* -- check ---------------------------------------------------------------- */

void adcs_health(const struct view *view, struct findings *findings)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const struct adcs_facts *f = (const struct adcs_facts *)pn->facts;
    const struct issuer *issuer = issuer_at(view);

    if (!issuer)
        findings_add(findings, SEVERITY_INFO, "no-issuer", pn->node->name,
                     "no issuer of the inventory names this node");
    else if (!f->pinged || !f->alive)
        findings_add(
            findings, SEVERITY_ERROR, "ca-silent", pn->node->name,
            "%s does not answer from here: `certutil -config %s -ping'",
            issuer->config, issuer->config);
}

void adcs_certificates(const struct view *view, cert_row_f *each, void *user)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const struct adcs_facts *f = (const struct adcs_facts *)pn->facts;
    const struct issuer *issuer = issuer_at(view);
    struct cert_row row = {.service = "issuing CA", .file = "", .info = f->ca};

    if (!issuer || f->ca.kind != PKI_CERTIFICATE)
        return;
    row.file = issuer->config;
    each(user, &row);
}
