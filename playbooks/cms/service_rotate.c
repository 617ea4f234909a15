/* SPDX-License-Identifier: Apache-2.0
 *
 * cms/service-rotate: new certificates for the services of a cluster's nodes,
 * node by node.  Nothing here touches a database cluster: the guard sends no
 * such command for a playbook without data (facts/cms.md 5).
 */
#include <stddef.h>

#include "playbooks/cms/service_priv.h"

enum {
    ROLES = CMS_WEBADMIN | CMS_CALLBRIDGE | CMS_WEBBRIDGE3 | CMS_TURN |
            CMS_RECORDER | CMS_STREAMER | CMS_MEETINGAPPS | CMS_SCHEDULER |
            CMS_UPLOADER | CMS_WEBBRIDGE | CMS_XMPP,
    SWITCHED = CMS_SWITCHES * ((1 << CMS_SERVICES) - 1),
    FILES = CMS_READ_STATUS | CMS_READ_LIST | CMS_READ_TARGET,
    LOOK = CMS_READ_SERVICES | CMS_READ_SHOWN | CMS_READ_TARGET,
    GATES = CMS_READ_STATUS | CMS_READ_LIST | CMS_READ_VERSION | CMS_READ_DATE |
            CMS_READ_DF | CMS_READ_SERVICES | CMS_READ_SVC_FILES |
            CMS_READ_STORES | CMS_READ_SHOWN | CMS_READ_CALLS,
    LANE = STEP_LIVE | STEP_CHAIN
};
#define ON(service) (CMS_SWITCHES << (service))

/* A goal takes a view and no more: one for each service, two questions for
 * each slot that may have a bundle, a third where CMS 2.x has another form. */
#define GOAL(name, service)                                                    \
    static enum goal goal_##name(const struct view *view, struct err *why)     \
    {                                                                          \
        return cms_service_goal(view, service, why);                           \
    }
#define BUNDLE(name, slot)                                                     \
    static bool with_##name(const struct view *view)                           \
    {                                                                          \
        return !cms_is_plain(view, slot) && cms_has_bundle(view, slot);        \
    }                                                                          \
    static bool bare_##name(const struct view *view)                           \
    {                                                                          \
        return !cms_is_plain(view, slot) && !cms_has_bundle(view, slot);       \
    }
#define PLAIN(name, slot)                                                      \
    static bool plain_##name(const struct view *view)                          \
    {                                                                          \
        return cms_is_plain(view, slot);                                       \
    }
GOAL(webadmin, SVC_WEBADMIN)
GOAL(callbridge, SVC_CALLBRIDGE)
GOAL(webbridge3, SVC_WEBBRIDGE3)
GOAL(turn, SVC_TURN)
GOAL(recorder, SVC_RECORDER)
GOAL(streamer, SVC_STREAMER)
GOAL(meetingapps, SVC_MEETINGAPPS)
GOAL(scheduler, SVC_SCHEDULER)
GOAL(webbridge, SVC_WEBBRIDGE)
GOAL(xmpp, SVC_XMPP)
BUNDLE(webadmin, SLOT_WEBADMIN)
BUNDLE(callbridge, SLOT_CALLBRIDGE)
BUNDLE(turn, SLOT_TURN)
BUNDLE(recorder, SLOT_RECORDER)
BUNDLE(streamer, SLOT_STREAMER)
BUNDLE(webbridge, SLOT_WEBBRIDGE)
BUNDLE(xmpp, SLOT_XMPP)
PLAIN(recorder, SLOT_RECORDER)
PLAIN(streamer, SLOT_STREAMER)

