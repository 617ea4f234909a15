/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of a window, or of days without one, to its parts.  Whether
 * there is such a zone is asked by who has a place for it.
 */
#include <string.h>

#include "core/fleet/window_priv.h"

static const char look_window[] =
    "DAYS HH:MM-HH:MM ZONE is wanted, as in `Sat 01:00-05:00 Europe/London'";
static const char look_pause[] =
    "a day, or two with `..' between them, is wanted, as in "
    "`2026-12-24..2027-01-02'";

/* Places are the numbers of the days. */
static const char *const day_words[] = {"Sun", "Mon", "Tue", "Wed",
                                        "Thu", "Fri", "Sat", NULL};

/* The next word, up to a blank; moves on behind it. */
static char *next_word(struct arena *arena, const char **text)
{
    size_t len;
    char *word;

    *text += strspn(*text, " \t");
    len = strcspn(*text, " \t");
    word = arena_strndup(arena, *text, len);
    *text += len;
    return word;
}

static int read_day(const char *text, size_t len, unsigned *day,
                    struct err *err)
{
    for (*day = 0; day_words[*day]; (*day)++)
        if (len == 3 && strncmp(day_words[*day], text, len) == 0)
            return 0;
    return err_set(err, CAUSE_INPUT,
                   "unknown day `%.*s': Mon, Tue, Wed, Thu, Fri, Sat, Sun or "
                   "daily is wanted, with commas between days and `-' between "
                   "the first and the last",
                   (int)(len < 60 ? len : 60), text);
}

/* `Sat', or `Fri-Mon'. */
static int read_range(const char *text, size_t len, unsigned *days,
                      struct err *err)
{
    const char *dash = memchr(text, '-', len);
    size_t first_len = dash ? (size_t)(dash - text) : len;
    unsigned first, last;

    if (read_day(text, first_len, &first, err) < 0)
        return -1;
    last = first;
    if (dash && read_day(dash + 1, len - first_len - 1, &last, err) < 0)
        return -1;
    for (*days |= 1u << last; first != last; first = (first + 1) % 7)
        *days |= 1u << first;
    return 0;
}

static int read_days(const char *text, unsigned *days, struct err *err)
{
    size_t len;

    *days = strcmp(text, "daily") == 0 ? EVERY_DAY : 0;
    if (*days)
        return 0;
    for (const char *p = text; p; p = p[len] ? p + len + 1 : NULL) {
        len = strcspn(p, ",");
        if (read_range(p, len, days, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_digits(const char *text, const char *shape)
{
    for (; *shape; shape++, text++)
        if (*shape == '0' ? *text < '0' || *text > '9' : *text != *shape)
            return false;
    return true;
}

static int number(const char *digits, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

/* `01:00'; minutes past midnight, or -1. */
static int read_time(const char *text)
{
    int hour, minute;

    if (!is_digits(text, "00:00"))
        return -1;
    hour = number(text, 2);
    minute = number(text + 3, 2);
    return minute < 60 && hour * 60 + minute <= DAY_MINUTES ? hour * 60 + minute
                                                            : -1;
}

static int read_times(const char *text, struct window_rule *rule,
                      struct err *err)
{
    if (strlen(text) != strlen("00:00-00:00") || text[5] != '-')
        return err_set(err, CAUSE_INPUT, "%s", look_window);
    rule->begin = read_time(text);
    rule->end = read_time(text + 6);
    if (rule->begin < 0 || rule->begin == DAY_MINUTES || rule->end < 0)
        return err_set(err, CAUSE_INPUT,
                       "`%s' are no times of a day: 00:00 to 23:59, and 24:00 "
                       "for an end",
                       text);
    if (rule->begin == rule->end)
        return err_set(err, CAUSE_INPUT,
                       "it ends when it begins; a whole day is 00:00-24:00");
    if (rule->end < rule->begin)
        rule->end += DAY_MINUTES;
    return 0;
}

int window_rule_read(struct arena *arena, const char *text,
                     struct window_rule *rule, struct err *err)
{
    const char *days = next_word(arena, &text);
    const char *times = next_word(arena, &text);
    const char *zone = next_word(arena, &text);

    *rule = (struct window_rule){.zone_name = *zone ? zone : "UTC"};
    if (read_days(days, &rule->days, err) < 0 ||
        read_times(times, rule, err) < 0)
        return -1;
    text += strspn(text, " \t");
    if (*text)
        return err_set(err, CAUSE_INPUT, "`%.60s' stands behind the zone",
                       text);
    return 0;
}

/* `2026-12-24' at the beginning of `text'. */
static int read_date(const char *text, struct calendar_date *date,
                     struct err *err)
{
    if (!is_digits(text, "0000-00-00"))
        return err_set(err, CAUSE_INPUT, "%s", look_pause);
    date->year = number(text, 4);
    date->month = number(text + 5, 2);
    date->day = number(text + 8, 2);
    if (date->year < 1970 || date->year > 2500 || !calendar_is_date(date))
        return err_set(err, CAUSE_INPUT, "%.10s: there is no such day", text);
    return 0;
}

static bool is_before(const struct calendar_date *a,
                      const struct calendar_date *b)
{
    if (a->year != b->year)
        return a->year < b->year;
    return a->month != b->month ? a->month < b->month : a->day < b->day;
}

int window_pause_read(const char *text, struct window_pause *pause,
                      struct err *err)
{
    static const size_t len = sizeof("2026-12-24") - 1;

    if (read_date(text, &pause->first, err) < 0)
        return -1;
    text += len;
    pause->last = pause->first;
    if (strncmp(text, "..", 2) == 0) {
        if (read_date(text + 2, &pause->last, err) < 0)
            return -1;
        text += 2 + len;
    }
    if (*text)
        return err_set(err, CAUSE_INPUT, "`%.60s' stands behind the days: %s",
                       text, look_pause);
    if (is_before(&pause->last, &pause->first))
        return err_set(err, CAUSE_INPUT, "its last day is before its first");
    return 0;
}
