/* SPDX-License-Identifier: Apache-2.0
 *
 * The goals of cms/db-rotate: pure questions to what was just read.  A node
 * that meets a later goal meets all earlier ones, so that resume and rollback
 * take nothing apart that already is as wanted (design.md, "Goals").
 */
#include <inttypes.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/run/probe.h"
#include "playbooks/cms/cms.h"

enum {
    BACKUP_FRESH_MS = 30 * 60 * 1000,
    LAST_SETTLE_MS = 300,
    SKEW_REFUSE_S = 300
};

static const struct plan_node *node_of(const struct view *view)
{
    return &view->plan->nodes[view->node];
}

static const struct cms_status *status_of(const struct view *view)
{
    return &cms_facts_of(view)->status;
}

/* -- shared questions ----------------------------------------------------- */

const char *cms_own_address(const struct plan_cluster *pc, size_t node)
{
    const struct cms_member *me =
        cms_status_me(&cms_facts_at(pc, node)->status);

    if (pc->nodes[node].db_address)
        return pc->nodes[node].db_address;
    if (me)
        return me->address;
    return pc->nodes[node].node->db_address ? pc->nodes[node].node->db_address
                                            : pc->nodes[node].node->address;
}

size_t cms_node_by_address(const struct plan_cluster *pc, const char *address)
{
    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct cms_member *me =
            cms_status_me(&cms_facts_at(pc, i)->status);

        if (!(pc->nodes[i].roles & CMS_DATABASE))
            continue;
        if (strcmp(cms_own_address(pc, i), address) == 0 ||
            (me && strcmp(me->address, address) == 0))
            return i;
    }
    return SIZE_MAX;
}

size_t cms_primary_now(const struct view *view)
{
    const struct plan_cluster *pc = view->plan;
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        if (pc->nodes[i].left_out ||
            !facts_since(pc->nodes[i].facts, CMS_READ_STATUS, view->walk_ms) ||
            cms_facts_at(pc, i)->status.place != CMS_IS_PRIMARY)
            continue;
        if (found != SIZE_MAX)
            return SIZE_MAX;
        found = i;
    }
    return found;
}

bool cms_shows_set(const struct view *view)
{
    const struct file_set *set =
        plan_target(view->plan, view->node, view->back);
    const struct cms_status *s = status_of(view);

    for (int i = 0; i < CMS_SLOTS; i++) {
        const struct set_file *file =
            set_slot(set, cms_slot_word((enum cms_slot)i));
        bool wanted = file && plan_node_gets(node_of(view), file);
        if (wanted && strcmp(file->name, s->files[i]) != 0)
            return false;
    }
    return set->n > 0 || (cms_goes_out(view) && cms_names_nothing(s));
}

/* Is it in the cluster of the one who holds the data, as it sees it? */
static bool is_with_holder(const struct view *view)
{
    const struct cms_status *s = status_of(view);
    const struct cms_member *primary = cms_status_primary(s);

    if (view->plan->holder == SIZE_MAX || !primary)
        return false;
    return cms_node_by_address(view->plan, primary->address) ==
           view->plan->holder;
}

static enum goal unknown(const struct view *view, struct err *why)
{
    const struct cms_status *s = status_of(view);

    err_set(why, CAUSE_REMOTE,
            "its status fits no rule (Status: %s, %zu nodes listed, last "
            "command `%s')",
            s->word_text[0] ? s->word_text : "not shown", s->n_members,
            s->last);
    return GOAL_UNKNOWN;
}

static enum goal busy(const struct view *view, struct err *why)
{
    err_set(why, CAUSE_REMOTE, "it is at work (Status: %s)",
            status_of(view)->word_text);
    return GOAL_BUSY;
}

static enum goal open_as(const struct view *view, struct err *why)
{
    err_set(why, CAUSE_REMOTE, "it is %s",
            cms_place_word(status_of(view)->place));
    return GOAL_OPEN;
}

static enum goal in_error(const struct view *view, struct err *why)
{
    const struct cms_status *s = status_of(view);

    err_set(why, CAUSE_REMOTE, "the node reports an error: %s (`%s' %s)",
            s->error[0] ? s->error : s->word_text, s->last,
            s->last_result == CMS_LAST_FAILED ? "failed" : "");
    return GOAL_ERROR;
}

