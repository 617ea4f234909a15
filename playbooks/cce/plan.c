/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of cce/rotate before any packet: names of files, the request's
 * words; and what commands are filled in with.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "playbooks/cce/cce.h"
#include "playbooks/windows/issue.h"

const char *const cce_ca_slots[] = {"root", "ca1", "ca2", "ca3", NULL};
const char *const cce_store_words[CCE_STORES] = {"icm", "java"};
static const char *const copy_words[CCE_COPIES] = {"old", "new"};

enum {
    INF_CAP = 16 * 1024,
    SERVICE_NAME_MOST = 64
};

/* -- what certreq is told (facts/uc.md 4.1) -------------------------------- */

static void add_names(const struct node *node, struct str *out)
{
    const char *first = win_fqdn(node);

    str_addf(out, "2.5.29.17 = \"{text}\"\r\n_continue_ = \"dns=%s&\"\r\n",
             first);
    for (const char *const *a = node->names; a && *a; a++)
        if (strcmp(*a, first) != 0)
            str_addf(out, "_continue_ = \"%s=%s&\"\r\n",
                     win_is_address(*a) ? "ipaddress" : "dns", *a);
}

/* Both purposes: seed 003, CCE 2.1.  The provider is the one whose default the
 * seed leaves as it is. */
static struct secret *inf_of(const struct node *node)
{
    struct secret *inf;
    struct str out;

    str_init(&out, INF_CAP);
    str_addf(&out,
             "[Version]\r\nSignature = \"$Windows NT$\"\r\n"
             "[NewRequest]\r\nSubject = \"CN=%s\"\r\nFriendlyName = \"%s\"\r\n"
             "KeyLength = 2048\r\nKeySpec = 1\r\nMachineKeySet = TRUE\r\n"
             "Exportable = FALSE\r\nProviderName = \"Microsoft RSA SChannel "
             "Cryptographic Provider\"\r\nProviderType = 12\r\n"
             "RequestType = PKCS10\r\nKeyUsage = 0xa0\r\n"
             "HashAlgorithm = sha256\r\n[Extensions]\r\n",
             win_fqdn(node), win_fqdn(node));
    add_names(node, &out);
    str_add(&out, "[EnhancedKeyUsageExtension]\r\nOID = 1.3.6.1.5.5.7.3.1\r\n"
                  "OID = 1.3.6.1.5.5.7.3.2\r\n");
    inf = secret_from(str_text(&out), out.len);
    str_release(&out);
    return inf;
}

/* -- before any packet ----------------------------------------------------- */

int cce_prepare(struct plan_cluster *pc, struct err *err)
{
    static const struct set_file files[] = {
        {.slot = "inf", .name = "cce.inf"},
        {.slot = "csr", .name = "cce.csr"},
        {.slot = "crt", .name = "cce.crt"},
        {.slot = "root", .name = "cce-root.crt"},
        {.slot = "ca1", .name = "cce-ca1.crt"}, /* empty: there is none */
        {.slot = "ca2", .name = "cce-ca2.crt"},
        {.slot = "ca3", .name = "cce-ca3.crt"},
    };

    for (size_t i = 0; i < pc->n_nodes; i++) {
        struct file_set *own = &pc->nodes[i].own;

        if (win_check_node(pc->nodes[i].node,
                           "that of its cacerts: changeit, unless somebody has "
                           "changed it",
                           err) < 0)
            return -1;
        own->n = sizeof(files) / sizeof(*files);
        memcpy(own->files, files, sizeof(files));
        own->files[0].content = inf_of(pc->nodes[i].node);
    }
    if (!pc->cluster->issuer)
        return err_set(err, CAUSE_INPUT, "cluster %s names no issuer",
                       pc->cluster->name);
    if (pc->cluster->subject)
        return err_set(err, CAUSE_INPUT,
                       "cluster %s: a request of a CCE server has a common "
                       "name alone: take `subject' off",
                       pc->cluster->name);
    return 0;
}

int cce_check_drive(const struct plan_cluster *pc, const char *value,
                    struct err *err)
{
    (void)pc;
    if (isalpha((unsigned char)value[0]) && !value[1])
        return 0;
    return err_set(err, CAUSE_INPUT, "a drive is one letter: drive=D");
}

const char *cce_tomcat(const struct plan *plan)
{
    const char *named = plan_input(plan, "tomcat");

    return named ? named : "Tomcat9";
}

int cce_check_tomcat(const struct plan_cluster *pc, const char *value,
                     struct err *err)
{
    size_t n = strlen(value);

    (void)pc;
    for (const char *p = value; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '.')
            n = 0;
    if (n > 0 && n < SERVICE_NAME_MOST)
        return 0;
    return err_set(err, CAUSE_INPUT,
                   "the name of a service is wanted, as `sc query' takes it: "
                   "tomcat=Tomcat9");
}

