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

/* -- all ------------------------------------------------------------------- */

enum {
    SWITCHED = SERVICE_SWITCH | SERVICE_RESTART
};
const struct service_kind service_kinds[] = {
    { "webadmin", "webadmin", NULL, SWITCHED,
      "TLS interface and port configured",
      "TLS port set but no certificates configured",
      webadmin_slots, webadmin_lines },
    { "callbridge", "callbridge", NULL,
      SERVICE_RESTART | SERVICE_CALLS | SERVICE_ALWAYS | SERVICE_OPTIONAL,
      "listen interface configured", NULL,
      callbridge_slots, callbridge_lines },
    { NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL },
};
/* clang-format on */
