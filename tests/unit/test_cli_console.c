/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as plain lines and as a live view: clocks, narrow windows, more
 * nodes than rows, texts from nodes, and outputs that stand still or vanish.
 */
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sys/ioctl.h>

#include "cli/ask.h"
#include "cli/console.h"
#include "cli/console_model.h"
#include "cli/out_pipe.h"
#include "tests/unit/cli_capture.h"

enum {
    T0 = 1795000000
}; /* seconds; 2026-11-18 */

static struct event event_at(int64_t ms, const char *word, const char *node,
                             const char *step)
{
    return (struct event){
        .t_ms = (int64_t)T0 * 1000 + ms,
        .event = word,
        .run = "20261121T031559Z-3f9a",
        .cluster = "emea",
        .node = node,
        .step = step,
        .took_ms = -1,
    };
}

static void take(struct console_model *model, int64_t ms, const char *word,
                 const char *node, const char *step)
{
    struct event e = event_at(ms, word, node, step);

    model_take(model, &e);
}

static const char *draw(const struct console_model *model, size_t columns,
                        size_t rows, int64_t ms)
{
    static struct str text;
    struct model_window window = {
        .columns = columns, .rows = rows, .now_ms = (int64_t)T0 * 1000 + ms};

    str_release(&text);
    str_init(&text, 1 << 16);
    model_draw(model, &window, &text);
    return str_text(&text);
}

static void test_plain_lines(void **state)
{
    struct event e = event_at(0, "step-failed", "core2", "join");
    struct str line;

    (void)state;
    e.detail = "said \033[31mno\nand more";
    e.took_ms = 65000;
    str_init(&line, 4096);
    model_plain(&e, &line);
    assert_string_equal(str_text(&line),
                        "11:06:40Z emea core2 join: failed, 1:05: said "
                        "\\x1b[31mno\\x0aand more\n");
    str_reset(&line);
    e = event_at(1000, "command", "core2", "join");
    e.command = "database cluster remove";
    model_plain(&e, &line);
    assert_string_equal(str_text(&line), "11:06:41Z emea core2 join > "
                                         "database cluster remove\n");
    str_release(&line);
}

static void test_live_lines_and_clocks(void **state)
{
    struct console_model model = {.n = 0};

    (void)state;
    take(&model, 0, "run-started", NULL, NULL);
    take(&model, 0, "step-started", "core1", "gates");
    assert_string_equal(draw(&model, 80, 10, 3000),
                        "emea  gates  3.0 s\n"
                        "  core1  gates    3.0 s\n");
    take(&model, 4000, "step-done", "core1", "gates");
    take(&model, 5000, "step-started", "core1", "leave");
    take(&model, 5000, "outage-started", NULL, NULL);
    assert_string_equal(draw(&model, 80, 10, 70000),
                        "emea  leave  1:10  OUTAGE 1:05\n"
                        "  core1  leave    1:05\n");
    take(&model, 65000, "outage-ended", NULL, NULL);
    take(&model, 66000, "step-failed", "core1", "leave");
    assert_string_equal(draw(&model, 80, 10, 70000),
                        "emea  leave  1:10  outage was 1:00\n"
                        "  core1  leave     FAILED\n");
    take(&model, 67000, "rollback-started", NULL, NULL);
    assert_says(draw(&model, 80, 10, 70000), "ROLLING BACK");
    /* a second outage, of the way back, adds up */
    take(&model, 70000, "outage-started", NULL, NULL);
    assert_says(draw(&model, 80, 10, 71000), "OUTAGE 1:01");
    model_release(&model);
}

static void test_late_and_unknown_events_do_no_harm(void **state)
{
    struct console_model model = {.n = 0};

    (void)state;
    take(&model, 0, "outage-ended", NULL, NULL);
    take(&model, 0, "something-new", "core1", "gates");
    take(&model, 0, "step-done", NULL, NULL);
    assert_null(strstr(draw(&model, 80, 10, 0), "outage"));
    model_release(&model);
}

