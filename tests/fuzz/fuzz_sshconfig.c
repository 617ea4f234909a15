/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever stands in ssh_config: an error with its line, or an answer for a
 * host.  The file, then the host's name and the user's.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/fuzz/fuzz.h"
#include "transport/sshconfig.h"

/* An Include may name any file of this machine: none but those that are not
 * there, below a home that does not exist. */
static bool looks_elsewhere(struct input file)
{
    bool elsewhere = false;
    char *text = input_text(file);

    if (strcasestr(text, "include"))
        elsewhere = strpbrk(text, "/~") != NULL;
    free(text);
    return elsewhere;
}

static void resolve(struct sshconfig *c, const char *host, const char *user)
{
    static const struct sshconfig_defaults defaults = {
        .kex = "curve25519-sha256,ecdh-sha2-nistp256",
        .ciphers = "aes256-ctr,aes128-ctr",
        .macs = "hmac-sha2-256",
        .hostkeys = "ssh-ed25519,rsa-sha2-512",
        .pubkeys = "ssh-ed25519",
    };
    const struct sshconfig_query query = {
        .host = host,
        .user = *user ? user : NULL,
        .local_user = "me",
        .defaults = &defaults,
    };
    struct sshconfig_host out = {0};
    struct err err = {0};

    if (sshconfig_resolve(c, &query, &out, &err) < 0) {
        must(err.text[0] && err.cause == CAUSE_INPUT);
        return;
    }
    must(out.host && out.port <= 65535);
    must(!*user || strcmp(out.user, user) == 0);
    sshconfig_host_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size}, file = input_part(&in);
    struct input line = input_line(&in);
    struct sshconfig *c;
    struct err err = {0};
    char *host, *user;

    if (looks_elsewhere(file))
        return -1;
    host = input_text(line);
    user = input_text(in);
    c = sshconfig_load(fuzz_file(file), "/nobody", &err);
    must((c == NULL) == (err.text[0] != '\0'));
    if (c)
        resolve(c, *host ? host : "core1", user);
    sshconfig_free(c);
    free(host);
    free(user);
    return 0;
}
