/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans that people must have signed: who counts, who does not, and that
 * nothing is sent to any node before.
 */
#include "tests/scenario/approval.h"
#include "tests/scenario/crew.h"
#include "tests/scenario/newcomer.h"
#include "tests/scenario/services.h"

#include <string.h>

static struct bed *start(void **state, unsigned wanted)
{
    struct bed *bed = bed_start(state, "2+1", NULL);

    approval_people(bed, wanted);
    return bed;
}

static void counts(struct bed_run *run, const char *who)
{
    bed_ends(run, 0, "ok");
    if (!bed_said(run, who))
        fail_msg("not approved as %s", who);
}

static void does_not_count(struct bed_run *run, const char *why)
{
    bed_ends(run, 5, "refused");
    if (!bed_said(run, why))
        fail_msg("not said: %s", why);
}

/* Two people, and who they were is in the journal, which still verifies. */
static void test_two_people(void **state)
{
    struct bed *bed = start(state, 2);
    struct bed_run *run;
    const char *plan;

    approval_plan(bed);
    plan = bed_read(bed, "lab.plan");
    approval_refuses(bed, "wants 2 approvals of lab.plan, and 0 count");
    run = approval_by(bed, "--key alice");
    counts(run, "approved as alice@example.com");
    assert_non_null(strstr(bed_text(bed_result(run), "next"), " approve "));
    approval_refuses(bed, "wants 2 approvals of lab.plan, and 1 counts");
    does_not_count(approval_by(bed, "--key alice"), "same person");
    run = approval_by(bed, "--key bob");
    counts(run, "approved as bob");
    assert_string_equal(bed_read(bed, "lab.plan"), plan);

    assert_non_null(
        strstr(bed_text(bed_result(run), "next"), " apply --plan lab.plan"));
    bed_ends(bed_do(bed, "apply --plan lab.plan --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
    run = bed_begin(bed, BED_PLAIN, "show last");
    assert_int_equal(bed_finish(run), 0);
    assert_true(bed_said(run, "alice@example.com"));
    assert_true(bed_said(run, "bob"));
    assert_true(bed_said(run, "SHA256:"));
    bed_ends(bed_do(bed, "audit verify"), 0, "ok");
    /* once: the nodes have moved on */
    run = bed_do(bed, "apply --plan lab.plan --yes");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "not as the plan file has them"));
}

/* What is shown out of the file is what `plan' printed, for each playbook; but
 * what a node is past already is shown as if it were not. */
static void is_shown_again(struct bed *bed, const char *words)
{
    struct bed_run *plan =
        bed_begin(bed, BED_PLAIN, "plan %s -o lab.plan", words);
    struct bed_run *again;

    assert_int_equal(bed_finish(plan), 0);
    again = bed_begin(bed, BED_PLAIN, "approve lab.plan --yes --key alice");
    assert_int_equal(bed_finish(again), 0);
    bed_write(bed, "planned", str_text(&plan->out_text));
    bed_write(bed, "shown", str_text(&again->out_text));
    /* between the two a day may have ended: of the ten of the lab's set */
    approval_script(bed, "sed -i '/^Plan: /,$d;s/ ([0-9]* days)//' "
                         "planned shown\n"
                         "diff planned shown | grep '^[<>]' >differ || true\n"
                         "if grep -vE '^< +\\([a-z0-9-]+: already so, |^> +> ' "
                         "differ >&2; then exit 1; fi\n"
                         "test -s planned\n");
    approval_script(bed, "rm lab.plan.sig");
}

static void test_shown(void **state)
{
    struct bed *bed = services_bed(state, "all");

    approval_people(bed, 1);
    is_shown_again(bed, "cms/db-rotate lab");
    assert_string_equal(bed_read(bed, "differ"), "");
    is_shown_again(bed, "cms/service-rotate lab service=webadmin,callbridge");
    is_shown_again(bed, "cms/db-remove-node lab node=core3");
}

static void test_shown_newcomer(void **state)
{
    struct bed *bed = newcomer_bed(state);

    approval_people(bed, 1);
    is_shown_again(bed, "cms/db-add-node lab node=core4 role=database");
}

