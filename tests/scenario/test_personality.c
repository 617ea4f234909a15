/* SPDX-License-Identifier: Apache-2.0
 *
 * Appliances that speak or refuse in their own way, and what a network does to
 * all of them at once: the rotation ends well all the same.
 */
#include <string.h>

#include "tests/scenario/crew.h"

#define REMOVE "database cluster remove"
#define CERTS "database cluster certs*"
#define INIT "database cluster initialize"
#define CONNECT "database cluster connect*"
#define JOIN "database cluster join*"

struct persona {
    const char *name;
    const char *settings[3]; /* K=V of every node */
    const char *fleet;       /* line of [fleet], or NULL */
    const char *faults[2];
    const char *warning; /* id of a warning that must be told, or NULL */
};

/* clang-format off */
static const struct persona personas[] = {
    { "keys that are confirmed at once", { "confirm=key" } },
    { "carriage returns on exec", { "exec_cr=1" } },
    { "a banner full of prompts", { "banner=core1> \\nmmp> Are you sure? (Y/n)\\n" } },
    { "keyboard-interactive only", { "auth_password=0", "auth_publickey=0", "auth_keyboard=1" } },
    { "channels that may not come fast", { "channel_gap_ms=30" } },
    { "slow commands", { "command_ms=120" } },
    { "no setstat, strict names", { "allow_setstat=0", "strict_names=1" } },
    { "certificates verified when they are named", { "verify_at=certs" } },
    { "names of servers are checked", { "verify_host=1" } },
    { "one connection at a time is refused", { "max_sessions=2" } },
    { "Error is not removed from: leave", { "refuse_error_remove=1" }, NULL,
      { "core2 fail-async '" REMOVE "'" } },
    { "Error is not removed from: init", { "refuse_error_remove=1" }, NULL,
      { "core1 fail-async '" INIT "'" } },
    { "Error is not removed from: connect", { "refuse_error_remove=1" }, NULL,
      { "edge1 fail-async '" CONNECT "'" } },
    { "Error is not removed from: join", { "refuse_error_remove=1" }, NULL,
      { "core2 fail-async '" JOIN "'" } },
    { "Error is not cleared: join", { "refuse_clear_error=1" }, NULL,
      { "core2 fail-async '" JOIN "'" } },
    { "no date", { NULL }, NULL, { "* unknown-command date always" }, "clock-unknown" },
    { "no df", { NULL }, NULL, { "* unknown-command df* always" }, "room-unknown" },
    { "no version", { NULL }, NULL, { "* unknown-command version always" }, "version-unknown" },
    { "the database port is behind a firewall", { NULL }, "db_port = 9", { NULL }, "no-tls" },
    { "a reboot longer than a command", { NULL }, "command_timeout = 2",
      { "core1 reboot-during '" CERTS "' ms=4000" } },
    { "a replica reboots longer than a command", { NULL }, "command_timeout = 2",
      { "core2 reboot-during 'database cluster localnode*' ms=4000" } },
    { "two nodes fail in one row", { NULL }, NULL,
      { "edge1 fail-async '" CONNECT "'", "core2 drop-during '" JOIN "'" } },
};
/* clang-format on */

static struct bed *start(void **state, const struct persona *p)
{
    const char *args[7] = {NULL};
    size_t n = 0;
    struct bed *bed;

    for (size_t i = 0; i < 3 && p->settings[i]; i++) {
        args[n++] = "--set";
        args[n++] = p->settings[i];
    }
    *state = NULL; /* the row is not one for the teardown */
    bed = bed_start(state, "2+1", args);
    for (size_t i = 0; i < 2 && p->faults[i]; i++)
        bed_lab(bed, "inject %s", p->faults[i]);
    return bed;
}

/* db_port stands in every node: there it has to be changed. */
static void set_up(struct bed *bed, const char *line)
{
    const char *text, *at;

    if (strncmp(line, "db_port", 7) != 0) {
        bed_inventory(bed, "fleet", line);
        return;
    }
    while (
        (at = strstr(text = bed_read(bed, "certfleet.ini"), "db_port = 15432")))
        bed_write(bed, "certfleet.ini",
                  arena_printf(&bed->arena, "%.*s%s%s", (int)(at - text), text,
                               line, at + strlen("db_port = 15432")));
}

static bool has_warned(const struct bed_run *run, const char *id)
{
    const json_t *e;
    size_t i;

    json_array_foreach(run->events, i, e)
    {
        if (strcmp(bed_text(e, "event"), "warning") == 0 &&
            strcmp(bed_text(e, "state"), id) == 0)
            return true;
    }
    return false;
}

static void test_persona(void **state)
{
    const struct persona *p = *state;
    struct bed *bed = start(state, p);
    struct bed_run *run;

    if (p->fleet)
        set_up(bed, p->fleet);
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    if (p->warning)
        assert_true(has_warned(run, p->warning));
    bed_is_new(bed, "lab", "core1");
}

/* Every connection is cut at once, again and again. */
static void test_every_connection_cut(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    static const char *const points[] = {
        "core1 before 'pki match dbclient*'",
        "core2 after '" REMOVE "'",
        "core1 after 'database cluster localnode*'",
        "core3 after '" JOIN "'",
    };
    int holds[4];
    struct bed_run *run;

    for (size_t i = 0; i < 4; i++)
        holds[i] = bed_id(bed_lab(bed, "hold %s", points[i]));
    run = bed_begin(bed, BED_JSON, "apply cms/db-rotate lab --yes");
    for (size_t i = 0; i < 4; i++) {
        bed_lab(bed, "wait held %d", holds[i]);
        for (int n = 1; n <= 3; n++)
            bed_lab(bed, "cut core%d", n);
        bed_lab(bed, "cut edge1");
        bed_lab(bed, "release %d", holds[i]);
    }
    bed_finish(run);
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
}

enum {
    PERSONAS = sizeof(personas) / sizeof(*personas)
};

int main(void)
{
    struct CMUnitTest tests[PERSONAS + 1] = {
        cmocka_unit_test_teardown(test_every_connection_cut, bed_stop),
    };

    for (size_t i = 0; i < PERSONAS; i++)
        tests[i + 1] = (struct CMUnitTest){
            .name = personas[i].name,
            .test_func = test_persona,
            .teardown_func = bed_stop,
            .initial_state = (void *)(uintptr_t)&personas[i],
        };
    return crew_tests(tests);
}
