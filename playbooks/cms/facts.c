/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of reads and a parser for each row.  Pure: bytes in, facts out.
 */
#include "playbooks/cms/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "playbooks/cms/service_priv.h"

/* clang-format off */
static const char *const slot_words[CMS_SLOTS] = {
    "server_key", "server_crt", "client_key", "client_crt", "ca_crt",
};
/* facts/cms.md 1.4 */
static const char *const volatile_names[] = {
    "log", "audit", "logbundle.tar.gz", "live.json", "boot.json", "cms.lic",
    "acano.lic",
};
/* clang-format on */

const char *cms_slot_word(enum cms_slot slot)
{
    return slot_words[slot];
}

bool cms_is_volatile(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(volatile_names) / sizeof(char *); i++)
        if (strcmp(name, volatile_names[i]) == 0)
            return true;
    return len > 5 && strcmp(name + len - 5, ".pcap") == 0;
}

struct facts *cms_facts_new(void)
{
    struct cms_facts *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    return &f->base;
}

static void drop_bytes(struct cms_facts *f)
{
    for (int i = 0; i < CMS_SLOTS; i++) {
        secret_free(f->bytes[i]);
        f->bytes[i] = NULL;
    }
}

static void drop_listed(struct cms_facts *f)
{
    for (size_t i = 0; i < f->n_listed; i++)
        free(f->listed[i]);
    free(f->listed);
    free(f->listed_mtime);
    f->listed_mtime = NULL;
    f->listed = NULL;
    f->n_listed = 0;
}

void cms_facts_drop_certs(struct cms_facts *f)
{
    for (int i = 0; i < CMS_SLOTS; i++)
        free(f->certs[i].data);
    memset(f->certs, 0, sizeof(f->certs));
}

void cms_facts_free(struct facts *facts)
{
    struct cms_facts *f = (struct cms_facts *)facts;

    if (!f)
        return;
    drop_bytes(f);
    cms_facts_drop_certs(f);
    drop_listed(f);
    secret_free(f->served_bytes);
    cms_svc_release(&f->services);
    free(f);
}

const struct cms_facts *cms_facts_at(const struct plan_cluster *pc, size_t i)
{
    return (const struct cms_facts *)pc->nodes[i].facts;
}

const struct cms_facts *cms_facts_of(const struct view *view)
{
    return cms_facts_at(view->plan, view->node);
}

/* -- commands ------------------------------------------------------------- */

static int parse_status(struct facts *facts, const struct read_file *file,
                        const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;
    struct cms_status status;

    (void)file;
    if (result->len >= 15 && memcmp(result->data, "Unknown command", 15) == 0)
        return err_set(err, CAUSE_REMOTE,
                       "it does not know the command: is it a Meeting "
                       "Server, and may this user manage it?");
    /* A status that no rule knows is a fact, too: goals and gates say what
     * it means (GOAL_UNKNOWN). */
    cms_status_parse(result->data, result->len, &status, NULL);
    /* A piece of one is none: what is missing (members, names of files, the
     * last command) would be taken for what is not there. */
    if (status.word != CMS_ODD && status.word != CMS_BUSY && !status.whole)
        return err_set(err, CAUSE_REMOTE,
                       "it breaks off before the line of the last command");
    f->status = status;
    if (f->status.place == CMS_STANDALONE)
        f->standalone_ms = clock_mono_ms();
    return 0;
}

static int parse_version(struct facts *facts, const struct read_file *file,
                         const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;
    const char *p = result->data, *end = p + result->len;

    (void)file;
    (void)err;
    f->version[0] = '\0';
    while (p < end && !(*p >= '0' && *p <= '9'))
        p++;
    for (size_t n = 0; p < end && n + 1 < sizeof(f->version) &&
                       ((*p >= '0' && *p <= '9') || *p == '.');
         p++) {
        f->version[n++] = *p;
        f->version[n] = '\0';
    }
    return 0;
}

/* The layout of `date` is not documented.  A zone that is not named is taken
 * for UTC, in which the MMP keeps its time. */
