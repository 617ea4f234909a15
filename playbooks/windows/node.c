/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of any Windows server before a packet: a name, a password for
 * its keystore, an issuer that can sign what it asks for.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
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

/* -- the head of a product's facts ----------------------------------------- */

void win_node_release(struct win_node *node)
{
    free(node->listed);
}

bool win_is_listed(const struct win_node *node, const char *name)
{
    for (size_t i = 0; i < node->n_listed; i++)
        if (strcmp(node->listed[i], name) == 0)
            return true;
    return false;
}

/* Half a round trip and half a second ago. */
int win_clock_take(struct facts *facts, const struct read_file *about,
                   const struct link_result *result, struct err *err)
{
    struct win_clock *clock = &((struct win_node *)facts)->clock;
    int64_t seconds = 0;

    (void)about;
    (void)err;
    clock->known = win_clock_parse(result->data, result->len, &seconds);
    if (clock->known)
        clock->off_ms = seconds * 1000 + 500 + (int64_t)result->took_ms / 2 -
                        clock_wall_ms();
    return 0;
}

/* What is not ours may have any name; ours are short. */
int win_list_take(struct facts *facts, const struct read_file *about,
                  const struct link_result *result, struct err *err)
{
    struct win_node *node = (struct win_node *)facts;

    (void)about;
    if (result->n_files > WIN_LISTED)
        return err_set(err, CAUSE_REMOTE, "its folder holds over %d files",
                       WIN_LISTED);
    free(node->listed);
    node->n_listed = 0;
    node->listed = calloc(result->n_files + 1, sizeof(*node->listed));
    if (!node->listed)
        abort();
    for (size_t i = 0; i < result->n_files; i++)
        if (strlen(result->files[i].name) < WIN_NAME_BYTES)
            memcpy(node->listed[node->n_listed++], result->files[i].name,
                   strlen(result->files[i].name) + 1);
    return 0;
}

/* -- what follows from it -------------------------------------------------- */

void win_gate_clock(const struct win_node *node, const char *name,
                    struct findings *findings)
{
    const struct win_clock *clock = &node->clock;
    int64_t off = (clock->off_ms < 0 ? -clock->off_ms : clock->off_ms) / 1000;

    if (!clock->known)
        findings_add(findings, SEVERITY_WARNING, "clock-unknown", name,
                     "its clock cannot be read");
    else if (off > SKEW_REFUSE_S)
        findings_add(findings, SEVERITY_ERROR, "clock-skew", name,
                     "its clock is %" PRId64 " s off ours: mend its time "
                     "service first",
                     clock->off_ms / 1000);
    else if (off > SKEW_WARN_S)
        findings_add(findings, SEVERITY_WARNING, "clock-skew", name,
                     "its clock is %" PRId64 " s off ours",
                     clock->off_ms / 1000);
}

void win_note_listed(struct plan_cluster *pc, size_t i)
{
    const struct win_node *node = (const struct win_node *)pc->nodes[i].facts;
    unsigned generation = 0;

    for (size_t k = 0; k < node->n_listed; k++)
        if (pc->plan->playbook->product->is_ours(node->listed[k],
                                                 &generation)) {
            plan_note_file(pc, i, node->listed[k]);
            if (generation > pc->number)
                pc->number = generation;
        }
}

int64_t win_behind_s(const struct plan_cluster *pc)
{
    int64_t most = 0;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct win_clock *clock =
            &((const struct win_node *)pc->nodes[i].facts)->clock;

        if (clock->known && -clock->off_ms > most)
            most = -clock->off_ms;
    }
    return (most + 999) / 1000;
}

enum goal win_goal_runs(const struct view *view, enum win_state state,
                        const char *title, struct err *why)
{
    if (state == WIN_RUNNING)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "the service %s %s", title,
            state == WIN_UNKNOWN   ? "is in no state that we know"
            : state == WIN_STOPPED ? "does not run"
                                   : "is starting or stopping");
    if (state == WIN_STOPPED)
        return view->acted ? GOAL_ERROR : GOAL_OPEN;
    return state == WIN_UNKNOWN ? GOAL_UNKNOWN : GOAL_BUSY;
}

size_t win_generation(const char *name, unsigned *generation)
{
    const char *g = strstr(name, "-g");
    char *end = NULL;
    unsigned long number;

    if (!g)
        return 0;
    number = strtoul(g + 2, &end, 10);
    if (end == g + 2 || end > g + 11 || g[2] == '-' || *end != '-' ||
        strspn(end + 1, "0123456789abcdef") != 4 || end[5] != '.' || !end[6])
        return 0;
    *generation = (unsigned)number;
    return (size_t)(g - name);
}
