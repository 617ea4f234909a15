/* SPDX-License-Identifier: Apache-2.0
 *
 * What public CAs are held to from which day on (facts/certs.md 4).  Rows of
 * one kind stand in the order of their days.
 */
#include <stdio.h>
#include <time.h>

#include "core/pki/checks.h"

// clang-format off
const struct pki_dated_rule pki_dated_rules[] = {
    { PKI_DATED_LIFETIME,    "2020-09-01", 398, "CA/Browser Forum SC-031"   },
    { PKI_DATED_LIFETIME,    "2026-03-15", 200, "CA/Browser Forum SC-081v3" },
    { PKI_DATED_LIFETIME,    "2027-03-15", 100, "CA/Browser Forum SC-081v3" },
    { PKI_DATED_LIFETIME,    "2029-03-15",  47, "CA/Browser Forum SC-081v3" },
    { PKI_DATED_CLIENT_AUTH, "2027-03-15",   0, "Chrome Root Program 1.8"   },
    { PKI_DATED_LIFETIME,    NULL,           0, NULL                        },
};
// clang-format on

/* Seconds since 1970 of a day's beginning; our own table has no bad ones. */
static int64_t day_begins(const char *day)
{
    struct tm tm = {0};

    if (!strptime(day, "%Y-%m-%d", &tm))
        return INT64_MAX;
    return timegm(&tm);
}

const struct pki_dated_rule *pki_dated_rule(enum pki_dated kind, int64_t at)
{
    const struct pki_dated_rule *found = NULL;

    for (const struct pki_dated_rule *r = pki_dated_rules; r->from; r++)
        if (r->kind == kind && day_begins(r->from) <= at)
            found = r;
    return found;
}

const struct pki_dated_rule *pki_dated_first(enum pki_dated kind)
{
    const struct pki_dated_rule *r = pki_dated_rules;

    while (r->from && r->kind != kind)
        r++;
    return r->from ? r : NULL;
}
