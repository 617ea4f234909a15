/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a CVP server prints: keytool's lists and answers, digests, services,
 * clocks.  What is taken is within its bounds, what is refused says why, and
 * only what says so plainly counts as done.
 */
#include <string.h>

#include "playbooks/cvp/commands.h"
#include "playbooks/cvp/cvp.h"
#include "tests/fuzz/fuzz.h"

static void list(const char *text, size_t len)
{
    struct cvp_store store = {0};
    struct err err = {0};
    int rc = cvp_store_parse(&store, text, len, &err);

    must(rc == 0 || err.text[0]);
    must(rc == 0 || !store.there);
    if (store.there)
        cvp_store_work(&store);
    for (int a = 0; a < CVP_ALIASES; a++) {
        const struct cvp_entry *e = &store.entry[a];

        must(store.there || !e->seen);
        must(e->seen || (!e->key && !e->pem && !e->chain));
        must(!e->rooted || e->leaf.sha256[0]);
    }
    cvp_store_release(&store);
}

static void answer(const char *text, size_t len)
{
    static const char leaf[] = CVP_IMPORT("wsm_certificate", "a", "cvp-a");
    static const char root[] = CVP_IMPORT("root-12345678", "a", "cvp-a");
    struct err err = {0};

    if (cvp_judge(leaf, text, len, &err) == REPLY_OK)
        must(memmem(text, len, "installed in keystore", 21) ||
             memmem(text, len, "are identical", 13));
    else
        must(err.text[0] != '\0');
    if (cvp_judge(root, text, len, &err) == REPLY_OK)
        must(memmem(text, len, "added to keystore", 17) ||
             memmem(text, len, "Certificate not imported", 24));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char hex[PKI_SHA256_HEX];
    int64_t seconds = 0;

    if (size == 0)
        return 0;
    list(text, size);
    answer(text, size);
    must(win_hash(text, size, hex) ? strlen(hex) == 64 : !hex[0]);
    must(win_service(text, size) <= WIN_RUNNING);
    if (win_clock_parse(text, size, &seconds))
        must(seconds > -100000000000 && seconds < 300000000000);
    return 0;
}
