/* SPDX-License-Identifier: Apache-2.0
 *
 * The program as a child: its words, its environment, its outputs, its end.
 */
#include "tests/scenario/bed_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"

void bed_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static const char *wrap(void)
{
    const char *words = getenv("CERTFLEET_WRAP");

    return words && *words ? words : NULL;
}

static uint64_t deadline(void)
{
    return clock_mono_ms() + (uint64_t)BED_DEADLINE_MS * (wrap() ? 10 : 1);
}

/* -- the command line ------------------------------------------------------ */

static size_t add_words(struct bed *bed, const char **argv, size_t n,
                        const char *words)
{
    words += strspn(words, " ");
    while (*words && n < BED_WORDS) {
        size_t len = strcspn(words, " ");
        argv[n++] = arena_strndup(&bed->arena, words, len);
        words += len + strspn(words + len, " ");
    }
    return n;
}

const char **bed_argv(struct bed *bed, enum bed_flag flag, const char *words)
{
    const char **argv =
        arena_alloc(&bed->arena, (BED_WORDS + 1) * sizeof(*argv));
    size_t n = 0;

    if (wrap())
        n = add_words(bed, argv, n, wrap());
    argv[n++] = bed->program ? bed->program : CERTFLEET_PROGRAM;
    argv[n++] = "-i";
    argv[n++] = arena_printf(&bed->arena, "%s/certfleet.ini", bed->dir);
    if (flag == BED_JSON)
        argv[n++] = "--json";
    n = add_words(bed, argv, n, words);
    argv[n] = NULL;
    return argv;
}

/* To look for leaks takes a third of a short start.  One start in four has it,
 * the first of each program among them; so have all units. */
static const char *asan_options(struct bed *bed, const char *given)
{
    static unsigned starts;

    if (starts++ % 4 == 0)
        return given;
    return arena_printf(&bed->arena, "%s:detect_leaks=0", given);
}

const char **bed_environment(struct bed *bed)
{
    /* clang-format off */
    static const char *const passed[] = {
        "PATH", "LSAN_OPTIONS", "UV_THREADPOOL_SIZE",
    };
    /* clang-format on */
    enum {
        PASSED = sizeof(passed) / sizeof(*passed),
        MORE = sizeof(bed->env) / sizeof(*bed->env)
    };
    const char **list =
        arena_alloc(&bed->arena, (PASSED + MORE + 4) * sizeof(*list));
    const char *asan = getenv("ASAN_OPTIONS");
    size_t n = 0;

    list[n++] = arena_printf(&bed->arena, "HOME=%s", bed->dir);
    list[n++] = "LC_ALL=C";
    for (size_t i = 0; i < PASSED; i++)
        if (getenv(passed[i]))
            list[n++] = arena_printf(&bed->arena, "%s=%s", passed[i],
                                     getenv(passed[i]));
    if (asan)
        list[n++] = arena_printf(&bed->arena, "ASAN_OPTIONS=%s",
                                 asan_options(bed, asan));
    for (size_t i = 0; i < MORE && bed->env[i]; i++)
        list[n++] = bed->env[i];
    list[n] = NULL;
    return list;
}

/* -- the child ------------------------------------------------------------- */

struct bed_run *bed_adopt(struct bed *bed, pid_t pid, int out, int err)
{
    struct bed_run *run = calloc(1, sizeof(*run));

    if (!run)
        abort();
    run->bed = bed;
    run->pid = pid;
    run->out = out;
    run->err = err;
    run->code = -1;
    run->events = json_array();
    run->line = "(adopted)";
    str_init(&run->out_text, BED_TEXT_CAP);
    str_init(&run->err_text, BED_TEXT_CAP);
    run->next = bed->runs;
    bed->runs = run;
    return run;
}

/* Nobody is left behind when ctest loses its patience. */
void bed_die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);
}

static _Noreturn void be_certfleet(struct bed *bed, pid_t parent,
                                   const char **argv, const char **env,
                                   const int fds[2])
{
    int null = open("/dev/null", O_RDONLY);

    bed_die_with(parent);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(null, 0) < 0 || dup2(fds[0], 1) < 0 || dup2(fds[1], 2) < 0 ||
        chdir(bed->dir) < 0)
        _exit(126);
    execvpe(argv[0], (char *const *)(uintptr_t)argv,
            (char *const *)(uintptr_t)env);
    _exit(127);
}

static struct bed_run *begin(struct bed *bed, enum bed_flag flag,
                             const char *words)
{
    const char **argv = bed_argv(bed, flag, words);
    const char **env = bed_environment(bed);
    struct bed_run *run;
    pid_t parent = getpid(), pid;
    int out[2] = {-1, -1}, err[2] = {-1, -1};

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        fail_msg("no pipe: %s", strerror(errno));
    pid = fork();
    if (pid < 0)
        fail_msg("no child: %s", strerror(errno));
    if (pid == 0)
        be_certfleet(bed, parent, argv, env, (const int[2]){out[1], err[1]});
    close(out[1]);
    close(err[1]);
    run = bed_adopt(bed, pid, out[0], err[0]);
    run->line = words;
    run->plain = flag == BED_PLAIN;
    return run;
}

