/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing a plan as people do: on a terminal, with a passphrase, with a key
 * that only an agent has (one of the test's own), or not at all.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/scenario/approval.h"
#include "tests/scenario/crew.h"

/* -- a terminal ------------------------------------------------------------ */

struct terminal {
    int fd;
    struct bed_run *run;
    struct str text;
};

static void start_on_terminal(struct bed *bed, struct terminal *t,
                              const char *words)
{
    const char **argv = bed_argv(bed, BED_PLAIN, words);
    const char **env = bed_environment(bed);
    pid_t pid = forkpty(&t->fd, NULL, NULL, NULL);

    if (pid < 0)
        fail_msg("no terminal: %s", strerror(errno));
    if (pid == 0) {
        if (chdir(bed->dir) < 0)
            _exit(126);
        execvpe(argv[0], (char *const *)(uintptr_t)argv,
                (char *const *)(uintptr_t)env);
        _exit(127);
    }
    str_init(&t->text, 1 << 20);
    t->run = bed_adopt(bed, pid, -1, -1);
    t->run->plain = true;
}

static void answer(struct terminal *t, const char *asked, const char *typed)
{
    char buf[4096];

    while (!strstr(str_text(&t->text), asked)) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        ssize_t n = poll(&p, 1, BED_DEADLINE_MS) == 1
                        ? read(t->fd, buf, sizeof(buf))
                        : 0;
        if (n <= 0)
            fail_msg("the terminal never showed `%s': %s", asked,
                     str_text(&t->text));
        str_addn(&t->text, buf, (size_t)n);
    }
    assert_int_equal(write(t->fd, typed, strlen(typed)), strlen(typed));
}

static int end_of(struct terminal *t)
{
    char buf[4096];
    ssize_t n;

    while ((n = read(t->fd, buf, sizeof(buf))) > 0)
        str_addn(&t->text, buf, (size_t)n);
    close(t->fd);
    return bed_finish(t->run);
}

static void shows(const struct terminal *t, const char *word)
{
    if (!strstr(str_text(&t->text), word))
        fail_msg("the terminal never showed `%s': %s", word,
                 str_text(&t->text));
}

static struct bed *start(void **state)
{
    struct bed *bed = bed_start(state, "1+0", NULL);

    approval_people(bed, 1);
    approval_plan(bed);
    return bed;
}

/* Shown, asked, and the passphrase asked for by ssh-keygen itself. */
static void test_terminal(void **state)
{
    struct bed *bed = start(state);
    struct terminal t;

    approval_script(bed, "ssh-keygen -q -p -P '' -N 'my words' -f alice");
    start_on_terminal(bed, &t, "approve lab.plan --key alice");
    answer(&t, "Only `yes'", "yes\n");
    answer(&t, "passphrase", "my words\n");
    assert_int_equal(end_of(&t), 0);
    shows(&t, "database cluster initialize");
    shows(&t, "approved as alice@example.com");
    str_release(&t.text);

    approval_script(bed, "rm lab.plan.sig");
    start_on_terminal(bed, &t, "approve lab.plan --key alice");
    answer(&t, "Only `yes'", "yes\n");
    answer(&t, "passphrase", "other words\n");
    assert_int_equal(end_of(&t), 2);
    shows(&t, "ssh-keygen did not sign with alice");
    str_release(&t.text);
    approval_refuses(bed, "1 is missing");
}

static void test_no(void **state)
{
    struct bed *bed = start(state);
    struct bed_run *run;
    struct terminal t;

    start_on_terminal(bed, &t, "approve lab.plan --key alice");
    answer(&t, "Only `yes'", "y\n");
    assert_int_equal(end_of(&t), 5);
    shows(&t, "not confirmed: nothing was signed");
    str_release(&t.text);
    run = bed_do(bed, "approve lab.plan --key alice");
    bed_ends(run, 5, "refused");
    assert_true(bed_said(run, "no terminal to ask on"));
    assert_non_null(strstr(bed_text(bed_result(run), "next"), "--yes"));
    approval_refuses(bed, "1 is missing");
}

/* Only the agent has the private key. */
static void test_agent(void **state)
{
    struct bed *bed = start(state);
    struct bed_run *run;
    pid_t agent;

    approval_script(bed, "SSH_AUTH_SOCK= ssh-agent -a agent.sock >agent.sh\n"
                         ". ./agent.sh >log\nssh-add -q alice\nrm alice\n"
                         "echo $SSH_AGENT_PID >agent.pid");
    agent = (pid_t)strtol(bed_read(bed, "agent.pid"), NULL, 10);
    assert_true(agent > 1);
    bed->env[0] =
        arena_printf(&bed->arena, "SSH_AUTH_SOCK=%s/agent.sock", bed->dir);
    run = approval_by(bed, "--key alice.pub");
    kill(agent, SIGTERM);
    bed_ends(run, 0, "ok");
    assert_true(bed_said(run, "alice@example.com"));
    assert_int_equal(bed_events(run, "plan", NULL, NULL), 1);
    assert_int_equal(bed_events(run, "approval", NULL, NULL), 1);
    bed->env[0] = NULL;
    bed_ends(bed_do(bed, "apply --plan lab.plan --yes"), 0, "done");
}

/* The inventory's identity is the key when none is named. */
static void test_identity(void **state)
{
    struct bed *bed = start(state);

    bed_inventory(bed, "cluster lab", "identity = bob");
    bed_ends(approval_by(bed, ""), 0, "ok");
    /* and a new plan under the same name begins anew */
    approval_plan(bed);
    approval_refuses(bed, "it is for another plan");
    bed_ends(approval_by(bed, "--key alice"), 0, "ok");
    assert_null(strstr(bed_read(bed, "lab.plan.sig"), "\n{"));
}

static void wrong(struct bed *bed, const char *words, const char *why)
{
    struct bed_run *run = bed_do(bed, "approve %s --yes", words);

    bed_ends(run, 2, "error");
    if (!bed_said(run, why))
        fail_msg("%s: not said: %s", words, why);
}

static void test_wrong_use(void **state)
{
    struct bed *bed = start(state);

    wrong(bed, "gone.plan", "No such file");
    wrong(bed, "alice.pub --key alice", "alice.pub:1:");
    wrong(bed, "lab.plan --key gone", "ssh-keygen did not sign with gone");
    wrong(bed, "lab.plan --key alice --passphrase env:X",
          "--passphrase is for");
    wrong(bed, "lab.plan --cert gone", "gone: ");
    approval_script(bed, "sed -i /^approv/d certfleet.ini");
    wrong(bed, "lab.plan --key alice", "wants approvals: there is nothing");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_terminal, bed_stop),
        cmocka_unit_test_teardown(test_no, bed_stop),
        cmocka_unit_test_teardown(test_agent, bed_stop),
        cmocka_unit_test_teardown(test_identity, bed_stop),
        cmocka_unit_test_teardown(test_wrong_use, bed_stop),
    };

    return crew_tests(tests);
}
