/* SPDX-License-Identifier: Apache-2.0
 *
 * The gates of cce/rotate: what would make it unsafe, what each server had;
 * later: does the way back stand, is a stopped run's state one that its plan
 * knows?
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cce/cce.h"

enum {
    DAY_S = 86400
};

struct look {
    struct plan_cluster *pc;
    struct findings *findings;
    size_t i;
};

static const char *name_of(const struct look *look)
{
    return look->pc->nodes[look->i].node->name;
}

static const struct cce_facts *facts_of(const struct look *look)
{
    return cce_facts_at(look->pc, look->i);
}

#define REFUSE(look, id, ...)                                                  \
    findings_add((look)->findings, SEVERITY_ERROR, id, name_of(look),          \
                 __VA_ARGS__)

/* -- the server ------------------------------------------------------------ */

/* A quote would end ours, and cmd knows no other way to name blanks. */
static void check_home(const struct look *look)
{
    const char *home = facts_of(look)->home;

    if (strlen(home) < 4 || strncmp(home + 1, ":\\", 2) != 0 ||
        strpbrk(home, "\"'&%^!|<>"))
        REFUSE(look, "java-home",
               "its CCE_JAVA_HOME is `%.80s': not set for this login, or a "
               "path that a command cannot name",
               home);
}

static void check_services(const struct look *look)
{
    for (int s = 0; s < CCE_SERVICES; s++) {
        enum win_state state = facts_of(look)->service[s];

        if (s == CCE_TOMCAT &&
            !(look->pc->nodes[look->i].node->roles & CCE_WITH_TOMCAT))
            continue;
        if (state == WIN_UNKNOWN)
            REFUSE(look, "no-service", "`sc query' knows no %s%s",
                   cce_service_titles[s],
                   s == CCE_TOMCAT ? " of this name (tomcat=)" : "");
        else if (state != WIN_RUNNING)
            REFUSE(look, "not-running",
                   "%s does not run: start it, or find out why it does not",
                   cce_service_titles[s]);
    }
}

/* -- what is bound, and shown ---------------------------------------------- */

/* Nothing to go back to is nothing to go on from. */
static void check_listener(const struct look *look, enum cce_listener l)
{
    const struct cce_bound *b = &facts_of(look)->bound[l];
    const struct pki_cert_info *shown = &facts_of(look)->shown[l];
    const struct cce_listener_row *row = &cce_listeners[l];

    if (!b->thumb[0])
        REFUSE(look, "not-bound",
               "%s has no certificate bound on 0.0.0.0:%u (bindings by name "
               "or by address are not known here)",
               row->title, row->port);
    else if (!b->app[0])
        REFUSE(look, "not-bound",
               "whose the binding on port %u is, is not "
               "told",
               row->port);
    else if (!shown->sha1[0])
        REFUSE(look, "not-shown", "%s does not answer on port %u", row->title,
               row->port);
    else if (strcmp(shown->sha1, b->thumb) != 0)
        REFUSE(look, "not-loaded",
               "%s shows another certificate on port %u than is bound there",
               row->title, row->port);
}

/* What was bound must be there to be bound again. */
static void check_old(const struct look *look, enum cce_listener l)
{
    const struct cce_facts *f = facts_of(look);

    if (f->bound[l].thumb[0] && look->pc->way_back &&
        strcmp(f->in_my[l], f->bound[l].thumb) != 0) {
        look->pc->way_back = false;
        snprintf(look->pc->no_way_back, sizeof(look->pc->no_way_back),
                 "node %s: the machine's store has no certificate %s, which %s "
                 "is bound to",
                 name_of(look), f->bound[l].thumb, cce_listeners[l].title);
    }
}

static void add_old(const struct look *look, const char *slot, const char *name,
                    const char *sha256, const char *cert_sha256)
{
    struct plan_node *pn = &look->pc->nodes[look->i];
    struct set_file *file = &pn->old.files[pn->old.n++];

    memset(file, 0, sizeof(*file));
    file->slot = slot;
    file->name = name ? arena_strdup(&look->pc->plan->arena, name) : NULL;
    snprintf(file->sha256, sizeof(file->sha256), "%s", sha256);
    snprintf(file->cert_sha256, sizeof(file->cert_sha256), "%s", cert_sha256);
}

/* Bindings by their thumbprints, which are names in the machine's store; trust
 * stores by their digests. */
static void take_old(const struct look *look)
{
    const struct cce_facts *f = facts_of(look);
    struct plan_cluster *pc = look->pc;

    pc->nodes[look->i].old.n = 0;
    for (int l = 0; l < CCE_LISTENERS; l++) {
        int64_t end = f->shown[l].not_after;

        add_old(look, cce_listeners[l].slot, f->bound[l].thumb, "",
                f->shown[l].sha256);
        if (end && (!pc->way_back_until || end < pc->way_back_until))
            pc->way_back_until = end;
    }
    for (int s = 0; s < CCE_STORES; s++)
        add_old(look, cce_store_words[s], NULL, f->store_sha256[s], "");
}

