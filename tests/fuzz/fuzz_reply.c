/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a node answers to a command, judged: SUCCESS, FAILURE, the words of
 * `pki match` and `pki verify`.  The first line is the command.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/registry.h"
#include "tests/fuzz/fuzz.h"

static bool begins(struct input line, const char *word)
{
    return line.left >= strlen(word) && memcmp(line.p, word, strlen(word)) == 0;
}

static bool has_failure(struct input in)
{
    while (in.left) {
        struct input line = input_line(&in);

        if (begins(line, "FAILURE") || begins(line, "ERROR") ||
            begins(line, "Unknown command"))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct product *cms = registry_product("cms");
    struct input in = {data, size};
    char *command = input_text(input_line(&in));
    struct err err = {0};
    enum reply reply = cms->judge(command, (const char *)in.p, in.left, &err);

    must_be_visible(err.text, strlen(err.text), false);
    must((reply == REPLY_FAILED || reply == REPLY_BUSY) ==
         (err.text[0] != '\0'));
    if (has_failure(in))
        must(reply == REPLY_FAILED || reply == REPLY_BUSY);
    if (reply == REPLY_ODD)
        must(strncmp(command, "pki ", 4) == 0);
    free(command);
    return 0;
}
