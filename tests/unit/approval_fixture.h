/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan file as the tests of approvals have it, and its statement.
 */
#ifndef CERTFLEET_TESTS_APPROVAL_FIXTURE_H
#define CERTFLEET_TESTS_APPROVAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/run/approval.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX2 "ff23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOON "2026-11-28T12:00:00Z"

enum {
    AT_NOON = 1795867200
};

/* Made by OpenSSH 9.2 with a key that is nobody's. */
static const char armour[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgKs4U5za5Rum0Q93IgL7BBX3GQ9\n"
    "/KNCM+3M6eOqPF8JIAAAAYY2VydGZsZWV0LXBsYW5AY2VydGZsZWV0AAAAAAAAAAZzaGE1\n"
    "MTIAAABTAAAAC3NzaC1lZDI1NTE5AAAAQGX6ddKagACu+X6p2iYF/5FVM4BsYwtVb0IuLP\n"
    "TLEhBkb7fdbsUUTb1LD69mrjJ9D/Cc7/QP9UxtJd6vwleV7Qc=\n"
    "-----END SSH SIGNATURE-----\n";

static inline struct approval_plan plan_of(json_t *json)
{
    struct approval_plan plan = {.json = json};

    memcpy(plan.plan_sha256, HEX, PKI_SHA256_HEX);
    memcpy(plan.file_sha256, HEX2, PKI_SHA256_HEX);
    return plan;
}

static inline json_t *some_plan(void)
{
    return json_pack("{s:s, s:s, s:{s:s}, s:[s], s:[{s:s}, {s:s}], s:s}",
                     "playbook", "cms/db-rotate", "target", "lab*", "inputs",
                     "without", "core\xc3\xa4", "accepted", "even", "clusters",
                     "cluster", "lab1", "cluster", "lab2", "tag", "12ab");
}

static inline char *statement_of(const struct approval_plan *plan,
                                 const char *time)
{
    struct str text;

    str_init(&text, 1 << 16);
    approval_statement(plan, time, &text);
    return str_take(&text);
}

#endif
