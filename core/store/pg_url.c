/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be said in the URL of a store: no secret, since it stands in
 * messages and in an inventory that many may read.
 */
#include <string.h>

#include "core/store/pq_load.h"
#include "core/store/store.h"

static bool has_scheme(const char *url)
{
    static const char *const schemes[] = {"postgresql://", "postgres://", NULL};

    for (const char *const *s = schemes; *s; s++)
        if (strncmp(url, *s, strlen(*s)) == 0)
            return true;
    return false;
}

static bool has_secret(const PQconninfoOption *options)
{
    static const char *const secrets[] = {"password", "sslpassword", NULL};

    for (const PQconninfoOption *o = options; o->keyword; o++)
        for (const char *const *s = secrets; *s; s++)
            if (strcmp(o->keyword, *s) == 0 && o->val)
                return true;
    return false;
}

/* What libpq says of a faulty one quotes it, a password in it too. */
int store_url_check(const char *url, struct err *err)
{
    PQconninfoOption *options;
    bool secret;

    if (!has_scheme(url))
        return err_set(err, CAUSE_INPUT,
                       "store: it begins with postgresql:// (left out: SQLite "
                       "in state_dir)");
    if (pq_load(err) < 0)
        return err_context(err, "store");
    options = pq.conninfoParse(url, NULL);
    if (!options)
        return err_set(err, CAUSE_INPUT,
                       "store: it is no URL that libpq takes: "
                       "postgresql://USER@HOST:PORT/DATABASE?sslmode=...");
    secret = has_secret(options);
    pq.conninfoFree(options);
    if (secret)
        return err_set(err, CAUSE_INPUT,
                       "store: a password does not belong into the URL: "
                       "store_password = env:NAME | file:PATH | ..., or "
                       "libpq's ~/.pgpass");
    return 0;
}
