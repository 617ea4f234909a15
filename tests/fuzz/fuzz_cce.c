/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a CCE server prints, through every row of the table of reads, and
 * what keytool answers.  What is taken is within its bounds, what is refused
 * says why, and only what says so plainly counts as bound, as there, as done.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/cce/cce.h"
#include "playbooks/cce/commands.h"
#include "tests/fuzz/fuzz.h"

static bool has(const char *text, size_t len, const char *word)
{
    return len && memmem(text, len, word, strlen(word)) != NULL;
}

static bool is_hex(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

/* -- facts ----------------------------------------------------------------- */

static void read_all(struct facts *facts, const char *text, size_t len)
{
    const struct link_result result = {
        .end = LINK_OK, .data = text, .len = len};

    for (const struct read_row *row = cce_reads; row->bit; row++) {
        struct err err = {0};

        if (row->work)
            row->work(facts);
        else if (row->parse &&
                 row->parse(facts, &row->about, &result, &err) < 0)
            must(err.text[0] != '\0');
    }
}

static void check_bound(const struct cce_facts *f)
{
    for (int l = 0; l < CCE_LISTENERS; l++) {
        const struct cce_bound *b = &f->bound[l];

        must(b->known);
        must(!b->thumb[0] || is_hex(b->thumb, PKI_SHA1_HEX - 1));
        must(!b->app[0] ||
             (strlen(b->app) == WIN_GUID_BYTES - 1 && b->app[0] == '{' &&
              strspn(b->app + 1, "0123456789"
                                 "abcdefABCDEF-") == WIN_GUID_BYTES - 3));
        must(!f->in_my[l][0] || is_hex(f->in_my[l], PKI_SHA1_HEX - 1));
        must(f->shown[l].kind != PKI_CERTIFICATE ||
             is_hex(f->shown[l].sha1, PKI_SHA1_HEX - 1));
        must(!f->shown_bytes[l]);
    }
}

static void check_stores(const struct cce_facts *f)
{
    for (int s = 0; s < CCE_STORES; s++) {
        must(!f->store_sha256[s][0] ||
             is_hex(f->store_sha256[s], PKI_SHA256_HEX - 1));
        must(!f->staged[s].pem);
        for (size_t i = 0; i < f->staged[s].n; i++)
            must(is_hex(f->staged[s].sha256[i], PKI_SHA256_HEX - 1));
    }
}

static void check_rest(const struct cce_facts *f, const char *text, size_t len)
{
    must(strlen(f->home) < sizeof(f->home));
    for (const char *p = f->home; *p; p++)
        must((unsigned char)*p >= ' ');
    must(!f->valid || has(text, len, "The certificate binding is VALID"));
    for (size_t k = 0; k < CCE_CAS; k++)
        must(f->trusted[k] == f->trusted[0]);
    for (int s = 0; s < CCE_SERVICES; s++)
        must(f->service[s] <= WIN_RUNNING);
}

/* -- keytool --------------------------------------------------------------- */

static void answer(const char *text, size_t len)
{
    static const char import[] = CCE_IMPORT("ca-1", "cce-root", "cce-x");
    struct err err = {0};

    if (cce_judge(import, text, len, &err) == REPLY_OK)
        must(has(text, len, "Certificate not imported, alias <ca-") ||
             (!has(text, len, "keytool error:") &&
              !has(text, len, "was not added to keystore")));
    else
        must(err.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct facts *facts;

    if (size == 0)
        return 0;
    facts = cce_facts_new();
    for (int again = 0; again < 2; again++) { /* what was there is let go */
        read_all(facts, text, size);
        check_bound((struct cce_facts *)facts);
        check_stores((struct cce_facts *)facts);
        check_rest((struct cce_facts *)facts, text, size);
    }
    cce_facts_free(facts);
    answer(text, size);
    return 0;
}
