/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules whose breach weighs differently by profile, in one table: which
 * finding it is, and how bad for whom.  A rule that everybody holds to stands
 * where it is checked.
 */
#include <stdarg.h>
#include <stdio.h>

#include "core/pki/pki_priv.h"

enum {
    NOT = -1, /* no finding */
    INF = PKI_INFO,
    WRN = PKI_WARNING,
    ERR = PKI_ERROR,
};

// clang-format off
static const struct {
    const char *id;
    int as[4];      /* by profile: DATABASE, PRIVATE, PUBLIC, SERVICE */
} rules[PKI_RULES] = {
    [PKI_RULE_VERSION]       = { "B8",  { WRN, WRN, ERR, ERR } },
    [PKI_RULE_NO_SAN]        = { "B8",  { WRN, WRN, ERR, ERR } },
    [PKI_RULE_SAN_CRITICAL]  = { "B8",  { NOT, WRN, ERR, NOT } },
    [PKI_RULE_SERIAL]        = { "B10", { WRN, ERR, ERR, WRN } },
    [PKI_RULE_MALFORMED]     = { "B11", { WRN, ERR, ERR, WRN } },
    [PKI_RULE_AUTHORITY_ID]  = { "B12", { WRN, ERR, ERR, WRN } },
    [PKI_RULE_SUBJECT_ID]    = { "B12", { WRN, INF, NOT, WRN } },
    [PKI_RULE_ROOT_ID]       = { "B12", { NOT, WRN, ERR, NOT } },
    [PKI_RULE_STRICT]        = { "C5",  { WRN, ERR, ERR, WRN } },
    [PKI_RULE_CA_FORM]       = { "C5",  { WRN, ERR, ERR, WRN } },
    [PKI_RULE_NC_EMPTY]      = { "C7",  { WRN, ERR, ERR, WRN } },
    [PKI_RULE_NC_CRITICAL]   = { "C7",  { WRN, ERR, INF, WRN } },
    [PKI_RULE_ROOT_EKU]      = { "C13", { NOT, NOT, ERR, NOT } },
    [PKI_RULE_NO_EKU]        = { "D2",  { INF, INF, ERR, INF } },
    [PKI_RULE_EKU_CRITICAL]  = { "D1",  { NOT, NOT, ERR, NOT } },
    [PKI_RULE_EKU_ANY]       = { "D7",  { NOT, NOT, ERR, NOT } },
    [PKI_RULE_EKU_ANY_ALONE] = { "D7",  { WRN, WRN, ERR, WRN } },
    [PKI_RULE_CN_NAMED]      = { "E1",  { ERR, WRN, WRN, ERR } },
    [PKI_RULE_DNS_FORM]      = { "E7",  { WRN, ERR, ERR, WRN } },
    [PKI_RULE_WILDCARD]      = { "E6",  { ERR, NOT, NOT, WRN } },
    [PKI_RULE_HOST]          = { "F3",  { ERR, ERR, ERR, ERR } },
    [PKI_RULE_ADDRESS]       = { "F3",  { WRN, ERR, ERR, ERR } },
    [PKI_RULE_SELF_SIGNED]   = { "B13", { ERR, ERR, ERR, WRN } },
    [PKI_RULE_LEAF_ALONE]    = { "C4",  { WRN, NOT, NOT, NOT } },
};
// clang-format on

void pki_break(struct pki_findings *findings, enum pki_profile profile,
               enum pki_rule rule, const char *fmt, ...)
{
    int as = rules[rule].as[profile];
    char text[sizeof(findings->list->text)];
    va_list ap;

    if (as == NOT)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    pki_find_as(findings, rules[rule].id, (enum pki_severity)as, "%s", text);
}
