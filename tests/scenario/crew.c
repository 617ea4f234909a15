/* SPDX-License-Identifier: Apache-2.0
 *
 * Forks, gathers what each has printed, and adds up.  Knows nothing of what
 * the tests do.
 */
#include "tests/scenario/crew.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct member {
    pid_t pid;
    FILE *said;
};

static int run_some(const struct CMUnitTest *tests, size_t n, size_t first,
                    size_t step)
{
    struct CMUnitTest *some = calloc(n + 1, sizeof(*some));
    size_t k = 0;
    int failed;

    if (!some)
        abort();
    for (size_t i = first; i < n; i += step)
        some[k++] = tests[i];
    failed = _cmocka_run_group_tests("crew", some, k, NULL, NULL);
    free(some);
    return failed;
}

/* A name that no test has (any more) is a failure, not a group of none. */
static int run_only(const struct CMUnitTest *tests, size_t n,
                    const char *pattern)
{
    size_t met = 0;

    for (size_t i = 0; i < n; i++)
        met += fnmatch(pattern, tests[i].name, 0) == 0;
    if (met == 0) {
        fprintf(stderr, "BED_ONLY: no test is called %s\n", pattern);
        return 1;
    }
    cmocka_set_test_filter(pattern);
    return run_some(tests, n, 0, 1);
}

static void start_member(struct member *member, const struct CMUnitTest *tests,
                         size_t n, size_t first)
{
    pid_t parent = getpid();

    member->said = tmpfile();
    fflush(NULL);
    member->pid = member->said ? fork() : -1;
    if (member->pid < 0)
        abort();
    if (member->pid > 0)
        return;
    bed_die_with(parent);
    if (dup2(fileno(member->said), 1) < 0 || dup2(fileno(member->said), 2) < 0)
        _exit(126);
    exit(run_some(tests, n, first, CREW_SIZE) != 0);
}

static int finish_member(struct member *member)
{
    char buf[16384];
    int status = -1;
    size_t n;

    while (waitpid(member->pid, &status, 0) < 0 && errno == EINTR)
        ;
    rewind(member->said);
    while ((n = fread(buf, 1, sizeof(buf), member->said)) > 0)
        fwrite(buf, 1, n, stdout);
    fclose(member->said);
    return status != 0;
}

int crew_run(const struct CMUnitTest *tests, size_t n)
{
    struct member crew[CREW_SIZE];
    int failed = 0;

    if (getenv("BED_ONLY"))
        return run_only(tests, n, getenv("BED_ONLY"));
    for (size_t i = 0; i < CREW_SIZE; i++)
        start_member(&crew[i], tests, n, i);
    for (size_t i = 0; i < CREW_SIZE; i++)
        failed += finish_member(&crew[i]);
    return failed;
}