static void test_shown_reused(void **state)
{
    struct bed *bed = newcomer_bed_named(state);

    approval_people(bed, 1);
    is_shown_again(bed, "cms/db-add-node lab node=core4 role=database");
}

/* Who does not count, one after the other. */
static void test_nobody_else(void **state)
{
    struct bed *bed = start(state, 1);
    const char *plan, *good;

    approval_plan(bed);
    plan = bed_read(bed, "lab.plan");
    does_not_count(approval_by(bed, "--key mallory"), "nobody's in ");
    approval_refuses(bed, "1 is missing");
    counts(approval_by(bed, "--key alice"), "alice@example.com");
    good = bed_read(bed, "lab.plan.sig");

    /* a file that was changed: by one blank; in a command; hash and all */
    bed_write(bed, "lab.plan", arena_printf(&bed->arena, "%s ", plan));
    approval_refuses(bed, "does not hold for this plan file");
    approval_script(bed, "sed 's/\"roles\": /&1/' lab.plan >x; mv x lab.plan");
    approval_refuses(bed, "the plan file was changed");
    does_not_count(approval_by(bed, "--key alice"),
                   "the plan file was changed");
    bed_write(bed, "lab.plan", plan);

    /* the time of a signature is signed; a torn line is nothing */
    approval_script(bed, "sed -i 's/\"approved\":\"20../\"approved\":\"2025/' "
                         "lab.plan.sig");
    approval_refuses(bed, "older than 7 days");
    approval_script(bed, "sed -i 's/\"approved\":\"2025/\"approved\":\"2999/' "
                         "lab.plan.sig");
    approval_refuses(bed, "it is of the future");
    approval_script(bed, "sed -i \"s/\\\"approved\\\":[^,]*/\\\"approved\\\":"
                         "\\\"$(date -u -d '1 hour ago' +%FT%TZ)\\\"/\" "
                         "lab.plan.sig");
    approval_refuses(bed, "does not hold for this plan file");
    bed_write(bed, "lab.plan.sig",
              arena_printf(&bed->arena, "%.200s\n\ngarbage\n", good));
    approval_refuses(bed, "it is no approval of this version");

    /* another plan's */
    approval_plan(bed);
    bed_write(bed, "lab.plan.sig", good);
    approval_refuses(bed, "it is for another plan");
    bed_write(bed, "lab.plan", plan);
    bed_ends(bed_do(bed, "apply --plan lab.plan --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* Keys come and go in the file of approvers; what counts is what it says
 * now. */
static void test_expired(void **state)
{
    struct bed *bed = start(state, 1);

    approval_plan(bed);
    counts(approval_by(bed, "--key alice"), "alice@example.com");
    approval_script(bed, "sed -i 's/ ssh-/ valid-before=\"20260101\" ssh-/' "
                         "approvers");
    approval_refuses(bed, "key has expired");
    approval_script(bed, "sed -i 's/valid-before=\"20260101\"/"
                         "namespaces=\"file\"/' approvers");
    approval_refuses(bed, "does not hold for this plan file");
    approval_script(bed, "sed -i 's/namespaces=\"file\"/"
                         "namespaces=\"certfleet-plan@certfleet\"/' approvers");
    bed_ends(bed_do(bed, "apply --plan lab.plan --yes"), 0, "done");
}

/* Facts that moved after it was approved are not what was approved; a run
 * that ended there cannot be resumed around it. */
static void test_facts_moved(void **state)
{
    struct bed *bed = start(state, 1);
    struct bed_run *run;

    approval_plan(bed);
    counts(approval_by(bed, "--key bob"), "bob");
    bed_write(bed, "x", "x");
    bed_lab(bed, "put core2 stray.txt %s/x", bed->dir);
    approval_refuses(bed, "not as the plan file has them");
    run = bed_do(bed, "resume last --yes");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "before its plan was agreed to"));
    run = bed_do(bed, "apply cms/db-rotate lab --yes");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "wants 1 approval"));
    assert_non_null(strstr(bed_text(bed_result(run), "next"),
                           " plan cms/db-rotate lab -o lab.plan"));
    bed_is_untouched(bed, "lab", "core1");
}

