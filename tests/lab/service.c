/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a service: configured, started, stopped, and how long it was
 * down.
 */
#include "tests/lab/service.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lab/api.h"
#include "tests/lab/record.h"
#include "tests/lab/tlsport.h"
#include "tests/lab/ucm.h"

enum {
    BYTES_CAP = 1 << 20
};

void service_new(struct lab_node *node)
{
    size_t n = 0;

    while (service_kinds[n].name)
        n++;
    node->services = lab_calloc(n, sizeof(*node->services));
    node->n_services = n;
    for (size_t i = 0; i < n; i++) {
        node->services[i].kind = &service_kinds[i];
        node->services[i].node = node;
        node->services[i].enabled = service_kinds[i].flags & SERVICE_ALWAYS;
    }
}

static void let_go(struct service *s)
{
    for (unsigned i = 0; i < SERVICE_FILES; i++) {
        free(s->held[i].data);
        s->held[i] = (struct service_bytes){0};
    }
}

void service_free(struct lab_node *node)
{
    for (size_t i = 0; i < node->n_services; i++) {
        let_go(&node->services[i]);
        for (int f = 0; f < SERVICE_FILES; f++)
            free(node->services[i].file[f]);
    }
    free(node->services);
}

/* -- what it is configured with -------------------------------------------- */

static const struct lab_file *file_of(const struct lab_node *node,
                                      const struct service *s, unsigned which)
{
    /* the list is not touched */
    struct lab_node *n = (struct lab_node *)(uintptr_t)node;

    return s->file[which] ? lab_file(n, s->file[which]) : NULL;
}

void service_digest(const struct lab_node *node, const struct service *s,
                    char hex[65])
{
    struct str all;

    str_init(&all, BYTES_CAP);
    for (unsigned i = 0; i < SERVICE_FILES; i++) {
        const struct lab_file *f = file_of(node, s, i);
        str_addf(&all, "%u %s\n", i, s->file[i] ? s->file[i] : "");
        if (f && f->len)
            str_addn(&all, f->data, f->len);
    }
    lab_digest(str_text(&all), all.len, hex);
    str_release(&all);
}

bool service_counts(const struct service *s)
{
    for (int f = 0; f < SERVICE_FILES; f++)
        if (s->file[f])
            return true;
    return *s->first && s->kind->flags & SERVICE_SWITCH;
}

bool service_uses(const struct lab_node *node, const char *name)
{
    for (size_t i = 0; i < node->n_services; i++)
        for (int f = 0; f < SERVICE_FILES; f++)
            if (node->services[i].file[f] &&
                strcmp(node->services[i].file[f], name) == 0)
                return true;
    return false;
}

/* -- how long it is down --------------------------------------------------- */

uint64_t service_down_ms(const struct lab_node *node, const struct service *s)
{
    return s->down_ms +
           (s->stopped_ms ? lab_age_ms(node->lab) - s->stopped_ms + 1 : 0);
}

static bool drops_calls(const struct lab_node *node)
{
    for (size_t i = 0; i < node->n_services; i++)
        if ((node->services[i].kind->flags & SERVICE_CALLS) &&
            node->services[i].stopped_ms)
            return true;
    return false;
}

/* How many nodes drop calls at once, and how many did so at worst. */
static void count_dropping(struct lab_cluster *cluster)
{
    unsigned n = 0;

    for (size_t i = 0; i < cluster->n_nodes; i++)
        n += drops_calls(cluster->nodes[i]);
    if (n > cluster->most_dropping)
        cluster->most_dropping = n;
}

static void note_down(struct lab_node *node, struct service *s)
{
    s->running = false;
    s->drops++;
    if (s->kind->flags & SERVICE_LEGS) {
        node->calls_lost += node->calls;
        node->calls = 0;
    }
    s->stopped_ms = lab_age_ms(node->lab) + 1; /* never 0 */
    count_dropping(node->cluster);
}

static void hold(const struct lab_node *node, struct service *s)
{
    let_go(s);
    for (unsigned i = 0; i < SERVICE_FILES; i++) {
        const struct lab_file *f = file_of(node, s, i);
        if (!f)
            continue;
        s->held[i].len = f->len;
        s->held[i].data = lab_calloc(1, f->len + 1);
        if (f->len)
            memcpy(s->held[i].data, f->data, f->len);
    }
}

static void note_up(struct lab_node *node, struct service *s)
{
    s->down_ms = service_down_ms(node, s);
    s->stopped_ms = 0;
    s->running = true;
    hold(node, s);
    service_digest(node, s, s->loaded);
    if (!*s->first)
        memcpy(s->first, s->loaded, sizeof(s->first));
    service_look_around(node, s);
}

/* -- those that start with another ------------------------------------------
 */

static bool follows(const struct service *s, const struct service *leader)
{
    return strcmp(s->kind->name, leader->kind->name) != 0 &&
           strcmp(s->kind->role, leader->kind->name) == 0;
}

static void stop_followers(struct lab_node *node, const struct service *leader)
{
    for (size_t i = 0; i < node->n_services; i++)
        if (follows(&node->services[i], leader) && node->services[i].running)
            note_down(node, &node->services[i]);
}

