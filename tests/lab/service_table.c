/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of services: commands, words, printouts, ports (facts/cms.md
 * 5.2-5.11).  Labels stand as the documents print them, blanks included;
 * what they do not print (scheduler, meetingapps, uploader, tls) is formed
 * after the others.
 */
#include "tests/lab/service.h"

#define AT(field) offsetof(struct lab_settings, field)

/* clang-format off */
#define END_SLOTS { NULL, NULL, SLOT_PAIR, false, 0, 0, -1, NULL }
#define END_LINES { NULL, LINE_TEXT, 0, NULL }

/* -- webadmin: 5.2 --------------------------------------------------------- */

static const struct service_slot webadmin_slots[] = {
    { "certs", "", SLOT_PAIR, true, 0, AT(webadmin_port), -1,
      "webadmin.key webadmin.cer root.cer" },
    END_SLOTS,
};
static const struct service_line webadmin_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "TLS listening interface : ", LINE_TEXT, 0, "a" },
    { "TLS listening port      : ", LINE_PORT, AT(webadmin_port), "" },
    { "Key file                : ", LINE_FILE, 0, NULL },
    { "Certificate file        : ", LINE_FILE, 1, NULL },
    { "CA Bundle file          : ", LINE_FILE_IF_SET, 2, NULL },
    { "HTTP redirect           : ", LINE_TEXT, 0, "Disabled" },
    { "STATUS                  : ", LINE_STATUS, 0, NULL },
    END_LINES,
};

/* -- callbridge: 5.3 ------------------------------------------------------- */

static const struct service_slot callbridge_slots[] = {
    { "certs", "", SLOT_PAIR, true, 0, AT(callbridge_port), -1,
      "callbridge.key callbridge.cer root.cer" },
    { "trust c2w", "", SLOT_TRUST, true, 3, 0, -1, "root.cer" },
    { "trust cluster", "", SLOT_TRUST, true, 4, 0, -1, "root.cer" },
    { "trust edge", "", SLOT_TRUST, true, 5, 0, -1, NULL },
    { "ucm certs", "", SLOT_TRUST, true, 6, 0, -1, NULL },
    { "imps certs", "", SLOT_TRUST, true, 7, 0, -1, NULL },
    END_SLOTS,
};
static const struct service_line callbridge_lines[] = {
    { "Listening interfaces  : ", LINE_TEXT, 0, "a" },
    { "Preferred interface   : ", LINE_TEXT, 0, "none" },
    { "Key file              : ", LINE_FILE, 0, NULL },
    { "Certificate file      : ", LINE_FILE, 1, NULL },
    { "Address               : ", LINE_TEXT, 0, "none" },
    { "CA Bundle file        : ", LINE_FILE, 2, NULL },
    { "C2W trusted certs                   : ", LINE_FILE, 3, NULL },
    { "Callbridge cluster trusted certs    : ", LINE_FILE, 4, NULL },
    { "Callbridge trust branding certs     : ", LINE_TEXT, 0, "none" },
    { "UCM trusted certs         : ", LINE_FILE, 6, NULL },
    { "UCM verification mode     : ", LINE_TEXT, 0, "enabled" },
    { "IMPS trusted certs        : ", LINE_FILE, 7, NULL },
    { "IMPS verification mode    : ", LINE_TEXT, 0, "enabled" },
    { "WC3 JWT Expiry in hours   : ", LINE_TEXT, 0, "24" },
    { "AV1 Video Codec : ", LINE_TEXT, 0, "enabled" },
    END_LINES,
};

/* -- webbridge3: 5.4 ------------------------------------------------------- */

static const struct service_slot webbridge3_slots[] = {
    { "https certs", "HTTPS ", SLOT_CHAIN, true, 0, AT(webbridge3_port), -1,
      "web.key web-chain.cer" },
    { "c2w certs", "C2W ", SLOT_CHAIN, true, 2, AT(c2w_port), 4,
      "c2w.key c2w-chain.cer" },
    { "c2w trust", "C2W ", SLOT_TRUST, true, 4, 0, -1, "root.cer" },
    END_SLOTS,
};
static const struct service_line webbridge3_lines[] = {
    { "Enabled                               : ", LINE_ENABLED, 0, NULL },
    { "HTTPS listening ports and interfaces  : ", LINE_PORT,
      AT(webbridge3_port), "a:" },
    { "HTTPS Key file                        : ", LINE_FILE, 0, NULL },
    { "HTTPS Full chain certificate file     : ", LINE_FILE, 1, NULL },
    { "HTTPS Frame-Ancestors                 : ", LINE_TEXT, 0, "none" },
    { "HTTP redirect                         : ", LINE_TEXT, 0, "Disabled" },
    { "C2W listening ports and interfaces    : ", LINE_PORT, AT(c2w_port),
      "a:" },
    { "C2W Key file                          : ", LINE_FILE, 2, NULL },
    { "C2W Full chain certificate file       : ", LINE_FILE, 3, NULL },
    { "C2W Trust bundle                      : ", LINE_FILE, 4, NULL },
    { "Meetingapps address                   : ", LINE_TEXT, 0, "none" },
    { "Meetingapps port                      : ", LINE_TEXT, 0, "none" },
    { "Audio priority flag                   : ", LINE_TEXT, 0, "Enabled" },
    { "Beta options                          : ", LINE_TEXT, 0, "none" },
    END_LINES,
};

