/* SPDX-License-Identifier: Apache-2.0
 *
 * Who outside the cluster trusts what a service shows is for a person to see
 * to, but only where it will notice: another issuer, another common name, a
 * name less (facts/cms.md 5.13).  A renewal by the same CA is no such case.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/cms/gates_priv.h"
#include "playbooks/cms/service_priv.h"

enum {
    TEXT_CAP = 300
};

/* Two CAs of one name are told apart by their keys. */
static bool same_issuer(const struct cms_svc_file *old,
                        const struct pki_cert_info *ca)
{
    return strcmp(old->issuer, ca->subject) == 0 &&
           (!old->authority_id[0] || !ca->subject_id[0] ||
            strstr(old->authority_id, ca->subject_id));
}

static bool is_host(const char *const *hosts, const char *name, size_t len)
{
    for (; *hosts; hosts++)
        if (strlen(*hosts) == len && strncasecmp(*hosts, name, len) == 0)
            return true;
    return false;
}

/* Of "DNS:a, IP:b" what is not among the hosts. */
static void add_lost(const char *names, const char *const *hosts,
                     struct str *out)
{
    while (*names) {
        size_t n = strcspn(names, ",");
        const char *colon = memchr(names, ':', n);
        const char *name = colon ? colon + 1 : names;
        size_t len = n - (size_t)(name - names);

        if (!is_host(hosts, name, len))
            str_addf(out, "%sit names %.*s no more", out->len ? ", " : "",
                     (int)(len < 80 ? len : 80), name);
        names += n;
        names += strspn(names, ", ");
    }
}

/* The first difference of a kind is enough. */
static void compare(const struct cms_svc_file *old,
                    const struct pki_cert_info *ca, const char *const *hosts,
                    struct str *out)
{
    if (!old->cert_sha256[0])
        return;
    if (!ca)
        str_addf(out, "its CA changes (from %s to one yet to be made)",
                 old->issuer);
    else if (!same_issuer(old, ca))
        str_addf(out, "its CA changes (from %s to %s)", old->issuer,
                 ca->subject);
    if (strcmp(old->common_name, hosts[0]) != 0)
        str_addf(out, "%sits common name changes (from %s to %s)",
                 out->len ? ", " : "", old->common_name, hosts[0]);
    add_lost(old->names, hosts, out);
}

static void compare_node(const struct look *look, size_t i,
                         enum cms_svc_slot slot, const struct pki_cert_info *ca,
                         struct str *out)
{
    const struct plan_node *pn = &look->pc->nodes[i];
    const char **hosts;

    if (!(pn->roles & cms_switch_bit(cms_slots[slot].service)))
        return;
    hosts = cms_service_hosts(pn->node);
    compare(&cms_facts_at(look->pc, i)->services.slot[slot].old[PART_CRT], ca,
            hosts, out);
    free(hosts);
}

/* Of several nodes the first is told of. */
static void tell_slot(const struct look *look, enum cms_svc_slot slot,
                      const struct pki_cert_info *ca)
{
    const struct cms_service_row *row = &cms_services[cms_slots[slot].service];
    struct str what;
    size_t i = 0;

    str_init(&what, TEXT_CAP);
    for (; i < look->pc->n_nodes && !what.len; i++)
        compare_node(look, i, slot, ca, &what);
    if (what.len)
        findings_add(look->findings, SEVERITY_WARNING, "dependents",
                     look_name(look, i - 1), "%s: %s.  To do: %s",
                     cms_slots[slot].title, str_text(&what), row->dependents);
    str_release(&what);
}

void cms_tell_dependents(const struct look *look, const char *ca)
{
    struct pki_cert_info info;
    bool known = ca && pki_describe(ca, strlen(ca), &info, NULL) == 0;

    for (int slot = 0; slot < CMS_SVC_SLOTS; slot++)
        if (cms_slot_changes(look->pc, (enum cms_svc_slot)slot))
            tell_slot(look, (enum cms_svc_slot)slot, known ? &info : NULL);
}