/* The node says that our command failed.  Right after sending, the words may
 * still be those of the try before. */
static bool has_failed(const struct view *view)
{
    const struct cms_status *s = status_of(view);

    return view->acted && s->last_result == CMS_LAST_FAILED &&
           clock_mono_ms() - view->acted_ms > LAST_SETTLE_MS &&
           node_of(view)->n_sent > 0 &&
           strcmp(s->last, node_of(view)->sent[node_of(view)->n_sent - 1]) == 0;
}

/* -- reading, staging ----------------------------------------------------- */

enum goal cms_goal_gates(const struct view *view, struct err *why)
{
    (void)view;
    (void)why;
    return GOAL_MET; /* all was read; what it means is decided together */
}

enum goal cms_goal_issue(const struct view *view, struct err *why)
{
    if (view->plan->issued && view->plan->loaded)
        return GOAL_MET;
    err_set(why, CAUSE_SYSTEM, "the new set is not made yet");
    return GOAL_OPEN;
}

enum goal cms_goal_backup(const struct view *view, struct err *why)
{
    const struct plan_node *pn = node_of(view);

    if (view->plan->left) /* too late for one that helps */
        return GOAL_MET;
    if (pn->backup_ms && clock_wall_ms() - pn->backup_ms < BACKUP_FRESH_MS)
        return GOAL_MET;
    err_set(why, CAUSE_REMOTE, "there is no backup of the last 30 minutes");
    return GOAL_OPEN;
}

static bool file_time(const struct view *view, int64_t *seconds)
{
    const struct cms_facts *f = cms_facts_of(view);
    const struct set_file *ca = set_slot(&view->plan->set, "ca_crt");

    for (size_t i = 0; ca && i < f->n_listed; i++)
        if (strcmp(f->listed[i], ca->name) == 0) {
            *seconds = f->listed_mtime[i];
            return *seconds > 0;
        }
    return false;
}

/* A node whose `date` cannot be read tells its time by the file that was just
 * pushed.  Only right after the push: an older file tells nothing. */
static bool clock_is_good(const struct view *view, struct err *why)
{
    int64_t seconds = 0, off;

    if (cms_facts_of(view)->clock_known || !view->acted || view->back ||
        plan_accepts(view->plan->plan, "clock-unknown"))
        return true;
    if (!file_time(view, &seconds)) {
        err_set(why, CAUSE_REFUSED,
                "its clock cannot be read, neither by `date' nor by the time "
                "of a file: the certificates may not be valid there yet "
                "(--accept clock-unknown goes on all the same)");
        return false;
    }
    off = seconds - clock_wall_ms() / 1000;
    if (off >= -SKEW_REFUSE_S && off <= SKEW_REFUSE_S)
        return true;
    err_set(why, CAUSE_REFUSED,
            "a file just pushed is %" PRId64 " s off our clock: mend its NTP "
            "first",
            off);
    return false;
}

static enum goal files_are_there(const struct view *view, struct err *why)
{
    const struct cms_facts *f = cms_facts_of(view);
    const struct file_set *set =
        plan_target(view->plan, view->node, view->back);

    for (size_t i = 0; i < set->n; i++)
        if (plan_node_gets(node_of(view), &set->files[i]) &&
            strcmp(set->files[i].sha256, f->target_sha256[i]) != 0) {
            err_set(why, CAUSE_REMOTE, "%s is not there as it was made",
                    set->files[i].name);
            return GOAL_OPEN;
        }
    return GOAL_MET;
}

/* That the bytes are there is not enough before anything live is changed: the
 * node's own word on them (`pki match', `pki verify') must have been heard in
 * this try, or a second try would step over its no. */
enum goal cms_goal_push(const struct view *view, struct err *why)
{
    enum goal goal = files_are_there(view, why);

    if (goal != GOAL_MET || view->back || view->plan->left)
        return goal;
    if (!view->acted) {
        err_set(why, CAUSE_REMOTE, "the node has not checked the set yet");
        return GOAL_OPEN;
    }
    return clock_is_good(view, why) ? GOAL_MET : GOAL_ERROR;
}

