/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal's side of the console: when to draw, and how to draw over the
 * last frame in a window whose width may have changed since.
 */
#include "cli/console.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/console_model.h"
#include "core/base/clock.h"

enum {
    FRAME_MS = 100,  /* at most ten frames a second */
    CLOCK_MS = 1000, /* the clocks in it move anyway */
    FRAME_CAP = 1 << 18,
    ROWS_LEFT = 2, /* for the prompt and what scrolls */
};

struct console {
    struct console_options options;
    struct console_model model;
    uv_timer_t timer;
    bool live, held, changed;
    int64_t drawn_ms;
    struct str frame;   /* what stands on the terminal now */
    struct str pending; /* lines to scroll above the next frame */
};

static void measure(const struct console *console, struct model_window *w)
{
    struct winsize size = {.ws_col = 80, .ws_row = 24};

    ioctl(out_say_fd(console->options.out), TIOCGWINSZ, &size);
    w->columns = size.ws_col ? size.ws_col : 80;
    if (size.ws_row == 0)
        size.ws_row = 24;
    w->rows = size.ws_row > ROWS_LEFT ? size.ws_row - ROWS_LEFT : 1;
    w->now_ms = clock_wall_ms();
    w->color = *out_paint(console->options.out, PAINT_BOLD) != '\0';
}

/* How many rows the standing frame takes in a window that may have become
 * narrower: the terminal has wrapped its lines. */
static size_t standing_rows(const struct str *frame, size_t columns)
{
    size_t rows = 0, width = 0;
    bool escape = false;

    for (size_t i = 0; i < frame->len; i++) {
        char c = frame->data[i];
        if (c == '\n') {
            rows += width > columns ? (width + columns - 1) / columns : 1;
            width = 0;
        } else if (escape) {
            escape = !(c >= '@' && c <= '~' && c != '[');
        } else if (c == '\033') {
            escape = true;
        } else if (((unsigned char)c & 0xc0) != 0x80) {
            width++;
        }
    }
    return rows;
}

/* Every line clears what stood behind it, the end what stood below: nothing
 * is blanked first, so nothing flickers. */
static void add_cleared(struct str *out, const struct str *text)
{
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] == '\n')
            str_add(out, "\033[K");
        str_addc(out, text->data[i]);
    }
}

static void draw(struct console *console)
{
    struct model_window window;
    struct str next, bytes;
    size_t up;

    measure(console, &window);
    up = standing_rows(&console->frame, window.columns);
    str_init(&next, FRAME_CAP);
    str_init(&bytes, 2 * FRAME_CAP);
    model_draw(&console->model, &window, &next);
    if (up)
        str_addf(&bytes, "\r\033[%zuA", up);
    add_cleared(&bytes, &console->pending);
    add_cleared(&bytes, &next);
    str_add(&bytes, "\033[J");
    out_say_text(console->options.out, str_text(&bytes), bytes.len);
    str_release(&bytes);
    str_release(&console->frame);
    console->frame = next;
    str_reset(&console->pending);
    console->changed = false;
    console->drawn_ms = window.now_ms;
}

static void on_timer(uv_timer_t *timer)
{
    struct console *console = timer->data;
    int64_t age = clock_wall_ms() - console->drawn_ms;

    if (console->held || (!console->changed && age >= 0 && age < CLOCK_MS))
        return;
    if (out_say_waiting(console->options.out) == 0)
        draw(console);
}

struct console *console_new(const struct console_options *options)
{
    struct console *console = calloc(1, sizeof(*console));

    if (!console)
        abort();
    console->options = *options;
    str_init(&console->frame, FRAME_CAP);
    str_init(&console->pending, FRAME_CAP);
    console->live = options->loop && !options->plain && !options->quiet &&
                    out_say_is_terminal(options->out);
    if (!console->live)
        return console;
    uv_timer_init(options->loop, &console->timer);
    console->timer.data = console;
    uv_timer_start(&console->timer, on_timer, FRAME_MS, FRAME_MS);
    uv_unref((uv_handle_t *)&console->timer);
    return console;
}

void console_show(struct console *console, const struct plan *plan)
{
    for (size_t c = 0; c < plan->n_clusters; c++) {
        const struct cluster *cluster = plan->clusters[c].cluster;

        model_line(&console->model, cluster->name, NULL);
        for (size_t i = 0; i < cluster->n_nodes; i++)
            model_line(&console->model, cluster->name, cluster->nodes[i]->name);
    }
    console->changed = true;
}

void console_tell(void *user, const struct event *event)
{
    struct console *console = user;
    struct str line;

    model_take(&console->model, event);
    console->changed = true;
    if (strcmp(event->event, "result") == 0)
        return; /* the last line is app_main's */
    if (console->live && model_is_loud(event))
        model_plain(event, &console->pending);
    if (console->live || (console->options.quiet && !model_is_loud(event)))
        return;
    str_init(&line, FRAME_CAP);
    model_plain(event, &line);
    out_say_text(console->options.out, str_text(&line), line.len);
    str_release(&line);
}

void console_say(struct console *console, const char *text)
{
    console->changed = true;
    if (console->live && !console->held)
        str_addf(&console->pending, "%s\n", text);
    else
        out_warn(console->options.out, "%s\n", text);
}

/* What stands on the terminal stays there; the next frame begins below. */
void console_hold(struct console *console, bool hold)
{
    if (console->live && hold && !console->held)
        draw(console);
    if (console->live && hold)
        str_reset(&console->frame);
    console->held = hold;
}

static void release(struct console *console)
{
    model_release(&console->model);
    str_release(&console->frame);
    str_release(&console->pending);
    free(console);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void console_close(struct console *console)
{
    if (!console->live) {
        release(console);
        return;
    }
    if (!console->held)
        draw(console);
    uv_close((uv_handle_t *)&console->timer, on_closed);
}
