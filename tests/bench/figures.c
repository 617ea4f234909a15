/* SPDX-License-Identifier: Apache-2.0
 *
 * The table.  No judgement beyond PASS and OVER.
 */
#include "tests/bench/figures.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELL = 24
};

void figures_add(struct figures *figures, struct figure figure)
{
    assert(figures->n < sizeof(figures->list) / sizeof(figures->list[0]));
    figures->list[figures->n++] = figure;
}

void figures_note(struct figures *figures, const char *part, const char *name,
                  const char *unit, double value)
{
    figures_add(figures, (struct figure){.part = part,
                                         .name = name,
                                         .unit = unit,
                                         .ours = value,
                                         .bare = NAN,
                                         .ratio = NAN});
}

void figures_goal(/* lint: allow params, a row of a table */
                  struct figures *figures, const char *part, const char *name,
                  const char *unit, double value, double goal)
{
    figures_note(figures, part, name, unit, value);
    figures->list[figures->n - 1].judged = JUDGED_OURS;
    figures->list[figures->n - 1].goal = goal;
}

void figures_must(struct figures *figures, const char *part, const char *name,
                  double value)
{
    figures_goal(figures, part, name, "", value, 0);
    figures->list[figures->n - 1].must = true;
}

static double judged_value(const struct figure *f)
{
    return f->judged == JUDGED_RATIO ? f->ratio : f->ours;
}

/* What could not be measured (NAN) does not pass. */
static bool passes(const struct figure *f)
{
    double value = judged_value(f);

    if (f->judged == JUDGED_NOT)
        return true;
    return f->at_least ? value >= f->goal : value <= f->goal;
}

bool figures_pass(const struct figures *figures)
{
    for (size_t i = 0; i < figures->n; i++)
        if (!passes(&figures->list[i]))
            return false;
    return true;
}

bool figures_sound(const struct figures *figures)
{
    for (size_t i = 0; i < figures->n; i++)
        if (figures->list[i].must && !passes(&figures->list[i]))
            return false;
    return true;
}

/* Three digits that mean something. */
static void write_number(char text[CELL], double value)
{
    if (isnan(value))
        snprintf(text, CELL, "-");
    else if (value == floor(value) || fabs(value) >= 100)
        snprintf(text, CELL, "%.0f", value);
    else
        snprintf(text, CELL, fabs(value) >= 10 ? "%.1f" : "%.2f", value);
}

static void write_goal(char text[CELL], const struct figure *f)
{
    char number[CELL];

    write_number(number, f->goal);
    if (f->judged == JUDGED_NOT)
        snprintf(text, CELL, "-");
    else
        snprintf(text, CELL, "%s %.12s", f->at_least ? ">=" : "<=", number);
}

static void print_row(const struct figure *f)
{
    char ours[CELL], bare[CELL], ratio[CELL], goal[CELL];

    write_number(ours, f->ours);
    write_number(bare, f->bare);
    write_number(ratio, f->ratio);
    write_goal(goal, f);
    printf("%-48s %9s %9s %6s  %-8s %-5s %s\n", f->name, ours, bare, ratio,
           goal,
           f->judged == JUDGED_NOT ? ""
           : passes(f)             ? "PASS"
                                   : "OVER",
           f->unit);
}

void figures_print(const struct figures *figures)
{
    const char *part = "";

    for (size_t i = 0; i < figures->n; i++) {
        const struct figure *f = &figures->list[i];

        if (strcmp(f->part, part) != 0)
            printf("\n%-48s %9s %9s %6s  %-8s\n", f->part, "ours",
                   f->beside ? f->beside : "bare", "ratio", "goal");
        part = f->part;
        print_row(f);
    }
}

static json_t *number_or_null(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *figure_json(const struct figure *f)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "part", f->part, "figure",
                  f->name, "unit", f->unit, "ours", number_or_null(f->ours),
                  f->beside ? f->beside : "bare", number_or_null(f->bare),
                  "ratio", number_or_null(f->ratio));

    if (f->judged == JUDGED_NOT)
        return o;
    json_object_set_new(
        o, "judged", json_string(f->judged == JUDGED_RATIO ? "ratio" : "ours"));
    json_object_set_new(o, f->at_least ? "at_least" : "at_most",
                        json_real(f->goal));
    json_object_set_new(o, "pass", json_boolean(passes(f)));
    return o;
}

json_t *figures_json(const struct figures *figures)
{
    json_t *list = json_array();

    for (size_t i = 0; i < figures->n; i++)
        json_array_append_new(list, figure_json(&figures->list[i]));
    return list;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(const double *values, size_t n)
{
    double *sorted, middle;

    if (n == 0)
        return NAN;
    sorted = malloc(n * sizeof(*sorted));
    if (!sorted)
        abort();
    memcpy(sorted, values, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_value);
    middle = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    free(sorted);
    return middle;
}

double median_ratio(const double *a, const double *b, size_t n)
{
    double *ratios = malloc((n ? n : 1) * sizeof(*ratios));
    double middle;

    if (!ratios)
        abort();
    for (size_t i = 0; i < n; i++)
        ratios[i] = a[i] / b[i];
    middle = median(ratios, n);
    free(ratios);
    return middle;
}
