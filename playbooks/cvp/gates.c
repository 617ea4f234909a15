/* SPDX-License-Identifier: Apache-2.0
 *
 * The gates of cvp/keystore-rotate: what would make it unsafe, what each
 * server had; later: does the way back stand, is a stopped run's state one
 * that its plan knows?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cvp/cvp.h"

struct look {
    struct plan_cluster *pc;
    struct findings *findings;
    size_t i;
};

static const char *name_of(const struct look *look)
{
    return look->pc->nodes[look->i].node->name;
}

static const struct cvp_facts *facts_of(const struct look *look)
{
    return cvp_facts_at(look->pc, look->i);
}

#define REFUSE(look, id, ...)                                                  \
    findings_add((look)->findings, SEVERITY_ERROR, id, name_of(look),          \
                 __VA_ARGS__)
#define WARN(look, id, ...)                                                    \
    findings_add((look)->findings, SEVERITY_WARNING, id, name_of(look),        \
                 __VA_ARGS__)

/* -- the server ------------------------------------------------------------ */

static void check_home(const struct look *look)
{
    const struct cvp_facts *f = facts_of(look);

    if (!win_is_plain_path(f->home))
        REFUSE(look, "cvp-home",
               "its CVP_HOME is `%s': not set for this login, or a path that "
               "commands without quotes cannot name",
               f->home);
}

static void check_service(const struct look *look, enum cvp_service service)
{
    enum win_state state = facts_of(look)->service[service];
    const struct cvp_service_row *row = &cvp_services[service];

    if (state == WIN_UNKNOWN)
        REFUSE(look, "no-service", "`sc query %s' knows no such service (%s)",
               row->name, row->title);
    else if (state != WIN_RUNNING)
        REFUSE(look, "not-running",
               "%s does not run: start it, or find out why it does not",
               row->title);
}

/* -- its certificates ------------------------------------------------------ */

static void check_shown(const struct look *look, enum cvp_alias alias)
{
    const struct cvp_alias_row *row = &cvp_aliases[alias];
    const char *shown = facts_of(look)->shown_sha256[alias];

    if (!shown[0])
        findings_add(look->findings,
                     row->must_show ? SEVERITY_BLOCK : SEVERITY_WARNING,
                     "no-tls", name_of(look),
                     "%s does not answer on port %u: its proof rests on the "
                     "keystore's digest and on its restart",
                     row->title, row->port);
    else if (strcmp(shown, facts_of(look)->live.entry[alias].leaf.sha256) != 0)
        REFUSE(look, "not-loaded",
               "%s shows another certificate on port %u than %s in the "
               "keystore: restart it first, or find out why",
               row->title, row->port, row->alias);
}

static void check_alias(const struct look *look, enum cvp_alias alias)
{
    const struct cvp_entry *e = &facts_of(look)->live.entry[alias];
    const char *name = cvp_aliases[alias].alias;

    if (!e->seen)
        WARN(look, "no-alias", "its keystore has no %s: one is made", name);
    else if (!e->key)
        WARN(look, "no-key",
             "%s has no key in the keystore (a reply was once imported under "
             "an alias that was not there): one is made",
             name);
    check_shown(look, alias);
}

static void add_old(struct plan_node *pn, const char *slot, const char *sha256,
                    const char *cert_sha256)
{
    struct set_file *file = &pn->old.files[pn->old.n++];

    memset(file, 0, sizeof(*file));
    file->slot = slot;
    snprintf(file->sha256, sizeof(file->sha256), "%s", sha256);
    snprintf(file->cert_sha256, sizeof(file->cert_sha256), "%s", cert_sha256);
}

/* The whole keystore goes back, so that is what the old set is; beside it what
 * each alias had, and which ports answered. */
static void take_old(const struct look *look)
{
    struct plan_node *pn = &look->pc->nodes[look->i];
    const struct cvp_facts *f = facts_of(look);

    pn->old.n = 0;
    add_old(pn, "keystore", f->live_sha256, "");
    for (int a = 0; a < CVP_ALIASES; a++) {
        int64_t end = f->live.entry[a].leaf.not_after;

        if (!cvp_renews(look->pc, look->i, (enum cvp_alias)a))
            continue;
        add_old(pn, cvp_slot((enum cvp_alias)a, CVP_CRT), "",
                f->live.entry[a].leaf.sha256);
        if (f->shown_sha256[a][0])
            add_old(pn, cvp_aliases[a].word, "", f->shown_sha256[a]);
        if (end &&
            (!look->pc->way_back_until || end < look->pc->way_back_until))
            look->pc->way_back_until = end;
    }
}