/* -- live rows ------------------------------------------------------------ */

/* The first try is a plain remove; only a node that stays in Error after it
 * has its error cleared. */
bool cms_remove_did_not_help(const struct view *view)
{
    return view->tries > 0 && status_of(view)->word == CMS_ERROR;
}

enum goal cms_goal_leave(const struct view *view, struct err *why)
{
    const struct cms_status *s = status_of(view);

    if (s->word == CMS_BUSY)
        return busy(view, why);
    if (s->place == CMS_STANDALONE)
        return GOAL_MET;
    if (s->word == CMS_ERROR)
        return view->acted ? in_error(view, why) : open_as(view, why);
    if (s->word != CMS_ENABLED)
        return unknown(view, why);
    if (cms_shows_set(view) && is_with_holder(view) && !cms_goes_out(view))
        return GOAL_MET; /* it has the target already, or never lost it */
    if (has_failed(view))
        return in_error(view, why);
    /* After our remove it is still listed for a moment. */
    return view->acted ? busy(view, why) : open_as(view, why);
}

static bool has_interface(const struct view *view)
{
    const struct cms_status *s = status_of(view);
    const char *wanted = cms_interface(view);

    if (!wanted)
        return cms_goes_out(view);
    return !s->interface_shown || strcmp(s->interface, wanted) == 0;
}

enum goal cms_goal_certs(const struct view *view, struct err *why)
{
    const struct cms_status *s = status_of(view);

    if (s->word == CMS_BUSY)
        return busy(view, why);
    if (cms_goes_out(view) && node_of(view)->leaver)
        return GOAL_MET; /* it is switched to nothing */
    /* A member took them.  One that has failed to become one may have lost
     * what it was given: it is given the same again. */
    if (cms_shows_set(view) &&
        (s->place != CMS_STANDALONE || (has_interface(view) && !view->again)))
        return GOAL_MET;
    if (s->place == CMS_STANDALONE)
        return open_as(view, why);
    return unknown(view, why);
}

/* What init, connect and join have in common: a node that is not there yet. */
static enum goal not_yet(const struct view *view, struct err *why)
{
    const struct cms_status *s = status_of(view);

    if (s->word == CMS_BUSY)
        return busy(view, why);
    if (s->word == CMS_ERROR || has_failed(view))
        return in_error(view, why);
    if (s->place == CMS_STANDALONE)
        return view->acted ? busy(view, why) : open_as(view, why);
    if (s->place == CMS_IS_REPLICA || s->place == CMS_IS_DOWN ||
        s->place == CMS_IS_CLIENT || s->place == CMS_IS_PRIMARY)
        return busy(view, why); /* settling */
    return unknown(view, why);
}

enum goal cms_goal_init(const struct view *view, struct err *why)
{
    const struct cms_status *s = status_of(view);

    if (s->word == CMS_ENABLED && s->place == CMS_IS_PRIMARY &&
        cms_shows_set(view))
        return GOAL_MET;
    return not_yet(view, why);
}

/* Who goes out enters nothing: it is out, or is not yet. */
static enum goal is_out(const struct view *view, struct err *why)
{
    if (status_of(view)->place == CMS_STANDALONE)
        return GOAL_MET;
    return status_of(view)->word == CMS_BUSY ? busy(view, why)
                                             : unknown(view, why);
}

enum goal cms_goal_connect(const struct view *view, struct err *why)
{
    const struct cms_status *s = status_of(view);

    if (cms_goes_out(view))
        return is_out(view, why);
    if (s->word == CMS_ENABLED && s->place == CMS_IS_CLIENT &&
        s->last_result == CMS_LAST_SUCCESS && cms_shows_set(view) &&
        is_with_holder(view))
        return GOAL_MET;
    return not_yet(view, why);
}

enum goal cms_goal_join(const struct view *view, struct err *why)
{
    const struct cms_status *s = status_of(view);
    const struct cms_member *me = cms_status_me(s);

    if (cms_goes_out(view))
        return is_out(view, why);
    if (s->word == CMS_ENABLED && s->place == CMS_IS_REPLICA && me->in_sync &&
        cms_shows_set(view) && is_with_holder(view))
        return GOAL_MET;
    return not_yet(view, why);
}

