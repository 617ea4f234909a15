/* SPDX-License-Identifier: Apache-2.0
 *
 * What the platform's shell of a CUCM node says (facts/uc.md 1.4), as far as a
 * rotation asks it.
 */
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/lab/faults.h"
#include "tests/lab/record.h"
#include "tests/lab/ucm.h"

static void show(struct mmp_run *run)
{
    mmp_end(run, "ok");
}

/* -- services -------------------------------------------------------------- */

static const char *word_of(const struct ucm_service *s)
{
    if (s->running)
        return "[STARTED]";
    return s->moving      ? "[STARTING]"
           : s->activated ? "[STOPPED]  Component is not running"
                          : "[STOPPED]  Service Not Activated";
}

static void list(struct mmp_run *run)
{
    struct ucm *u = run->node->ucm;

    mmp_print(run, "Requesting service status, please wait...\n"
                   "System SSH [STARTED]\n"
                   "Password Reset [STOPPED]  Service Not Activated\n"
                   "Service Manager is running\n"
                   "Getting list of all services\n"
                   ">> Return code = 0\n");
    for (size_t i = 0; i < u->n_services; i++)
        mmp_print(run, "%s%s\n", u->services[i].name, word_of(&u->services[i]));
    show(run);
}

/* The rest of the line: names have blanks. */
static struct ucm_service *named(struct mmp_run *run)
{
    return ucm_service(run->node->ucm,
                       run->text + strlen("utils service restart "));
}

static void restarted(struct mmp_run *run)
{
    struct ucm_service *s = named(run);

    s->moving = false;
    if (faults_match(run->node, F_FAIL_ASYNC, run->text)) {
        mmp_print(run, "%s[STOPPED]  \n", s->name);
    } else {
        ucm_start(run->node->ucm, s);
        mmp_print(run, "%s[STARTING]  \n%s[STARTED]  \n", s->name, s->name);
    }
    show(run);
}

/* Nobody else's services are down, and what is stored is what all have. */
static void watch_over(struct mmp_run *run)
{
    struct lab_cluster *c = run->node->cluster;
    unsigned down = 1;

    for (size_t i = 0; i < c->n_nodes; i++) {
        struct ucm *other = c->nodes[i]->ucm;
        bool any = false;

        for (size_t k = 0; k < other->n_services; k++)
            any |= other->services[k].activated && !other->services[k].running;
        down += any && other != run->node->ucm;
    }
    if (down > c->most_dropping)
        c->most_dropping = down;
}

static void restart(struct mmp_run *run)
{
    struct ucm_service *s = named(run);

    if (!s || !s->activated) {
        mmp_print(run, "Executed command unsuccessfully\n");
        mmp_end(run, "failure");
        return;
    }
    watch_over(run);
    mmp_print(run,
              " Don't press Ctrl-c while the service is getting "
              "RESTARTED.If Service has not Restarted Properly, execute "
              "the same Command Again\nService Manager is running\n"
              "%s[STOPPING]  \n",
              s->name);
    ucm_stop(run->node->ucm, s);
    s->moving = true;
    mmp_later(run, run->node->set.service_ms, restarted);
}

/* -- the cluster ----------------------------------------------------------- */

static bool same_side(const struct ucm *a, const struct ucm *b)
{
    return ((a->role & UCM_PRESENCE) != 0) == ((b->role & UCM_PRESENCE) != 0);
}

static void runtimestate(struct mmp_run *run)
{
    struct lab_cluster *c = run->node->cluster;
    unsigned n = 0;

    for (size_t i = 0; i < c->n_nodes; i++)
        n += same_side(c->nodes[i]->ucm, run->node->ucm);
    mmp_print(run,
              "Server Time: Fri Jan  2 16:18:22 UTC 2026\n"
              "Cluster Replication State: Replication status command started "
              "at: 2026-01-02-16-18\n"
              "     Replication status command COMPLETED. Checked 754 tables "
              "out of 754\n     Last Completed Table: functionrole\n"
              "     No Errors or Mismatches found.\n"
              "Cluster Detailed View from %s (%u Servers):\n\n"
              "SERVER-NAME IP ADDRESS (msec) DbMon? QUEUE Group ID (RTMT)\n"
              "----------- ---------- ------ ------- ----- -------- -------\n",
              run->node->hostname, n);
    for (size_t i = 0; i < c->n_nodes; i++) {
        const struct lab_node *o = c->nodes[i];
        if (same_side(o->ucm, run->node->ucm))
            mmp_print(run, "%-12s %-14s 0.045 %s 0 (g_%zu) (%u) %s\n",
                      o->hostname, o->address,
                      o->set.ucm_replication == 2 ? "Y/Y/Y" : "N/Y/Y", i + 2,
                      o->set.ucm_replication,
                      o->set.ucm_replication == 2 ? "Setup Completed"
                                                  : "Setup Incomplete");
    }
    show(run);
}

