/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever stands in a file that should hold certificates or keys: put right
 * twice it is as put right once, ordered twice as ordered once, and what is
 * told of it can be shown.
 */
#include <stdlib.h>
#include <string.h>

#include "core/pki/pki.h"
#include "tests/fuzz/fuzz.h"

enum {
    OUT_CAP = 1 << 20
};

static void show(const char *text)
{
    must_be_visible(text, strlen(text), false);
}

static void check_normalize(const uint8_t *data, size_t size)
{
    struct str once, twice;
    struct err err = {0};

    str_init(&once, OUT_CAP);
    str_init(&twice, OUT_CAP);
    if (pki_normalize(data, size, &once, &err) == 0) {
        must(once.len > 0 && once.data[once.len - 1] == '\n');
        must(pki_normalize(once.data, once.len, &twice, &err) == 0);
        must(once.len == twice.len &&
             memcmp(once.data, twice.data, once.len) == 0);
    }
    show(err.text);
    str_release(&once);
    str_release(&twice);
}

static void check_order(const uint8_t *data, size_t size)
{
    struct str once, twice, notes;
    struct err err = {0};

    str_init(&once, OUT_CAP);
    str_init(&twice, OUT_CAP);
    str_init(&notes, OUT_CAP);
    if (pki_chain_order(data, size, &once, &notes, &err) == 0) {
        must(pki_chain_order(once.data, once.len, &twice, NULL, &err) == 0);
        must(strcmp(str_text(&once), str_text(&twice)) == 0);
    }
    must_be_visible(str_text(&notes), notes.len, true);
    show(err.text);
    str_release(&once);
    str_release(&twice);
    str_release(&notes);
}

static void show_info(const struct pki_cert_info *info)
{
    show(info->subject);
    show(info->issuer);
    show(info->common_name);
    show(info->serial);
    show(info->key);
    show(info->signature);
    show(info->names);
    must(strlen(info->sha256) == 64 || info->kind != PKI_CERTIFICATE);
}

static void check_describe(const uint8_t *data, size_t size)
{
    struct pki_cert_info info = {0}, *all = NULL;
    struct err err = {0};
    size_t n = 0;

    if (pki_describe(data, size, &info, &err) == 0) {
        must(info.kind != PKI_UNKNOWN);
        show_info(&info);
    }
    show(err.text);
    if (pki_describe_all(data, size, &all, &n, &err) == 0)
        for (size_t i = 0; i < n; i++)
            show_info(&all[i]);
    show(err.text);
    free(all);
}

static void check_lint(const uint8_t *data, size_t size)
{
    struct pki_findings findings = {0};

    pki_lint_file("dbserver.crt", data, size, &findings);
    for (size_t i = 0; i < findings.n; i++)
        show(findings.list[i].text);
    pki_findings_release(&findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_normalize(data, size);
    check_order(data, size);
    check_describe(data, size);
    check_lint(data, size);
    return 0;
}