static size_t longest_line(const char *text, size_t *lines)
{
    size_t longest = 0;

    for (*lines = 0; *text; ++*lines) {
        size_t len = strcspn(text, "\n");
        longest = len > longest ? len : longest;
        text += len + 1;
    }
    return longest;
}

static void test_narrow_and_low_windows(void **state)
{
    struct console_model model = {.n = 0};
    size_t lines;
    char name[32];

    (void)state;
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "a-rather-long-name-%d", i);
        take(&model, 0, i == 29 ? "step-failed" : "step-done", name, "push");
    }
    take(&model, 0, "step-started", "a-rather-long-name-17", "join");
    for (size_t columns = 1; columns < 60; columns++)
        for (size_t rows = 1; rows < 12; rows++) {
            const char *text = draw(&model, columns, rows, 5000);
            assert_true(longest_line(text, &lines) < columns || columns == 1);
            assert_true(lines <= rows);
        }
    /* the one at work and the one that failed are among the few shown */
    assert_says(draw(&model, 80, 4, 5000), "name-17  join");
    assert_says(draw(&model, 80, 4, 5000), "name-29");
    assert_says(draw(&model, 80, 4, 5000), "and 28 more");
    model_release(&model);
}

static void test_cut_never_splits_a_character(void **state)
{
    struct console_model model = {.n = 0};
    struct event e = event_at(0, "retry", "core1", "join");
    const char *text;

    (void)state;
    e.detail = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9";
    model_take(&model, &e);
    for (size_t columns = 20; columns < 60; columns++) {
        text = draw(&model, columns, 10, 0);
        for (const char *p = text; *p; p++)
            if ((unsigned char)*p == 0xc3)
                assert_int_equal((unsigned char)p[1], 0xa9);
    }
    model_release(&model);
}

/* -- outputs ------------------------------------------------------------------
 */

/* A reader that stands still: writing returns at once, results wait, nothing
 * grows without end. */
static void test_a_stalled_reader_stops_nobody(void **state)
{
    static char chunk[4096];
    struct out_pipe *pipe_out;
    int fds[2];
    size_t got = 0;
    ssize_t n;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pipe_out = out_pipe_new(fds[1]);
    out_pipe_start(pipe_out);
    memset(chunk, 'x', sizeof(chunk));
    for (int i = 0; i < 2000; i++) /* 8 MB into a pipe of 64 KB */
        out_pipe_write(pipe_out, chunk, sizeof(chunk), false);
    assert_true(out_pipe_waiting(pipe_out) <= OUT_PIPE_SOFT);
    out_pipe_write(pipe_out, "RESULT", 6, true);
    assert_true(out_pipe_waiting(pipe_out) > 0);
    while (got < 6 || memcmp(chunk, "RESULT", 6) != 0) {
        struct pollfd ready = {.fd = fds[0], .events = POLLIN};
        assert_int_equal(poll(&ready, 1, 10000), 1);
        n = read(fds[0], chunk, sizeof(chunk));
        assert_true(n > 0);
        got = (size_t)n;
        if (got >= 6)
            memmove(chunk, chunk + got - 6, 6);
    }
    out_pipe_stop(pipe_out);
    out_pipe_free(pipe_out);
    close(fds[0]);
    close(fds[1]);
}

static void test_a_closed_reader_swallows(void **state)
{
    struct out_pipe *pipe_out;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    pipe_out = out_pipe_new(fds[1]);
    out_pipe_start(pipe_out);
    out_pipe_write(pipe_out, "x", 1, true);
    out_pipe_stop(pipe_out);
    assert_true(out_pipe_is_dead(pipe_out));
    out_pipe_write(pipe_out, "x", 1, true);
    out_pipe_free(pipe_out);
    close(fds[1]);
}

/* -- a terminal
 * ----------------------------------------------------------------- */

struct terminal {
    int master, slave, saved[3];
    uv_loop_t loop;
    struct out out;
};