/* -- all of it ------------------------------------------------------------- */

static void take_node(const struct look *look)
{
    check_home(look);
    win_gate_clock(&facts_of(look)->node, name_of(look), look->findings);
    check_services(look);
    take_old(look);
    for (int l = 0; l < CCE_LISTENERS; l++) {
        check_listener(look, (enum cce_listener)l);
        check_old(look, (enum cce_listener)l);
    }
    win_note_listed(look->pc, look->i);
}

int cce_decide(struct plan_cluster *pc, struct findings *findings,
               struct err *err)
{
    struct look look = {pc, findings, 0};

    (void)err;
    pc->way_back = true;
    pc->way_back_until = 0;
    for (look.i = 0; look.i < pc->n_nodes; look.i++)
        if (!pc->nodes[look.i].left_out)
            take_node(&look);
    findings_add(findings, SEVERITY_WARNING, "drops", NULL,
                 "IIS, the Portico and Tomcat start anew: administration and "
                 "diagnostics of a server are away for seconds, calls are not");
    if (pc->way_back_until && pc->way_back_until < clock_wall_ms() / 1000) {
        pc->way_back = false;
        snprintf(pc->no_way_back, sizeof(pc->no_way_back),
                 "an old certificate has expired");
    }
    return 0;
}

bool cce_not_due(const struct plan_cluster *pc, struct str *why)
{
    const char *wanted = plan_input(pc->plan, "if_days_left");
    long limit = wanted ? strtol(wanted, NULL, 10) : 0;
    int64_t now = clock_wall_ms() / 1000, least = INT64_MAX;

    if (!wanted || pc->tag[0])
        return false; /* a run that was begun is ended */
    for (size_t i = 0; i < pc->n_nodes; i++)
        for (int l = 0; l < CCE_LISTENERS; l++) {
            const struct pki_cert_info *shown = &cce_facts_at(pc, i)->shown[l];
            int64_t days = (shown->not_after - now) / DAY_S;

            if (pc->nodes[i].left_out)
                continue;
            if (shown->kind != PKI_CERTIFICATE || days <= limit)
                return false;
            least = days < least ? days : least;
        }
    str_addf(why, "its certificates have %" PRId64 " days left, more than %ld",
             least, limit);
    return least != INT64_MAX;
}

/* -- the way back, again --------------------------------------------------- */

static int old_is_there(const struct plan_cluster *pc, size_t i,
                        struct err *err)
{
    const struct view view = {.plan = pc, .node = i, .back = true};

    for (int s = 0; s < CCE_STORES; s++)
        if (!cce_is_kept(&view, (enum cce_store)s))
            return err_set(err, CAUSE_REFUSED,
                           "node %s: the old %s trust store is not kept as it "
                           "was (another copy lies below backups/ of the state "
                           "folder)",
                           pc->nodes[i].node->name, cce_store_words[s]);
    return 0;
}

int cce_way_back(const struct plan_cluster *pc, int64_t at, struct err *err)
{
    if (!pc->way_back)
        return err_set(err, CAUSE_REFUSED, "there is no way back: %s",
                       pc->no_way_back);
    if (pc->way_back_until && at > pc->way_back_until)
        return err_set(err, CAUSE_REFUSED,
                       "the old certificates have expired meanwhile");
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (!pc->nodes[i].left_out && old_is_there(pc, i, err) < 0)
            return -1;
    return 0;
}

static int recognise_node(const struct plan_cluster *pc, size_t i,
                          struct err *err)
{
    const struct view view = {.plan = pc, .node = i};
    const struct cce_facts *f = cce_facts_at(pc, i);

    for (int s = 0; s < CCE_STORES; s++)
        if (!cce_store_is(pc, i, (enum cce_store)s, CCE_OLD) &&
            !cce_store_is(pc, i, (enum cce_store)s, CCE_NEW))
            return err_set(err, CAUSE_REFUSED,
                           "its %s trust store is neither the old nor the new "
                           "one",
                           cce_store_words[s]);
    for (int l = 0; l < CCE_LISTENERS; l++)
        if (!cce_was_bound(pc, i, (enum cce_listener)l, f->bound[l].thumb) &&
            !cce_we_bound(&view, f->bound[l].thumb) &&
            !(l == CCE_PORTICO_7890 && !f->bound[l].thumb[0]))
            return err_set(err, CAUSE_REFUSED,
                           "%s is bound to a certificate that is neither the "
                           "old nor the new one",
                           cce_listeners[l].title);
    return 0;
}

int cce_recognise(struct plan_cluster *pc, struct err *err)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (!pc->nodes[i].left_out && recognise_node(pc, i, err) < 0)
            return err_context(err, "node %s (somebody else has changed it)",
                               pc->nodes[i].node->name);
    return 0;
}
