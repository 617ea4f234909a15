/* SPDX-License-Identifier: Apache-2.0
 *
 * What `show' tells an auditor is what was: who, from where, by which plan,
 * and the fingerprints that the nodes themselves serve, read by OpenSSL's own
 * client.
 */
#include "tests/scenario/crew.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONNECTION "2001:db8::7 50022 2001:db8::1 22"

/* The certificate that the node's database port shows. */
static const char *served(struct bed *bed, unsigned node)
{
    const char *file = arena_printf(&bed->arena, "%s/served", bed->dir);
    char address[16];

    rig_address(bed->rig, node, address);
    const char *argv[] = {
        "sh", "-c",
        arena_printf(&bed->arena,
                     "openssl s_client -starttls postgres -connect %s:15432"
                     " </dev/null 2>/dev/null |"
                     " openssl x509 -outform DER | sha256sum | cut -c -64"
                     " | tr -d '\\n' >%s",
                     address, file),
        NULL};
    assert_int_equal(rig_run(argv), 0);
    return bed_read(bed, "served");
}

static json_t *event_of(const struct bed_run *run, const char *event,
                        const char *node, const char *slot)
{
    json_t *e;
    size_t i;

    json_array_foreach(run->events, i, e)
    {
        if (strcmp(bed_text(e, "event"), event) == 0 &&
            (!node || strcmp(bed_text(e, "node"), node) == 0) &&
            (!slot || strcmp(bed_text(e, "slot"), slot) == 0))
            return e;
    }
    return NULL;
}

static const char *shown(const struct bed_run *show, const char *node,
                         const char *slot, const char *which)
{
    json_t *event = event_of(show, "fingerprints", node, slot);

    if (!event)
        fail_msg("no fingerprints of %s's %s", node, slot);
    return bed_text(json_object_get(event, which), "sha256");
}

/* `openssl x509' of a file that the program has kept. */
static void is_file(struct bed *bed, const struct bed_run *show,
                    const char *node, const char *slot)
{
    json_t *made =
        json_object_get(event_of(show, "fingerprints", node, slot), "new");
    const char *argv[] = {
        "sh", "-c",
        arena_printf(&bed->arena,
                     "test \"$(openssl x509 -outform DER -in %s/state/clusters/"
                     "lab/*/%s | sha256sum | cut -c -64)\" = %s && "
                     "test \"$(cat %s/state/clusters/lab/*/%s | sha256sum |"
                     " cut -c -64)\" = %s",
                     bed->dir, bed_text(made, "name"), bed_text(made, "sha256"),
                     bed->dir, bed_text(made, "name"),
                     bed_text(made, "file_sha256")),
        NULL};

    if (rig_run(argv) != 0)
        fail_msg("%s's %s is not what is shown: %s", node, slot, argv[2]);
}

static void is_deed(json_t *deed, const char *what, const char *plan)
{
    struct passwd entry, *me = NULL;
    char host[256] = "", room[4096];

    assert_non_null(deed);
    assert_int_equal(getpwuid_r(geteuid(), &entry, room, sizeof(room), &me), 0);
    assert_non_null(me);
    gethostname(host, sizeof(host) - 1);
    assert_string_equal(bed_text(deed, "what"), what);
    assert_string_equal(bed_text(deed, "user"), me->pw_name);
    assert_string_equal(bed_text(deed, "host"), host);
    assert_string_equal(bed_text(deed, "from"), "2001:db8::7");
    assert_string_equal(bed_text(deed, "version"), CERTFLEET_VERSION);
    assert_string_equal(bed_text(deed, "plan_sha256"), plan);
    assert_int_equal(strlen(bed_text(deed, "t")), 24);
}

static json_t *nth_deed(const struct bed_run *show, unsigned n)
{
    json_t *e;
    size_t i;

    json_array_foreach(show->events, i, e)
    {
        if (strcmp(bed_text(e, "event"), "deed") == 0 && n-- == 0)
            return e;
    }
    return NULL;
}

static void test_what_was(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    const char *old[2] = {served(bed, 1), served(bed, 2)}, *new[2], *hash;
    struct bed_run *plan, *show;

    bed->env[0] = "SSH_CONNECTION=" CONNECTION;
    plan = bed_do(bed, "plan cms/db-rotate lab -o p.json");
    hash = bed_text(event_of(plan, "plan", NULL, NULL), "hash");
    assert_int_equal(strlen(hash), 64);
    bed_ends(bed_do(bed, "apply --plan p.json --yes"), 0, "done");
    new[0] = served(bed, 1);
    new[1] = served(bed, 2);
    show = bed_do(bed, "show last");
    bed_ends(show, 0, "ok");
    is_deed(nth_deed(show, 0), "apply", hash);
    assert_null(nth_deed(show, 1));
    assert_string_not_equal(old[0], new[0]);
    assert_string_equal(shown(show, "core1", "server_crt", "old"), old[0]);
    assert_string_equal(shown(show, "core2", "server_crt", "old"), old[1]);
    assert_string_equal(shown(show, "core1", "server_crt", "new"), new[0]);
    assert_string_equal(shown(show, "core2", "server_crt", "new"), new[1]);
    is_file(bed, show, "core1", "client_crt");
    is_file(bed, show, "core2", "ca_crt");
    is_file(bed, show, "edge1", "client_crt");
    is_file(bed, show, "edge1", "ca_crt");
    assert_null(event_of(show, "fingerprints", "edge1", "server_crt"));
    assert_null(event_of(show, "fingerprints", "core1", "server_key"));
    assert_int_equal(bed_events(show, "fingerprints", NULL, NULL), 8);

    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    show = bed_do(bed, "show last");
    is_deed(nth_deed(show, 0), "apply", hash);
    assert_string_equal(bed_text(nth_deed(show, 1), "what"), "rollback");
    assert_int_equal(strlen(bed_text(nth_deed(show, 1), "plan_sha256")), 64);
    assert_string_equal(shown(show, "core1", "server_crt", "old"),
                        served(bed, 1));
    assert_string_equal(shown(show, "core1", "server_crt", "new"), new[0]);
}

/* Before there was a plan: who and when all the same. */
static void test_refused_early(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    struct bed_run *show;

    bed->env[0] = "SSH_CONNECTION=" CONNECTION;
    bed_lab(bed, "down core2");
    bed_ends(bed_apply(bed, ""), 5, "refused");
    show = bed_do(bed, "show last");
    bed_ends(show, 0, "ok");
    is_deed(nth_deed(show, 0), "begin", "");
    assert_int_equal(bed_events(show, "fingerprints", NULL, NULL), 0);
    show = bed_begin(bed, BED_PLAIN, "show last");
    assert_int_equal(bed_finish(show), 0);
    assert_true(bed_said(show, "none was agreed to"));
    assert_true(bed_said(show, "the run ended before it had a plan"));
    assert_true(bed_said(show, "2001:db8::7"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_was, bed_stop),
        cmocka_unit_test_teardown(test_refused_early, bed_stop),
    };

    return crew_tests(tests);
}
