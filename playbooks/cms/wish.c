/* SPDX-License-Identifier: Apache-2.0
 *
 * A set that a foreign issuer signs: its keys and requests, made once and kept
 * in the set's folder, and its answers.  Blocking; runs in the pool, and in
 * `certfleet issue'.  The keys never leave this machine but to the nodes.
 * What services ask for stands in service_issue.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/issuer.h"
#include "core/run/set_read.h"
#include "core/run/spare.h"
#include "playbooks/cms/issue_priv.h"
#include "playbooks/cms/onbox.h"

enum {
    REQUEST_CAP = 64 * 1024,
    CA_CAP = 256 * 1024
};

/* Beside the certificate, with another ending. */
static char *beside(const struct issue_job *job, const struct cms_spot *spot,
                    const char *extension)
{
    char *path = cms_spot_path(job, spot), *other = NULL;
    const char *dot = strrchr(path, '.');

    if (asprintf(&other, "%.*s.%s", (int)(dot - path), path, extension) < 0)
        abort();
    free(path);
    return other;
}

/* The text of a file; NULL and no error when there is none. */
static char *text_of(const char *path, size_t cap, size_t *len, struct err *err)
{
    return file_exists(path) ? issuer_text(path, cap, len, err) : NULL;
}

char *cms_spot_text(const struct issue_job *job, const struct cms_spot *spot,
                    size_t cap, size_t *len, struct err *err)
{
    char *path = cms_spot_path(job, spot);
    char *text = text_of(path, cap, len, err);

    if (!text && !err->cause)
        err_set(err, CAUSE_SYSTEM, "there is no %s", path);
    free(path);
    return text;
}

/* -- keys and requests ---------------------------------------------------- */

static struct secret *read_key(const struct issue_job *job,
                               const struct cms_spot *spot, struct err *err)
{
    char *path = cms_spot_path(job, spot);
    struct secret *key = NULL;

    if (file_exists(path))
        key = set_file_read(cms_spot_file(job, spot), path, job->key_passphrase,
                            err);
    free(path);
    return key;
}

struct secret *cms_kept_key(const struct issue_job *job,
                            const struct cms_spot *spot, struct err *err)
{
    struct secret *key = read_key(job, spot, err);

    if (!key && !err->cause)
        err_set(err, CAUSE_SYSTEM, "the keys of the set are gone from %s",
                job->folder);
    return key;
}

static struct secret *keep_key(const struct issue_job *job,
                               const struct cms_spot *spot, struct err *err)
{
    struct secret *key = read_key(job, spot, err);

    if (key || err->cause)
        return key;
    key = spare_or_new(job, plan_issuer(job->plan)->key, err);
    if (key && cms_write_key(job, spot, key, err) < 0) {
        secret_free(key);
        key = NULL;
    }
    return key;
}

/* One that is there is in somebody's hands already: it stays, as long as it is
 * of this key. */
static int keep_request(const struct issue_job *job, const struct cms_ask *ask,
                        struct issue_wish *wish, struct err *err)
{
    struct secret *key = keep_key(job, &ask->key, err);
    int rc = 0;

    if (!key)
        return -1;
    if (wish->request && pki_match(key->data, key->len, NULL, wish->request,
                                   strlen(wish->request), NULL) < 0) {
        free(wish->request);
        wish->request = NULL;
    }
    if (!wish->request) {
        rc = pki_request(key, &ask->subject, ask->purpose, &wish->request, err);
        if (rc == 0)
            rc = file_write(wish->request_path, wish->request,
                            strlen(wish->request), 0600, false, err);
    }
    secret_free(key);
    return rc;
}

static int read_wish(const struct issue_job *job, const struct cms_ask *ask,
                     struct issue_wish *wish, struct err *err)
{
    wish->slot = ask->cert.slot;
    wish->node = ask->cert.node ? ask->cert.node->node->name : NULL;
    wish->purpose = ask->purpose;
    wish->request_path = beside(job, &ask->cert, "csr");
    wish->answer_path = beside(job, &ask->cert, "signed");
    wish->request = text_of(wish->request_path, REQUEST_CAP, NULL, err);
    return err->cause ? -1 : issue_wish_kept(job, wish, err);
}

