/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard, invariant by invariant: what it must let through, and what it
 * must not, whatever a planner says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/cms_fixture.h"

enum {
    CORE1,
    CORE2,
    CORE3,
    EDGE1
};

static const char REMOVE[] = "database cluster remove";
static const char INIT[] = "database cluster initialize";
static const char CONNECT[] = "database cluster connect 10.0.0.1";

/* A healthy cluster, read just now; the new set is proven on every node. */
static int open_bed(void **state)
{
    static struct fixture fx;

    fixture_open(&fx);
    plan_name_set(fx.pc, 7, "3f9a", fx.inventory->state_dir, NULL);
    cms_db_assign(fx.pc, CORE1);
    for (size_t i = 0; i < fx.pc->n_nodes; i++) {
        struct cms_facts *f = (struct cms_facts *)fx.pc->nodes[i].facts;
        fx.pc->nodes[i].db_address = fx.pc->nodes[i].node->address;
        fx.pc->nodes[i].interface = "a";
        fx.pc->nodes[i].first_last =
            i == EDGE1 ? CONNECT : "database cluster join 10.0.0.1";
        for (size_t k = 0; k < fx.pc->set.n; k++) {
            snprintf(fx.pc->set.files[k].sha256, PKI_SHA256_HEX, "%064zu", k);
            memcpy(f->target_sha256[k], fx.pc->set.files[k].sha256,
                   PKI_SHA256_HEX);
        }
    }
    fixture_place(&fx, CORE1, AS_PRIMARY, NULL,
                  "database cluster join 10.0.0.1");
    fixture_place(&fx, CORE2, AS_REPLICA, "10.0.0.1",
                  "database cluster join 10.0.0.1");
    fixture_place(&fx, CORE3, AS_REPLICA, "10.0.0.1",
                  "database cluster join 10.0.0.1");
    fixture_place(&fx, EDGE1, AS_CLIENT, "10.0.0.1", CONNECT);
    *state = &fx;
    return 0;
}

static int close_bed(void **state)
{
    fixture_close(*state);
    return 0;
}

static int ask(struct fixture *fx, size_t node, const char *command,
               char why[sizeof(((struct err *)0)->text)], bool *hold)
{
    const struct act act = {ACT_CONFIRM, command};
    const struct view view = fixture_view(fx, node);
    struct err err = {0};
    int rc;

    *hold = false;
    rc = cms_guard(&view, &act, command, hold, &err);
    memcpy(why, err.text, sizeof(err.text));
    return rc;
}

static void allowed(struct fixture *fx, size_t node, const char *command)
{
    char why[1024];
    bool hold;

    if (ask(fx, node, command, why, &hold) < 0)
        fail_msg("refused: %s", why);
}

static bool refused(struct fixture *fx, size_t node, const char *command,
                    const char *invariant)
{
    char why[1024];
    bool hold;

    if (ask(fx, node, command, why, &hold) == 0)
        fail_msg("`%s' was let through", command);
    if (!strstr(why, invariant))
        fail_msg("refused, but not by %s: %s", invariant, why);
    return hold;
}

static void leave(struct fixture *fx, size_t node)
{
    plan_note_sent(fx->pc, node, REMOVE);
    fixture_place(fx, node, AS_ALONE, NULL, REMOVE);
}

static void all_leave(struct fixture *fx)
{
    for (size_t i = 0; i < fx->pc->n_nodes; i++)
        leave(fx, i);
    fx->pc->left = true;
}

/* -- I1, I3: leaving ------------------------------------------------------ */

static void a_replica_may_leave(void **state)
{
    allowed(*state, CORE2, REMOVE);
    allowed(*state, EDGE1, REMOVE);
}

static void the_primary_leaves_last(void **state)
{
    struct fixture *fx = *state;

    refused(fx, CORE1, REMOVE, "I3");
    leave(fx, CORE2);
    refused(fx, CORE1, REMOVE, "I3");
    leave(fx, CORE3);
    allowed(fx, CORE1, REMOVE);
}

static void a_standalone_of_another_walk_does_not_count(void **state)
{
    struct fixture *fx = *state;
    struct cms_facts *f = (struct cms_facts *)fx->pc->nodes[CORE2].facts;

    leave(fx, CORE2);
    leave(fx, CORE3);
    f->standalone_ms = 0; /* before this walk began */
    refused(fx, CORE1, REMOVE, "I3");
}

static void nobody_leaves_before_the_set_is_everywhere(void **state)
{
    struct fixture *fx = *state;
    struct cms_facts *f = (struct cms_facts *)fx->pc->nodes[EDGE1].facts;

    f->target_sha256[4][0] ^= 1;
    refused(fx, CORE2, REMOVE, "I3");
    refused(fx, EDGE1, REMOVE, "I3");
}

