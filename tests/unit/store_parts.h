/* SPDX-License-Identifier: Apache-2.0
 *
 * Other processes for the store's tests: each plays a part, says when it is
 * where it should be, and goes on when told.
 */
#ifndef CERTFLEET_TEST_STORE_PARTS_H
#define CERTFLEET_TEST_STORE_PARTS_H

#include "tests/unit/store_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

/* -- other processes ------------------------------------------------------- */

struct part {
    struct bed *bed;
    const char *run, *cluster;
    void (*play)(struct part *part);
    pid_t pid;
    int go[2], here[2]; /* parent to child, child to parent */
    struct tally t;
};

static inline void on_stage(void *arg)
{
    struct part *part = arg;

    part->play(part);
}

/* In a thread: there a failed check ends the process, and not the test that
 * was copied into it. */
static inline void be_child(struct part *part)
{
    uv_thread_t thread;

    alarm(60);
    close(part->go[1]);
    close(part->here[0]);
    if (uv_thread_create(&thread, on_stage, part) < 0)
        _exit(1);
    uv_thread_join(&thread);
    _exit(0);
}

static inline void part_start(struct part *part, struct bed *bed,
                              const char *run, const char *cluster,
                              void (*play)(struct part *))
{
    memset(part, 0, sizeof(*part));
    part->bed = bed;
    part->run = run;
    part->cluster = cluster;
    part->play = play;
    assert_int_equal(pipe(part->go), 0);
    assert_int_equal(pipe(part->here), 0);
    fflush(NULL);
    part->pid = fork();
    assert_true(part->pid >= 0);
    if (part->pid == 0)
        be_child(part);
    close(part->go[0]);
    close(part->here[1]);
}

static inline int part_end(struct part *part)
{
    int status;

    close(part->go[1]);
    close(part->here[0]);
    assert_int_equal(waitpid(part->pid, &status, 0), part->pid);
    return status;
}

static inline void part_kill(struct part *part)
{
    kill(part->pid, SIGKILL);
    assert_true(WIFSIGNALED(part_end(part)));
}

static inline void part_await(struct part *part)
{
    struct pollfd here = {part->here[0], POLLIN, 0};
    char c;

    assert_int_equal(poll(&here, 1, 30000), 1);
    assert_int_equal(read(part->here[0], &c, 1), 1);
}

static inline void part_go(struct part *part)
{
    assert_int_equal(write(part->go[1], "g", 1), 1);
}

/* In the child: says that it is here and waits to be told to go on. */
static inline void park(struct part *part)
{
    char c;

    assert_int_equal(write(part->here[1], "h", 1), 1);
    assert_int_equal(read(part->go[0], &c, 1), 1);
}

static inline void perform(struct bed *bed, const char *run,
                           const char *cluster, void (*play)(struct part *))
{
    struct part part;

    part_start(&part, bed, run, cluster, play);
    assert_int_equal(part_end(&part), 0);
}

/* -- parts that more than one test wants ------------------------------------
 */

static inline void play_whole(struct part *p)
{
    bed_open(p->bed);
    begin(p->bed->store, p->run, p->cluster, &p->t);
    end(p->bed->store, p->run, "done", true, &p->t);
    settle_well(p->bed, &p->t);
    bed_close(p->bed);
}

static inline void play_resume(struct part *p)
{
    bed_open(p->bed);
    takeover(p->bed->store, p->run, &p->t);
    put(p->bed->store, p->run, "act", "{}", &p->t);
    settle_well(p->bed, &p->t);
    end(p->bed->store, p->run, "done", true, &p->t);
    settle_well(p->bed, &p->t);
    bed_close(p->bed);
}

/* -- looking on ------------------------------------------------------------ */

struct seen {
    int n;
    bool living, holds, ended;
};

static inline bool on_run(void *user, const struct store_run *run)
{
    struct seen *seen = user;

    seen->n++;
    seen->living = run->living;
    seen->holds = run->holds;
    seen->ended = run->outcome != NULL;
    return true;
}

static inline void assert_run(struct bed *bed, const char *run,
                              struct seen expected)
{
    struct store *store = bed_store(bed, NULL, NULL);
    struct seen seen = {0};

    assert_non_null(store);
    assert_int_equal(store_runs(store, run, on_run, &seen, NULL), 0);
    verified(store);
    store_close(store);
    assert_int_equal(seen.n, expected.n);
    assert_int_equal(seen.living, expected.living);
    assert_int_equal(seen.holds, expected.holds);
    assert_int_equal(seen.ended, expected.ended);
}

#endif