int cms_wish_trust(struct issue_job *job, struct err *err)
{
    char *path =
        issuer_path(plan_issuer(job->plan)->ca_cert, job->plan->cluster->name);
    int rc = 0;

    job->trust = text_of(path, CA_CAP, NULL, err);
    if (!job->trust && !err->cause)
        rc = err_set(err, CAUSE_INPUT,
                     "%s, to which what is issued must lead, does not exist",
                     path);
    free(path);
    return job->trust ? 0 : rc < 0 ? rc : -1;
}

int cms_wish_add(struct issue_job *job, const struct cms_ask *ask, bool make,
                 struct err *err)
{
    struct issue_wish *wish = issue_wish_add(job);

    if (read_wish(job, ask, wish, err) < 0)
        return -1;
    if (make)
        return keep_request(job, ask, wish, err);
    if (wish->request)
        return 0;
    return err_set(err, CAUSE_INPUT, "there is no request %s",
                   wish->request_path);
}

/* clang-format off */
static const struct {
    enum cms_slot key, cert;
    enum pki_purpose purpose;
} asked[] = {
    { CMS_SERVER_KEY, CMS_SERVER_CRT, PKI_SERVER },
    { CMS_CLIENT_KEY, CMS_CLIENT_CRT, PKI_CLIENT },
};
/* clang-format on */
enum {
    ASKED = sizeof(asked) / sizeof(asked[0])
};

int cms_db_wish(struct issue_job *job, bool make, struct err *err)
{
    struct pki_subject subjects[ASKED];
    struct cms_made m = {0};
    int rc;

    if (cms_is_onbox(job->plan))
        return cms_onbox_wish(job, err);
    rc = cms_wish_trust(job, err);
    cms_subjects(job->plan, &m, subjects);
    for (size_t i = 0; rc == 0 && i < ASKED; i++) {
        const struct cms_ask ask = {
            .key.slot = cms_slot_word(asked[i].key),
            .cert.slot = cms_slot_word(asked[i].cert),
            .purpose = asked[i].purpose,
            .subject = subjects[i],
        };

        rc = cms_wish_add(job, &ask, make, err);
    }
    free(m.hosts);
    return rc;
}

/* -- answers -------------------------------------------------------------- */

/* Both may have come by the same intermediates. */
static void add_between(struct str *bundle, const char *between)
{
    if (*between && !strstr(str_text(bundle), between))
        str_add(bundle, between);
}

int cms_wish_take(const struct issue_job *job, size_t i, char **cert,
                  struct str *bundle, struct err *err)
{
    const struct issue_wish *wish = &job->wishes[i];
    const struct pki_wish want = issue_pki_wish(job, wish);
    struct pki_answer answer = {0};
    int rc =
        pki_answer_read(&want, wish->answer, wish->answer_len, &answer, err);

    if (rc == 0) {
        *cert = answer.leaf;
        answer.leaf = NULL;
        add_between(bundle, str_text(&answer.between));
    }
    pki_answer_release(&answer);
    if (rc < 0)
        err_context(err, "%s%sthe issuer's answer for %s",
                    wish->node ? wish->node : "", wish->node ? ": " : "",
                    wish->slot);
    return rc;
}

int cms_take_answers(const struct issue_job *job, struct cms_made *m,
                     struct err *err)
{
    const struct cms_spot server = {cms_slot_word(CMS_SERVER_KEY), NULL};
    const struct cms_spot client = {cms_slot_word(CMS_CLIENT_KEY), NULL};
    struct pki_subject subjects[ASKED]; /* for the names to be linted */

    cms_subjects(job->plan, m, subjects);
    m->server_key = cms_kept_key(job, &server, err);
    m->client_key = m->server_key ? cms_kept_key(job, &client, err) : NULL;
    if (!m->client_key ||
        cms_wish_take(job, 0, &m->server_crt, &m->bundle, err) < 0 ||
        cms_wish_take(job, 1, &m->client_crt, &m->bundle, err) < 0)
        return -1;
    return pki_normalize(job->trust, strlen(job->trust), &m->bundle, err);
}
