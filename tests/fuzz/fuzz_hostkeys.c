/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever stands in known_hosts, and whatever key a server shows: an answer
 * that is the same when asked twice, and types that can be offered.
 *
 * The file, then the key's blob, then the host's name and a pin.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "transport/hostkeys.h"

static const char defaults[] = "ssh-ed25519,rsa-sha2-512,ecdsa-sha2-nistp256";

static void ask(struct hostkeys *h, const char *host, unsigned port,
                struct input blob)
{
    const struct hostkeys_offer offer = {
        .host = host, .port = port, .blob = blob.p, .len = blob.left};
    enum hostkeys_answer answer = hostkeys_lookup(h, &offer);
    const char *types[4];
    size_t n = hostkeys_types(h, host, port, types, 4);
    struct str list;

    must(hostkeys_lookup(h, &offer) == answer);
    for (size_t i = 0; i < n && i < 4; i++)
        must_be_visible(types[i], strlen(types[i]), false);
    str_init(&list, 4096);
    hostkeys_algorithms(h, host, port, defaults, &list);
    must(list.len == strlen(defaults));
    str_release(&list);
}

/* What is accepted is known from then on, and only what nobody knew is. */
static void accept_it(struct hostkeys *h, const char *host, struct input blob)
{
    const struct hostkeys_offer offer = {
        .host = host, .port = 22, .blob = blob.p, .len = blob.left};
    enum hostkeys_answer before = hostkeys_lookup(h, &offer);
    struct err err = {0};
    int rc = hostkeys_accept(h, &offer, false, &err);

    must((rc < 0) == (err.text[0] != '\0'));
    if (rc == 0)
        must(before == HOSTKEYS_UNKNOWN || before == HOSTKEYS_KNOWN);
    if (rc == 0)
        must(hostkeys_lookup(h, &offer) == HOSTKEYS_KNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size}, file = input_part(&in);
    struct input blob = input_part(&in), line = input_line(&in);
    char *host = input_text(line), *pin = input_text(in);
    char print[HOSTKEYS_FINGERPRINT_BYTES];
    struct hostkeys *h = hostkeys_load(fuzz_file(file), NULL);
    struct str type;

    must(h);
    ask(h, "core1.example.com", 22, blob);
    ask(h, host, 2222, blob);
    hostkeys_fingerprint(blob.p, blob.left, print);
    must(hostkeys_pin_is_valid(print));
    must(hostkeys_pin_matches(print, blob.p, blob.left));
    if (hostkeys_pin_matches(pin, blob.p, blob.left))
        must(hostkeys_pin_is_valid(pin));
    str_init(&type, 200);
    if (hostkeys_type_of(blob.p, blob.left, &type) == 0)
        must_be_visible(str_text(&type), type.len, false);
    str_release(&type);
    hostkeys_free(h);
    h = hostkeys_load(NULL, NULL);
    if (*host)
        accept_it(h, host, blob);
    hostkeys_free(h);
    free(host);
    free(pin);
    return 0;
}
