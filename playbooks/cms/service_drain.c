/* SPDX-License-Identifier: Apache-2.0
 *
 * drain=MINUTES of cms/service-rotate, and how many calls each node carries: by
 * REST, where the inventory gives access to it.  Nothing here stops new calls
 * from coming in.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/run/probe.h"
#include "playbooks/cms/gates_priv.h"
#include "playbooks/cms/service_priv.h"

enum {
    MOST_MINUTES = 24 * 60,
    MINUTE_MS = 60 * 1000,
    SPARE_S = 120, /* for a node that does not answer SSH at the end of it */
    WEB_PORT = 443
};

/* -- drain=MINUTES --------------------------------------------------------- */

/* "10", "0.5": milliseconds; -1: it is none. */
static int64_t read_minutes(const char *text)
{
    uint64_t ms = 0, digit = MINUTE_MS;
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;

    if (whole == 0 || whole > 4)
        return -1;
    for (size_t i = 0; i < whole; i++)
        ms = ms * 10 + (uint64_t)(text[i] - '0') * MINUTE_MS;
    if (*rest == '.' && rest[1])
        for (rest++; *rest >= '0' && *rest <= '9'; rest++)
            ms += (uint64_t)(*rest - '0') * (digit /= 10);
    if (*rest || ms > (uint64_t)MOST_MINUTES * MINUTE_MS)
        return -1;
    return (int64_t)ms;
}

int cms_drain_check(const struct plan_cluster *pc, const char *value,
                    struct err *err)
{
    (void)pc;
    if (read_minutes(value) >= 0)
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "minutes are wanted, %d at most (0.5 is half a one)",
                   MOST_MINUTES);
}

static int64_t drain_ms(const struct plan_cluster *pc)
{
    const char *value = plan_input(pc->plan, "drain");

    return value ? read_minutes(value) : -1;
}

unsigned cms_drain_within_s(const struct plan_cluster *pc)
{
    int64_t ms = drain_ms(pc);

    return (unsigned)(ms > 0 ? ms / 1000 : 0) + SPARE_S;
}

/* -- which nodes ----------------------------------------------------------- */

static bool switch_drops(const struct plan_node *pn)
{
    for (int s = 0; s < CMS_SERVICES; s++)
        if (cms_services[s].calls &&
            (pn->roles & cms_switch_bit((enum cms_service)s)))
            return true;
    return false;
}

static bool trust_drops(const struct plan_node *pn)
{
    for (int s = 0; s < CMS_SERVICES; s++)
        if (cms_services[s].calls &&
            (pn->roles & cms_trust_bit((enum cms_service)s)))
            return true;
    return false;
}

/* The API is the Call Bridge's, behind the webadmin's port. */
static bool may_ask(const struct node *node)
{
    return node->api_user && (node->roles & CMS_CALLBRIDGE);
}

void cms_drain_choose(struct plan_cluster *pc)
{
    for (size_t i = 0; i < pc->n_nodes; i++) {
        struct plan_node *pn = &pc->nodes[i];

        pn->roles &= ~(uint32_t)(CMS_DRAINS | CMS_DRAINS_TRUST);
        if (drain_ms(pc) >= 0 && switch_drops(pn))
            pn->roles |= CMS_DRAINS;
        if (drain_ms(pc) >= 0 && trust_drops(pn))
            pn->roles |= CMS_DRAINS_TRUST;
    }
}

/* -- what is read ---------------------------------------------------------- */

/* Its webadmin may show the certificate of this very run. */
bool cms_api_peer(const struct view *view, const struct read_file *about,
                  struct link_peer *peer)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const struct cms_slot_facts *web =
        &cms_facts_of(view)->services.slot[SLOT_WEBADMIN];
    const struct set_file *crt =
        cms_switches(view, SVC_WEBADMIN)
            ? set_slot(&pn->own, cms_svc_word(SLOT_WEBADMIN, PART_CRT))
            : NULL;

    (void)about;
    if (!may_ask(pn->node))
        return false;
    peer->address = pn->node->address;
    peer->port = pn->node->api_port ? pn->node->api_port
                 : web->port        ? web->port
                                    : WEB_PORT;
    peer->pin = crt && crt->cert_sha256[0] ? crt->cert_sha256 : NULL;
    return true;
}

int cms_parse_calls(struct facts *facts, const struct read_file *about,
                    const struct link_result *result, struct err *err)
{
    struct cms_calls *calls = &((struct cms_facts *)facts)->calls;
    struct err why = {0};

    (void)about;
    (void)err;
    calls->asked_ms = clock_mono_ms();
    calls->known =
        result->end == LINK_OK &&
        cms_calls_parse(result->data, result->len, &calls->legs, &why) == 0;
    if (!calls->known)
        snprintf(calls->why, sizeof(calls->why), "%.255s",
                 result->err ? result->err->text : why.text);
    return 0;
}