static void the_other_sets_digests_do_not_count(void **state)
{
    struct fixture *fx = *state;
    struct cms_facts *f = (struct cms_facts *)fx->pc->nodes[CORE3].facts;

    f->target_back = true;
    refused(fx, CORE2, REMOVE, "I3");
}

static void a_moved_primary_stops_the_first_remove(void **state)
{
    struct fixture *fx = *state;

    fixture_place(fx, CORE1, AS_REPLICA, "10.0.0.2",
                  "database cluster join 10.0.0.1");
    refused(fx, CORE3, REMOVE, "I1");
}

static void a_primary_that_is_not_the_holder_stays(void **state)
{
    struct fixture *fx = *state;

    leave(fx, CORE3);
    fx->pc->left = true;
    fixture_place(fx, CORE2, AS_PRIMARY, NULL,
                  "database cluster join 10.0.0.1");
    refused(fx, CORE2, REMOVE, "I1");
}

/* Two replicas leave at once, and the first was made the primary meanwhile:
 * the other may be made it, too, once the first has left. */
static void nobody_leaves_a_cluster_that_the_holder_has_left(void **state)
{
    struct fixture *fx = *state;

    fx->pc->left = true;
    cms_db_assign(fx->pc, CORE2);
    leave(fx, CORE2);
    fixture_place(fx, CORE1, AS_REPLICA, "10.0.0.3",
                  "database cluster join 10.0.0.1");
    refused(fx, CORE1, REMOVE, "I1");
    fixture_says(fx, CORE2, "Status : Detaching\n");
    refused(fx, CORE1, REMOVE, "I1");
    fixture_place(fx, CORE2, AS_PRIMARY, NULL, REMOVE);
    allowed(fx, CORE1, REMOVE);
}

static void the_holder_must_say_that_it_is_the_primary(void **state)
{
    struct fixture *fx = *state;

    leave(fx, CORE2);
    leave(fx, CORE3);
    fx->pc->left = true;
    fixture_place(fx, CORE1, AS_REPLICA, "10.0.0.9",
                  "database cluster join 10.0.0.1");
    refused(fx, CORE1, REMOVE, "I1");
}

static void the_holder_stays_while_somebody_is_connected(void **state)
{
    struct fixture *fx = *state;

    leave(fx, CORE2);
    leave(fx, CORE3);
    fx->pc->left = true;
    fixture_says(fx, CORE1,
                 "Status : Enabled\nNodes:\n"
                 "    10.0.0.1 (me) : Connected Primary\n"
                 "    10.0.0.8 : Connected Replica ( In Sync )\n"
                 "Last command : 'database cluster join 10.0.0.1' "
                 "(Success)\n");
    refused(fx, CORE1, REMOVE, "I1");
}

/* -- I1: initialize ------------------------------------------------------- */

static void only_the_holder_initializes(void **state)
{
    struct fixture *fx = *state;

    all_leave(fx);
    allowed(fx, CORE1, INIT);
    refused(fx, CORE2, INIT, "I1");
    refused(fx, CORE3, INIT, "I1");
    refused(fx, EDGE1, INIT, "I1");
    fx->pc->holder = SIZE_MAX;
    refused(fx, CORE1, INIT, "I1");
}

static void nobody_initializes_beside_a_primary(void **state)
{
    struct fixture *fx = *state;

    all_leave(fx);
    fixture_place(fx, CORE2, AS_PRIMARY, NULL, REMOVE);
    refused(fx, CORE1, INIT, "I1");
}

static void initialize_waits_for_every_node_to_be_alone(void **state)
{
    struct fixture *fx = *state;

    all_leave(fx);
    fixture_says(fx, CORE3, "Status : Attaching\n");
    refused(fx, CORE1, INIT, "I1");
    fixture_says(fx, CORE3, "garbage");
    refused(fx, CORE1, INIT, "I1");
}

/* -- I2: join, connect ---------------------------------------------------- */

static void join_only_a_primary_that_says_so_now(void **state)
{
    struct fixture *fx = *state;
    const char *join = "database cluster join 10.0.0.1";

    all_leave(fx);
    refused(fx, CORE2, join, "I2");
    refused(fx, EDGE1, CONNECT, "I2");
    fixture_place(fx, CORE1, AS_PRIMARY, NULL, REMOVE);
    allowed(fx, CORE2, join);
    allowed(fx, EDGE1, CONNECT);
    refused(fx, CORE2, "database cluster join 10.0.0.3", "I2");
    refused(fx, CORE1, join, "I2");
    fx->pc->nodes[CORE1].facts->read_ms[0] = 1; /* long ago */
    refused(fx, CORE2, join, "I2");
}

/* Young as it is, it was followed by one that failed. */
static void a_silent_primary_is_not_joined(void **state)
{
    struct fixture *fx = *state;

    all_leave(fx);
    fixture_place(fx, CORE1, AS_PRIMARY, NULL, REMOVE);
    fx->pc->nodes[CORE1].facts->unreachable = true;
    refused(fx, CORE2, "database cluster join 10.0.0.1", "I2");
    refused(fx, EDGE1, CONNECT, "I2");
}