/* -- what commands are filled in with -------------------------------------- */

bool cce_copy_name(const struct plan_cluster *pc, enum cce_store store,
                   enum cce_copy copy, struct str *out)
{
    if (!pc->tag[0])
        return false;
    return str_addf(out, "cce-%s-%s-g%u-%s.jks", cce_store_words[store],
                    copy_words[copy], pc->number, pc->tag) == 0;
}

bool cce_slot_info(const struct plan_node *pn, const char *slot,
                   struct pki_cert_info *info)
{
    const struct set_file *file = set_slot(&pn->own, slot);

    return file && file->content && file->content->len &&
           pki_describe(file->content->data, file->content->len, info, NULL) ==
               0 &&
           info->kind == PKI_CERTIFICATE;
}

void cce_target_thumb(const struct view *view, enum cce_listener listener,
                      char thumb[PKI_SHA1_HEX])
{
    const struct plan_node *pn = cce_node(view);
    const struct set_file *old =
        set_slot(&pn->old, cce_listeners[listener].slot);
    struct pki_cert_info info;

    thumb[0] = '\0';
    if (view->back && old && old->name)
        snprintf(thumb, PKI_SHA1_HEX, "%s", old->name);
    else if (!view->back && cce_slot_info(pn, "crt", &info))
        memcpy(thumb, info.sha1, PKI_SHA1_HEX);
}

static bool add_listener(const struct view *view, enum cce_listener listener,
                         const char *what, struct str *out)
{
    char thumb[PKI_SHA1_HEX];

    if (strcmp(what, "app") == 0)
        return cce_facts_of(view)->bound[listener].app[0] &&
               str_add(out, cce_facts_of(view)->bound[listener].app) == 0;
    cce_target_thumb(view, listener, thumb);
    if (strcmp(what, "asked") == 0 && !thumb[0])
        return str_add(out, cce_facts_of(view)->bound[listener].thumb) == 0 &&
               cce_facts_of(view)->bound[listener].thumb[0];
    return thumb[0] &&
           (strcmp(what, "thumb") == 0 || strcmp(what, "asked") == 0) &&
           str_add(out, thumb) == 0;
}

static bool add_copy(const struct view *view, enum cce_store store,
                     const char *what, struct str *out)
{
    if (strcmp(what, "target") == 0)
        return cce_copy_name(view->plan, store, view->back ? CCE_OLD : CCE_NEW,
                             out);
    for (int c = 0; c < CCE_COPIES; c++)
        if (strcmp(what, copy_words[c]) == 0)
            return cce_copy_name(view->plan, store, (enum cce_copy)c, out);
    return false;
}

/* By its digest, so that one that is there already has the same alias. */
static bool add_ca(const struct plan_node *pn, const char *slot,
                   const char *what, struct str *out)
{
    struct pki_cert_info info;

    if (!cce_slot_info(pn, slot, &info))
        return false;
    if (strcmp(what, "thumb") == 0)
        return str_add(out, info.sha1) == 0;
    return strcmp(what, "alias") == 0 &&
           str_addf(out, "ca-%.16s", info.sha256) == 0;
}

static bool add_set(const struct plan_node *pn, const char *slot,
                    struct str *out)
{
    const struct set_file *file = set_slot(&pn->own, slot);

    return file && file->name && str_add(out, file->name) == 0;
}

bool cce_variable(const struct view *view, const char *name, struct str *out)
{
    const struct plan_node *pn = cce_node(view);
    const char *drive = plan_input(view->plan->plan, "drive");
    const char *what = strchr(name, '.');
    size_t n = what ? (size_t)(what - name) : 0;

    if (strcmp(name, "drive") == 0)
        return str_addf(out, "%s:", drive ? drive : "C") == 0;
    if (strcmp(name, "tomcat") == 0)
        return str_add(out, cce_tomcat(view->plan->plan)) == 0;
    if (!what)
        return false;
    what++;
    if (strncmp(name, "set.", 4) == 0)
        return add_set(pn, what, out);
    for (int l = 0; l < CCE_LISTENERS; l++)
        if (strncmp(name, cce_listeners[l].slot, n) == 0 &&
            !cce_listeners[l].slot[n])
            return add_listener(view, (enum cce_listener)l, what, out);
    for (int s = 0; s < CCE_STORES; s++)
        if (strncmp(name, cce_store_words[s], n) == 0 && !cce_store_words[s][n])
            return add_copy(view, (enum cce_store)s, what, out);
    for (size_t k = 0; cce_ca_slots[k]; k++)
        if (strncmp(name, cce_ca_slots[k], n) == 0 && !cce_ca_slots[k][n])
            return add_ca(pn, cce_ca_slots[k], what, out);
    return false;
}
