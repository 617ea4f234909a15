/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a node's REST interface answers: a number of calls is there only
 * when its element is, once, and white space around the document changes
 * nothing.
 */
#include <string.h>

#include "core/base/str.h"
#include "playbooks/cms/calls.h"
#include "tests/fuzz/fuzz.h"

static size_t count(const char *text, size_t len, const char *word)
{
    size_t n = 0;

    for (const char *p = text, *end = text + len;
         (p = memmem(p, (size_t)(end - p), word, strlen(word))); p++)
        n++;
    return n;
}

static void check_blanks(const char *text, size_t len, unsigned legs)
{
    struct err err = {0};
    struct str again;
    unsigned other = 0;

    str_init(&again, len + 8);
    str_addn(&again, text, len);
    str_add(&again, " \r\n\t");
    must(cms_calls_parse(str_text(&again), again.len, &other, &err) == 0);
    must(other == legs);
    str_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct err err = {0};
    unsigned legs = 0;

    if (cms_calls_parse(text, size, &legs, &err) < 0) {
        must(err.text[0]);
        return 0;
    }
    must(legs <= 9999999);
    must(count(text, size, "</callLegsActive>") == 1);
    must(count(text, size, "<!") == 0);
    check_blanks(text, size, legs);
    return 0;
}