struct bed_run *bed_begin(struct bed *bed, enum bed_flag flag, const char *fmt,
                          ...)
{
    char *words = NULL;
    const char *copy;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&words, fmt, ap) < 0)
        abort();
    va_end(ap);
    copy = arena_strdup(&bed->arena, words);
    free(words);
    return begin(bed, flag, copy);
}

/* -- its outputs ----------------------------------------------------------- */

void bed_print(const struct bed_run *run)
{
    /* cmocka's print_error cuts after 1 KB */
    fprintf(stderr,
            "--- certfleet %s\n--- standard output:\n%s"
            "--- standard error:\n%s---\n",
            run->line, str_text(&run->out_text), str_text(&run->err_text));
}

static void take_lines(struct bed_run *run)
{
    const char *text = str_text(&run->out_text), *end;

    while (!run->plain && run->parsed < run->out_text.len &&
           (end = strchr(text + run->parsed, '\n'))) {
        size_t len = (size_t)(end - text) - run->parsed;
        json_t *event = json_loadb(text + run->parsed, len, 0, NULL);

        if (!json_is_string(json_object_get(event, "event"))) {
            bed_print(run);
            fail_msg("a line is no event: %.*s", (int)len, text + run->parsed);
        }
        json_array_append_new(run->events, event);
        run->parsed += len + 1;
    }
}

static void take_from(int *fd, struct str *text)
{
    char buf[16384];
    ssize_t n = read(*fd, buf, sizeof(buf));

    if (n > 0)
        str_addn(text, buf, (size_t)n);
    else if (n == 0 || errno != EINTR)
        bed_close(fd);
}

/* Something came, or an end; false: both outputs have ended. */
static bool pump(struct bed_run *run, uint64_t until)
{
    struct pollfd fds[2] = {{.fd = run->out, .events = POLLIN},
                            {.fd = run->err, .events = POLLIN}};
    uint64_t now = clock_mono_ms();

    if (run->out < 0 && run->err < 0)
        return false;
    if (now >= until || poll(fds, 2, (int)(until - now)) == 0) {
        bed_print(run);
        fail_msg("certfleet %s: the deadline has passed", run->line);
    }
    if (fds[0].revents)
        take_from(&run->out, &run->out_text);
    if (fds[1].revents)
        take_from(&run->err, &run->err_text);
    take_lines(run);
    return true;
}

static bool is_event(const json_t *e, const char *event, const char *node,
                     const char *step)
{
    return (!event || strcmp(bed_text(e, "event"), event) == 0) &&
           (!node || strcmp(bed_text(e, "node"), node) == 0) &&
           (!step || strcmp(bed_text(e, "step"), step) == 0);
}

json_t *bed_await(struct bed_run *run, const char *event, const char *node,
                  const char *step)
{
    uint64_t until = deadline();
    size_t seen = 0;

    do {
        for (; seen < json_array_size(run->events); seen++)
            if (is_event(json_array_get(run->events, seen), event, node, step))
                return json_array_get(run->events, seen);
    } while (pump(run, until));
    bed_print(run);
    fail_msg("certfleet %s: ended without %s %s %s", run->line,
             event ? event : "", node ? node : "", step ? step : "");
    return NULL;
}

void bed_await_count(struct bed_run *run, const char *event, unsigned n)
{
    uint64_t until = deadline();

    while (bed_events(run, event, NULL, NULL) < n)
        if (!pump(run, until))
            fail_msg("certfleet %s: ended without %u of %s", run->line, n,
                     event);
}

unsigned bed_events(const struct bed_run *run, const char *event,
                    const char *node, const char *step)
{
    const json_t *e;
    unsigned n = 0;
    size_t i;

    json_array_foreach(run->events, i, e)
    {
        n += is_event(e, event, node, step);
    }
    return n;
}

/* Both outputs may be closed long before the program ends. */
static void reap(struct bed_run *run, uint64_t until)
{
    int fd = pidfd_open(run->pid, 0), status = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t now = clock_mono_ms();
    struct rusage used = {0};

    if (now >= until || poll(&p, 1, (int)(until - now)) <= 0) {
        bed_print(run);
        fail_msg("certfleet %s: does not end", run->line);
    }
    close(fd);
    while (wait4(run->pid, &status, 0, &used) < 0)
        if (errno != EINTR)
            fail_msg("wait4: %s", strerror(errno));
    run->pid = 0;
    run->peak_kb = used.ru_maxrss;
    run->code =
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int bed_finish(struct bed_run *run)
{
    uint64_t until = deadline();

    if (run->pid == 0)
        return run->code;
    while (pump(run, until))
        ;
    reap(run, until);
    bed_examine(run);
    return run->code;
}

struct bed_run *bed_do(struct bed *bed, const char *fmt, ...)
{
    struct bed_run *run;
    char *words = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&words, fmt, ap) < 0)
        abort();
    va_end(ap);
    run = begin(bed, BED_JSON, arena_strdup(&bed->arena, words));
    free(words);
    bed_finish(run);
    return run;
}

struct bed_run *bed_apply(struct bed *bed, const char *words)
{
    return bed_do(bed, "apply cms/db-rotate lab --yes %s", words);
}
