/* SPDX-License-Identifier: Apache-2.0
 *
 * The live block as text for a window.  Pure; the terminal is console.c's.
 */
#include <string.h>

#include "cli/console_model.h"

enum {
    LINE_CAP = 1024,
    NAME_WIDTH_MAX = 24
};

/* Nodes at work first, then those that failed, then the rest. */
static int rank(const struct console_line *line)
{
    if (line->state == LINE_WORKS || line->state == LINE_RETRIES)
        return 0;
    return line->state == LINE_FAILED ? 1 : 2;
}
enum {
    RANKS = 3
};

static size_t name_width(const struct console_model *model)
{
    size_t width = 4;

    for (size_t i = 0; i < model->n; i++) {
        const char *name = model->lines[i].node ? model->lines[i].node
                                                : model->lines[i].cluster;
        size_t len = name ? strlen(name) : 0;
        if (len > width)
            width = len;
    }
    return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

/* Cuts at `columns` characters, never inside one.  The last column stays free:
 * some terminals wrap when it is written. */
static void add_cut(struct str *out, const char *text, size_t columns)
{
    size_t n = 0, i = 0;

    while (text[i]) {
        size_t len = 1;
        while (((unsigned char)text[i + len] & 0xc0) == 0x80)
            len++;
        if (++n >= columns)
            break;
        str_addn(out, text + i, len);
        i += len;
    }
}

static void add_cluster(struct str *line, const struct console_line *c,
                        const struct model_window *w, int64_t began_ms)
{
    str_addf(line, "%s  %s%s  ", c->cluster,
             c->rollback ? "ROLLING BACK  " : "",
             c->step ? c->step : "waiting");
    model_duration(line, w->now_ms - began_ms);
    if (c->outage_since_ms) {
        str_add(line, "  OUTAGE ");
        model_duration(line, c->outage_ms + w->now_ms - c->outage_since_ms);
    } else if (c->had_outage) {
        str_add(line, "  outage was ");
        model_duration(line, c->outage_ms);
    }
}

static void add_node(struct str *line, const struct console_line *n,
                     const struct model_window *w, size_t width)
{
    static const char *const words[] = {
        [LINE_IDLE] = "waiting",        [LINE_WORKS] = "",
        [LINE_RETRIES] = "tries again", [LINE_DONE] = "done",
        [LINE_FAILED] = "FAILED",
    };

    str_addf(line, "  %-*.*s  %-8s ", (int)width, (int)width, n->node,
             n->step ? n->step : "-");
    if (n->state == LINE_WORKS || n->state == LINE_RETRIES)
        model_duration(line, w->now_ms - n->since_ms);
    if (*words[n->state])
        str_addf(line, " %s", words[n->state]);
    if (n->detail)
        str_addf(line, ": %s", n->detail);
}

static const char *line_color(const struct console_line *line)
{
    if (!line->node)
        return line->outage_since_ms ? "\033[1;31m" : "\033[1m";
    switch (line->state) {
    case LINE_FAILED:
        return "\033[31m";
    case LINE_RETRIES:
        return "\033[33m";
    case LINE_DONE:
    case LINE_IDLE:
        return "\033[2m";
    case LINE_WORKS:
        break;
    }
    return "";
}

static void draw_line(const struct console_model *model,
                      const struct console_line *line,
                      const struct model_window *w, struct str *out)
{
    const char *color = w->color ? line_color(line) : "";
    struct str text;

    str_init(&text, LINE_CAP);
    if (line->node)
        add_node(&text, line, w, name_width(model));
    else
        add_cluster(&text, line, w, model->began_ms);
    str_add(out, color);
    add_cut(out, str_text(&text), w->columns);
    str_add(out, *color ? "\033[0m\n" : "\n");
    str_release(&text);
}

/* In the run's order when all fits; else the important ones, and how many did
 * not fit. */
void model_draw(const struct console_model *model, const struct model_window *w,
                struct str *out)
{
    size_t room = model->n <= w->rows ? model->n
                  : w->rows > 1       ? w->rows - 1
                                      : 1;
    size_t drawn = 0;
    bool all = room == model->n; /* then every line keeps its place */

    for (size_t i = 0; i < model->n; i++)
        if (!model->lines[i].node && model->lines[i].cluster && drawn < room) {
            draw_line(model, &model->lines[i], w, out);
            drawn++;
        }
    for (int r = 0; r < RANKS; r++)
        for (size_t i = 0; i < model->n && drawn < room; i++)
            if (model->lines[i].node &&
                (all ? 0 : rank(&model->lines[i])) == r) {
                draw_line(model, &model->lines[i], w, out);
                drawn++;
            }
    if (drawn < model->n && w->rows > 1) {
        struct str text;
        str_init(&text, LINE_CAP);
        str_addf(&text, "  and %zu more", model->n - drawn);
        add_cut(out, str_text(&text), w->columns);
        str_addc(out, '\n');
        str_release(&text);
    }
}