/* -- the proof ------------------------------------------------------------ */

static enum goal lacks(struct err *why, const char *what, const char *detail)
{
    err_set(why, CAUSE_REMOTE, "%s%s", what, detail);
    return GOAL_OPEN;
}

static const struct cms_member *find_member(const struct view *view,
                                            size_t node)
{
    const struct cms_status *s = status_of(view);

    for (size_t m = 0; m < s->n_members; m++)
        if (cms_node_by_address(view->plan, s->members[m].address) == node)
            return &s->members[m];
    return NULL;
}

/* Every database node that belongs to the walk is in its list, connected, and
 * the replicas are in sync; one that was taken out again is not. */
static enum goal sees_all(const struct view *view, struct err *why)
{
    const struct plan_cluster *pc = view->plan;

    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct cms_member *found;

        if (!(pc->nodes[i].roles & CMS_DATABASE) || pc->nodes[i].left_out ||
            pc->nodes[i].dropped)
            continue;
        found = find_member(view, i);
        if (cms_is_sent_out(&pc->nodes[i], view->back)) {
            if (found)
                return lacks(why, "it still sees node ",
                             pc->nodes[i].node->name);
            continue;
        }
        if (!found)
            return lacks(why, "it does not see node ", pc->nodes[i].node->name);
        if (!found->connected || (!found->primary && !found->in_sync))
            return lacks(why, "it sees out of sync: node ",
                         pc->nodes[i].node->name);
    }
    return GOAL_MET;
}

static enum goal serves_set(const struct view *view, struct err *why)
{
    const struct cms_facts *f = cms_facts_of(view);
    const struct file_set *set =
        plan_target(view->plan, view->node, view->back);
    const struct set_file *cert = set_slot(set, "server_crt");
    const char *wanted;

    if (!(node_of(view)->roles & CMS_DATABASE) || !node_of(view)->serves_tls ||
        !cert)
        return GOAL_MET;
    if (!facts_since(&f->base, CMS_READ_SERVED, view->walk_ms) || !f->served)
        return node_of(view)->newcomer
                   ? GOAL_MET
                   : lacks(why,
                           "its database port answered in gates and does not "
                           "answer now",
                           "");
    /* the certificate itself, not its file */
    wanted = view->back ? node_of(view)->served_sha256 : cert->cert_sha256;
    if (strcmp(f->served_info.sha256, wanted) != 0)
        return lacks(why, "its database port serves another certificate: ",
                     f->served_info.sha256);
    return GOAL_MET;
}

static bool stands_as_planned(const struct view *view)
{
    enum cms_place place = status_of(view)->place;
    uint32_t roles = node_of(view)->roles;

    if (roles & CMS_PRIMARY)
        return place == CMS_IS_PRIMARY;
    if (roles & CMS_REPLICA)
        return place == CMS_IS_REPLICA;
    return place == CMS_IS_CLIENT;
}

/* In no cluster; a newcomer with its own files again.  Whether a leaver's are
 * named still nobody has documented (facts/cms.md 3.8). */
static enum goal is_as_it_was(const struct view *view, struct err *why)
{
    if (status_of(view)->place != CMS_STANDALONE)
        return lacks(why, "it is ", cms_place_word(status_of(view)->place));
    if (!cms_shows_set(view) && !node_of(view)->leaver)
        return lacks(why, "its status shows other certificates", "");
    return files_are_there(view, why);
}

enum goal cms_goal_prove(const struct view *view, struct err *why)
{
    enum goal goal;

    if (cms_goes_out(view))
        return is_as_it_was(view, why);
    if (status_of(view)->word != CMS_ENABLED || !stands_as_planned(view))
        return lacks(why, "it is ", cms_place_word(status_of(view)->place));
    if (!cms_shows_set(view))
        return lacks(why, "its status shows other certificates", "");
    if (!is_with_holder(view))
        return lacks(why, "it sees another primary", "");
    goal = sees_all(view, why);
    if (goal == GOAL_MET)
        goal = files_are_there(view, why);
    if (goal == GOAL_MET)
        goal = serves_set(view, why);
    return goal;
}
