/* SPDX-License-Identifier: Apache-2.0
 *
 * From run_result to people and programs.
 */
#include "cli/drive_report.h"

#include <stdio.h>
#include <string.h>

#include "cli/console_model.h"
#include "cli/plan_view.h"
#include "core/base/clock.h"
#include "core/run/preflight.h"

static json_t *ms_or_null(int64_t ms)
{
    return ms < 0 ? json_null() : json_integer(ms);
}

/* A plan that was made is `ok', not `done': nothing was changed. */
static const char *word_of(const struct drive_options *options,
                           enum outcome outcome)
{
    if (options->mode == RUN_PLAN && outcome == OUTCOME_DONE)
        return "ok";
    return outcome_word(outcome);
}

static json_t *cluster_json(const struct drive_options *options,
                            const struct cluster_result *c)
{
    json_t *left_out = json_array();
    json_t *json;

    for (const char *const *name = c->left_out; name && *name; name++)
        json_array_append_new(left_out, app_text(*name));
    json = json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "cluster", app_text(c->cluster),
        "outcome", word_of(options, c->outcome), "primary",
        app_text(c->primary), "outage_ms", ms_or_null(c->outage_ms),
        "degraded_ms", ms_or_null(c->degraded_ms), "left_out", left_out,
        "way_back_until", app_time(c->way_back_until));
    if (c->why)
        json_object_set_new(json, "detail", app_text(c->why));
    return json;
}

static const char *meaning_of(enum run_mode mode, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_DONE:
        return mode == RUN_PLAN ? "planned, nothing was changed" : "done";
    case OUTCOME_STAGED:
        return "staged, nothing live was changed";
    case OUTCOME_NOT_DUE:
        return "not due, nothing was changed";
    case OUTCOME_ROLLED_BACK:
        return "rolled back, the old state is proven";
    case OUTCOME_CLEANED:
        return "failed before anything live was changed";
    case OUTCOME_INCOMPLETE:
        return "INCOMPLETE, a person is needed";
    case OUTCOME_WAITING:
        return "WAITING for certificates, nothing live was changed";
    case OUTCOME_REFUSED:
        return "refused, nothing was changed";
    case OUTCOME_LOCKED:
        return "locked by another run";
    case OUTCOME_INTERRUPTED:
        return "interrupted, the state is safe";
    case OUTCOME_NONE:
    case OUTCOME_INPUT:
        break;
    }
    return "not begun";
}

static void add_clock(struct str *line, const char *what, int64_t ms)
{
    if (ms < 0)
        return;
    str_addf(line, "; %s ", what);
    model_duration(line, ms);
}

void drive_tell_cluster(struct app *app, enum run_mode mode,
                        const struct cluster_result *c)
{
    bool good = c->outcome == OUTCOME_DONE || c->outcome == OUTCOME_STAGED ||
                c->outcome == OUTCOME_NOT_DUE ||
                (c->outcome == OUTCOME_ROLLED_BACK && mode == RUN_ROLLBACK);
    struct str line;

    str_init(&line, 4096);
    str_addf(&line, "%s%s: %s%s",
             out_paint(&app->out, good ? PAINT_GREEN : PAINT_RED), c->cluster,
             meaning_of(mode, c->outcome), out_paint(&app->out, PAINT_END));
    if (c->primary)
        str_addf(&line, "; primary %s", c->primary);
    add_clock(&line, "outage", c->outage_ms);
    add_clock(&line, "without full redundancy", c->degraded_ms);
    for (const char *const *name = c->left_out; name && *name; name++)
        str_addf(&line, "%s%s", name == c->left_out ? "; left out " : ", ",
                 *name);
    if (c->way_back_until && c->outcome != OUTCOME_REFUSED) {
        str_add(&line, "; way back ");
        plan_view_until(&line, c->way_back_until, clock_wall_ms() / 1000);
    }
    out_say(&app->out, "%s\n", str_text(&line));
    str_reset(&line);
    if (c->why && !good) {
        str_addf(&line, "cluster %s: %s", c->cluster, c->why);
        if (c->outcome != OUTCOME_WAITING) /* no fault of anybody */
            out_error(&app->out, str_text(&line));
        if (!*app->final.detail)
            snprintf(app->final.detail, sizeof(app->final.detail), "%s",
                     str_text(&line));
    }
    str_release(&line);
}

int drive_take_result(struct app *app, const struct drive_options *options,
                      const struct run_result *result)
{
    struct app_final *final = &app->final;

    final->outcome = word_of(options, result->outcome);
    if (result->run)
        snprintf(final->run, sizeof(final->run), "%s", result->run);
    if (result->next)
        snprintf(final->next, sizeof(final->next), "%s", result->next);
    if (result->other)
        snprintf(final->other, sizeof(final->other), "%s", result->other);
    final->way_back_until = result->way_back_until;
    final->longest_turn_cpu_us = result->longest_turn_cpu_us;
    final->longest_turn_wall_us = result->longest_turn_wall_us;
    json_decref(final->clusters);
    final->clusters = json_array();
    if (result->err)
        app_fail(app, result->err);
    for (size_t i = 0; i < result->n_clusters; i++) {
        json_array_append_new(final->clusters,
                              cluster_json(options, &result->clusters[i]));
        drive_tell_cluster(app, options->mode, &result->clusters[i]);
    }
    return result->exit_code;
}

/* Warnings were told as events; a plan that was refused shows all it found. */
void drive_tell_findings(struct app *app, const struct plan *plan)
{
    static const char *const words[] = {
        [SEVERITY_INFO] = "note",
        [SEVERITY_WARNING] = "warning",
        [SEVERITY_BLOCK] = "blocks",
        [SEVERITY_ERROR] = "error",
    };
    struct str line;

    str_init(&line, 4096);
    for (size_t c = 0; c < plan->n_clusters; c++) {
        const struct findings *findings = &plan->clusters[c].findings;

        for (size_t i = 0; i < findings->n; i++) {
            const struct finding *f = &findings->list[i];

            str_reset(&line);
            str_addf(&line, "%s: ", words[f->severity]);
            if (f->node)
                str_addf(&line, "%s: ", f->node);
            str_add_visible(&line, f->text, strlen(f->text), false);
            if (f->severity == SEVERITY_BLOCK)
                str_addf(&line, " (--accept %s)", f->id);
            str_add(&line, " [");
            preflight_add_ids(&line, f->id);
            str_add(&line, "]");
            out_warn(&app->out, "%s\n", str_text(&line));
        }
    }
    str_release(&line);
}
