/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node of the world prints as its status, and what the product's parser
 * makes of it.  There are few different ones: each is parsed once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/harness.h"

enum {
    VIEWS = 1 << 15
};

/* Bytes only: the key of a view. */
struct look {
    uint8_t node, error, verb, clustered, new_set, last, badly, client;
    struct {
        uint8_t in, up, leads, in_sync;
    } member[WORLD_MAX];
};

static struct parsed {
    struct look look;
    struct cms_status status;
} * views[VIEWS];
static size_t n_views;
static uint16_t slots[2 * VIEWS]; /* hash to view + 1 */

static const char *const old_names[CMS_SLOTS] = {
    "old.key", "old.crt", "oldc.key", "oldc.crt", "oldca.crt"};

/* -- commands as text and as codes ---------------------------------------- */

static const char *certs_text(size_t node, bool new_set)
{
    static char text[2][2][512];
    bool data = node < h.world.n_data;
    char *t = text[data][new_set];
    struct str s;

    if (t[0])
        return t;
    str_init(&s, 511);
    str_add(&s, "database cluster certs");
    for (int k = data ? 0 : CMS_CLIENT_KEY; k < CMS_SLOTS; k++)
        str_addf(&s, " %s", new_set ? h.pc->set.files[k].name : old_names[k]);
    snprintf(t, 512, "%s", str_text(&s));
    str_release(&s);
    return t;
}

const char *view_code_text(size_t node, uint8_t code)
{
    static char towards[2][WORLD_MAX][64];
    bool join = code < CODE_CONNECT;
    char *t;

    switch (code) {
    case CODE_REMOVE:
        return "database cluster remove";
    case CODE_CLEAR:
        return "database cluster clear_error";
    case CODE_CERTS_OLD:
    case CODE_CERTS_NEW:
        return certs_text(node, code == CODE_CERTS_NEW);
    case CODE_LOCALNODE:
        return "database cluster localnode a";
    case CODE_INIT:
        return "database cluster initialize";
    case CODE_FOREIGN:
        return "database cluster upgrade_schema";
    default:
        break;
    }
    t = towards[join][code - (join ? CODE_JOIN : CODE_CONNECT)];
    snprintf(t, 64, "database cluster %s 10.0.0.%d", join ? "join" : "connect",
             code - (join ? CODE_JOIN : CODE_CONNECT) + 1);
    return t;
}

static uint8_t towards(const char *text, const char *verb, uint8_t code)
{
    size_t len = strlen(verb);

    if (strncmp(text, verb, len) != 0)
        return CODE_NONE;
    return (uint8_t)(code + text[len] - '1');
}

uint8_t view_code(const char *text)
{
    uint8_t code;

    for (int c = CODE_REMOVE; c < CODE_JOIN; c++)
        if (c != CODE_CERTS_OLD && c != CODE_CERTS_NEW &&
            strcmp(text, view_code_text(0, (uint8_t)c)) == 0)
            return (uint8_t)c;
    if (strncmp(text, "database cluster certs ", 23) == 0)
        return strstr(text, " old") ? CODE_CERTS_OLD : CODE_CERTS_NEW;
    code = towards(text, "database cluster join 10.0.0.", CODE_JOIN);
    return code ? code
                : towards(text, "database cluster connect 10.0.0.",
                          CODE_CONNECT);
}

/* -- the text -------------------------------------------------------------- */

static const char *word(const struct look *look)
{
    static const char *const verbs[] = {"", "Detaching", "Initializing",
                                        "Attaching", "Connecting"};

    if (look->verb)
        return verbs[look->verb];
    if (look->error)
        return "Error";
    return look->clustered ? "Enabled" : "Disabled";
}

static void print_members(const struct look *look, struct str *out)
{
    str_add(out, "Nodes:\n");
    for (size_t i = 0; i < WORLD_MAX; i++) {
        if (!look->member[i].in)
            continue;
        str_addf(out, "    10.0.0.%zu%s : %s\n", i + 1,
                 i == look->node && !look->client ? " (me)" : "",
                 !look->member[i].up       ? "Connection Failed"
                 : look->member[i].leads   ? "Connected Primary"
                 : look->member[i].in_sync ? "Connected Replica ( In Sync )"
                                           : "Connected Replica ( Sync "
                                             "Behind )");
    }
}

