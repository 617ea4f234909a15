/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of the preflight that need more than one node's status: the CA that
 * will sign, before anything is made; whose root it is besides; whether its
 * key lies about on a node (facts/certs.md 6, A, C, F6, F7).
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/run/issuer.h"
#include "core/run/preflight.h"
#include "playbooks/cms/gates_priv.h"

enum {
    CA_MAX_BYTES = 256 * 1024
};

/* Looked at as the nodes will get it: normalized, under our name. */
static void judge_issuer(const struct look *look, const struct secret *file,
                         const char *path)
{
    struct pki_findings found = {0};
    struct err err = {0};
    struct str bundle;

    str_init(&bundle, CA_MAX_BYTES);
    if (pki_normalize(file->data, file->len, &bundle, &err) < 0) {
        findings_add(look->findings, SEVERITY_ERROR, "A9", NULL, "%s: %s", path,
                     err.text);
    } else {
        pki_lint_file("dbca.crt", str_text(&bundle), bundle.len, &found);
        pki_lint_issuer(str_text(&bundle), bundle.len, clock_wall_ms() / 1000,
                        &found);
        preflight_take(&found, NULL, look->findings);
    }
    pki_findings_release(&found);
    str_release(&bundle);
}

void cms_lint_issuer(const struct look *look)
{
    const struct cluster *cluster = look->pc->cluster;
    char *path;
    struct secret *file;
    struct err err = {0};

    if (!cluster->issuer->ca_cert)
        return;
    path = issuer_path(cluster->issuer->ca_cert, cluster->name);
    if (!look->pc->issued && file_exists(path)) {
        file = file_read(path, CA_MAX_BYTES, &err);
        if (file)
            judge_issuer(look, file, path);
        else
            findings_add(look->findings, SEVERITY_ERROR, "A9", NULL, "%s",
                         err.text);
        secret_free(file);
    }
    free(path);
}

void gates_check_root(const struct look *look)
{
    const struct inventory *inv = look->pc->plan->inventory;
    const struct cluster *own = look->pc->cluster;
    char *root;

    if (!own->issuer->ca_cert)
        return;
    root = issuer_path(own->issuer->ca_cert, own->name);
    for (size_t i = 0; i < inv->n_clusters; i++) {
        const struct cluster *other = inv->clusters[i];
        char *theirs = NULL;

        if (other == own || !other->issuer || !other->issuer->ca_cert)
            continue;
        theirs = issuer_path(other->issuer->ca_cert, other->name);
        if (strcmp(root, theirs) == 0)
            findings_add(look->findings, SEVERITY_WARNING, "shared-root", NULL,
                         "its database root %s is that of cluster %s, too: "
                         "each trusts the other's nodes and clients; put "
                         "{cluster} into ca_cert and ca_key of issuer %s",
                         root, other->name, own->issuer->name);
        free(theirs);
    }
    free(root);
}

static bool is_listed(const struct cms_facts *f, const char *stem, size_t len,
                      const char *extension)
{
    for (size_t i = 0; i < f->n_listed; i++)
        if (strncmp(f->listed[i], stem, len) == 0 &&
            strcmp(f->listed[i] + len, extension) == 0)
            return true;
    return false;
}

/* `pki selfsigned dbca' leaves dbca.key beside dbca.crt. */
void gates_check_ca_key(const struct look *look, size_t i)
{
    const struct cms_facts *f = cms_facts_at(look->pc, i);
    const char *ca = f->status.files[CMS_CA_CRT], *dot = strrchr(ca, '.');
    size_t stem = dot ? (size_t)(dot - ca) : strlen(ca);

    if (stem > 0 && is_listed(f, ca, stem, ".key"))
        WARN(look, "ca-key-on-node", i,
             "%.*s.key, the key of the database's CA %s, lies on it: who "
             "reads it can sign clients of the database; keep it elsewhere "
             "and delete it there",
             (int)stem, ca, ca);
}