static void network_cluster(struct mmp_run *run)
{
    struct lab_cluster *c = run->node->cluster;

    for (size_t i = 0; i < c->n_nodes; i++) {
        const struct lab_node *o = c->nodes[i];
        bool publisher = o->ucm->role & (UCM_PUBLISHER | UCM_IMP_PUBLISHER);

        mmp_print(run, "%s %s %s %s %s %s authenticated\n", o->address,
                  ucm_fqdn(o), o->hostname,
                  publisher ? "Publisher" : "Subscriber",
                  o->ucm->role & UCM_PRESENCE ? "cups" : "callmanager",
                  publisher ? "DBPub" : "DBSub");
    }
    mmp_print(run, "\nServer Table (processnode) Entries\n"
                   "----------------------------------\n");
    for (size_t i = 0; i < c->n_nodes; i++)
        mmp_print(run, "%s\n", c->nodes[i]->hostname);
    show(run);
}

static void sql(struct mmp_run *run)
{
    if (!strstr(run->text, "'ClusterSecurityMode'")) {
        mmp_print(run, "Executed command unsuccessfully\n");
        mmp_end(run, "failure");
        return;
    }
    mmp_print(run, "paramvalue \n========== \n%u          \n",
              run->node->set.ucm_mixed);
    show(run);
}

static void sso(struct mmp_run *run)
{
    mmp_print(run, "SSO Status: SAML SSO %s\n",
              run->node->set.ucm_sso ? "Enabled" : "Disabled");
    show(run);
}

static void phones(struct mmp_run *run)
{
    struct lab_cluster *c = run->node->cluster;
    unsigned all = 0, there = 0;

    for (size_t i = 0; i < c->n_nodes; i++) {
        const struct ucm *u = c->nodes[i]->ucm;
        unsigned n = u->role & UCM_CALLS ? u->node->set.ucm_phones : 0;
        all += n;
        there += clock_mono_ms() >= u->phones_ms ? n : 0;
    }
    mmp_print(run,
              "----------- Phone Information -----------\n\n"
              "#TotalPhones, #TotalRegistered, #UnRegistered\n\n%u, %u, %u\n",
              all, there, all - there);
    show(run);
}

/* -- the CTL --------------------------------------------------------------- */

static void show_ctl(struct mmp_run *run)
{
    mmp_print(run, "The checksum value of the CTL file:\n\n%s\n",
              run->node->ucm->ctl ? run->node->ucm->ctl : "");
    show(run);
}

static void update_ctl(struct mmp_run *run)
{
    const X509 *cert = run->node->ucm->units[UCM_CALLMANAGER].cert;
    BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = BN_bn2hex(bn), text[200];

    snprintf(text, sizeof(text), "SERIALNUMBER  %s", hex);
    lab_replace(&run->node->ucm->ctl, text);
    OPENSSL_free(hex);
    BN_free(bn);
    mmp_print(run, "CTL file Updated\nPlease Restart the TFTP and Cisco "
                   "CallManager services on all nodes in the cluster that run "
                   "these services\n");
    show(run);
}

static void ask_ctl(struct mmp_run *run)
{
    if (!(run->node->ucm->role & UCM_PUBLISHER) || !run->node->set.ucm_mixed) {
        mmp_print(run, "Executed command unsuccessfully\n");
        mmp_end(run, "failure");
        return;
    }
    mmp_ask(run,
            "This operation will update the CTLFile. Do you want to "
            "continue? (y/n):",
            update_ctl);
}

/* clang-format off */
const struct mmp_command ucm_commands[] = {
    { "utils service list",             list, 0, 0, "" },
    { "utils service restart",          restart, 1, MMP_WORDS, "NAME" },
    { "utils dbreplication runtimestate", runtimestate, 0, 0, "" },
    { "utils sso status",               sso, 0, 0, "" },
    { "utils ctl update CTLFile",       ask_ctl, 0, 0, "" },
    { "show network cluster",           network_cluster, 0, 0, "" },
    { "show risdb query phone",         phones, 0, 0, "" },
    { "show ctl",                       show_ctl, 0, 0, "" },
    { "run sql",                        sql, 1, MMP_WORDS, "STATEMENT" },
    { NULL },
};
/* clang-format on */
