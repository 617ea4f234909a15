/* SPDX-License-Identifier: Apache-2.0
 *
 * Ctrl-C, SIGTERM and SIGHUP: where a run stops, what it says, and that
 * `next` ends it.
 */
#include "tests/scenario/crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define STATUS "database cluster status"
#define REMOVE "database cluster remove"
#define CERTS "database cluster certs*"
#define INIT "database cluster initialize"
#define JOIN "database cluster join*"
#define APPLY "apply cms/db-rotate lab --yes"

/* Until it has said so on standard error: a signal has been taken. */
static void hear(struct bed_run *run, const char *word)
{
    char buf[4096];

    while (!strstr(str_text(&run->err_text), word)) {
        struct pollfd p = {.fd = run->err, .events = POLLIN};
        ssize_t n = poll(&p, 1, BED_DEADLINE_MS) == 1
                        ? read(run->err, buf, sizeof(buf))
                        : 0;
        if (n <= 0)
            fail_msg("it never said `%s'", word);
        str_addn(&run->err_text, buf, (size_t)n);
    }
}

static void send_once(struct bed_run *run, int number)
{
    assert_int_equal(kill(run->pid, number), 0);
    hear(run, "stops where it is safe");
}

static void send_twice(struct bed_run *run, int number)
{
    send_once(run, number);
    assert_int_equal(kill(run->pid, number), 0);
}

/* A run that stands at this command on this node. */
static struct bed_run *stand_at(struct bed *bed, const char *words,
                                const char *where, int *hold)
{
    struct bed_run *run;

    *hold = bed_id(bed_lab(bed, "hold %s", where));
    run = bed_begin(bed, BED_JSON, "%s", words);
    bed_lab(bed, "wait held %d", *hold);
    return run;
}

/* -- before the first remove ----------------------------------------------- */

static void stops_before(void **state, int number, const char *where)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run;
    int hold;

    run = stand_at(bed, APPLY, where, &hold);
    send_once(run, number);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_is_untouched(bed, "lab", "core1");
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_in_gates(void **state)
{
    stops_before(state, SIGINT, "core2 before '" STATUS "'");
}

static void test_in_backup(void **state)
{
    stops_before(state, SIGTERM, "core1 after 'backup snapshot*'");
}

static void test_in_push(void **state)
{
    stops_before(state, SIGINT, "core3 before 'pki verify dbclient*'");
}

/* Nothing was changed: the cluster is free, and the run can be thrown away. */
static void test_in_push_then_rollback(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;
    int hold;

    run = stand_at(bed, APPLY, "core2 after 'pki match dbclient*'", &hold);
    send_once(run, SIGTERM);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_untouched(bed, "lab", "core1");
    bed_is_clean(bed);
    bed_ends(bed_apply(bed, ""), 0, "done");
}

