/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of any Windows server before a packet: a name, a password for
 * its keystore, an issuer that can sign what it asks for.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "core/run/issuer.h"
#include "playbooks/windows/issue.h"
#include "playbooks/windows/windows.h"

enum {
    SKEW_WARN_S = 30,
    SKEW_REFUSE_S = 5 * 60
};

const char *win_fqdn(const struct node *node)
{
    return node->names && node->names[0] ? node->names[0] : node->address;
}

bool win_is_address(const char *name)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, name, bytes) == 1 ||
           inet_pton(AF_INET6, name, bytes) == 1;
}

/* Seed 003, CVP 1: what the installer makes has the server's bare name, and is
 * to be made anew for that reason. */
int win_check_node(const struct node *node, const char *how_to_know,
                   struct err *err)
{
    const char *name = win_fqdn(node);

    if (win_is_address(name) || !strchr(name, '.'))
        return err_set(err, CAUSE_INPUT,
                       "node %s: %s is no full name: put the server's FQDN "
                       "first in its `names'",
                       node->name, name);
    if (!node->keystore_password)
        return err_set(err, CAUSE_INPUT,
                       "node %s names no keystore_password (%s)", node->name,
                       how_to_know);
    return 0;
}

int win_check_issuer(struct plan_cluster *pc, struct err *err)
{
    const struct issuer *issuer = pc->cluster->issuer;

    if (issuer->kind == ISSUER_APPLIANCE)
        return err_set(err, CAUSE_INPUT,
                       "issuer %s: a Windows server signs nothing itself: name "
                       "another kind",
                       issuer->name);
    return issuer_check(pc, issuer, err);
}

void win_gate_clock(const struct win_clock *clock, const char *node,
                    struct findings *findings)
{
    int64_t off = (clock->off_ms < 0 ? -clock->off_ms : clock->off_ms) / 1000;

    if (!clock->known)
        findings_add(findings, SEVERITY_WARNING, "clock-unknown", node,
                     "its clock cannot be read");
    else if (off > SKEW_REFUSE_S)
        findings_add(findings, SEVERITY_ERROR, "clock-skew", node,
                     "its clock is %" PRId64 " s off ours: mend its time "
                     "service first",
                     clock->off_ms / 1000);
    else if (off > SKEW_WARN_S)
        findings_add(findings, SEVERITY_WARNING, "clock-skew", node,
                     "its clock is %" PRId64 " s off ours",
                     clock->off_ms / 1000);
}
