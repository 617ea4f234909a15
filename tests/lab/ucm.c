/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes of a CUCM cluster: which services they have, when they run, what
 * listens.
 */
#include "tests/lab/ucm.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/lab/config.h"
#include "tests/lab/record.h"
#include "tests/lab/tlsport.h"

/* clang-format off */
const struct ucm_kind ucm_kinds[UCM_UNITS] = {
    { "tomcat", UCM_CALLS | UCM_PRESENCE | UCM_APPLIANCE, UCM_PUBLISHER, "Cisco Tomcat" },
    { "CallManager", UCM_CALLS, UCM_PUBLISHER, "Cisco CallManager" },
    { "cup-xmpp", UCM_PRESENCE, UCM_IMP_PUBLISHER, "Cisco XCP Router" },
    { "cup-xmpp-s2s", UCM_PRESENCE, UCM_IMP_PUBLISHER, "Cisco XCP XMPP Federation Connection Manager" },
    { "TVS", UCM_CALLS, UCM_PUBLISHER, "Cisco Trust Verification Service" },
};
static const struct {
    const char *name;
    unsigned roles, activated; /* on which it is there, and runs */
} services[] = {
    { "Cluster Manager",    UCM_CALLS | UCM_PRESENCE | UCM_APPLIANCE, UCM_CALLS | UCM_PRESENCE | UCM_APPLIANCE },
    { "Cisco Tomcat",       UCM_CALLS | UCM_PRESENCE | UCM_APPLIANCE, UCM_CALLS | UCM_PRESENCE | UCM_APPLIANCE },
    { "Cisco Finesse Tomcat", UCM_APPLIANCE, UCM_APPLIANCE },
    { "Cisco UDS Tomcat",   UCM_CALLS, UCM_CALLS },
    { "Cisco AXL Tomcat",   UCM_CALLS, UCM_CALLS },
    { "Cisco SSOSP Tomcat", UCM_CALLS | UCM_PRESENCE, UCM_CALLS | UCM_PRESENCE },
    { "Cisco Tftp",         UCM_CALLS, UCM_PUBLISHER },
    { "Cisco CallManager",  UCM_CALLS, UCM_CALLS },
    { "Cisco CTIManager",   UCM_CALLS, UCM_CALLS },
    { "Cisco Trust Verification Service", UCM_CALLS, UCM_CALLS },
    { "Cisco HAProxy",      UCM_CALLS, UCM_CALLS },
    { "Cisco DRF Master",   UCM_CALLS | UCM_PRESENCE, UCM_PUBLISHER | UCM_IMP_PUBLISHER },
    { "Cisco DRF Local",    UCM_CALLS | UCM_PRESENCE, UCM_CALLS | UCM_PRESENCE },
    { "Cisco XCP Router",   UCM_PRESENCE, UCM_PRESENCE },
    { "Cisco XCP XMPP Federation Connection Manager", UCM_PRESENCE, UCM_IMP_PUBLISHER },
};
/* clang-format on */

/* -- coming and going ------------------------------------------------------ */

static int role_of(const char *value)
{
    static const char *const words[] = {"publisher", "subscriber",
                                        "imp-publisher", "imp", "appliance"};

    for (int i = 0; i < 5; i++)
        if (strcmp(words[i], value) == 0)
            return 1 << i;
    return 0;
}

int ucm_config(struct lab_node *node, const char *key, const char *value,
               struct err *err)
{
    unsigned role = (unsigned)role_of(value);
    struct ucm *u;

    if (strcmp(key, "ucm") != 0)
        return 0;
    if (!role || node->ucm)
        return err_set(err, CAUSE_INPUT, "no such part of a CUCM cluster: %s",
                       value);
    u = node->ucm = lab_calloc(1, sizeof(*u));
    u->node = node;
    u->role = role;
    for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
        if (services[i].roles & role)
            u->services[u->n_services++] = (struct ucm_service){
                services[i].name, (services[i].activated & role) != 0, false,
                false};
    return 1;
}

void ucm_free(struct lab_node *node)
{
    if (!node->ucm)
        return;
    for (int i = 0; i < UCM_UNITS; i++)
        ucm_release_unit(&node->ucm->units[i]);
    free(node->ucm->ctl);
    free(node->ucm);
}

const char *ucm_fqdn(const struct lab_node *node)
{
    static char name[300];

    snprintf(name, sizeof(name), "%s.example.com", node->hostname);
    return name;
}