static void test_in_push_then_apply(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;
    int hold;

    run = stand_at(bed, APPLY, "core2 after 'pki match dbclient*'", &hold);
    send_once(run, SIGINT);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_ends(bed_apply(bed, ""), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* -- after it: until everyone is served ------------------------------------ */

static void serves_first(void **state, int number, const char *where)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run;
    int hold;

    run = stand_at(bed, APPLY, where, &hold);
    send_once(run, number);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_is_new(bed, "lab", "core1");
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
    /* nothing was done twice */
    assert_int_equal(bed_count(bed, "*", REMOVE), 5);
    assert_int_equal(bed_count(bed, "*", INIT), 1);
    assert_int_equal(bed_count(bed, "*", JOIN), 2);
}

static void test_in_leave(void **state)
{
    serves_first(state, SIGINT, "core2 after '" REMOVE "'");
}

static void test_in_certs(void **state)
{
    serves_first(state, SIGTERM, "core3 before '" CERTS "'");
}

static void test_in_the_outage(void **state)
{
    serves_first(state, SIGINT, "core1 before '" INIT "'");
}

static void test_in_join(void **state)
{
    serves_first(state, SIGTERM, "core2 after '" JOIN "'");
}

/* A node fails for good while the run is on its way to a stop: back it goes,
 * and everyone is served by the old set. */
static void test_on_the_way_back(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    struct bed_run *run;
    int hold;

    bed_inventory(bed, "fleet", "retries = 0");
    bed_lab(bed, "inject core1 fail 'database cluster certs *-g1-*' always");
    run = stand_at(bed, APPLY, "core1 before '" INIT "'", &hold);
    send_once(run, SIGINT);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_is_old(bed, "lab", "core1");
    run = bed_next(run, "rollback");
    bed_ends(run, 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

static void test_in_a_rollback(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    struct bed_run *run;
    int hold;

    bed_ends(bed_apply(bed, ""), 0, "done");
    run =
        stand_at(bed, "rollback last --yes", "core1 after '" REMOVE "'", &hold);
    send_once(run, SIGINT);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_is_old(bed, "lab", "core1");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* -- twice: at once -------------------------------------------------------- */

/* While the node still owes its answer. */
static void ends_at_once(void **state, int number, const char *where)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    struct bed_run *run;
    int hold;

    run = stand_at(bed, APPLY, where, &hold);
    send_twice(run, number);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_lab(bed, "release %d", hold);
    run = bed_next(run, "resume");
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_twice_in_gates(void **state)
{
    ends_at_once(state, SIGINT, "core2 before '" STATUS "'");
}

static void test_twice_in_push(void **state)
{
    ends_at_once(state, SIGTERM, "edge1 after 'pki match*'");
}

static void test_twice_in_leave(void **state)
{
    ends_at_once(state, SIGINT, "core2 before '" REMOVE "'");
}

static void test_twice_in_the_outage(void **state)
{
    ends_at_once(state, SIGTERM, "core1 after '" REMOVE "'");
}

static void test_twice_in_init(void **state)
{
    ends_at_once(state, SIGINT, "core1 after '" INIT "'");
}

static void test_twice_then_rollback(void **state)
{
    struct bed *bed = bed_start(state, "3+1", NULL);
    struct bed_run *run;
    int hold;

    run = stand_at(bed, APPLY, "core1 after '" INIT "'", &hold);
    send_twice(run, SIGINT);
    bed_finish(run);
    bed_ends(run, 130, "interrupted");
    bed_lab(bed, "release %d", hold);
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* -- hanging up ------------------------------------------------------------ */

static void test_hangup(void **state)
{
    struct bed *bed = bed_start(state, "3+2", NULL);
    struct bed_run *run;
    int hold;

    run = stand_at(bed, APPLY, "core2 after '" REMOVE "'", &hold);
    assert_int_equal(kill(run->pid, SIGHUP), 0);
    bed_lab(bed, "release %d", hold);
    hold = bed_id(bed_lab(bed, "hold core1 before '" INIT "'"));
    bed_lab(bed, "wait held %d", hold);
    assert_int_equal(kill(run->pid, SIGHUP), 0);
    bed_lab(bed, "release %d", hold);
    bed_finish(run);
    bed_ends(run, 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* -- who only reads -------------------------------------------------------- */

static void reader_stops(void **state, const char *words)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    struct bed_run *run;
    int hold;

    run = stand_at(bed, words, "core2 before '" STATUS "'", &hold);
    assert_int_equal(kill(run->pid, SIGINT), 0);
    bed_finish(run); /* the node still owes its answer */
    bed_ends(run, 130, "interrupted");
    bed_lab(bed, "release %d", hold);
    bed_is_untouched(bed, "lab", "core1");
}

static void test_check(void **state)
{
    reader_stops(state, "check");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_in_gates, bed_stop),
        cmocka_unit_test_teardown(test_in_backup, bed_stop),
        cmocka_unit_test_teardown(test_in_push, bed_stop),
        cmocka_unit_test_teardown(test_in_push_then_rollback, bed_stop),
        cmocka_unit_test_teardown(test_in_push_then_apply, bed_stop),
        cmocka_unit_test_teardown(test_in_leave, bed_stop),
        cmocka_unit_test_teardown(test_in_certs, bed_stop),
        cmocka_unit_test_teardown(test_in_the_outage, bed_stop),
        cmocka_unit_test_teardown(test_in_join, bed_stop),
        cmocka_unit_test_teardown(test_on_the_way_back, bed_stop),
        cmocka_unit_test_teardown(test_in_a_rollback, bed_stop),
        cmocka_unit_test_teardown(test_twice_in_gates, bed_stop),
        cmocka_unit_test_teardown(test_twice_in_push, bed_stop),
        cmocka_unit_test_teardown(test_twice_in_leave, bed_stop),
        cmocka_unit_test_teardown(test_twice_in_the_outage, bed_stop),
        cmocka_unit_test_teardown(test_twice_in_init, bed_stop),
        cmocka_unit_test_teardown(test_twice_then_rollback, bed_stop),
        cmocka_unit_test_teardown(test_hangup, bed_stop),
        cmocka_unit_test_teardown(test_check, bed_stop),
    };

    return crew_run(tests, sizeof(tests) / sizeof(*tests));
}