static bool parse_time(const char *text, int64_t *seconds)
{
    static const char *const layouts[] = {
        "%a %b %d %H:%M:%S UTC %Y", "%a %b %d %H:%M:%S GMT %Y",
        "%a %b %d %H:%M:%S %Y",     "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
    };

    for (size_t i = 0; i < sizeof(layouts) / sizeof(char *); i++) {
        struct tm tm = {0};
        if (strptime(text, layouts[i], &tm)) {
            *seconds = timegm(&tm);
            return true;
        }
    }
    return false;
}

static int parse_date(struct facts *facts, const struct read_file *file,
                      const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;
    struct str text;
    int64_t seconds = 0;

    (void)file;
    (void)err;
    str_init(&text, 512);
    str_addn(&text, result->data, result->len);
    f->clock_known = false;
    /* "System time: ..." is as likely as the bare time */
    for (const char *p = str_text(&text); *p && !f->clock_known; p++)
        if (p == text.data || p[-1] == ' ' || p[-1] == '\n')
            f->clock_known = parse_time(p, &seconds);
    if (f->clock_known) /* it was so half a round trip and half a second ago */
        f->clock_off_ms = seconds * 1000 + 500 + (int64_t)result->took_ms / 2 -
                          clock_wall_ms();
    str_release(&text);
    return 0;
}

/* Every "NN%" of the first table; inodes come in a second one. */
static int parse_df(struct facts *facts, const struct read_file *file,
                    const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;
    const char *p = result->data;

    (void)file;
    (void)err;
    f->room_known = false;
    f->used_percent = 0;
    for (size_t i = 1; i < result->len; i++) {
        unsigned n = 0, scale = 1;

        if (p[i] != '%')
            continue;
        for (size_t k = i;
             k > 0 && p[k - 1] >= '0' && p[k - 1] <= '9' && scale <= 100;
             k--, scale *= 10)
            n += (unsigned)(p[k - 1] - '0') * scale;
        if (scale == 1)
            continue;
        f->room_known = true;
        if (n > f->used_percent)
            f->used_percent = n;
    }
    return 0;
}

/* -- files ---------------------------------------------------------------- */

static int parse_list(struct facts *facts, const struct read_file *file,
                      const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;

    (void)file;
    (void)err;
    drop_listed(f);
    f->listed = calloc(result->n_files + 1, sizeof(*f->listed));
    f->listed_mtime = calloc(result->n_files + 1, sizeof(int64_t));
    if (!f->listed || !f->listed_mtime)
        abort();
    for (size_t i = 0; i < result->n_files; i++) {
        const char *name = result->files[i].name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        f->listed_mtime[f->n_listed] = result->files[i].mtime;
        f->listed[f->n_listed++] = strdup(name);
    }
    return 0;
}

static bool is_key(enum cms_slot slot)
{
    return slot == CMS_SERVER_KEY || slot == CMS_CLIENT_KEY;
}

static size_t status_names(const struct view *view, struct read_file *list,
                           bool keys)
{
    const struct cms_facts *f = cms_facts_of(view);
    size_t n = 0;

    for (unsigned i = 0; i < CMS_SLOTS; i++)
        if (is_key(i) == keys && f->status.files[i][0])
            list[n++] = (struct read_file){f->status.files[i], i};
    return n;
}

static size_t cert_names(const struct view *view, struct read_file *list)
{
    struct cms_facts *f = (struct cms_facts *)cms_facts_of(view);

    drop_bytes(f);
    cms_facts_drop_certs(f);
    memset(f->old, 0, sizeof(f->old));
    f->old_good = false;
    snprintf(f->old_why, sizeof(f->old_why), "its files were not all read");
    return status_names(view, list, false);
}

static size_t key_names(const struct view *view, struct read_file *list)
{
    return status_names(view, list, true);
}

