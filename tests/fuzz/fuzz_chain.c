/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever certificates and keys come together: verified, matched, linted as
 * a database set.  A certificate, a bundle, a key, a client's certificate and
 * key.  What verifies at a time verifies without one.
 */
#include <string.h>

#include "core/pki/pki.h"
#include "tests/fuzz/fuzz.h"

enum {
    NOW = 1795000000 /* seconds: 2026-11-18 */
};

static void show(const struct err *err)
{
    must_be_visible(err->text, strlen(err->text), false);
}

static void verify(struct input cert, struct input bundle,
                   enum pki_purpose purpose)
{
    struct err err = {0}, timeless = {0};
    int rc = pki_verify(cert.p, cert.left, bundle.p, bundle.left, purpose, NOW,
                        &err);
    int any = pki_verify(cert.p, cert.left, bundle.p, bundle.left, purpose, 0,
                         &timeless);

    show(&err);
    show(&timeless);
    must(rc < 0 || any == 0);
    must((rc < 0) == (err.text[0] != '\0'));
}

static void lint(const struct pki_db_set *set)
{
    struct pki_findings findings = {0};

    pki_lint_db_set(set, &findings);
    for (size_t i = 0; i < findings.n; i++)
        must_be_visible(findings.list[i].text, strlen(findings.list[i].text),
                        false);
    pki_findings_release(&findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[] = {"core1.example.com", "10.0.0.1", NULL};
    struct input in = {data, size}, part[5];
    struct err err = {0};

    for (int i = 0; i < 5; i++)
        part[i] = input_part(&in);
    verify(part[0], part[1], PKI_SERVER);
    verify(part[3], part[1], PKI_CLIENT);
    if (pki_match(part[2].p, part[2].left, NULL, part[0].p, part[0].left,
                  &err) < 0)
        show(&err);
    (void)pki_names_host(part[0].p, part[0].left, hosts[0]);
    lint(&(struct pki_db_set){
        .server_cert = part[0].p,
        .server_cert_len = part[0].left,
        .ca = part[1].p,
        .ca_len = part[1].left,
        .server_key = part[2].p,
        .server_key_len = part[2].left,
        .client_cert = part[3].p,
        .client_cert_len = part[3].left,
        .client_key = part[4].p,
        .client_key_len = part[4].left,
        .hosts = hosts,
        .at = NOW,
    });
    return 0;
}