/* -- the plan says --------------------------------------------------------- */

static const char *why_unknown(const struct plan_node *pn,
                               const struct cms_calls *calls)
{
    if (!(pn->node->roles & CMS_CALLBRIDGE))
        return "it has no Call Bridge whose API could be asked";
    if (!pn->node->api_user)
        return "the inventory gives no access to its API (api_user)";
    return calls->asked_ms ? calls->why : "its API was not asked";
}

static void say_calls(const struct look *look, size_t i, bool drain)
{
    const struct plan_node *pn = &look->pc->nodes[i];
    const struct cms_calls *calls = &cms_facts_at(look->pc, i)->calls;

    if (calls->known && !calls->legs)
        findings_add(look->findings, SEVERITY_INFO, "calls", look_name(look, i),
                     "no call legs are active");
    else if (calls->known)
        findings_add(
            look->findings, drain ? SEVERITY_INFO : SEVERITY_WARNING, "calls",
            look_name(look, i), "%u call legs are active%s", calls->legs,
            drain ? "; what drops them waits until they end"
                  : ": they drop (drain=MINUTES waits until they end)");
    else
        findings_add(look->findings, drain ? SEVERITY_BLOCK : SEVERITY_WARNING,
                     drain ? "no-api" : "calls", look_name(look, i),
                     "how many calls it carries cannot be known%s: %s",
                     drain ? ", so nothing can wait until they end" : "",
                     why_unknown(pn, calls));
}

void cms_drain_decide(const struct look *look)
{
    cms_drain_choose(look->pc);
    for (size_t i = 0; i < look->pc->n_nodes; i++)
        if (look_is_in(look, i) && (switch_drops(&look->pc->nodes[i]) ||
                                    trust_drops(&look->pc->nodes[i])))
            say_calls(look, i, drain_ms(look->pc) >= 0);
}

/* -- the row ----------------------------------------------------------------
 */

/* What is as wanted already is not started anew: by what was read when this row
 * began. */
static bool none_is_switched(const struct view *view)
{
    struct err why;

    for (int s = 0; s < CMS_SERVICES; s++)
        if (cms_services[s].calls && cms_switches(view, (enum cms_service)s) &&
            cms_service_goal(view, (enum cms_service)s, &why) != GOAL_MET)
            return false;
    return true;
}

static enum goal over(const struct view *view, const struct cms_calls *calls,
                      struct err *why)
{
    const char *minutes = plan_input(view->plan->plan, "drain");

    if (calls->known)
        err_set(why, CAUSE_REMOTE,
                "%u call legs are still active after %s minutes: they drop",
                calls->legs, minutes);
    else
        err_set(why, CAUSE_REMOTE,
                "how many calls drop cannot be known after %s minutes: %s",
                minutes, why_unknown(&view->plan->nodes[view->node], calls));
    return GOAL_PASSED;
}

/* Polled; its time begins anew with every process, for the calls are others.
 * On the way back who cannot say what he carries is mended first: there it is
 * the Call Bridge itself that does not run. */
static enum goal drained(const struct view *view, struct err *why)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const struct cms_calls *calls = &cms_facts_of(view)->calls;
    int64_t ms = drain_ms(view->plan);

    if (calls->known && calls->legs == 0)
        return GOAL_MET;
    if (!may_ask(pn->node)) {
        err_set(why, CAUSE_REMOTE, "its calls are not waited for: %s",
                why_unknown(pn, calls));
        return GOAL_PASSED;
    }
    if ((view->back && !calls->known) ||
        clock_mono_ms() - view->began_ms >= (uint64_t)(ms > 0 ? ms : 0))
        return over(view, calls, why);
    err_set(why, CAUSE_REMOTE, "%u call legs are active", calls->legs);
    return GOAL_BUSY;
}

enum goal cms_goal_drained(const struct view *view, struct err *why)
{
    return none_is_switched(view) ? GOAL_MET : drained(view, why);
}

static enum goal before_trust(const struct view *view, bool last,
                              struct err *why)
{
    struct err open;

    return cms_trust_goal(view, 1U << SVC_CALLBRIDGE | 1U << SVC_WEBBRIDGE3,
                          last, &open) == GOAL_MET
               ? GOAL_MET
               : drained(view, why);
}

enum goal cms_goal_drained_trust(const struct view *view, struct err *why)
{
    return before_trust(view, false, why);
}

enum goal cms_goal_drained_last(const struct view *view, struct err *why)
{
    return before_trust(view, true, why);
}
