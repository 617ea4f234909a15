/* SPDX-License-Identifier: Apache-2.0
 *
 * A run that is aborted in the middle leaves no image of its memory, whatever
 * limit its parent had set and wherever the kernel would send it; and nobody
 * of the same user may look into it.  Root with a debugger may.
 *
 * A process of no protection stands beside it each time: it is dumped, it can
 * be read, or this machine could not have shown the difference.
 */
#include "tests/scenario/crew.h"
#include "tests/scenario/hunt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define APPLY "-v -v apply cms/db-rotate lab --yes"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true /* SIGSEGV is its own then */
#else
#define SANITIZED false
#endif

static void allow_dumps(void)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    if (geteuid() == 0)
        limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
    assert_int_equal(setrlimit(RLIMIT_CORE, &limit), 0);
    assert_true(limit.rlim_cur > 0);
}

/* CLD_DUMPED, CLD_KILLED ...; the child stays to be reaped. */
static int end_of(pid_t pid)
{
    siginfo_t info = {0};

    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
        assert_int_equal(errno, EINTR);
    return info.si_code;
}

/* A child that waits in the bed's folder. */
static pid_t start_plain(struct bed *bed)
{
    pid_t parent = getpid(), pid;
    int ready[2];
    char byte = 0;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        bed_die_with(parent);
        if (chdir(bed->dir) < 0 || write(ready[1], &byte, 1) != 1)
            _exit(126);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

/* `prepare` in the child, right before it becomes the program; what that says
 * goes nowhere. */
static pid_t start_prepared(struct bed *bed, const char **argv,
                            void (*prepare)(void))
{
    const char **env = bed_environment(bed);
    pid_t parent = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    bed_die_with(parent);
    prepare();
    if (chdir(bed->dir) == 0 && freopen("/dev/null", "w", stdout) &&
        freopen("/dev/null", "w", stderr))
        execvpe(argv[0], (char *const *)(uintptr_t)argv,
                (char *const *)(uintptr_t)env);
    _exit(127);
}

/* In the middle: the set is made and on the nodes, keys are in memory. */
static struct bed_run *start_held(struct bed *bed, void (*prepare)(void))
{
    int hold = bed_id(bed_lab(bed, "hold core1 before 'pki match*'"));
    struct bed_run *run;

    if (prepare)
        run = bed_adopt(
            bed, start_prepared(bed, bed_argv(bed, BED_PLAIN, APPLY), prepare),
            -1, -1);
    else
        run = bed_begin(bed, BED_PLAIN, APPLY);
    run->plain = true;
    bed_lab(bed, "wait held %d", hold);
    return run;
}

static int count_cores(struct bed *bed)
{
    const char *argv[] = {
        "sh", "-c",
        arena_printf(&bed->arena,
                     "for f in %s/core*; do [ ! -e \"$f\" ] || exit 1; done",
                     bed->dir),
        NULL};

    return rig_run(argv);
}

/* -- no image -------------------------------------------------------------- */

/* A file "core" in the working folder, or a pipe, or nowhere: the kernel says
 * in the end of the child whether it was written. */
static void plain_is_dumped(struct bed *bed)
{
    pid_t pid = start_plain(bed);
    int end;

    kill(pid, SIGABRT);
    end = end_of(pid);
    waitpid(pid, NULL, 0);
    assert_int_equal(end, CLD_DUMPED);
    assert_int_equal(
        rig_run((const char *[]){
            "sh", "-c", arena_printf(&bed->arena, "rm -f %s/core*", bed->dir),
            NULL}),
        0);
}

static rlim_t core_limit(pid_t pid)
{
    struct rlimit limit;

    assert_int_equal(prlimit(pid, RLIMIT_CORE, NULL, &limit), 0);
    return limit.rlim_max;
}

static void is_not_dumped(struct bed *bed, struct bed_run *run, int signal)
{
    kill(run->pid, signal);
    assert_int_equal(end_of(run->pid), CLD_KILLED);
    bed_finish(run);
    assert_int_equal(run->code, 128 + signal);
    assert_int_equal(count_cores(bed), 0);
}

static void aborted(void **state, int signal)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    struct bed_run *run;

    hunt_start(bed);
    allow_dumps();
    plain_is_dumped(bed);
    run = start_held(bed, NULL);
    assert_int_equal(core_limit(run->pid), 0);
    is_not_dumped(bed, run, signal);
    hunt_everywhere(bed);
    bed_lab(bed, "clear");
    bed_ends(bed_do(bed, "resume last --yes"), 0, "done");
    bed_is_new(bed, "lab", "core1");
}

