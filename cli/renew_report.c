/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fleet's renewal came to: words, the result event, the exit code.
 */
#include "cli/renew.h"

static const char *word_of(const struct renew_cluster *c)
{
    if (c->kind == RENEW_UNREACHABLE)
        return outcome_word(OUTCOME_REFUSED);
    if (c->kind == RENEW_HELD)
        return outcome_word(OUTCOME_LOCKED);
    if (c->pace.state == PACE_LEFT)
        return "left";
    if (c->pace.state == PACE_FAILED)
        for (size_t i = c->n_tasks; i-- > 0;)
            if (c->tasks[i].outcome != OUTCOME_NONE)
                return outcome_word(c->tasks[i].outcome);
    return outcome_word(c->kind == RENEW_DUE ? OUTCOME_DONE : OUTCOME_NOT_DUE);
}

static json_t *result_json(const struct renew *renew,
                           const struct renew_cluster *c)
{
    json_t *json =
        json_pack("{s:o, s:s, s:b}", "cluster", app_text(c->cluster->name),
                  "outcome", word_of(c), "alarm", renew_is_alarm(renew, c));
    json_t *runs = json_array();

    for (size_t t = 0; t < c->n_tasks; t++)
        if (*c->tasks[t].run)
            json_array_append_new(runs, json_string(c->tasks[t].run));
    json_object_set_new(json, "runs", runs);
    if (c->pace.state == PACE_LEFT && c->kind == RENEW_DUE)
        json_object_set_new(json, "detail",
                            json_string(renew_left_word(c->left)));
    else if (*c->why)
        json_object_set_new(json, "detail", app_text(c->why));
    return json;
}

static void say_left(const struct renew *renew)
{
    for (size_t i = 0; i < renew->n_due; i++)
        if (renew->clusters[i].pace.state == PACE_LEFT &&
            renew->clusters[i].kind == RENEW_DUE)
            out_say(&renew->app->out, "%s: not begun: %s\n",
                    renew->clusters[i].cluster->name,
                    renew_left_word(renew->clusters[i].left));
}

static const char *alarm_text(const struct renew_cluster *c)
{
    if (*c->why)
        return c->why;
    return c->left == PACE_ONE_WAY
               ? renew_left_word(c->left)
               : "due and not renewed before its next window";
}

static void tell_alarms(const struct renew *renew)
{
    for (size_t i = 0; i < renew->n; i++) {
        const struct renew_cluster *c = &renew->clusters[i];
        json_t *event;

        if (!renew_is_alarm(renew, c))
            continue;
        event = app_event("alarm");
        json_object_set_new(event, "cluster", app_text(c->cluster->name));
        json_object_set_new(event, "due", app_time(c->due));
        json_object_set_new(event, "detail", app_text(alarm_text(c)));
        out_json(&renew->app->out, event);
        out_warn(&renew->app->out, "ALARM: %s: %s\n", c->cluster->name,
                 alarm_text(c));
    }
}

static int exit_of(const struct renew *renew)
{
    enum outcome worst = OUTCOME_NOT_DUE;
    bool alarm = false;

    for (size_t i = 0; i < renew->n; i++) {
        const struct renew_cluster *c = &renew->clusters[i];

        alarm = alarm || renew_is_alarm(renew, c);
        if (c->kind == RENEW_UNREACHABLE)
            worst = outcome_worse(worst, OUTCOME_REFUSED);
        if (c->kind == RENEW_HELD)
            worst = outcome_worse(worst, OUTCOME_LOCKED);
        for (size_t t = 0; t < c->n_tasks; t++)
            worst = outcome_worse(worst, c->tasks[t].outcome);
    }
    return alarm && outcome_exit(worst) == EXIT_DONE ? EXIT_DUE
                                                     : outcome_exit(worst);
}

/* A dead run first, before anything else is begun. */
static void name_holder(const struct renew *renew)
{
    for (size_t i = 0; i < renew->n; i++) {
        const struct renew_cluster *c = &renew->clusters[i];

        if (c->kind != RENEW_HELD || c->held_alive || *renew->app->final.next)
            continue;
        app_next(renew->app, "certfleet resume %s", c->held_by);
        return;
    }
}

static const char *word_of_exit(int code)
{
    switch (code) {
    case EXIT_DONE:
        return outcome_word(OUTCOME_DONE);
    case EXIT_TAKEN_BACK:
        return outcome_word(OUTCOME_ROLLED_BACK);
    default:
        return NULL; /* as the table of exit codes has it */
    }
}

int renew_report(struct renew *renew)
{
    struct app *app = renew->app;
    int code = exit_of(renew);

    say_left(renew);
    tell_alarms(renew);
    name_holder(renew);
    app->final.outcome = word_of_exit(code);
    app->final.clusters = json_array();
    for (size_t i = 0; i < renew->n; i++)
        json_array_append_new(app->final.clusters,
                              result_json(renew, &renew->clusters[i]));
    out_say(&app->out, "%zu done, %zu failed, %zu not begun, %zu not due\n",
            pace_count(&renew->pace, PACE_DONE),
            pace_count(&renew->pace, PACE_FAILED),
            pace_count(&renew->pace, PACE_LEFT), renew->n - renew->n_due);
    return code;
}