/* -- turn: 5.5; it prints its secrets -------------------------------------- */

static const struct service_slot turn_slots[] = {
    { "certs", "", SLOT_PAIR, true, 0, AT(turn_port), -1,
      "media.key media.cer root.cer" },
    END_SLOTS,
};
static const struct service_line turn_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "Username                : ", LINE_TEXT, 0, "turnuser" },
    { "Password                : ", LINE_WORD, AT(turn_password), NULL },
    { "Short term credentials  : ", LINE_TEXT, 0, "Disabled" },
    { "Shared secret           : ", LINE_WORD, AT(turn_secret), NULL },
    { "Realm                   : ", LINE_TEXT, 0, "lab.example.com" },
    { "Public IP               : ", LINE_TEXT, 0, "none" },
    { "High Capacity Mode      : ", LINE_TEXT, 0, "Enabled" },
    { "Relay address           : ", LINE_TEXT, 0, "none" },
    { "TLS port                : ", LINE_PORT, AT(turn_port), "" },
    { "TLS cert                : ", LINE_FILE, 1, NULL },
    { "TLS key                 : ", LINE_FILE, 0, NULL },
    { "TLS bundle              : ", LINE_FILE, 2, NULL },
    { "Listen interface      ", LINE_TEXT, 0, "a" },
    END_LINES,
};

/* -- recorder, streamer: 5.6, 5.7 ------------------------------------------ */

static const struct service_slot recorder_slots[] = {
    { "sip certs", "", SLOT_PAIR, true, 0, AT(recorder_port), -1,
      "media.key media.cer root.cer" },
    END_SLOTS,
};
static const struct service_line recorder_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "SIP interfaces          : ", LINE_PORT, AT(recorder_port),
      "tcp a:8888, tls a:" },
    { "SIP key file            : ", LINE_FILE, 0, NULL },
    { "SIP certificate file    : ", LINE_FILE, 1, NULL },
    { "SIP CA Bundle file      : ", LINE_FILE, 2, NULL },
    { "SIP traffic trace       : ", LINE_TEXT, 0, "Disabled" },
    { "NFS domain name         : ", LINE_TEXT, 0, "nfs.lab.example.com" },
    { "NFS directory           : ", LINE_TEXT, 0, "/recordings" },
    { "Resolution              : ", LINE_TEXT, 0, "720p" },
    { "Call Limit              : ", LINE_TEXT, 0, "none" },
    END_LINES,
};
static const struct service_slot streamer_slots[] = {
    { "sip certs", "", SLOT_PAIR, true, 0, AT(streamer_port), -1,
      "media.key media.cer root.cer" },
    END_SLOTS,
};
static const struct service_line streamer_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "SIP interfaces          : ", LINE_PORT, AT(streamer_port),
      "tcp a:8890, tls a:" },
    { "SIP key file            : ", LINE_FILE, 0, NULL },
    { "SIP certificate file    : ", LINE_FILE, 1, NULL },
    { "SIP CA Bundle file      : ", LINE_FILE, 2, NULL },
    { "SIP Resolution          : ", LINE_TEXT, 0, "720p" },
    { "SIP traffic trace       : ", LINE_TEXT, 0, "Disabled" },
    { "Call Limit              : ", LINE_TEXT, 0, "none" },
    END_LINES,
};

