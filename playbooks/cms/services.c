/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of services, and a tolerant reading of their printouts: labels
 * in any case, colons wherever they stand, unknown lines passed over.
 */
#include "playbooks/cms/services.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/clock.h"
#include "playbooks/cms/cms.h"

/* clang-format off */
#define WEB "browsers and apps, when it is no public CA's"
const struct cms_service_row cms_services[CMS_SERVICES] = {
    [SVC_WEBADMIN] =    { "webadmin", CMS_WEBADMIN, false, false, 0,
      "the web interface and the API for a moment",
      "the Call Bridges of the cluster (callbridge trust cluster), CUCM (conference bridge), CMM, TMS, uploader" },
    [SVC_CALLBRIDGE] =  { "callbridge", CMS_CALLBRIDGE, true, true, 0,
      "all calls of the node",
      "CUCM (subject of the SIP trunk, CallManager-trust), Expressway zones, Lync, web bridges (c2w trust), recorder, streamer" },
    [SVC_WEBBRIDGE3] =  { "webbridge3", CMS_WEBBRIDGE3, false, true, 300,
      "all web app users of the node",
      WEB "; for c2w the Call Bridges (callbridge trust c2w)" },
    [SVC_TURN] =        { "turn", CMS_TURN, false, true, 0,
      "all media that the node relays", WEB },
    [SVC_RECORDER] =    { "recorder", CMS_RECORDER, false, false, 300,
      "recordings under way", "the Call Bridges (tls sip trust)" },
    [SVC_STREAMER] =    { "streamer", CMS_STREAMER, false, false, 300,
      "streams under way", "the Call Bridges (tls sip trust)" },
    [SVC_MEETINGAPPS] = { "meetingapps", CMS_MEETINGAPPS, false, false, 305,
      "file sharing and surveys for a moment", WEB },
    [SVC_SCHEDULER] =   { "scheduler", CMS_SCHEDULER, false, false, 303,
      "scheduling for a moment", WEB "; for c2w the web bridges (webbridge3 c2w trust)" },
    [SVC_UPLOADER] =    { "uploader", CMS_UPLOADER, false, false, 0, NULL, NULL },
};

#define BIT(slot) (1U << (slot))
const struct cms_slot_row cms_slots[CMS_SVC_SLOTS] = {
    [SLOT_WEBADMIN] =   { SVC_WEBADMIN, "webadmin", "webadmin",
      { "Key file", "Certificate file", "CA Bundle file" },
      "TLS listening port", 443, false, "webadmin" },
    [SLOT_CALLBRIDGE] = { SVC_CALLBRIDGE, "callbridge", "callbridge",
      { "Key file", "Certificate file", "CA Bundle file" },
      NULL, 5061, true, "callbridge" },
    [SLOT_WB3_HTTPS] =  { SVC_WEBBRIDGE3, "wb3https", "webbridge3 https",
      { "HTTPS Key file", "HTTPS Full chain certificate file", NULL },
      "HTTPS listening ports and interfaces", 443, false, "webbridge3" },
    [SLOT_WB3_C2W] =    { SVC_WEBBRIDGE3, "wb3c2w", "webbridge3 c2w",
      { "C2W Key file", "C2W Full chain certificate file", NULL },
      "C2W listening ports and interfaces", 9999, true, "c2w" },
    [SLOT_TURN] =       { SVC_TURN, "turn", "turn",
      { "TLS key", "TLS cert", "TLS bundle" },
      "TLS port", 5349, false, "turn" },
    [SLOT_RECORDER] =   { SVC_RECORDER, "recorder", "recorder sip",
      { "SIP key file", "SIP certificate file", "SIP CA Bundle file" },
      "SIP interfaces", 0, false, "recorder" },
    [SLOT_STREAMER] =   { SVC_STREAMER, "streamer", "streamer sip",
      { "SIP key file", "SIP certificate file", "SIP CA Bundle file" },
      "SIP interfaces", 0, false, "streamer" },
    [SLOT_APPS_HTTPS] = { SVC_MEETINGAPPS, "apphttps", "meetingapps https",
      { "HTTPS Key file", "HTTPS Full chain certificate file", NULL },
      "HTTPS listening ports and interfaces", 0, false, "meetingapps" },
    [SLOT_SCHED_HTTPS] = { SVC_SCHEDULER, "schedhttps", "scheduler https",
      { "HTTPS Key file", "HTTPS Full chain certificate file", NULL },
      "HTTPS listening ports and interfaces", 0, false, "meetingapps" },
    [SLOT_SCHED_C2W] =  { SVC_SCHEDULER, "schedc2w", "scheduler c2w",
      { "C2W Key file", "C2W Full chain certificate file", NULL },
      NULL, 0, true, "c2w" },
};

const struct cms_store_row cms_stores[CMS_SVC_STORES] = {
    [STORE_CB_C2W] =     { SVC_CALLBRIDGE, "callbridge trust c2w",
      "C2W trusted certs", BIT(SLOT_WB3_C2W) },
    [STORE_CB_CLUSTER] = { SVC_CALLBRIDGE, "callbridge trust cluster",
      "Callbridge cluster trusted certs", BIT(SLOT_WEBADMIN) },
    [STORE_WB3_C2W] =    { SVC_WEBBRIDGE3, "webbridge3 c2w trust",
      "C2W Trust bundle", BIT(SLOT_CALLBRIDGE) | BIT(SLOT_SCHED_C2W) },
    [STORE_SCHED_C2W] =  { SVC_SCHEDULER, "scheduler c2w trust",
      "C2W Trust bundle", BIT(SLOT_WB3_C2W) },
    [STORE_UPLOADER_CMS] = { SVC_UPLOADER, "uploader cms trust",
      "CMS trust store", BIT(SLOT_WEBADMIN) },
    [STORE_UPLOADER_REV] = { SVC_UPLOADER, "uploader rev trust",
      "Rev trust store", 0 },
};
/* clang-format on */

