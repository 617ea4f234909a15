/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about a node, answered from its facts and the set alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "playbooks/vos/pem.h"
#include "playbooks/vos/serial.h"
#include "playbooks/vos/vos.h"

enum {
    PORT = 8443
};

const char *const vos_ca_slots[] = {"root", "int1", "int2", NULL};

unsigned vos_port(const struct plan *plan)
{
    const char *port = plan_input(plan, "port");

    return port ? (unsigned)strtoul(port, NULL, 10) : PORT;
}

const struct set_file *vos_slot(const struct plan_cluster *pc, size_t node,
                                const char *slot)
{
    return set_slot(&pc->nodes[node].own, slot);
}

const char *vos_slot_text(const struct plan_cluster *pc, size_t node,
                          const char *slot)
{
    const struct set_file *file = vos_slot(pc, node, slot);

    return file && file->content && file->content->len
               ? secret_text(file->content)
               : NULL;
}

/* Shapes differ by release: the PEM stands behind the text on some, and the
 * number is written in three ways (facts/uc.md 1.2). */
enum goal vos_has_new(const struct plan_cluster *pc, size_t node)
{
    const struct set_file *crt = vos_slot(pc, node, "crt");
    const char *own = vos_facts_at(pc, node)->own;
    const char *new_pem = vos_slot_text(pc, node, "crt");
    struct pki_cert_info info;
    char sha[PKI_SHA256_HEX] = "";
    struct str pem;

    if (!own || !new_pem ||
        pki_describe(new_pem, strlen(new_pem), &info, NULL) < 0)
        return GOAL_UNKNOWN;
    str_init(&pem, 64 * 1024);
    if (vos_pem(own, "CERTIFICATE", &pem) == 0)
        pki_sha256(str_text(&pem), pem.len, sha);
    str_release(&pem);
    if (sha[0])
        return strcmp(sha, crt->sha256) == 0 ? GOAL_MET : GOAL_OPEN;
    return vos_holds_serial(own, strlen(own), info.serial) ||
                   vos_states_serial(own, strlen(own), info.serial)
               ? GOAL_MET
               : GOAL_OPEN;
}

bool vos_shows_new(const struct plan_cluster *pc, size_t node)
{
    const struct set_file *crt = vos_slot(pc, node, "crt");
    const struct vos_facts *f = vos_facts_at(pc, node);

    return f->node.shown.at_ms && f->node.shown.info.kind == PKI_CERTIFICATE &&
           crt->cert_sha256[0] &&
           strcmp(f->node.shown.info.sha256, crt->cert_sha256) == 0;
}

bool vos_has_our_request(const struct plan_cluster *pc, size_t node)
{
    const struct set_file *csr = vos_slot(pc, node, "csr");
    const struct vos_facts *f = vos_facts_at(pc, node);

    return f->csr_known && csr->sha256[0] &&
           strcmp(f->csr_sha256, csr->sha256) == 0;
}

bool vos_has_sent(const struct plan_node *pn, const char *command)
{
    for (size_t i = 0; i < pn->n_sent; i++)
        if (strcmp(pn->sent[i], command) == 0)
            return true;
    return false;
}

bool vos_pastes_ca(const struct plan_cluster *pc, size_t node, const char *slot)
{
    const char *pem = vos_slot_text(pc, node, slot);
    const char *list = vos_facts_at(pc, node)->trust;
    struct pki_cert_info info;
    bool by_name;

    if (!pem)
        return !pc->loaded; /* the plan is shown: nobody knows yet */
    return !list || pki_describe(pem, strlen(pem), &info, NULL) < 0 ||
           !vos_lists_ca(list, &info, &by_name);
}

/* A file that has a CA's name alone may be another one's of this name: it
 * counts once this run has pasted. */
bool vos_lacks_ca(const struct plan_cluster *pc, size_t node, const char *slot)
{
    const char *pem = vos_slot_text(pc, node, slot);
    const char *list = vos_facts_at(pc, node)->trust;
    struct pki_cert_info info;
    bool by_name;

    if (!pem)
        return false;
    if (!list || pki_describe(pem, strlen(pem), &info, NULL) < 0)
        return true;
    if (vos_lists_ca(list, &info, &by_name))
        return false;
    return !by_name ||
           !vos_has_sent(&pc->nodes[node], "set cert import trust tomcat");
}

/* -- services -------------------------------------------------------------- */

char *vos_running_list(const struct vos_facts *f)
{
    struct str out;

    str_init(&out, VOS_SERVICES_MAX * 66);
    for (size_t i = 0; i < f->node.services.n; i++)
        if (f->node.services.list[i].running == VOS_STARTED)
            str_addf(&out, "%s;", f->node.services.list[i].name);
    return str_take(&out);
}

int vos_services_run(const struct plan_cluster *pc, size_t node,
                     struct err *err)
{
    const struct vos_facts *f = vos_facts_at(pc, node);
    const char *p = pc->nodes[node].first_last;
    char name[64];

    if (!f->node.services.n || !p)
        return err_set(err, CAUSE_REMOTE, "its services were not read");
    for (; *p; p += strcspn(p, ";") + 1) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, ";"), p);
        if (vos_running_of(&f->node.services, name) != VOS_STARTED)
            return err_set(err, CAUSE_REMOTE, "%s does not run", name);
    }
    return 0;
}
