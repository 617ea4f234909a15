/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a CA lies, and whether it can sign.  It must not know whose
 * certificates it signs, nor what is in a set.
 */
#include "core/run/issuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"

enum {
    CA_CAP = 256 * 1024 /* bytes */
};

char *issuer_path(const char *template, const char *cluster)
{
    const char *mark = strstr(template, "{cluster}");
    char *path = NULL;
    int n = mark ? asprintf(&path, "%.*s%s%s", (int)(mark - template), template,
                            cluster, mark + strlen("{cluster}"))
                 : asprintf(&path, "%s", template);

    if (n < 0)
        abort();
    return path;
}

char *issuer_text(const char *path, size_t cap, size_t *len, struct err *err)
{
    struct secret *bytes = file_read(path, cap, err);
    char *text;

    if (!bytes)
        return NULL;
    text = malloc(bytes->len + 1);
    if (!text)
        abort();
    memcpy(text, bytes->data, bytes->len);
    text[bytes->len] = '\0';
    if (len)
        *len = bytes->len;
    secret_free(bytes);
    return text;
}

/* -- can it sign? -----------------------------------------------------------
 */

/* A foreign issuer's CA must be there and be one; its program can be run. */
static int check_foreign_at(struct plan_cluster *pc,
                            const struct issuer *issuer, const char *path,
                            struct err *err)
{
    struct secret *file = file_read(path, CA_CAP, err);
    struct pki_cert_info info;
    int rc = file ? pki_describe(file->data, file->len, &info, err) : -1;

    secret_free(file);
    if (rc < 0) {
        err->cause = CAUSE_INPUT;
        return err_context(err, "ca_cert");
    }
    if (info.kind != PKI_CERTIFICATE || !info.is_ca)
        return err_set(err, CAUSE_INPUT, "%s is no CA's certificate", path);
    if (info.not_after <= clock_wall_ms() / 1000)
        return err_set(err, CAUSE_INPUT, "the CA %s has expired", path);
    pc->ca_not_after = info.not_after;
    if (issuer->kind == ISSUER_COMMAND && access(issuer->command[0], X_OK) < 0)
        return err_errno(err, CAUSE_INPUT, "command %s", issuer->command[0]);
    return 0;
}

static int check_foreign(struct plan_cluster *pc, const struct issuer *issuer,
                         struct err *err)
{
    char *path = issuer_path(issuer->ca_cert, pc->cluster->name);
    int rc = check_foreign_at(pc, issuer, path, err);

    free(path);
    return rc;
}

/* Its key may be encrypted: that shows in `issue', still before anything
 * live. */
static int check_internal(struct plan_cluster *pc, const struct issuer *issuer,
                          struct err *err)
{
    char *cert = issuer_path(issuer->ca_cert, pc->cluster->name);
    char *key = issuer_path(issuer->ca_key, pc->cluster->name);
    struct pki_ca ca = {0};
    const struct pki_ca_options options = {
        .cert_path = cert,
        .key_path = key,
        .cluster = pc->cluster->name,
        .now = clock_wall_ms() / 1000,
    };
    struct pki_cert_info info;
    int rc = 0;

    if (issuer->ca_key_password == NULL &&
        (file_exists(cert) || file_exists(key))) {
        rc = pki_ca_open(&options, &ca, NULL, err);
        if (rc == 0 &&
            pki_describe(ca.cert_pem, strlen(ca.cert_pem), &info, NULL) == 0)
            pc->ca_not_after = info.not_after;
        pki_ca_release(&ca);
    }
    free(cert);
    free(key);
    return rc;
}

int issuer_check(struct plan_cluster *pc, const struct issuer *issuer,
                 struct err *err)
{
    int rc = issuer->kind == ISSUER_APPLIANCE  ? 0
             : issuer->kind == ISSUER_INTERNAL ? check_internal(pc, issuer, err)
                                               : check_foreign(pc, issuer, err);

    return rc < 0 ? err_context(err, "issuer %s", issuer->name) : 0;
}

/* -- signing ----------------------------------------------------------------
 */

int issuer_open_ca(const struct issue_job *job, const struct issuer *issuer,
                   struct pki_ca *ca, struct err *err)
{
    const struct cluster *cluster = job->plan->cluster;
    char *cert = issuer_path(issuer->ca_cert, cluster->name);
    char *key = issuer_path(issuer->ca_key, cluster->name);
    const struct pki_ca_options options = {
        .cert_path = cert,
        .key_path = key,
        .password = job->ca_password,
        .cluster = cluster->name,
        .key = issuer->key,
        .days = issuer->ca_days,
        .now = job->now,
        .make = true,
    };
    int rc = pki_ca_open(&options, ca, NULL, err);

    free(cert);
    free(key);
    return rc;
}
