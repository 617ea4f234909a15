/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever an event's texts are: one JSON object that reads back, one plain
 * line, and a live view that stays in its window.
 *
 * First two bytes: columns and rows of the window.  Then events, parted by
 * `%%`: a byte each for event, node and step, which are words of ours, and a
 * line each for state, command and detail.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/console_model.h"
#include "tests/fuzz/fuzz.h"

enum {
    EVENTS = 20,
    TEXTS = 3
};

static void check_json(const struct event *event)
{
    json_t *json = event_json(event), *back;
    char *line = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    const char *detail = json_string_value(json_object_get(json, "detail"));

    must(line);
    for (const char *p = line; p && *p; p++)
        must(*p >= 0x20 && *p < 0x7f);
    back = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    must(json_equal(json, back));
    must((detail == NULL) == (event->detail == NULL));
    must(!detail || (*detail == '\0') == (*event->detail == '\0'));
    free(line);
    json_decref(back);
    json_decref(json);
}

static void check_line(const struct event *event)
{
    struct str line;

    str_init(&line, 1 << 18);
    model_plain(event, &line);
    must(line.len > 0 && line.data[line.len - 1] == '\n');
    must_be_visible(line.data, line.len - 1, false);
    str_release(&line);
}

static void check_view(const struct console_model *model,
                       const struct model_window *window)
{
    size_t rows = 0, width = 0;
    struct str text;

    str_init(&text, 1 << 18);
    model_draw(model, window, &text);
    must_be_visible(str_text(&text), text.len, true);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n') {
            rows++;
            width = 0;
        } else if (((unsigned char)text.data[i] & 0xc0) != 0x80) {
            must(++width <= window->columns);
        }
    }
    must(rows <= window->rows);
    str_release(&text);
}

static const char *pick(struct input *in, const char *const *words, size_t n)
{
    return words[input_byte(in) % n];
}

static void take(struct console_model *model, struct input part, int64_t at)
{
    static const char *const events[] = {
        "run-started",      "step-started",   "step-done",
        "step-failed",      "step-skipped",   "retry",
        "command",          "outage-started", "outage-ended",
        "rollback-started", "warning",        "result",
    };
    static const char *const nodes[] = {NULL, "core1", "a-longer-name.of-it"};
    static const char *const steps[] = {NULL, "gates", "leave", "join"};
    char *text[TEXTS];
    struct event event = {.t_ms = 1795000000000 + at,
                          .run = "r",
                          .cluster = "lab",
                          .took_ms = at - 1};

    event.event = pick(&part, events, sizeof(events) / sizeof(*events));
    event.node = pick(&part, nodes, sizeof(nodes) / sizeof(*nodes));
    event.step = pick(&part, steps, sizeof(steps) / sizeof(*steps));
    for (int i = 0; i < TEXTS; i++)
        text[i] = part.left ? input_text(input_line(&part)) : NULL;
    event.state = text[0];
    event.command = text[1];
    event.detail = text[2];
    check_json(&event);
    check_line(&event);
    model_take(model, &event);
    for (int i = 0; i < TEXTS; i++)
        free(text[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct console_model model = {.n = 0};
    struct model_window window = {.now_ms = 1795000100000};

    window.columns = 1U + input_byte(&in);
    window.rows = 1U + input_byte(&in) % 64;
    for (int64_t i = 0; i < EVENTS && in.left > 0; i++)
        take(&model, input_part(&in), i * 1000);
    check_view(&model, &window);
    model_release(&model);
    return 0;
}