static void take_node(const struct look *look)
{
    check_home(look);
    win_gate_clock(&facts_of(look)->node, name_of(look), look->findings);
    for (int s = 0; s < CVP_SERVICES; s++)
        if ((look->pc->nodes[look->i].node->roles & cvp_services[s].roles) &&
            cvp_renews(look->pc, look->i, cvp_services[s].alias))
            check_service(look, (enum cvp_service)s);
    if (!facts_of(look)->live.there)
        REFUSE(look, "no-keystore", "its keystore could not be listed");
    for (int a = 0; a < CVP_ALIASES; a++)
        if (cvp_renews(look->pc, look->i, (enum cvp_alias)a))
            check_alias(look, (enum cvp_alias)a);
    take_old(look);
    win_note_listed(look->pc, look->i);
}

/* -- all of it ------------------------------------------------------------- */

static bool takes_part(const struct plan_cluster *pc, size_t i)
{
    return !pc->nodes[i].left_out && (pc->nodes[i].roles & CVP_RENEWED) != 0;
}

static void say_drops(const struct look *look)
{
    uint32_t renewed = 0;

    for (size_t i = 0; i < look->pc->n_nodes; i++)
        renewed |= look->pc->nodes[i].roles;
    for (int a = 0; a < CVP_ALIASES; a++)
        if ((renewed & cvp_renew_bit((enum cvp_alias)a)) &&
            cvp_aliases[a].drops)
            findings_add(look->findings, SEVERITY_WARNING, "drops", NULL,
                         "%s: its restart drops %s; nothing here waits for "
                         "them to end",
                         cvp_aliases[a].title, cvp_aliases[a].drops);
}

int cvp_decide(struct plan_cluster *pc, struct findings *findings,
               struct err *err)
{
    struct look look = {pc, findings, 0};

    (void)err;
    pc->way_back = true;
    pc->way_back_until = 0;
    for (look.i = 0; look.i < pc->n_nodes; look.i++)
        if (takes_part(pc, look.i))
            take_node(&look);
    say_drops(&look);
    if (pc->way_back_until && pc->way_back_until < clock_wall_ms() / 1000) {
        pc->way_back = false;
        snprintf(pc->no_way_back, sizeof(pc->no_way_back),
                 "an old certificate has expired");
    }
    return 0;
}

/* -- the way back, again --------------------------------------------------- */

static const char *old_sha256(const struct plan_cluster *pc, size_t i)
{
    const struct set_file *file = set_slot(&pc->nodes[i].old, "keystore");

    return file ? file->sha256 : "";
}

static int old_is_there(const struct plan_cluster *pc, size_t i,
                        struct err *err)
{
    const char *kept = cvp_facts_at(pc, i)->copy_sha256[CVP_OLD];

    if (kept[0] && strcmp(kept, old_sha256(pc, i)) == 0)
        return 0;
    return err_set(err, CAUSE_REFUSED,
                   "node %s: the old keystore is not kept as it was (another "
                   "copy lies below backups/ of the state folder)",
                   pc->nodes[i].node->name);
}

int cvp_way_back(const struct plan_cluster *pc, int64_t at, struct err *err)
{
    if (!pc->way_back)
        return err_set(err, CAUSE_REFUSED, "there is no way back: %s",
                       pc->no_way_back);
    if (pc->way_back_until && at > pc->way_back_until)
        return err_set(err, CAUSE_REFUSED,
                       "the old certificates have expired meanwhile");
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (takes_part(pc, i) && old_is_there(pc, i, err) < 0)
            return -1;
    return 0;
}

int cvp_recognise(struct plan_cluster *pc, struct err *err)
{
    for (size_t i = 0; i < pc->n_nodes; i++) {
        const struct cvp_facts *f = cvp_facts_at(pc, i);

        if (!takes_part(pc, i) ||
            strcmp(f->live_sha256, old_sha256(pc, i)) == 0 ||
            strcmp(f->live_sha256, f->copy_sha256[CVP_NEW]) == 0)
            continue;
        return err_set(err, CAUSE_REFUSED,
                       "node %s: its keystore is neither the old nor the new "
                       "one: somebody else has changed it",
                       pc->nodes[i].node->name);
    }
    return 0;
}
