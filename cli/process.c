/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits, signals, dumps.  Knows nothing of certificates.
 */
#include "cli/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two connections a node; the SSH library holds a duplicate of each. */
enum {
    FILES_PER_NODE = 4,
    FILES_OF_OURS = 64
};

static void ignore(int number)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* Keys are made, files written and names looked up in the pool: four threads
 * are too few for a hundred nodes behind a slow resolver. */
static void size_pool(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long threads = processors < 4 ? 8 : processors > 32 ? 64 : processors * 2;
    char text[16];

    snprintf(text, sizeof(text), "%ld", threads);
    setenv("UV_THREADPOOL_SIZE", text, 0);
}

#if defined(__SANITIZE_ADDRESS__) /* gcc's word; clang has another */
#define LEAKS_ARE_SOUGHT
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_SOUGHT
#endif
#endif

#ifdef LEAKS_ARE_SOUGHT
/* The leak check attaches to us at the very end, after this; by then all
 * secrets are wiped, and what was tested was a process like any other. */
static void open_up(void)
{
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}
#endif

/* The limit alone is not enough: where core_pattern is a pipe the kernel does
 * not ask it.  Not dumpable besides means that /proc/PID/mem and environ are
 * root's, and that nobody else of our user may attach. */
static void forbid_dumps(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#ifdef LEAKS_ARE_SOUGHT
    atexit(open_up);
#endif
}

void process_harden(void)
{
    forbid_dumps();
    umask(077);
    ignore(SIGPIPE);
    ignore(SIGHUP);
    ignore(SIGTTOU); /* in the background of a terminal with `tostop' */
    size_pool();
}

size_t process_descriptors(size_t nodes)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)nodes * FILES_PER_NODE + FILES_OF_OURS;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return nodes;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return nodes;
    if (limit.rlim_cur <= FILES_OF_OURS)
        return 0;
    return (size_t)(limit.rlim_cur - FILES_OF_OURS) / FILES_PER_NODE;
}
