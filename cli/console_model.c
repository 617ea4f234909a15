/* SPDX-License-Identifier: Apache-2.0
 *
 * Events into lines.  Late or unknown events do no harm.
 */
#include "cli/console_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"

enum {
    DETAIL_CAP = 400
};

static char *copy(const char *text)
{
    char *s = text ? strdup(text) : NULL;

    if (text && !s)
        abort();
    return s;
}

static void replace(char **where, const char *text)
{
    struct str visible;

    free(*where);
    *where = NULL;
    if (!text)
        return;
    str_init(&visible, DETAIL_CAP);
    str_add_visible(&visible, text, strlen(text), false);
    *where = str_take(&visible);
}

void model_release(struct console_model *model)
{
    for (size_t i = 0; i < model->n; i++) {
        free(model->lines[i].cluster);
        free(model->lines[i].node);
        free(model->lines[i].step);
        free(model->lines[i].detail);
    }
    free(model->lines);
    memset(model, 0, sizeof(*model));
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

struct console_line *model_line(struct console_model *model,
                                const char *cluster, const char *node)
{
    struct console_line *line;

    for (size_t i = 0; i < model->n; i++)
        if (same(model->lines[i].cluster, cluster) &&
            same(model->lines[i].node, node))
            return &model->lines[i];
    if (model->n == model->room) {
        model->room = model->room ? model->room * 2 : 16;
        model->lines =
            realloc(model->lines, model->room * sizeof(*model->lines));
        if (!model->lines)
            abort();
    }
    line = &model->lines[model->n++];
    memset(line, 0, sizeof(*line));
    line->cluster = copy(cluster);
    line->node = copy(node);
    return line;
}

static void take_outage(struct console_model *model, const struct event *e,
                        bool begins)
{
    struct console_line *line = model_line(model, e->cluster, NULL);

    if (begins) {
        line->outage_since_ms = e->t_ms;
        line->had_outage = true;
    } else if (line->outage_since_ms) {
        line->outage_ms += e->t_ms - line->outage_since_ms;
        line->outage_since_ms = 0;
    }
}

static const struct {
    const char *event;
    enum line_state state;
} changes[] = {
    {"step-started", LINE_WORKS}, {"step-skipped", LINE_DONE},
    {"step-done", LINE_DONE},     {"step-failed", LINE_FAILED},
    {"retry", LINE_RETRIES},      {"step-waiting", LINE_IDLE},
};

static void take_change(struct console_line *line, const struct event *e,
                        enum line_state state)
{
    if (!same(line->step, e->step))
        replace(&line->step, e->step);
    line->state = state;
    line->since_ms = e->t_ms;
    if (state == LINE_FAILED || state == LINE_RETRIES)
        replace(&line->detail, e->detail);
    else if (state == LINE_DONE)
        replace(&line->detail, NULL);
}

void model_take(struct console_model *model, const struct event *e)
{
    if (!model->began_ms)
        model->began_ms = e->t_ms;
    if (e->run && !*model->run)
        snprintf(model->run, sizeof(model->run), "%s", e->run);
    if (!e->cluster)
        return;
    if (strcmp(e->event, "outage-started") == 0)
        take_outage(model, e, true);
    else if (strcmp(e->event, "outage-ended") == 0)
        take_outage(model, e, false);
    else if (strcmp(e->event, "rollback-started") == 0)
        model_line(model, e->cluster, NULL)->rollback = true;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        if (strcmp(e->event, changes[i].event) != 0 || !e->step)
            continue;
        take_change(model_line(model, e->cluster, e->node), e,
                    changes[i].state);
        /* the cluster's own line shows the newest step that began */
        if (e->node && changes[i].state == LINE_WORKS) {
            struct console_line *own = model_line(model, e->cluster, NULL);
            if (!same(own->step, e->step))
                take_change(own, e, LINE_WORKS);
        }
    }
}

void model_duration(struct str *out, int64_t ms)
{
    int64_t s = ms > 0 ? ms / 1000 : 0;

    if (s < 60 && ms < 10000)
        str_addf(out, "%lld.%lld s", (long long)s,
                 (long long)(ms > 0 ? ms % 1000 / 100 : 0));
    else if (s < 60)
        str_addf(out, "%lld s", (long long)s);
    else if (s < 3600)
        str_addf(out, "%lld:%02lld", (long long)(s / 60), (long long)(s % 60));
    else
        str_addf(out, "%lld:%02lld:%02lld", (long long)(s / 3600),
                 (long long)(s / 60 % 60), (long long)(s % 60));
}

bool model_is_loud(const struct event *e)
{
    static const char *const loud[] = {
        "warning",        "step-failed",  "step-waiting",     "retry",
        "outage-started", "outage-ended", "rollback-started", "run-started",
    };

    for (size_t i = 0; i < sizeof(loud) / sizeof(loud[0]); i++)
        if (strcmp(e->event, loud[i]) == 0)
            return true;
    return false;
}

static void add_field(struct str *out, const char *before, const char *text)
{
    if (!text || !*text)
        return;
    str_add(out, before);
    str_add_visible(out, text, strlen(text), false);
}

/* "03:15:59Z emea core1 join: done, 12 s: detail" */
void model_plain(const struct event *e, struct str *out)
{
    char t[CLOCK_TEXT_BYTES];
    const char *word = e->event;

    clock_rfc3339(e->t_ms, t);
    str_addf(out, "%.8sZ", t + 11);
    add_field(out, " ", e->cluster);
    add_field(out, " ", e->node);
    add_field(out, " ", e->step);
    if (strncmp(word, "step-", 5) == 0 && e->step)
        word += 5;
    if (strcmp(word, "command") == 0) {
        add_field(out, " > ", e->command);
        str_addc(out, '\n');
        return;
    }
    str_addf(out, "%s%s", e->cluster ? ": " : " ", word);
    if (!e->cluster)
        add_field(out, " ", e->run);
    if (e->took_ms >= 0) {
        str_add(out, ", ");
        model_duration(out, e->took_ms);
    }
    add_field(out, ", ", e->state);
    if (e->check && !same(e->check, e->state))
        add_field(out, ", ", e->check);
    add_field(out, ": ", e->command);
    add_field(out, ": ", e->detail);
    str_addc(out, '\n');
}