static void start_followers(struct lab_node *node, const struct service *leader)
{
    for (size_t i = 0; i < node->n_services; i++)
        if (follows(&node->services[i], leader))
            note_up(node, &node->services[i]);
}

void service_stop(struct lab_node *node, struct service *s)
{
    later_cancel(s->late);
    s->late = NULL;
    for (int i = 0; i < SERVICE_PORTS; i++) {
        tlsport_close(s->port[i]);
        s->port[i] = NULL;
    }
    if (s->running)
        note_down(node, s);
    stop_followers(node, s);
    lab_changed(node->lab);
}

/* -- the start ------------------------------------------------------------- */

static const void *bytes(const struct lab_file *f)
{
    return f->data ? f->data : (const void *)"";
}

static bool refuse(struct str *out, const char *label, const char *why)
{
    str_addf(out, "FAILURE: %s%s\n", label, why);
    return false;
}

/* Every file that the slot names is there still. */
static bool has_files(const struct lab_node *node, const struct service *s,
                      const struct service_slot *slot, struct str *out)
{
    unsigned n = slot->kind == SLOT_TRUST ? 1 : slot->kind == SLOT_PAIR ? 3 : 2;

    for (unsigned i = slot->first; i < slot->first + n; i++)
        if (s->file[i] && !file_of(node, s, i)) {
            str_addf(out, "FAILURE: %sfile %s not found\n", slot->label,
                     s->file[i]);
            return false;
        }
    return true;
}

/* The bundle may hold intermediates only; a full chain has its root within.
 * What has expired is served all the same: no document says otherwise. */
static bool check_issuer(const struct lab_node *node, const struct service *s,
                         const struct service_slot *slot, struct str *out)
{
    const struct lab_file *cert = file_of(node, s, slot->first + 1);
    const struct lab_file *by = slot->kind == SLOT_CHAIN ? cert
                                : slot->kind == SLOT_PAIR
                                    ? file_of(node, s, slot->first + 2)
                                    : NULL;
    bool good;

    if (!by)
        return true;
    good = certset_chains(bytes(cert), cert->len, bytes(by), by->len,
                          slot->kind == SLOT_CHAIN);
    if (slot->kind == SLOT_CHAIN && good)
        str_addf(out,
                 "SUCCESS: %sfull chain of certificates verifies "
                 "correctly\n",
                 slot->label);
    else if (good)
        str_addf(out, "SUCCESS: %scertificate verified by CA bundle\n",
                 slot->label);
    else if (slot->kind == SLOT_CHAIN)
        refuse(out, slot->label, "full chain of certificates is incomplete");
    else
        refuse(out, slot->label, "certificate not verified by CA bundle");
    return good;
}

static bool check_slot(const struct lab_node *node, const struct service *s,
                       const struct service_slot *slot, struct str *out)
{
    const struct lab_file *key, *cert;
    struct err err;

    if (!has_files(node, s, slot, out))
        return false;
    if (slot->kind == SLOT_TRUST)
        return true;
    key = file_of(node, s, slot->first);
    cert = file_of(node, s, slot->first + 1);
    if (!key || !cert)
        return s->kind->flags & SERVICE_OPTIONAL
                   ? true
                   : refuse(out, slot->label, s->kind->bare);
    if (certset_match(bytes(key), key->len, bytes(cert), cert->len, &err) < 0) {
        str_addf(out, "FAILURE: %sKey and certificate problem: %s\n",
                 slot->label, err.text);
        return false;
    }
    str_addf(out, "SUCCESS: %sKey and certificate pair match\n", slot->label);
    return check_issuer(node, s, slot, out);
}

