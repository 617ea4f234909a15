/* SPDX-License-Identifier: Apache-2.0
 *
 * Zones, days and clocks by libical.  What a window is, is not known here.
 */
#include "core/fleet/calendar.h"

#include <assert.h>
#include <ctype.h>
#include <libical/ical.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    DAY_SECONDS = 86400
};

struct calendar_zone {
    icaltimezone *ical; /* NULL: UTC */
    char *name;
};
struct calendar_days {
    icalrecur_iterator *iterator;
};

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* What libical keeps for all threads is settled before the first question:
 * where the zones lie, and that an unknown one is no reason to abort. */
static void prepare(void)
{
    icalerror_set_errors_are_fatal(0);
    (void)icaltzutil_get_zone_directory();
}

/* libical opens what it is told.  Names of zones begin with a capital: those
 * that do not are copies (posix/, right/, whose seconds are others) and the
 * machine's own zone. */
static bool is_zone_name(const char *name)
{
    if (!isupper((unsigned char)name[0]) || strstr(name, "//"))
        return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_+-/", *p))
            return false;
    return true;
}

static icaltimezone *read_zone(const char *name)
{
    icalcomponent *component = icaltzutil_fetch_timezone(name);
    icaltimezone *zone;

    if (!component)
        return NULL;
    zone = icaltimezone_new();
    if (!zone)
        abort();
    if (icaltimezone_set_component(zone, component))
        return zone;
    icalcomponent_free(component);
    icaltimezone_free(zone, 1);
    return NULL;
}

struct calendar_zone *calendar_zone_new(const char *name, struct err *err)
{
    struct calendar_zone *zone = calloc(1, sizeof(*zone));

    if (!zone || !(zone->name = strdup(name)))
        abort();
    if (strcmp(name, "UTC") == 0)
        return zone;
    (void)pthread_once(&prepared, prepare);
    if (is_zone_name(name) && (zone->ical = read_zone(name)) != NULL)
        return zone;
    calendar_zone_free(zone);
    if (!icaltzutil_get_zone_directory())
        err_set(err, CAUSE_INPUT,
                "this machine knows no zones but UTC: its package tzdata is "
                "missing");
    else
        err_set(err, CAUSE_INPUT,
                "unknown zone `%.60s': an IANA name is wanted, such as "
                "Europe/London",
                name);
    return NULL;
}

void calendar_zone_free(struct calendar_zone *zone)
{
    if (!zone)
        return;
    if (zone->ical)
        icaltimezone_free(zone->ical, 1);
    free(zone->name);
    free(zone);
}

const char *calendar_zone_name(const struct calendar_zone *zone)
{
    return zone->name;
}

bool calendar_is_date(const struct calendar_date *date)
{
    return date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= icaltime_days_in_month(date->month, date->year);
}

/* Of the clock at this moment, in seconds east of UTC: never in doubt. */
static int offset_at(const struct calendar_zone *zone, int64_t at)
{
    struct icaltimetype utc = icaltime_from_timet_with_zone(at, 0, NULL);
    int is_daylight;

    return icaltimezone_get_utc_offset_of_utc_time(zone->ical, &utc,
                                                   &is_daylight);
}

/* The first moment of (before, after] with another offset than `before`. */
static int64_t moment_of_change(const struct calendar_zone *zone,
                                int64_t before, int64_t after)
{
    int offset = offset_at(zone, before);

    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;

        if (offset_at(zone, middle) == offset)
            before = middle;
        else
            after = middle;
    }
    return after;
}

/* Two moments can show `wall`, by the offset of the day before and that of
 * the day after.  Both do: it comes twice.  Neither does: it does not come,
 * and the change lies between them. */
static int64_t moment_of_wall(const struct calendar_zone *zone, int64_t wall)
{
    int before = offset_at(zone, wall - DAY_SECONDS);
    int after = offset_at(zone, wall + DAY_SECONDS);
    int64_t first = wall - (before > after ? before : after);
    int64_t second = wall - (before > after ? after : before);

    if (first + offset_at(zone, first) == wall)
        return first;
    if (second + offset_at(zone, second) == wall)
        return second;
    return moment_of_change(zone, first, second);
}

int64_t calendar_moment(const struct calendar_zone *zone,
                        const struct calendar_date *date, int minutes)
{
    struct icaltimetype t = icaltime_null_time();

    assert(calendar_is_date(date));
    t.year = date->year;
    t.month = date->month;
    t.day = date->day;
    icaltime_adjust(&t, 0, 0, minutes, 0);
    return moment_of_wall(zone, icaltime_as_timet(t));
}

void calendar_clock(const struct calendar_zone *zone, int64_t at,
                    struct window_clock *clock)
{
    int offset = offset_at(zone, at);
    struct icaltimetype t = icaltime_from_timet_with_zone(at + offset, 0, NULL);

    *clock = (struct window_clock){
        .year = t.year,
        .month = t.month,
        .day = t.day,
        .hour = t.hour,
        .minute = t.minute,
        .second = t.second,
        .weekday = icaltime_day_of_week(t) - 1, /* theirs: 1 is Sunday */
        .offset_s = offset,
        .zone = zone->name,
    };
}

/* Written out and read again: only their reader puts the days into the order
 * that their iterator relies on.  And a date of theirs has the time 00:00: with
 * that of icaltime_null_date the iterator never ends. */
struct calendar_days *calendar_days_new(const struct calendar_date *date,
                                        unsigned days)
{
    static const char names[] = "SUMOTUWETHFRSA";
    struct calendar_days *made = calloc(1, sizeof(*made));
    struct icaltimetype from = icaltime_null_time();
    char rule[64] = "FREQ=WEEKLY;BYDAY=";
    size_t len = strlen(rule);

    assert(days != 0 && (days & ~(unsigned)EVERY_DAY) == 0);
    for (size_t day = 0; day < 7; day++)
        if (days >> day & 1) {
            memcpy(rule + len, names + 2 * day, 2);
            rule[len + 2] = ',';
            len += 3;
        }
    rule[len - 1] = '\0';
    from.year = date->year;
    from.month = date->month;
    from.day = date->day;
    from.is_date = 1;
    if (!made)
        abort();
    made->iterator =
        icalrecur_iterator_new(icalrecurrencetype_from_string(rule), from);
    if (!made->iterator)
        abort();
    return made;
}

void calendar_days_next(struct calendar_days *days, struct calendar_date *date)
{
    struct icaltimetype t = icalrecur_iterator_next(days->iterator);

    assert(!icaltime_is_null_time(t));
    *date = (struct calendar_date){t.year, t.month, t.day};
}

void calendar_days_free(struct calendar_days *days)
{
    icalrecur_iterator_free(days->iterator);
    free(days);
}