static void a_member_does_not_join_again(void **state)
{
    refused(*state, CORE2, "database cluster join 10.0.0.1", "I3");
}

/* -- certs, localnode, clear_error ---------------------------------------- */

static void certs_only_out_of_the_cluster(void **state)
{
    struct fixture *fx = *state;
    const char *certs = "database cluster certs a b c d e";

    refused(fx, CORE2, certs, "I3");
    refused(fx, CORE2, "database cluster localnode a", "I3");
    leave(fx, CORE2);
    allowed(fx, CORE2, certs);
    allowed(fx, CORE2, "database cluster localnode a");
}

static void clear_error_only_in_error(void **state)
{
    struct fixture *fx = *state;

    refused(fx, CORE2, "database cluster clear_error", "not in Error");
    fixture_says(fx, CORE2,
                 "Status : Error\nLast command : 'database cluster join "
                 "10.0.0.1' (Failed)\n");
    allowed(fx, CORE2, "database cluster clear_error");
}

/* -- I4: files ------------------------------------------------------------ */

static int ask_put(struct fixture *fx, const char *name)
{
    const struct act act = {ACT_PUT, "server_key"};
    const struct view view = fixture_view(fx, CORE1);
    bool hold;

    return cms_guard(&view, &act, name, &hold, NULL);
}

static void only_files_of_this_generation_are_put(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(ask_put(fx, "dbserver-g7-3f9a.key"), 0);
    assert_int_equal(ask_put(fx, "dbserver-g6-3f9a.key"), -1);
    assert_int_equal(ask_put(fx, "old.key"), -1);
    assert_int_equal(ask_put(fx, "dbserver.key"), -1);
}

static void a_file_in_use_is_never_put(void **state)
{
    struct fixture *fx = *state;

    fixture_says(fx, CORE1,
                 "Status : Enabled\nCertificates\n"
                 "  Server Key : dbserver-g7-3f9a.key\n"
                 "Last command : none\n");
    assert_int_equal(ask_put(fx, "dbserver-g7-3f9a.key"), -1);
    fixture_says(fx, CORE1, "no status at all");
    assert_int_equal(ask_put(fx, "dbserver-g7-3f9a.key"), -1);
}

/* -- I7, and old readings ------------------------------------------------- */

static void a_foreign_command_holds_everything(void **state)
{
    struct fixture *fx = *state;

    fixture_place(fx, CORE2, AS_REPLICA, "10.0.0.1",
                  "database cluster upgrade_schema");
    assert_true(refused(fx, CORE2, REMOVE, "I7"));
}

static void a_foreign_file_holds_everything(void **state)
{
    struct fixture *fx = *state;
    struct cms_facts *f = (struct cms_facts *)fx->pc->nodes[CORE2].facts;

    plan_note_file(fx->pc, CORE2, "old.key");
    f->listed = calloc(3, sizeof(char *));
    f->listed_mtime = calloc(3, sizeof(int64_t));
    f->listed[f->n_listed++] = strdup("old.key");
    f->listed[f->n_listed++] = strdup("log");
    f->base.read_ms[1] = clock_mono_ms();
    allowed(fx, CORE2, REMOVE);
    f->listed[f->n_listed++] = strdup("stranger.key");
    assert_true(refused(fx, CORE2, REMOVE, "I7"));
}

static void an_old_reading_is_no_ground(void **state)
{
    struct fixture *fx = *state;

    fx->pc->nodes[CORE2].facts->read_ms[0] = 1;
    refused(fx, CORE2, REMOVE, "not read just now");
}

#define BED(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BED(a_replica_may_leave),
        BED(the_primary_leaves_last),
        BED(a_standalone_of_another_walk_does_not_count),
        BED(nobody_leaves_before_the_set_is_everywhere),
        BED(the_other_sets_digests_do_not_count),
        BED(a_moved_primary_stops_the_first_remove),
        BED(a_primary_that_is_not_the_holder_stays),
        BED(nobody_leaves_a_cluster_that_the_holder_has_left),
        BED(the_holder_must_say_that_it_is_the_primary),
        BED(the_holder_stays_while_somebody_is_connected),
        BED(only_the_holder_initializes),
        BED(nobody_initializes_beside_a_primary),
        BED(initialize_waits_for_every_node_to_be_alone),
        BED(join_only_a_primary_that_says_so_now),
        BED(a_silent_primary_is_not_joined),
        BED(a_member_does_not_join_again),
        BED(certs_only_out_of_the_cluster),
        BED(clear_error_only_in_error),
        BED(only_files_of_this_generation_are_put),
        BED(a_file_in_use_is_never_put),
        BED(a_foreign_command_holds_everything),
        BED(a_foreign_file_holds_everything),
        BED(an_old_reading_is_no_ground),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