/* Of 2.x: no SIP, and an allow list of Call Bridges' very certificates. */
static const struct service_slot recorder_plain_slots[] = {
    { "certs", "", SLOT_KEY_CERT, true, 0, AT(recorder_port), -1,
      "media.key media.cer" },
    { "trust", "", SLOT_TRUST, true, 2, 0, -1, "root.cer" },
    END_SLOTS,
};
static const struct service_line recorder_plain_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "Interface whitelist     : ", LINE_PORT, AT(recorder_port), "a:" },
    { "Key file                : ", LINE_FILE, 0, NULL },
    { "Certificate file        : ", LINE_FILE, 1, NULL },
    { "Trust bundle            : ", LINE_FILE, 2, NULL },
    { "NFS domain name         : ", LINE_TEXT, 0, "nfs.lab.example.com" },
    { "NFS directory           : ", LINE_TEXT, 0, "/recordings" },
    { "Resolution              : ", LINE_TEXT, 0, "720p" },
    END_LINES,
};
static const struct service_slot streamer_plain_slots[] = {
    { "certs", "", SLOT_KEY_CERT, true, 0, AT(streamer_port), -1,
      "media.key media.cer" },
    { "trust", "", SLOT_TRUST, true, 2, 0, -1, "root.cer" },
    END_SLOTS,
};
static const struct service_line streamer_plain_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "Interface whitelist     : ", LINE_PORT, AT(streamer_port), "a:" },
    { "Key file                : ", LINE_FILE, 0, NULL },
    { "Certificate file        : ", LINE_FILE, 1, NULL },
    { "Trust bundle            : ", LINE_FILE, 2, NULL },
    END_LINES,
};

/* -- meetingapps, scheduler, uploader: 5.8-5.10 ---------------------------- */

static const struct service_slot meetingapps_slots[] = {
    { "https certs", "HTTPS ", SLOT_CHAIN, true, 0, AT(meetingapps_port), -1,
      "web.key web-chain.cer" },
    END_SLOTS,
};
static const struct service_line meetingapps_lines[] = {
    { "Enabled                               : ", LINE_ENABLED, 0, NULL },
    { "HTTPS listening ports and interfaces  : ", LINE_PORT,
      AT(meetingapps_port), "a:" },
    { "HTTPS Key file                        : ", LINE_FILE, 0, NULL },
    { "HTTPS Full chain certificate file     : ", LINE_FILE, 1, NULL },
    END_LINES,
};
static const struct service_slot scheduler_slots[] = {
    { "https certs", "HTTPS ", SLOT_CHAIN, true, 0, AT(scheduler_port), -1,
      "web.key web-chain.cer" },
    { "c2w certs", "C2W ", SLOT_CHAIN, true, 2, 0, -1,
      "c2w.key c2w-chain.cer" },
    { "c2w trust", "C2W ", SLOT_TRUST, true, 4, 0, -1, "root.cer" },
    END_SLOTS,
};
static const struct service_line scheduler_lines[] = {
    { "Enabled                               : ", LINE_ENABLED, 0, NULL },
    { "HTTPS listening ports and interfaces  : ", LINE_PORT,
      AT(scheduler_port), "a:" },
    { "HTTPS Key file                        : ", LINE_FILE, 0, NULL },
    { "HTTPS Full chain certificate file     : ", LINE_FILE, 1, NULL },
    { "C2W Key file                          : ", LINE_FILE, 2, NULL },
    { "C2W Full chain certificate file       : ", LINE_FILE, 3, NULL },
    { "C2W Trust bundle                      : ", LINE_FILE, 4, NULL },
    END_LINES,
};
static const struct service_slot uploader_slots[] = {
    { "cms trust", "CMS ", SLOT_TRUST, false, 0, 0, -1, "root.cer" },
    { "rev trust", "REV ", SLOT_TRUST, false, 1, 0, -1, "root.cer" },
    END_SLOTS,
};
static const struct service_line uploader_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "CMS trust store         : ", LINE_FILE, 0, NULL },
    { "Rev trust store         : ", LINE_FILE, 1, NULL },
    END_LINES,
};

/* -- tls: 5.11; what it trusts counts when the Call Bridge starts anew ------ */

static const struct service_slot tls_slots[] = {
    { "trust", "", SLOT_TRUST, false, 0, 0, -1, "root.cer" },
    END_SLOTS,
};
static const struct service_line tls_lines[] = {
    { "TLS trusted certs       : ", LINE_FILE, 0, NULL },
    { "TLS verification mode   : ", LINE_TEXT, 0, "enabled" },
    END_LINES,
};

/* -- webbridge, xmpp: 5.12; gone in 3.0 ------------------------------------ */