static void terminal_open(struct terminal *t, unsigned short columns,
                          unsigned short rows)
{
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    struct out_options options = {.fd_result = 1, .fd_text = 2};

    assert_int_equal(openpty(&t->master, &t->slave, NULL, NULL, &size), 0);
    for (int fd = 0; fd < 3; fd++) {
        t->saved[fd] = dup(fd);
        dup2(t->slave, fd);
    }
    uv_loop_init(&t->loop);
    out_init(&t->out, &options);
}

static void terminal_close(struct terminal *t)
{
    uv_run(&t->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t->loop), 0);
    out_release(&t->out);
    for (int fd = 0; fd < 3; fd++) {
        dup2(t->saved[fd], fd);
        close(t->saved[fd]);
    }
    close(t->slave);
    if (t->master >= 0)
        close(t->master);
}

static size_t terminal_read(struct terminal *t, char *text, size_t room)
{
    struct pollfd ready = {.fd = t->master, .events = POLLIN};
    size_t len = 0;

    while (len + 1 < room && poll(&ready, 1, 0) == 1) {
        ssize_t n = read(t->master, text + len, room - len - 1);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    return len;
}

static void test_live_view_on_a_terminal(void **state)
{
    static char text[1 << 16];
    struct terminal t;
    struct console_options options = {.out = &t.out, .loop = &t.loop};
    struct console *console;
    struct event e = event_at(0, "step-started", "core1", "gates");
    size_t len;

    (void)state;
    terminal_open(&t, 60, 10);
    console = console_new(&options);
    console_tell(console, &e);
    e = event_at(10, "warning", "core1", NULL);
    e.detail = "clock is off";
    console_tell(console, &e);
    console_say(console, "our own line");
    console_close(console);
    len = terminal_read(&t, text, sizeof(text));
    terminal_close(&t);
    assert_true(len > 0);
    assert_says(text, "warning: clock is off\033[K");
    assert_says(text, "our own line\033[K");
    assert_says(text, "  core1  gates");
    assert_says(text, "\033[J");
    assert_null(strstr(text, "\033[1m")); /* NO_COLOR */
}

static void on_answer(void *user, bool yes)
{
    *(int *)user = yes ? 1 : 0;
}

static int answer_to(const char *typed)
{
    static char text[1 << 12];
    struct terminal t;
    int answer = -1;

    terminal_open(&t, 80, 24);
    assert_true(ask_is_possible());
    ask_start(&t.loop, &t.out, "Apply?", on_answer, &answer);
    assert_int_equal(answer, -1);
    if (typed)
        assert_int_equal(write(t.master, typed, strlen(typed)), strlen(typed));
    else {
        close(t.master);
        t.master = -1;
    }
    while (answer < 0)
        assert_true(uv_run(&t.loop, UV_RUN_ONCE) || answer >= 0);
    if (t.master >= 0)
        terminal_read(&t, text, sizeof(text));
    terminal_close(&t);
    return answer;
}

static void test_only_yes_is_yes(void **state)
{
    (void)state;
    assert_int_equal(answer_to("yes\n"), 1);
    assert_int_equal(answer_to("  yes \n"), 1);
    assert_int_equal(answer_to("y\n"), 0);
    assert_int_equal(answer_to("YES\n"), 0);
    assert_int_equal(answer_to("yes please\n"), 0);
    assert_int_equal(answer_to("\n"), 0);
    assert_int_equal(answer_to("\004"), 0); /* end of input */
    assert_int_equal(answer_to(NULL), 0);   /* the terminal vanishes */
}

static int setup(void **state)
{
    setenv("TERM", "xterm", 1);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    return capture_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_lines),
        cmocka_unit_test(test_live_lines_and_clocks),
        cmocka_unit_test(test_late_and_unknown_events_do_no_harm),
        cmocka_unit_test(test_narrow_and_low_windows),
        cmocka_unit_test(test_cut_never_splits_a_character),
        cmocka_unit_test(test_a_stalled_reader_stops_nobody),
        cmocka_unit_test(test_a_closed_reader_swallows),
        cmocka_unit_test(test_live_view_on_a_terminal),
        cmocka_unit_test(test_only_yes_is_yes),
    };

    return cmocka_run_group_tests(tests, setup, capture_teardown);
}