static size_t target_names(const struct view *view, struct read_file *list)
{
    struct cms_facts *f = (struct cms_facts *)cms_facts_of(view);
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const struct file_set *set =
        plan_target(view->plan, view->node, view->back);
    size_t n = 0;

    memset(f->target_sha256, 0, sizeof(f->target_sha256));
    f->target_back = view->back;
    for (unsigned i = 0; i < set->n; i++)
        if (plan_node_gets(pn, &set->files[i]))
            list[n++] = (struct read_file){set->files[i].name, i};
    return n;
}

static int parse_old(struct facts *facts, const struct read_file *file,
                     const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;
    struct cms_file *old = &f->old[file->tag];

    (void)err;
    snprintf(old->name, sizeof(old->name), "%s", file->name);
    old->missing = result->end != LINK_OK;
    if (old->missing)
        return 0;
    pki_sha256(result->data, result->len, old->sha256);
    secret_free(f->bytes[file->tag]);
    f->bytes[file->tag] = secret_from(result->data, result->len);
    return 0;
}

static int parse_target(struct facts *facts, const struct read_file *file,
                        const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;

    (void)err;
    f->target_sha256[file->tag][0] = '\0';
    if (result->end == LINK_OK)
        pki_sha256(result->data, result->len, f->target_sha256[file->tag]);
    return 0;
}

/* -- the live certificate ------------------------------------------------- */

static bool served_peer(const struct view *view, const struct read_file *about,
                        struct link_peer *peer)
{
    struct cms_facts *f = (struct cms_facts *)cms_facts_of(view);
    const struct plan_node *pn = &view->plan->nodes[view->node];
    const struct cms_member *me = cms_status_me(&f->status);

    (void)about;
    f->served = false;
    snprintf(f->served_why, sizeof(f->served_why), "it did not answer");
    if (!(pn->roles & CMS_DATABASE) || !me)
        return false;
    peer->address = pn->db_address         ? pn->db_address
                    : pn->node->db_address ? pn->node->db_address
                                           : me->address;
    peer->port = pn->node->db_port;
    peer->tls = LINK_TLS_POSTGRES;
    return true;
}

static int parse_served(struct facts *facts, const struct read_file *file,
                        const struct link_result *result, struct err *err)
{
    struct cms_facts *f = (struct cms_facts *)facts;

    (void)file;
    (void)err;
    secret_free(f->served_bytes);
    f->served_bytes = secret_from(result->data, result->len);
    return 0;
}

/* -- in the pool: a decoded key or certificate costs a millisecond -------- */

static void describe_served(struct cms_facts *f)
{
    if (!f->served_bytes)
        return;
    f->served = pki_describe(f->served_bytes->data, f->served_bytes->len,
                             &f->served_info, NULL) == 0;
    secret_free(f->served_bytes);
    f->served_bytes = NULL;
}

/* They are public: ordinary memory will do. */
static void keep_cert(struct cms_facts *f, int slot)
{
    free(f->certs[slot].data);
    f->certs[slot].len = f->bytes[slot]->len;
    f->certs[slot].data = malloc(f->bytes[slot]->len + 1);
    if (!f->certs[slot].data)
        abort();
    memcpy(f->certs[slot].data, f->bytes[slot]->data, f->bytes[slot]->len);
}

static void work(struct facts *facts)
{
    struct cms_facts *f = (struct cms_facts *)facts;

    describe_served(f);
    for (int i = 0; i < CMS_SLOTS; i++)
        if (f->bytes[i] && !is_key((enum cms_slot)i)) {
            pki_describe(f->bytes[i]->data, f->bytes[i]->len, &f->old[i].info,
                         NULL);
            keep_cert(f, i);
        }
    if (f->bytes[CMS_CLIENT_KEY]) /* every node has one: keys were read */
        cms_judge_old(f);
    drop_bytes(f);
}

/* clang-format off */
#define SERVICE(service, name, role) \
    { .bit = CMS_READ_SERVICES, .kind = READ_COMMAND, .text = (name), .roles = (role), \
      .about = { (name), (service) }, .parse = cms_parse_service }