static void print(const struct look *look, struct str *out)
{
    static const char *const labels[] = {"Server Key", "Server Certificate",
                                         "Client Key", "Client Certificate",
                                         "CA Certificate"};

    str_addf(out, "Status : %s\n", word(look));
    if (look->clustered)
        print_members(look, out);
    str_add(out, "Interface : a\nCertificates\n");
    for (int k = look->client ? CMS_CLIENT_KEY : 0; k < CMS_SLOTS; k++)
        str_addf(out, "  %s : %s\n", labels[k],
                 look->new_set ? h.pc->set.files[k].name : old_names[k]);
    str_addf(out, "Last command : '%s' (%s)\n",
             view_code_text(look->node, look->last),
             look->badly ? "Failed" : "Success");
}

/* -- numbers -------------------------------------------------------------- */

static size_t hash_of(const struct look *look)
{
    const unsigned char *p = (const unsigned char *)look;
    uint64_t x = 1469598103934665603u;

    for (size_t i = 0; i < sizeof(*look); i++)
        x = (x ^ p[i]) * 1099511628211u;
    return (size_t)(x ^ (x >> 29)) & (2 * VIEWS - 1);
}

static uint16_t parse(const struct look *look, size_t slot)
{
    struct parsed *v = calloc(1, sizeof(*v));
    struct str text;

    if (!v || n_views == VIEWS)
        abort();
    v->look = *look;
    str_init(&text, 8192);
    if (look->node == WORLD_MAX) { /* a place and nothing else */
        v->status.place = (enum cms_place)look->verb;
    } else {
        print(look, &text);
        cms_status_parse(str_text(&text), text.len, &v->status, NULL);
        if (v->status.odd_lines)
            abort();
    }
    str_release(&text);
    views[n_views++] = v;
    slots[slot] = (uint16_t)n_views;
    return (uint16_t)(n_views - 1);
}

static uint16_t number(const struct look *look)
{
    size_t slot = hash_of(look);

    for (; slots[slot]; slot = (slot + 1) & (2 * VIEWS - 1))
        if (memcmp(&views[slots[slot] - 1]->look, look, sizeof(*look)) == 0)
            return (uint16_t)(slots[slot] - 1);
    return parse(look, slot);
}

uint16_t view_of_place(enum cms_place place)
{
    const struct look look = {.node = WORLD_MAX, .verb = (uint8_t)place};

    return number(&look);
}

uint16_t view_now(size_t node)
{
    const struct world *w = &h.world;
    const struct world_node *me = &w->node[node];
    struct look look = {
        .node = (uint8_t)(node < w->n_data ? node : w->n_data),
        .error = me->error && !me->verb,
        .verb = me->verb,
        .clustered = me->role != ALONE,
        .new_set = me->new_set,
        .last = me->last,
        .badly = me->badly,
        .client = node >= w->n_data,
    };
    bool led = false;

    for (size_t i = 0; i < w->n_data; i++)
        led = led || (world_leads(w, i) && w->node[i].group == me->group);
    for (size_t i = 0; me->role != ALONE && i < w->n_data; i++) {
        const struct world_node *m = &w->node[i];
        if (m->group != me->group || m->role == ALONE || m->role == CLIENT)
            continue;
        look.member[i].in = 1;
        look.member[i].up = m->up;
        look.member[i].leads = m->up && m->role == LEADS;
        look.member[i].in_sync = m->up && m->in_sync && led;
    }
    return number(&look);
}

const struct cms_status *view_status(uint16_t view)
{
    return &views[view]->status;
}

void view_forget(void)
{
    for (size_t i = 0; i < n_views; i++)
        free(views[i]);
    n_views = 0;
    memset(slots, 0, sizeof(slots));
}
