/* SPDX-License-Identifier: Apache-2.0
 *
 * Beds of CVP servers; a keystore is opened with keytool by the test, too.
 */
#include "tests/scenario/cvp.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool cvp_has_keytool(void)
{
    const char *const argv[] = {"sh", "-c", "command -v keytool >/dev/null",
                                NULL};

    return rig_run(argv) == 0;
}

struct bed *cvp_bed(void **state, const char *servers)
{
    const char *const args[] = {"--servers", servers, NULL};

    return bed_start(state, "1+0", args);
}

const char *cvp_keystore(struct bed *bed, const char *node)
{
    return bed_text(bed_lab(bed, "node %s", node), "keystore_sha256");
}

void cvp_shows(struct bed *bed, const char *node, const char *service,
               const char *state)
{
    json_t *s = json_object_get(
        json_object_get(bed_lab(bed, "node %s", node), "services"), service);

    assert_string_equal(bed_text(s, "state"), state);
}

/* The lab lays it out whenever a service reads it. */
const char *cvp_list(struct bed *bed, const char *node)
{
    const char *command = arena_printf(
        &bed->arena,
        "cd '%s' && keytool -J-Duser.language=en -list -v -storetype JCEKS "
        "-keystore 'win-%s/conf\\.keystore' <keystore.pass >listed 2>&1",
        bed->dir, node);
    const char *const argv[] = {"sh", "-c", command, NULL};

    assert_int_equal(rig_run(argv), 0);
    return bed_read(bed, "listed");
}

static void not_in_store(struct bed *bed, const char *secret)
{
    static const char *const files[] = {"state/certfleet.db",
                                        "state/certfleet.db-wal"};
    char part[64 * 1024];

    for (size_t i = 0; i < 2; i++) {
        const char *path =
            arena_printf(&bed->arena, "%s/%s", bed->dir, files[i]);
        FILE *f = fopen(path, "rbe");
        struct str text;
        size_t n;

        str_init(&text, 64 * 1024 * 1024);
        while (f && (n = fread(part, 1, sizeof(part), f)) > 0)
            str_addn(&text, part, n);
        if (f)
            fclose(f);
        if (text.len && memmem(text.data, text.len, secret, strlen(secret)))
            fail_msg("%s holds the keystores' password", path);
        str_release(&text);
    }
}

void cvp_is_safe(struct bed *bed)
{
    const char *secret = bed_read(bed, "keystore.pass");

    bed_is_safe(bed);
    not_in_store(bed, secret);
    for (const struct bed_run *run = bed->runs; run; run = run->next)
        assert_false(bed_said(run, secret));
}
