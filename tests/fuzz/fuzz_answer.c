/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever an issuer answers: an answer, the request, the CAs.  What is taken
 * has the request's key and verifies; what is refused says why.
 */
#include <stdlib.h>
#include <string.h>

#include "core/pki/pki.h"
#include "tests/fuzz/fuzz.h"

enum {
    NOW = 1795000000 /* seconds: 2026-11-18 */
};

/* Leaf and path alone lead to the CAs, and have the key. */
static void check_taken(const struct pki_wish *wish,
                        const struct pki_answer *answer)
{
    struct pki_cert_info leaf, request;
    struct str all;

    str_init(&all, 1 << 20);
    str_add(&all, answer->leaf);
    str_add(&all, str_text(&answer->between));
    must(!all.cut);
    must(pki_verify(all.data, all.len, wish->trust, wish->trust_len,
                    wish->purpose, wish->at, NULL) == 0);
    must(pki_describe(answer->leaf, strlen(answer->leaf), &leaf, NULL) == 0);
    must(pki_describe(wish->request, wish->request_len, &request, NULL) < 0 ||
         request.kind != PKI_REQUEST ||
         strcmp(leaf.spki_sha256, request.spki_sha256) == 0);
    must(!leaf.is_ca);
    str_release(&all);
}

static void ask(struct input part[3], enum pki_purpose purpose)
{
    const struct pki_wish wish = {
        .request = part[1].p,
        .request_len = part[1].left,
        .trust = part[2].p,
        .trust_len = part[2].left,
        .purpose = purpose,
        .at = NOW,
    };
    struct pki_answer answer = {0};
    struct err err = {0};
    int rc = pki_answer_read(&wish, part[0].p, part[0].left, &answer, &err);

    must((rc < 0) == (err.text[0] != '\0'));
    must((rc < 0) == (answer.leaf == NULL));
    must_be_visible(err.text, strlen(err.text), false);
    if (rc == 0) {
        must(pki_answer_find(&wish, part[0].p, part[0].left, NULL) == 0);
        check_taken(&wish, &answer);
    }
    pki_answer_release(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size}, part[3];

    for (int i = 0; i < 3; i++)
        part[i] = input_part(&in);
    ask(part, PKI_SERVER);
    ask(part, PKI_CLIENT);
    return 0;
}
