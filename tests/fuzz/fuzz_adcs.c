/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever certreq prints: an id that is one, the same in UTF-16, and words
 * that steer no terminal.
 */
#include <stdlib.h>
#include <string.h>

#include "core/run/signing_priv.h"
#include "playbooks/adcs/adcs.h"
#include "tests/fuzz/fuzz.h"

static bool id_of(const char *text, size_t len, char id[SIGNER_ID_BYTES])
{
    bool found = adcs_signer.id(text, len, id);
    size_t digits = found ? strspn(id, "0123456789") : 0;

    must(!found ||
         (digits > 0 && digits < SIGNER_ID_BYTES && id[digits] == '\0'));
    must(!found || memmem(text, len, id, digits) || memchr(text, '\0', len));
    return found;
}

/* What has a byte order mark is wide already. */
static void widen(const char *text, size_t len, bool found, const char *id)
{
    bool marked = len > 1 && memcmp(text, "\xff\xfe", 2) == 0;
    char *wide = calloc(len + 1, 2), other[SIGNER_ID_BYTES];

    if (!wide)
        abort();
    memcpy(wide, "\xff\xfe", 2);
    for (size_t i = 0; i < len; i++)
        wide[2 + 2 * i] = text[i];
    if (found && !marked && 2 * len + 2 < 64 * 1024) {
        must(id_of(wide, 2 * len + 2, other));
        must(strcmp(id, other) == 0);
    }
    free(wide);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char id[SIGNER_ID_BYTES] = "";
    struct str words;
    bool found;

    if (size == 0)
        return 0;
    found = id_of(text, size, id);
    widen(text, size, found, id);
    must(adcs_signer.word(text, size) <= SIGNER_FAILED);
    str_init(&words, 4096);
    signing_say_words(text, size, &words);
    must(words.len > 0);
    must_be_visible(str_text(&words), words.len, false);
    str_release(&words);
    return 0;
}
