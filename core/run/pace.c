/* SPDX-License-Identifier: Apache-2.0
 *
 * The pace of a fleet, as questions to a list.
 */
#include "core/run/pace.h"

#include <stdlib.h>
#include <string.h>

size_t pace_count(const struct pace *pace, enum pace_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < pace->n; i++)
        n += pace->items[i].state == state;
    return n;
}

static bool is_through(const struct pace_item *item)
{
    return item->state != PACE_WAITING && item->state != PACE_RUNNING;
}

bool pace_has_canary(const struct pace *pace)
{
    return pace->n > 0 && pace->items[0].canary;
}

bool pace_canaries_are_through(const struct pace *pace)
{
    for (size_t i = 0; i < pace->n && pace->items[i].canary; i++)
        if (!is_through(&pace->items[i]))
            return false;
    return true;
}

static bool a_canary_is(const struct pace *pace, enum pace_state state)
{
    for (size_t i = 0; i < pace->n && pace->items[i].canary; i++)
        if (pace->items[i].state == state)
            return true;
    return false;
}

static size_t canaries(const struct pace *pace)
{
    size_t n = 0;

    while (n < pace->n && pace->items[n].canary)
        n++;
    return n;
}

/* Is all before the batch of this item through? */
static bool batch_is_open(const struct pace *pace, size_t item)
{
    size_t first = canaries(pace), begin;

    if (pace->batch == 0)
        return true;
    begin = first + (item - first) / pace->batch * pace->batch;
    for (size_t i = first; i < begin; i++)
        if (!is_through(&pace->items[i]))
            return false;
    return true;
}

bool pace_fits(int64_t need_s, int64_t closes, int64_t now)
{
    return closes == 0 || now + need_s < closes;
}

/* A canary that was left for another night proves nothing to those behind it.
 */
static bool must_halt(const struct pace *pace, const struct pace_item *item)
{
    return pace->stopped ||
           pace_count(pace, PACE_FAILED) > pace->max_failures ||
           a_canary_is(pace, PACE_FAILED) ||
           (!item->canary && a_canary_is(pace, PACE_LEFT));
}

/* Must it wait for others? */
static bool is_its_turn(const struct pace *pace, size_t i)
{
    if (pace->max_clusters &&
        pace_count(pace, PACE_RUNNING) >= pace->max_clusters)
        return false;
    return pace->items[i].canary ||
           (pace_canaries_are_through(pace) && batch_is_open(pace, i));
}

enum pace_answer pace_ask(const struct pace *pace, size_t i, int64_t now)
{
    const struct pace_item *item = &pace->items[i];

    if (must_halt(pace, item))
        return PACE_HALT;
    if (!is_its_turn(pace, i))
        return PACE_NOT_YET;
    if (!item->canary && pace_has_canary(pace) && !pace->watched)
        return PACE_SETTLE;
    if (item->closes && (now < item->opens || now >= item->closes))
        return PACE_CLOSED;
    if (!pace_fits(item->need_s, item->closes, now))
        return PACE_SHORT;
    return PACE_GO;
}

int pace_share(const char *text, size_t all, size_t *n, struct err *err)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || end - text > 6)
        return err_set(err, CAUSE_INPUT, "`%s' is no number and no percentage",
                       text);
    if (strcmp(end, "%") == 0 && value <= 100)
        *n = (all * value + 99) / 100;
    else if (*end == '\0')
        *n = value;
    else
        return err_set(err, CAUSE_INPUT,
                       "`%s' is no number and no percentage up to 100%%", text);
    return 0;
}
