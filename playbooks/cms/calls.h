/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/cms/calls.h - how many calls a node carries, as its REST interface
 * says (facts/cms.md 7, `callLegsActive' of /api/v1/system/status).
 *
 * The answer is hostile: what is not a plain small XML document with exactly
 * one such number, a child of its root, is not understood, and then the number
 * is unknown, never 0.
 */
#ifndef CERTFLEET_CMS_CALLS_H
#define CERTFLEET_CMS_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct cms_calls {
    uint64_t asked_ms; /* monotonic: when it answered, or did not; 0: never */
    bool known;
    unsigned legs;
    char why[256]; /* why it is not known */
};

/* 0, or -1: it is not understood. */
int cms_calls_parse(const char *text, size_t len, unsigned *legs,
                    struct err *err);

#endif