#define SHOWN(slot) \
    { .bit = CMS_READ_SHOWN, .kind = READ_SERVED, .optional = true, .peer = cms_service_peer, \
      .about = { #slot, (slot) }, .parse = cms_parse_shown }
const struct read_row cms_reads[] = {
    { .bit = CMS_READ_STATUS,  .kind = READ_COMMAND, .text = "database cluster status", .parse = parse_status },
    { .bit = CMS_READ_LIST,    .kind = READ_LIST,    .parse = parse_list },
    { .bit = CMS_READ_VERSION, .kind = READ_COMMAND, .text = "version", .optional = true, .parse = parse_version },
    { .bit = CMS_READ_DATE,    .kind = READ_COMMAND, .text = "date", .optional = true, .parse = parse_date },
    { .bit = CMS_READ_DF,      .kind = READ_COMMAND, .text = "df", .optional = true, .parse = parse_df },
    { .bit = CMS_READ_CERTS,   .kind = READ_FILES,   .names = cert_names, .parse = parse_old },
    { .bit = CMS_READ_KEYS,    .kind = READ_FILES,   .names = key_names, .parse = parse_old },
    { .bit = CMS_READ_TARGET,  .kind = READ_FILES,   .names = target_names, .parse = parse_target },
    { .bit = CMS_READ_SERVED,  .kind = READ_SERVED,  .optional = true, .peer = served_peer, .parse = parse_served },
    { .bit = CMS_READ_CERTS | CMS_READ_KEYS | CMS_READ_SERVED, .kind = READ_WORK, .work = work },
    SERVICE(SVC_WEBADMIN, "webadmin", CMS_WEBADMIN),
    SERVICE(SVC_CALLBRIDGE, "callbridge", CMS_CALLBRIDGE),
    SERVICE(SVC_WEBBRIDGE3, "webbridge3", CMS_WEBBRIDGE3),
    SERVICE(SVC_TURN, "turn", CMS_TURN),
    SERVICE(SVC_RECORDER, "recorder", CMS_RECORDER),
    SERVICE(SVC_STREAMER, "streamer", CMS_STREAMER),
    SERVICE(SVC_MEETINGAPPS, "meetingapps", CMS_MEETINGAPPS),
    SERVICE(SVC_SCHEDULER, "scheduler", CMS_SCHEDULER),
    SERVICE(SVC_UPLOADER, "uploader", CMS_UPLOADER),
    SERVICE(SVC_WEBBRIDGE, "webbridge", CMS_WEBBRIDGE),
    SERVICE(SVC_XMPP, "xmpp", CMS_XMPP),
    { .bit = CMS_READ_SVC_FILES, .kind = READ_FILES, .names = cms_service_names, .parse = cms_parse_service_file },
    { .bit = CMS_READ_STORES, .kind = READ_FILES, .names = cms_store_names, .parse = cms_parse_store },
    { .bit = CMS_READ_BUNDLES, .kind = READ_FILES, .names = cms_bundle_names, .parse = cms_parse_bundle },
    SHOWN(SLOT_WEBADMIN),
    SHOWN(SLOT_CALLBRIDGE),
    SHOWN(SLOT_WB3_HTTPS),
    SHOWN(SLOT_WB3_C2W),
    SHOWN(SLOT_TURN),
    SHOWN(SLOT_RECORDER),
    SHOWN(SLOT_STREAMER),
    SHOWN(SLOT_APPS_HTTPS),
    SHOWN(SLOT_SCHED_HTTPS),
    SHOWN(SLOT_WEBBRIDGE),
    { .bit = CMS_READ_CALLS, .kind = READ_API, .text = "/api/v1/system/status", .optional = true, .peer = cms_api_peer,
      .roles = CMS_CALLBRIDGE, .parse = cms_parse_calls },
    { .bit = CMS_READ_SVC_FILES | CMS_READ_SHOWN, .kind = READ_WORK, .work = cms_service_work },
    { .bit = 0 },
};
/* clang-format on */