/* clang-format off */
#define PAIR(command, word, name) \
    { ACT_COMMAND, command " {set." word "_key} {set." word "_crt} {set." word "_ca}", 0, with_##name }, \
    { ACT_COMMAND, command " {set." word "_key} {set." word "_crt}", 0, bare_##name }
#define CHAIN(command, word) \
    { ACT_COMMAND, command " {set." word "_key} {set." word "_crt}" }

static const struct act issue[] = {
    { ACT_LOCAL, "a key and a certificate for each service" },
    { ACT_END },
};
#define PUT_PAIR(word, bit) \
    { ACT_PUT, word "_key" }, { ACT_PUT, word "_crt" }, { ACT_PUT, word "_ca" }, \
    { ACT_COMMAND, "pki match {set." word "_key} {set." word "_crt}", bit }, \
    { ACT_COMMAND, "pki verify {set." word "_crt} {set." word "_ca}", bit }
#define PUT_CHAIN(word, bit) \
    { ACT_PUT, word "_key" }, { ACT_PUT, word "_crt" }, \
    { ACT_COMMAND, "pki match {set." word "_key} {set." word "_crt}", bit }
static const struct act push[] = {
    PUT_PAIR("webadmin", ON(SVC_WEBADMIN)),
    PUT_PAIR("callbridge", ON(SVC_CALLBRIDGE)),
    PUT_CHAIN("wb3https", ON(SVC_WEBBRIDGE3)),
    PUT_CHAIN("wb3c2w", ON(SVC_WEBBRIDGE3)),
    PUT_PAIR("turn", ON(SVC_TURN)),
    PUT_PAIR("recorder", ON(SVC_RECORDER)),
    PUT_PAIR("streamer", ON(SVC_STREAMER)),
    PUT_CHAIN("apphttps", ON(SVC_MEETINGAPPS)),
    PUT_CHAIN("schedhttps", ON(SVC_SCHEDULER)),
    PUT_CHAIN("schedc2w", ON(SVC_SCHEDULER)),
    PUT_PAIR("webbridge", ON(SVC_WEBBRIDGE)),
    PUT_PAIR("xmpp", ON(SVC_XMPP)),
    { ACT_END },
};
static const struct act webadmin[] = {
    { ACT_COMMAND, "webadmin disable" },
    PAIR("webadmin certs", "webadmin", webadmin),
    { ACT_COMMAND, "webadmin enable" },
    { ACT_END },
};
static const struct act callbridge[] = {
    PAIR("callbridge certs", "callbridge", callbridge),
    { ACT_COMMAND, "callbridge restart" },
    { ACT_END },
};
static const struct act webbridge3[] = {
    { ACT_COMMAND, "webbridge3 disable" },
    CHAIN("webbridge3 https certs", "wb3https"),
    CHAIN("webbridge3 c2w certs", "wb3c2w"),
    { ACT_COMMAND, "webbridge3 enable" },
    { ACT_END },
};
static const struct act turn[] = {
    { ACT_COMMAND, "turn disable" },
    PAIR("turn certs", "turn", turn),
    { ACT_COMMAND, "turn enable" },
    { ACT_END },
};
static const struct act recorder[] = {
    { ACT_COMMAND, "recorder disable" },
    PAIR("recorder sip certs", "recorder", recorder),
    { ACT_COMMAND, "recorder certs {set.recorder_key} {set.recorder_crt}", 0, plain_recorder },
    { ACT_COMMAND, "recorder enable" },
    { ACT_END },
};
static const struct act streamer[] = {
    { ACT_COMMAND, "streamer disable" },
    PAIR("streamer sip certs", "streamer", streamer),
    { ACT_COMMAND, "streamer certs {set.streamer_key} {set.streamer_crt}", 0, plain_streamer },
    { ACT_COMMAND, "streamer enable" },
    { ACT_END },
};
static const struct act meetingapps[] = {
    { ACT_COMMAND, "meetingapps disable" },
    CHAIN("meetingapps https certs", "apphttps"),
    { ACT_COMMAND, "meetingapps enable" },
    { ACT_END },
};
static const struct act scheduler[] = {
    { ACT_COMMAND, "scheduler disable" },
    CHAIN("scheduler https certs", "schedhttps"),
    CHAIN("scheduler c2w certs", "schedc2w"),
    { ACT_COMMAND, "scheduler enable" },
    { ACT_END },
};

static const struct act webbridge[] = {
    { ACT_COMMAND, "webbridge disable" },
    PAIR("webbridge certs", "webbridge", webbridge),
    { ACT_COMMAND, "webbridge enable" },
    { ACT_END },
};
static const struct act xmpp[] = {
    { ACT_COMMAND, "xmpp disable" },
    PAIR("xmpp certs", "xmpp", xmpp),
    { ACT_COMMAND, "xmpp enable" },
    { ACT_END },
};

static const struct step steps[] = {
    { "gates",       "read every node, and refuse what is not safe", ROLES, STEP_PARALLEL, STEP_READ,
      WITHIN_COMMAND, GATES, cms_goal_gates, NULL },
    { "issue",       "make the new set", SWITCHED, STEP_ONCE, STEP_STAGE,
      WITHIN_COMMAND, 0, cms_goal_issue, issue },
    { "push",        "put the new set beside the old one, and prove it", SWITCHED, STEP_PARALLEL, STEP_STAGE,
      WITHIN_COMMAND, FILES | CMS_READ_SERVICES, cms_goal_push, push },
    { "webadmin",    "switch the web interface", ON(SVC_WEBADMIN), STEP_ONE_BY_ONE, STEP_LIVE | STEP_MIRROR,
      WITHIN_CONNECT, LOOK, goal_webadmin, webadmin },
    { "recorder",    "switch the recorder", ON(SVC_RECORDER), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_recorder, recorder },
    { "streamer",    "switch the streamer", ON(SVC_STREAMER), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_streamer, streamer },
    { "meetingapps", "switch MeetingApps", ON(SVC_MEETINGAPPS), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_meetingapps, meetingapps },
    { "scheduler",   "switch the scheduler", ON(SVC_SCHEDULER), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_scheduler, scheduler },
    { "xmpp",        "switch the XMPP server", ON(SVC_XMPP), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_xmpp, xmpp },
    { "drain",       "wait until its calls have ended, as long as drain= says", CMS_DRAINS, STEP_ONE_BY_ONE, LANE | STEP_WAITS,
      WITHIN_ASKED, LOOK | CMS_READ_CALLS, cms_goal_drained, NULL },
    { "webbridge3",  "switch the web bridge: its users drop", ON(SVC_WEBBRIDGE3), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_webbridge3, webbridge3 },
    { "webbridge",   "switch the web bridge of 2.x: its users drop", ON(SVC_WEBBRIDGE), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_webbridge, webbridge },
    { "turn",        "switch the TURN server: its media drop", ON(SVC_TURN), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_turn, turn },
    { "callbridge",  "switch the Call Bridge: its calls drop", ON(SVC_CALLBRIDGE), STEP_ONE_BY_ONE, LANE,
      WITHIN_CONNECT, LOOK, goal_callbridge, callbridge },
    { "prove",       "prove printouts, files and live certificates", SWITCHED, STEP_PARALLEL, STEP_LIVE,
      WITHIN_COMMAND, LOOK, cms_goal_services, NULL },
};

static const struct input_row inputs[] = {
    { "service", "NAME,...|all", "which: webadmin, callbridge, webbridge3, turn, recorder, streamer, meetingapps, scheduler; of 2.x webbridge, xmpp",
      cms_service_check_names },
    { "drain", "MINUTES", "waits so long for the calls of a node to end before what drops them is restarted; needs api_user",
      cms_drain_check },
    { NULL, NULL, NULL, NULL },
};
/* clang-format on */

static const char *const accepts[] = {
    "clock-unknown", "foreign",     "no-api", "no-tls",
    "shared-file",   "trust-store", NULL};

/* There is no holder, and nobody becomes it. */
static void assign(struct plan_cluster *pc, size_t holder)
{
    (void)pc;
    (void)holder;
}

const struct playbook cms_service_rotate = {
    .id = "cms/service-rotate",
    .title = "rotate the certificates of CMS services",
    .help = "Makes a key and a certificate for each service, puts them beside "
            "the old ones on every node, and switches node by node: the next "
            "one begins when the node says SUCCESS, its printout names the new "
            "files and its port shows the new certificate.  Failing for good "
            "on one node, that node and those before it go back to their old "
            "files.  The database cluster is not touched.",
    .product = &cms_product,
    .inputs = inputs,
    .accepts = accepts,
    .steps = steps,
    .n_steps = sizeof(steps) / sizeof(steps[0]),
    .back_reads = CMS_READ_STATUS | CMS_READ_LIST | CMS_READ_TARGET |
                  CMS_READ_SERVICES | CMS_READ_SHOWN,
    .use_reads = CMS_READ_SERVICES,
    .issuer = cms_service_issuer,
    .prepare = cms_service_prepare,
    .asked_s = cms_drain_within_s,
    .check_issuer = cms_service_check_issuer,
    .decide = cms_service_decide,
    .weigh = cms_service_weigh,
    .issue = cms_service_issue,
    .wish = cms_service_wish,
    .assign = assign,
    .way_back = cms_service_way_back,
    .recognise = cms_service_recognise,
    .caution = "Each service that is switched is down for as long as it takes "
               "to start, one node at a time.  Calls and users of that node "
               "drop.  drain=MINUTES waits for them to end where the inventory "
               "gives access to the API; it keeps no new ones from coming in.",
};