static void test_abort(void **state)
{
    aborted(state, SIGABRT);
}

static void test_segv(void **state)
{
    aborted(state, SANITIZED ? SIGTRAP : SIGSEGV);
}

static void test_quit(void **state)
{
    aborted(state, SIGQUIT);
}

/* Whatever the program asks for, the limit of core files stays as it is: each
 * call is answered with success and not done. */
static void keep_the_limit(void)
{
    /* the low halves of the arguments; glibc's setrlimit is prlimit64 */
#define LOAD(field)                                                            \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(value, n)                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
    struct sock_filter code[] = {
        LOAD(nr),
        SKIP_UNLESS(SYS_prlimit64, 5),
        LOAD(args[1]),
        SKIP_UNLESS(RLIMIT_CORE, 3),
        LOAD(args[2]), /* NULL: it only asks */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(125);
}

/* As where core_pattern is a pipe: there the kernel asks no limit.  Only that
 * it is not dumpable is left. */
static void test_without_the_limit(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    struct bed_run *run;

    allow_dumps();
    plain_is_dumped(bed);
    run = start_held(bed, keep_the_limit);
    assert_true(core_limit(run->pid) > 0);
    is_not_dumped(bed, run, SIGABRT);
}

/* -- no looking in --------------------------------------------------------- */

/* Both sides are root without a right of root's: the same user. */
static void drop_rights(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};

    if (syscall(SYS_capset, &head, none) < 0)
        _exit(125);
}

enum {
    MAY_READ = 1,
    MAY_ATTACH = 2
};

static int look_into(pid_t pid)
{
    char path[64];
    int status = 0, may = 0, fd;
    pid_t looker = fork();

    if (looker == 0) {
        drop_rights();
        snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        may |= fd >= 0 ? MAY_READ : 0;
        if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0)
            may |= MAY_ATTACH;
        _exit(may); /* a seized one goes on */
    }
    while (waitpid(looker, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* exec gives root's rights back, unless it is told not to. */
static void be_anybody(void)
{
    prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
    drop_rights();
}

/* Its memory is there when it has become the other program. */
static void wait_for_exec(pid_t pid, const char *name)
{
    char path[64], text[64] = "";

    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    while (strncmp(text, name, strlen(name)) != 0) {
        FILE *f = fopen(path, "re");

        assert_non_null(f);
        if (!fgets(text, sizeof(text), f))
            *text = '\0';
        fclose(f);
    }
}

static void test_nobody_looks_in(void **state)
{
    struct bed *bed = bed_start(state, "2+0", NULL);
    const char *sleeper[] = {"sleep", "1000", NULL};
    pid_t plain = start_prepared(bed, sleeper, be_anybody);
    struct bed_run *run;

    wait_for_exec(plain, "sleep");
    assert_int_equal(look_into(plain), MAY_READ | MAY_ATTACH);
    kill(plain, SIGKILL);
    waitpid(plain, NULL, 0);
    run = start_held(bed, be_anybody);
    assert_int_equal(look_into(run->pid), 0);
    kill(run->pid, SIGKILL);
    bed_finish(run);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_abort, bed_stop),
        cmocka_unit_test_teardown(test_segv, bed_stop),
        cmocka_unit_test_teardown(test_quit, bed_stop),
        cmocka_unit_test_teardown(test_without_the_limit, bed_stop),
        cmocka_unit_test_teardown(test_nobody_looks_in, bed_stop),
    };

    return crew_tests(tests);
}
