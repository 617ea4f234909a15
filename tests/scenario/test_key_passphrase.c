/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys at rest: locked in the state folder, open on the nodes; a wrong
 * passphrase is known before the first packet, and a way back needs none.
 */
#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/pki/pki.h"

#define WORDS "lock of \"keys\" 1"

static const char *const files[] = {"dbserver-*.key", "dbclient-*.key"};

/* Below the bed's folder: "state/clusters/lab/g1-3f9a/dbserver-g1-3f9a.key" */
static const char *find(struct bed *bed, const char *pattern)
{
    const char *copy;
    glob_t found;

    assert_int_equal(
        glob(arena_printf(&bed->arena, "%s/state/clusters/lab/*/%s", bed->dir,
                          pattern),
             0, NULL, &found),
        0);
    assert_int_equal(found.gl_pathc, 1);
    copy = arena_strdup(&bed->arena, found.gl_pathv[0] + strlen(bed->dir) + 1);
    globfree(&found);
    return copy;
}

static struct bed *start(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    hunt_start(bed);
    hunt_keep_word("the key passphrase", WORDS);
    bed_write(bed, "keys.pass", WORDS);
    bed_inventory(bed, "cluster lab", "key_passphrase = file:keys.pass");
    return bed;
}

static const char *digest_on_node(struct bed *bed, const char *name)
{
    const json_t *list = json_object_get(bed_lab(bed, "files core1"), "files");
    const json_t *file;
    size_t i;

    json_array_foreach(list, i, file)
    {
        if (strcmp(bed_text(file, "name"), name) == 0)
            return bed_text(file, "sha256");
    }
    fail_msg("core1 has no %s", name);
    return NULL;
}

/* Locked here; there the open one, of which this is the digest. */
static void is_locked(struct bed *bed, const char *pattern)
{
    const char *name = find(bed, pattern), *text = bed_read(bed, name);
    struct secret *kept = secret_from(text, strlen(text));
    struct secret *words = secret_from(WORDS, strlen(WORDS));
    struct secret *open = pki_key_unlock(kept, words, NULL);
    char hex[PKI_SHA256_HEX];

    assert_non_null(strstr(text, "BEGIN ENCRYPTED PRIVATE KEY"));
    assert_non_null(open);
    pki_sha256(open->data, open->len, hex);
    assert_string_equal(hex, digest_on_node(bed, strrchr(name, '/') + 1));
    hunt_keep_key(bed, name, WORDS);
    secret_free(open);
    secret_free(words);
    secret_free(kept);
}

static void is_nowhere(struct bed *bed)
{
    for (size_t i = 0; i < 2; i++)
        is_locked(bed, files[i]);
    /* hunt_start keeps the head of any key: these files have another one */
    for (size_t i = 0; i < 2; i++) {
        const char *text = bed_read(bed, find(bed, files[i]));
        const char *body = strchr(text, '\n');

        assert_null(hunt_found(body, strlen(body) - 40));
    }
    hunt_everywhere(bed);
}

static unsigned connections(struct bed *bed)
{
    return (unsigned)strtoul(bed_node(bed, "core1", "connections_total"), NULL,
                             10) +
           (unsigned)strtoul(bed_node(bed, "core2", "connections_total"), NULL,
                             10);
}

static void refuses(struct bed *bed, const char *why)
{
    unsigned before = connections(bed);
    struct bed_run *run = bed_do(bed, "resume last --yes");

    bed_ends(run, 2, "error");
    assert_true(bed_said(run, why));
    assert_true(bed_said(run, "cluster lab: key_passphrase: "));
    assert_int_equal(connections(bed), before);
}

static void test_a_whole_run(void **state)
{
    struct bed *bed = start(state);

    bed_ends(bed_do(bed, "-v -v apply cms/db-rotate lab --yes"), 0, "done");
    is_nowhere(bed);
    bed_is_new(bed, "lab", "core1");
    bed_inventory_drop(bed, "cluster lab"); /* a way back needs none of it */
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "%s\n[cluster lab]\nproduct = cms\nissuer = dbca\n",
                           bed_read(bed, "certfleet.ini")));
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

static void test_resumed(void **state)
{
    struct bed *bed = start(state);

    bed_ends(bed_apply(bed, "--until push"), 0, "ok");
    is_nowhere(bed);
    assert_true(connections(bed) > 0);
    bed_write(bed, "keys.pass", "another one");
    refuses(bed, "the passphrase does not open the private key");
    bed_write(bed, "keys.pass", WORDS);
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_unset(void **state)
{
    struct bed *bed = start(state);
    const char *with = bed_read(bed, "certfleet.ini");
    const char *at = strstr(with, "key_passphrase");

    bed_ends(bed_apply(bed, "--until push"), 0, "ok");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%.*s;%s", (int)(at - with), with, at));
    refuses(bed, "no passphrase was given");
    bed_write(bed, "certfleet.ini", with);
    bed_write(bed, "keys.pass", "");
    bed_ends(bed_do(bed, "resume last --yes"), 2, "error");
    bed_ends(bed_apply(bed, ""), 2, "error");
}

/* A set that was made before the inventory had a passphrase. */
static void test_set_later(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);

    bed_ends(bed_apply(bed, "--until push"), 0, "ok");
    bed_write(bed, "keys.pass", WORDS);
    bed_inventory(bed, "fleet", "key_passphrase = file:keys.pass");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_whole_run, bed_stop),
        cmocka_unit_test_teardown(test_resumed, bed_stop),
        cmocka_unit_test_teardown(test_unset, bed_stop),
        cmocka_unit_test_teardown(test_set_later, bed_stop),
    };

    return crew_tests(tests);
}