static const struct service_slot webbridge_slots[] = {
    { "certs", "", SLOT_PAIR, true, 0, AT(webbridge_port), -1,
      "web.key web.cer root.cer" },
    { "trust", "", SLOT_TRUST, true, 3, 0, -1, "root.cer" },
    END_SLOTS,
};
static const struct service_line webbridge_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "Interface whitelist     : ", LINE_PORT, AT(webbridge_port), "a:" },
    { "Key file                : ", LINE_FILE, 0, NULL },
    { "Certificate file        : ", LINE_FILE, 1, NULL },
    { "CA Bundle file          : ", LINE_FILE, 2, NULL },
    { "Trust bundle            : ", LINE_FILE, 3, NULL },
    { "HTTP redirect           : ", LINE_TEXT, 0, "Disabled" },
    END_LINES,
};
static const struct service_slot xmpp_slots[] = {
    { "certs", "", SLOT_PAIR, true, 0, 0, -1, "media.key media.cer root.cer" },
    { "cluster trust", "", SLOT_TRUST, true, 3, 0, -1, NULL },
    END_SLOTS,
};
static const struct service_line xmpp_lines[] = {
    { "Enabled                 : ", LINE_ENABLED, 0, NULL },
    { "Domain                  : ", LINE_TEXT, 0, "lab.example.com" },
    { "Key file                : ", LINE_FILE, 0, NULL },
    { "Certificate file        : ", LINE_FILE, 1, NULL },
    { "CA Bundle file          : ", LINE_FILE, 2, NULL },
    { "Cluster trusted certs   : ", LINE_FILE, 3, NULL },
    { "STATUS                  : ", LINE_STATUS, 0, NULL },
    END_LINES,
};

/* -- all ------------------------------------------------------------------- */

enum {
    SWITCHED = SERVICE_SWITCH | SERVICE_RESTART,
    CALL_BRIDGE = SERVICE_RESTART | SERVICE_CALLS | SERVICE_ALWAYS |
                  SERVICE_OPTIONAL | SERVICE_LEGS,
    WEB_BRIDGE = SWITCHED | SERVICE_STATUS | SERVICE_CALLS
};
#define NO_CERTS "TLS port set but no certificates configured"

const struct service_kind service_kinds[] = {
    { "webadmin", "webadmin", 0, 0, NULL, SWITCHED | SERVICE_API,
      "TLS interface and port configured", NO_CERTS,
      webadmin_slots, webadmin_lines },
    { "callbridge", "callbridge", 0, 0, NULL, CALL_BRIDGE,
      "listen interface configured", NULL,
      callbridge_slots, callbridge_lines },
    { "tls sip", "callbridge", 0, 0, NULL, SERVICE_ALWAYS, NULL, NULL,
      tls_slots, tls_lines },
    { "tls ldap", "callbridge", 0, 0, NULL, SERVICE_ALWAYS, NULL, NULL,
      tls_slots, tls_lines },
    { "webbridge3", "webbridge3", 300, 0, "Webbridge3", WEB_BRIDGE,
      NULL, "not configured", webbridge3_slots, webbridge3_lines },
    { "turn", "turn", 0, 0, "TURN server", SWITCHED | SERVICE_CALLS,
      NULL, NO_CERTS, turn_slots, turn_lines },
    { "recorder", "recorder", 300, 0, "Recorder", SWITCHED,
      NULL, NO_CERTS, recorder_slots, recorder_lines },
    { "streamer", "streamer", 300, 0, "Streamer", SWITCHED,
      NULL, NO_CERTS, streamer_slots, streamer_lines },
    { "meetingapps", "meetingapps", 305, 0, "MeetingApps", SERVICE_SWITCH,
      NULL, "not configured", meetingapps_slots, meetingapps_lines },
    { "scheduler", "scheduler", 303, 0, "Scheduler", SERVICE_SWITCH,
      NULL, "not configured", scheduler_slots, scheduler_lines },
    { "uploader", "uploader", 0, 0, "uploader", SERVICE_SWITCH, NULL, NULL,
      uploader_slots, uploader_lines },
    { "recorder", "recorder", 0, 300, "Recorder", SWITCHED,
      NULL, NO_CERTS, recorder_plain_slots, recorder_plain_lines },
    { "streamer", "streamer", 0, 300, "Streamer", SWITCHED,
      NULL, NO_CERTS, streamer_plain_slots, streamer_plain_lines },
    { "webbridge", "webbridge", 0, 300, "Webbridge",
      SWITCHED | SERVICE_CALLS, NULL, NO_CERTS,
      webbridge_slots, webbridge_lines },
    { "xmpp", "xmpp", 0, 300, "XMPP server", SWITCHED,
      "Domain configured", NO_CERTS, xmpp_slots, xmpp_lines },
    { NULL, NULL, 0, 0, NULL, 0, NULL, NULL, NULL, NULL },
};
/* clang-format on */