/* What a visitor is shown: the certificate, and the bundle behind it. */
static SSL_CTX *make_context(const struct lab_node *node,
                             const struct service *s,
                             const struct service_slot *slot, struct err *err)
{
    const struct lab_file *key = file_of(node, s, slot->first);
    const struct lab_file *cert = file_of(node, s, slot->first + 1);
    const struct lab_file *more =
        slot->kind == SLOT_PAIR ? file_of(node, s, slot->first + 2) : NULL;
    const struct lab_file *trust =
        slot->asks < 0 ? NULL : file_of(node, s, (unsigned)slot->asks);
    struct certset set = {0};
    struct str chain;
    SSL_CTX *ctx;

    str_init(&chain, BYTES_CAP);
    str_addn(&chain, bytes(cert), cert->len);
    if (more)
        str_addn(&chain, bytes(more), more->len);
    certset_put(&set, CERTSET_SERVER_KEY, "key", bytes(key), key->len);
    certset_put(&set, CERTSET_SERVER_CERT, "cert", str_text(&chain), chain.len);
    if (trust)
        certset_put(&set, CERTSET_CA, "trust", bytes(trust), trust->len);
    ctx = certset_context(&set, err);
    certset_release(&set);
    str_release(&chain);
    if (ctx)
        SSL_CTX_set_verify(ctx,
                           slot->asks < 0 ? SSL_VERIFY_NONE
                                          : SSL_VERIFY_PEER |
                                                SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    return ctx;
}

static unsigned port_number(const struct lab_node *node,
                            const struct service_slot *slot)
{
    return *(const unsigned *)((const char *)&node->set + slot->port);
}

/* A port that somebody else has is a fault of the lab, not of a client. */
static bool open_ports(struct lab_node *node, struct service *s,
                       struct str *out)
{
    int n = 0;

    for (const struct service_slot *slot = s->kind->slots; slot->verb; slot++) {
        SSL_CTX *ctx;
        struct err err;

        if (!slot->port || !file_of(node, s, slot->first + 1))
            continue;
        ctx = make_context(node, s, slot, &err);
        if (ctx)
            s->port[n] =
                tlsport_serve(node, port_number(node, slot), ctx, &err);
        if (!s->port[n++]) {
            record_violation(node, "lab", false, "%s: %s", s->kind->name,
                             err.text);
            return refuse(out, slot->label, "cannot listen");
        }
        if (s->kind->flags & SERVICE_API)
            tlsport_answer(s->port[n - 1], api_reply);
    }
    return true;
}

/* The ports are there from now on. */
static bool rise(struct lab_node *node, struct service *s, struct str *out)
{
    if (!open_ports(node, s, out)) {
        service_stop(node, s);
        return false;
    }
    note_up(node, s);
    start_followers(node, s);
    lab_changed(node->lab);
    return true;
}

static bool check_all(const struct lab_node *node, const struct service *s,
                      struct str *out)
{
    bool good = true;

    for (const struct service_slot *t = s->kind->slots; t->verb; t++)
        good = check_slot(node, s, t, out) && good;
    return good;
}

/* Its files may have changed meanwhile. */
static void on_late(void *user)
{
    struct service *s = user;
    struct str out;

    s->late = NULL;
    str_init(&out, BYTES_CAP);
    if (check_all(s->node, s, &out))
        rise(s->node, s, &out);
    str_release(&out);
}

/* With `service_late_ms' it says that it is up before it is; but not when the
 * lab begins. */
static bool go_up(struct lab_node *node, struct service *s, struct str *out)
{
    if (!node->set.service_late_ms || !*s->first)
        return rise(node, s, out);
    s->late =
        later_start(node->lab->loop, node->set.service_late_ms, on_late, s);
    return true;
}

bool service_start(struct lab_node *node, struct service *s, struct str *out)
{
    const struct service_kind *kind = s->kind;
    bool good;

    service_stop(node, s);
    if (kind->ready)
        str_addf(out, "SUCCESS: %s\n", kind->ready);
    good = check_all(node, s, out) && go_up(node, s, out);
    if (kind->title && good)
        str_addf(out, "SUCCESS: %s enabled\n", kind->title);
    else if (kind->title)
        str_addf(out, "FAILURE: %s configuration not complete\n", kind->title);
    lab_changed(node->lab);
    return good;
}

void service_power(struct lab_node *node, bool up)
{
    struct str out;

    if (node->ucm) {
        ucm_power(node, up);
        return;
    }
    str_init(&out, BYTES_CAP);
    for (size_t i = 0; i < node->n_services; i++) {
        struct service *s = &node->services[i];
        s->busy = false;
        if (!up)
            service_stop(node, s);
        else if (s->enabled && strcmp(s->kind->role, s->kind->name) == 0)
            service_start(node, s, &out);
    }
    str_release(&out);
}

/* -- the configuration ----------------------------------------------------- */

static int enable_all(struct lab_node *node, const char *value, struct err *err)
{
    char *copy = lab_strdup(value), *rest = copy, *word;
    int rc = 1;

    while (rc > 0 && (word = strsep(&rest, " ,"))) {
        struct service *s = service_find(node, word);
        if (s)
            s->enabled = true;
        else if (*word)
            rc = err_set(err, CAUSE_INPUT, "no service called %s", word);
    }
    free(copy);
    return rc;
}

static int name_files(struct lab_node *node, struct service *s,
                      const struct service_slot *slot, const char *value,
                      struct err *err)
{
    char *copy = lab_strdup(value), *rest = copy, *word;
    unsigned n = slot->first;
    int rc = 1;

    while (rc > 0 && (word = strsep(&rest, " "))) {
        if (!*word)
            continue;
        if (n == SERVICE_FILES || !lab_file(node, word))
            rc = err_set(err, CAUSE_INPUT, "%s %s: no file %s", s->kind->name,
                         slot->verb, word);
        else
            lab_replace(&s->file[n++], word);
    }
    free(copy);
    return rc;
}

int service_config(struct lab_node *node, const char *key, const char *value,
                   struct err *err)
{
    if (strcmp(key, "services") == 0)
        return enable_all(node, value, err);
    for (size_t i = 0; i < node->n_services; i++) {
        struct service *s = &node->services[i];
        size_t len = strlen(s->kind->name);
        if (strncmp(key, s->kind->name, len) != 0 || key[len] != ' ')
            continue;
        for (const struct service_slot *t = s->kind->slots; t->verb; t++)
            if (strcmp(key + len + 1, t->verb) == 0)
                return name_files(node, s, t, value, err);
    }
    return 0;
}
