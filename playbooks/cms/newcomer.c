/* SPDX-License-Identifier: Apache-2.0
 *
 * A node that a run brings into a cluster, or takes out of it: may it come in,
 * what did it have, and what does it have again when it is taken out.
 */
#include <stdio.h>
#include <string.h>

#include "playbooks/cms/gates_priv.h"

size_t cms_named_node(const struct plan_cluster *pc)
{
    const char *name = plan_input(pc->plan, "node");

    for (size_t i = 0; name && i < pc->n_nodes; i++)
        if (strcmp(pc->nodes[i].node->name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* -- what it is to have ---------------------------------------------------- */

static const struct plan_node *node_of(const struct view *view)
{
    return &view->plan->nodes[view->node];
}

bool cms_is_sent_out(const struct plan_node *pn, bool back)
{
    return back ? pn->newcomer : pn->leaver;
}

bool cms_goes_out(const struct view *view)
{
    return cms_is_sent_out(node_of(view), view->back);
}

bool cms_comes_in(const struct view *view)
{
    return !cms_goes_out(view);
}

bool cms_is_to_leave(const struct view *view)
{
    return !node_of(view)->newcomer ||
           cms_facts_of(view)->status.place != CMS_STANDALONE;
}

bool cms_makes_set(const struct view *view)
{
    return !view->plan->reused;
}

bool cms_reuses_set(const struct view *view)
{
    return view->plan->reused;
}

bool cms_names_nothing(const struct cms_status *status)
{
    for (int i = 0; i < CMS_SLOTS; i++)
        if (status->files[i][0])
            return false;
    return true;
}

const char *cms_interface(const struct view *view)
{
    return cms_goes_out(view) ? node_of(view)->old_interface
                              : node_of(view)->interface;
}

static bool is_given(const struct view *view, enum cms_slot slot)
{
    const struct file_set *set =
        plan_target(view->plan, view->node, view->back);
    const struct set_file *file = set_slot(set, cms_slot_word(slot));

    /* who leaves for good is switched to nothing */
    return file && plan_node_gets(node_of(view), file) &&
           !(cms_goes_out(view) && node_of(view)->leaver);
}

bool cms_takes_five(const struct view *view)
{
    return is_given(view, CMS_SERVER_KEY);
}

bool cms_takes_three(const struct view *view)
{
    return !is_given(view, CMS_SERVER_KEY) && is_given(view, CMS_CLIENT_KEY);
}

bool cms_takes_none(const struct view *view)
{
    return cms_goes_out(view) && node_of(view)->newcomer &&
           node_of(view)->old.n == 0;
}

bool cms_takes_interface(const struct view *view)
{
    return !cms_goes_out(view) || cms_interface(view);
}

/* -- what it had ----------------------------------------------------------- */

/* `certs` takes five files, or the last three. */
static bool is_complete(const struct cms_facts *f, size_t n)
{
    for (int i = 0; i < CMS_SLOTS; i++)
        if (f->status.files[i][0] && f->old[i].missing)
            return false;
    for (int i = CMS_CLIENT_KEY; n > 0 && i < CMS_SLOTS; i++)
        if (!f->status.files[i][0])
            return false;
    return n == 0 || n == CMS_SLOTS || n == CMS_SLOTS - CMS_CLIENT_KEY;
}

void cms_take_newcomer(struct plan_cluster *pc, size_t i,
                       struct findings *findings)
{
    struct plan_node *pn = &pc->nodes[i];
    const struct cms_facts *f = cms_facts_at(pc, i);

    pn->old_interface =
        f->status.interface[0]
            ? arena_strdup(&pc->plan->arena, f->status.interface)
            : NULL;
    if (is_complete(f, pn->old.n))
        return;
    pn->old.n = 0;
    findings_add(findings, SEVERITY_WARNING, "old-files", pn->node->name,
                 "the files that its status names are not all there: should "
                 "it be taken out again, it is left without certificates");
}

/* -- may it come in? ------------------------------------------------------- */

static const char *seen_primary(const struct cms_status *s)
{
    const struct cms_member *primary = cms_status_primary(s);

    return primary ? primary->address : "nobody";
}

/* Somebody of that address is a member, alive or not: two of them would be
 * one too many. */
static void check_listed(const struct look *look, size_t i)
{
    for (size_t k = 0; k < look->pc->n_nodes; k++) {
        const struct cms_status *s = look_status(look, k);

        if (!look_is_member(look, k))
            continue;
        for (size_t m = 0; m < s->n_members; m++)
            if (cms_node_by_address(look->pc, s->members[m].address) == i) {
                REFUSE(look, "listed", i,
                       "node %s lists %s in the cluster already, and it says "
                       "that it is in none: have the old one taken out first",
                       look_name(look, k), s->members[m].address);
                return;
            }
    }
}

/* CMS does not say how much is in a database.  What it shows is whether it was
 * in a cluster, and then it has a copy (facts/cms.md 3.8). */
static bool has_past(const struct cms_status *s)
{
    static const char *const verbs[] = {"initialize", "join", "connect",
                                        "remove", "upgrade_schema"};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        char text[64];
        int n = snprintf(text, sizeof(text), "database cluster %s", verbs[i]);
        if (strncmp(s->last, text, (size_t)n) == 0)
            return true;
    }
    return !cms_names_nothing(s);
}

static void check_data(const struct look *look, size_t i)
{
    const struct cms_status *s = look_status(look, i);

    if (has_past(s))
        findings_add(
            look->findings, SEVERITY_BLOCK, "has-data", look_name(look, i),
            "it was set up for a cluster before (last command `%s', "
            "server certificate %s) and may hold data of it: when it "
            "joins, its own database is wiped",
            s->last[0] ? s->last : "none",
            s->files[CMS_SERVER_CRT][0] ? s->files[CMS_SERVER_CRT] : "none");
    else
        WARN(look, "wiped", i,
             "when it joins, its own database is wiped; a backup of it is "
             "taken and fetched first");
}

void gates_check_newcomer(const struct look *look, size_t i)
{
    const struct cms_status *s = look_status(look, i);

    if (s->word == CMS_ERROR)
        REFUSE(look, "in-error", i,
               "its cluster state is Error: %s; a new node must be in no "
               "cluster: `database cluster remove' there first",
               s->error[0] ? s->error : "(no text)");
    else if (s->place != CMS_STANDALONE)
        REFUSE(look, "member-elsewhere", i,
               "it is %s already, in the cluster that %s leads: a new node "
               "must be in none; `database cluster remove' there first",
               cms_place_word(s->place), seen_primary(s));
    else if (look_is_database(look, i))
        check_data(look, i);
    check_listed(look, i);
}