uint32_t cms_switch_bit(enum cms_service service)
{
    return (uint32_t)CMS_SWITCHES << service;
}

uint32_t cms_switch_bits(void)
{
    return (uint32_t)CMS_SWITCHES * ((1U << CMS_SERVICES) - 1);
}

enum cms_service cms_service_of(const char *command)
{
    size_t len = strcspn(command, " ");
    unsigned s = 0;

    while (s < CMS_SERVICES &&
           (strlen(cms_services[s].name) != len ||
            strncmp(cms_services[s].name, command, len) != 0))
        s++;
    return (enum cms_service)s;
}

enum cms_service cms_base_owner(const char *name, size_t len)
{
    for (int i = 0; i < CMS_SVC_SLOTS; i++) {
        size_t n = strlen(cms_slots[i].word);
        if (strncmp(name, cms_slots[i].word, n) == 0 &&
            (len == n || (len == n + 2 && strncmp(name + n, "ca", 2) == 0)))
            return cms_slots[i].service;
    }
    return CMS_SERVICES;
}

/* -- printouts ------------------------------------------------------------- */

struct line {
    const char *label, *value;
    size_t label_len, value_len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **text, size_t *len)
{
    while (*len && is_blank(**text))
        (*text)++, (*len)--;
    while (*len && is_blank((*text)[*len - 1]))
        (*len)--;
}

static bool split(const char *p, size_t len, struct line *line)
{
    const char *colon = memchr(p, ':', len);

    if (!colon)
        return false;
    *line = (struct line){.label = p,
                          .label_len = (size_t)(colon - p),
                          .value = colon + 1,
                          .value_len = len - (size_t)(colon - p) - 1};
    trim(&line->label, &line->label_len);
    trim(&line->value, &line->value_len);
    return true;
}

static bool has_label(const struct line *line, const char *label)
{
    return label && strlen(label) == line->label_len &&
           strncasecmp(label, line->label, line->label_len) == 0;
}

static bool is_word(const struct line *line, const char *word)
{
    return line->value_len == strlen(word) &&
           strncasecmp(line->value, word, line->value_len) == 0;
}

/* The first word: what stands behind a name is a remark. */
static void take_name(const struct line *line, char name[CMS_NAME_BYTES])
{
    size_t n = 0;

    name[0] = '\0';
    while (n < line->value_len && !is_blank(line->value[n]))
        n++;
    if (n == 0 || n >= CMS_NAME_BYTES || is_word(line, "none"))
        return;
    memcpy(name, line->value, n);
    name[n] = '\0';
}

/* "443", "a:445 b:445", "tcp a:8888, tls a:8889": the first number behind
 * "tls" where that stands, else the first one. */
static unsigned take_port(const struct line *line)
{
    const char *p = line->value, *end = p + line->value_len;
    const char *tls = memmem(p, line->value_len, "tls", 3);
    unsigned port = 0;

    for (p = tls ? tls : p; p < end && (*p < '0' || *p > '9'); p++)
        ;
    for (; p < end && *p >= '0' && *p <= '9' && port < 65536; p++)
        port = port * 10 + (unsigned)(*p - '0');
    return port < 65536 ? port : 0;
}

static void take_line(struct cms_svc_all *all, enum cms_service service,
                      const struct line *line)
{
    struct cms_svc_facts *f = &all->service[service];

    if (has_label(line, "Enabled")) {
        f->enabled_shown = true;
        f->enabled = is_word(line, "true");
    }
    for (int i = 0; i < CMS_SVC_SLOTS; i++) {
        if (cms_slots[i].service != service)
            continue;
        if (has_label(line, cms_slots[i].port_label))
            all->slot[i].port = take_port(line);
        for (int k = 0; k < CMS_SVC_PARTS; k++)
            if (has_label(line, cms_slots[i].labels[k]))
                take_name(line, all->slot[i].files[k]);
    }
    for (int i = 0; i < CMS_SVC_STORES; i++)
        if (cms_stores[i].service == service &&
            has_label(line, cms_stores[i].label))
            take_name(line, all->store[i].file);
}

static void blank(struct cms_svc_all *all, enum cms_service service)
{
    memset(&all->service[service], 0, sizeof(all->service[service]));
    for (int i = 0; i < CMS_SVC_SLOTS; i++)
        if (cms_slots[i].service == service) {
            memset(all->slot[i].files, 0, sizeof(all->slot[i].files));
            all->slot[i].port = 0;
        }
    for (int i = 0; i < CMS_SVC_STORES; i++)
        if (cms_stores[i].service == service)
            all->store[i].file[0] = '\0';
}

void cms_service_parse(struct cms_svc_all *all, enum cms_service service,
                       const char *text, size_t len)
{
    const char *p = text, *end = text + len;
    struct line line;

    blank(all, service);
    all->service[service].read_ms = clock_mono_ms();
    all->service[service].unknown =
        len >= 15 && memcmp(text, "Unknown command", 15) == 0;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);

        if (split(p, n, &line))
            take_line(all, service, &line);
        p += n + 1;
    }
}

void cms_svc_release(struct cms_svc_all *all)
{
    for (int i = 0; i < CMS_SVC_SLOTS; i++) {
        for (int k = 0; k < CMS_SVC_PARTS; k++)
            secret_free(all->slot[i].bytes[k]);
        secret_free(all->slot[i].served_bytes);
        free(all->slot[i].crt);
    }
    for (int i = 0; i < CMS_SVC_STORES; i++)
        free(all->store[i].data);
}