int ucm_begin(struct lab *lab, struct err *err)
{
    struct str roots;
    char *path = NULL;
    int rc = 0;

    str_init(&roots, 1 << 20);
    for (size_t i = 0; i < lab->n_clusters && rc == 0; i++)
        if (lab->clusters[i]->n_nodes && lab->clusters[i]->nodes[0]->ucm)
            rc = ucm_make_first(lab->clusters[i], (int)lab->defaults.ucm_days,
                                &roots, err);
    if (asprintf(&path, "%s/ucm-ca.crt", lab->dir) < 0)
        abort();
    if (rc == 0 && roots.len)
        rc = make_write(path, str_text(&roots), roots.len, 0644, err);
    free(path);
    str_release(&roots);
    return rc;
}

/* -- services -------------------------------------------------------------- */

struct ucm_service *ucm_service(struct ucm *u, const char *name)
{
    for (size_t i = 0; i < u->n_services; i++)
        if (strcmp(u->services[i].name, name) == 0)
            return &u->services[i];
    return NULL;
}

static unsigned port_of(const struct ucm *u, int unit)
{
    const struct lab_settings *set = &u->node->set;

    switch (unit) {
    case UCM_TOMCAT:
        return set->ucm_tomcat_port;
    case UCM_CALLMANAGER:
        return set->ucm_callmanager_port;
    case UCM_XMPP:
        return set->ucm_xmpp_port;
    case UCM_S2S:
        return set->ucm_s2s_port;
    default:
        return 0;
    }
}

void ucm_stop(struct ucm *u, struct ucm_service *s)
{
    s->running = false;
    for (int i = 0; i < UCM_UNITS; i++)
        if (strcmp(ucm_kinds[i].service, s->name) == 0) {
            tlsport_close(u->ports[i]);
            u->ports[i] = NULL;
            X509_free(u->units[i].shown);
            u->units[i].shown = NULL;
        }
    if (strcmp(s->name, "Cisco CallManager") == 0)
        u->phones_ms = UINT64_MAX;
    lab_changed(u->node->lab);
}

static void listen_on(struct ucm *u, int unit)
{
    struct err err = {0};
    SSL_CTX *ctx = ucm_context(&u->units[unit], &err);

    if (ctx)
        u->ports[unit] = tlsport_serve(u->node, port_of(u, unit), ctx, &err);
    if (!u->ports[unit])
        record_violation(u->node, "lab", false, "%s", err.text);
    else if (unit == UCM_TOMCAT)
        tlsport_answer(u->ports[unit], ucm_rest);
    else if (unit == UCM_XMPP || unit == UCM_S2S)
        tlsport_xmpp(u->ports[unit]);
}

/* What it will show, if it has a listener, and uses in any case. */
static void load(struct ucm *u, const struct ucm_service *s)
{
    for (int i = 0; i < UCM_UNITS; i++)
        if (strcmp(ucm_kinds[i].service, s->name) == 0 && u->units[i].cert) {
            X509_free(u->units[i].shown);
            X509_up_ref(u->units[i].cert);
            u->units[i].shown = u->units[i].cert;
        }
}

void ucm_start(struct ucm *u, struct ucm_service *s)
{
    s->running = true;
    load(u, s);
    for (int i = 0; i < UCM_UNITS; i++)
        if (strcmp(ucm_kinds[i].service, s->name) == 0 && port_of(u, i) &&
            (ucm_kinds[i].scope & u->role) && !u->ports[i])
            listen_on(u, i);
    if (strcmp(s->name, "Cisco CallManager") == 0)
        u->phones_ms = clock_mono_ms() + u->node->set.ucm_phones_ms;
    lab_changed(u->node->lab);
}

static void start_all(struct ucm *u)
{
    for (size_t i = 0; i < u->n_services; i++) {
        u->services[i].moving = false;
        if (u->services[i].activated)
            ucm_start(u, &u->services[i]);
    }
}

static void on_services(void *user)
{
    struct lab_node *node = user;

    node->boot = NULL;
    if (node->up && !node->lab->stopping)
        start_all(node->ucm);
}

/* An appliance's shell is there before its services are. */
static void start_late(struct lab_node *node)
{
    struct ucm *u = node->ucm;

    for (size_t i = 0; i < u->n_services; i++)
        u->services[i].moving = u->services[i].activated;
    node->boot =
        later_start(node->lab->loop, node->set.ucm_start_ms, on_services, node);
}

void ucm_power(struct lab_node *node, bool up)
{
    struct ucm *u = node->ucm;

    for (size_t i = 0; u && !up && i < u->n_services; i++)
        ucm_stop(u, &u->services[i]);
    if (!u || !up)
        return;
    if (node->boots && (u->role & UCM_APPLIANCE))
        start_late(node);
    else
        start_all(u);
    if (!node->boots)
        u->phones_ms = 0; /* when the lab begins they are there */
}