/* A way on and a way back wait for nobody. */
static void test_on_and_back(void **state)
{
    struct bed *bed = start(state, 1);
    struct bed_run *run;

    approval_plan(bed);
    counts(approval_by(bed, "--key bob"), "bob");
    run = bed_do(bed, "apply --plan lab.plan --yes --until push");
    bed_ends(run, 0, "ok");
    run = bed_do(bed, "resume last --yes --accept data-loss");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "would change the plan that was approved"));
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
    bed_is_old(bed, "lab", "core1");
}

/* A resume would bring in who was left out: that is another plan. */
static void test_left_out(void **state)
{
    struct bed *bed = bed_start(state, "3+0", NULL);
    struct bed_run *run;

    approval_people(bed, 1);
    bed_lab(bed, "down core3");
    run = bed_do(bed, "plan cms/db-rotate lab without=core3 -o lab.plan");
    bed_ends(run, 0, "ok");
    counts(approval_by(bed, "--key bob"), "bob");
    run = bed_do(bed, "apply --plan lab.plan --yes --until push");
    bed_ends(run, 0, "ok");
    run = bed_do(bed, "resume last --yes");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "leaves nodes out, which a resume brings in"));
    bed_ends(bed_do(bed, "rollback last --yes"), 0, "rolled-back");
}

static void test_certificates(void **state)
{
    struct bed *bed = start(state, 2);
    static const struct {
        const char *name, *why;
    } bad[] = {{"eve", "does not hold"},
               {"server", "does not hold"},
               {"stale", "does not hold"}};

    approval_certificates(bed);
    approval_plan(bed);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        does_not_count(
            approval_by(bed,
                        arena_printf(&bed->arena, "--cert %s.crt --key %s.key",
                                     bad[i].name, bad[i].name)),
            bad[i].why);
    approval_refuses(bed, "0 count");
    bed_ends(approval_by(bed, "--cert carol.crt --key dave.key"), 2, "error");
    counts(approval_by(bed, "--cert carol.crt --key carol.key"),
           "approved as carol@example.com");
    does_not_count(approval_by(bed, "--cert carol.crt --key carol.key"),
                   "same person");
    approval_script(bed, "openssl pkcs8 -topk8 -in dave.key -passout "
                         "pass:words -out locked.key; echo words >dave.pass; "
                         "chmod 600 dave.pass");
    counts(approval_by(bed, "--cert dave.crt --key locked.key --passphrase "
                            "file:dave.pass"),
           "approved as dave");
    bed_ends(bed_do(bed, "apply --plan lab.plan --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

/* Of one person two keys, and lines of two files put together. */
static void test_put_together(void **state)
{
    struct bed *bed = start(state, 2);

    approval_script(bed, "{ printf 'ALICE@example.com,al '; cat mallory.pub; "
                         "} >>approvers");
    approval_plan(bed);
    counts(approval_by(bed, "--key alice"), "alice@example.com");
    approval_script(bed, "mv lab.plan.sig a.sig");
    counts(approval_by(bed, "--key mallory"), "ALICE@example.com");
    approval_script(bed, "mv lab.plan.sig m.sig; cat a.sig m.sig "
                         ">lab.plan.sig");
    approval_refuses(bed, "the same person has approved already");
    approval_script(bed, "rm lab.plan.sig");
    counts(approval_by(bed, "--key bob"), "bob");
    approval_script(bed, "cat a.sig m.sig >>lab.plan.sig");
    bed_ends(bed_do(bed, "apply --plan lab.plan --yes"), 0, "done");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_two_people, bed_stop),
        cmocka_unit_test_teardown(test_shown, bed_stop),
        cmocka_unit_test_teardown(test_shown_newcomer, bed_stop),
        cmocka_unit_test_teardown(test_shown_reused, bed_stop),
        cmocka_unit_test_teardown(test_nobody_else, bed_stop),
        cmocka_unit_test_teardown(test_expired, bed_stop),
        cmocka_unit_test_teardown(test_facts_moved, bed_stop),
        cmocka_unit_test_teardown(test_on_and_back, bed_stop),
        cmocka_unit_test_teardown(test_left_out, bed_stop),
        cmocka_unit_test_teardown(test_certificates, bed_stop),
        cmocka_unit_test_teardown(test_put_together, bed_stop),
    };

    return crew_tests(tests);
}
