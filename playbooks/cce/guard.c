/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard (cce.h, X1 to X4).  The harm, first: a listener bound to nothing
 * that Windows has the key of, which nobody can log in to; somebody else's
 * binding or trust store undone; a store lost.  It knows no row and no order,
 * only what was just read.
 */
#include <string.h>

#include "playbooks/cce/cce.h"
#include "playbooks/cce/commands.h"

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static int stale(struct err *err, const char *what)
{
    return err_set(err, CAUSE_REFUSED, "%s not read just now", what);
}

/* -- before anything is live ----------------------------------------------- */

static bool is_copy(const struct view *view, enum cce_store store,
                    enum cce_copy copy, const char *text)
{
    struct str name;
    bool is;

    str_init(&name, CCE_NAME_BYTES);
    is = cce_copy_name(view->plan, store, copy, &name) &&
         strstr(text, str_text(&name)) != NULL;
    str_release(&name);
    return is;
}

/* A store set aside, or its new copy begun: from the store as it was found. */
static int guard_aside(const struct view *view, const char *text,
                       struct err *err)
{
    for (int s = 0; s < CCE_STORES; s++) {
        enum cce_store store = (enum cce_store)s;
        bool old = is_copy(view, store, CCE_OLD, text);

        if (!old && !is_copy(view, store, CCE_NEW, text))
            continue;
        if (!cce_is_fresh(view, CCE_READ_STORES) ||
            !cce_is_fresh(view, CCE_READ_COPIES))
            return stale(err, "its trust stores were");
        if (!cce_store_is(view->plan, view->node, store, CCE_OLD))
            return err_set(err, CAUSE_REFUSED,
                           "X3: the %s trust store is not the old one any more",
                           cce_store_words[s]);
        return view->back
                   ? err_set(err, CAUSE_REFUSED, "no way back has a use for it")
                   : 0;
    }
    return err_set(err, CAUSE_REFUSED, "I4: it is no copy of this run");
}

static int guard_staging(const struct view *view, const char *text,
                         struct err *err)
{
    bool makes = begins(text, "certreq -new ");

    if (view->back)
        return err_set(err, CAUSE_REFUSED, "no way back has a use for it");
    if (makes && view->plan->issued)
        return err_set(err, CAUSE_REFUSED,
                       "I4: its request has been signed already");
    if (!makes && !view->plan->issued)
        return err_set(err, CAUSE_REFUSED, "nothing has been signed yet");
    return 0;
}

static int guard_keytool(const struct view *view, const char *text,
                         struct err *err)
{
    const char *store = strstr(text, " -keystore ");

    for (int s = 0; s < CCE_STORES; s++)
        if (store && is_copy(view, (enum cce_store)s, CCE_NEW, store))
            return guard_staging(view, text, err);
    return err_set(err, CAUSE_REFUSED, "I4: it is not about this run's copy");
}

/* -- trust stores ---------------------------------------------------------- */

static int knows_store(const struct view *view, enum cce_store store,
                       bool *hold, struct err *err)
{
    if (!cce_is_fresh(view, CCE_READ_STORES) ||
        !cce_is_fresh(view, CCE_READ_COPIES))
        return stale(err, "its trust stores were");
    if (cce_store_is(view->plan, view->node, store, CCE_OLD) ||
        cce_store_is(view->plan, view->node, store, CCE_NEW))
        return 0;
    *hold = true;
    return err_set(err, CAUSE_REFUSED,
                   "X2: the %s trust store is neither the old nor the new one: "
                   "somebody else has changed it",
                   cce_store_words[store]);
}

static int guard_store(const struct view *view, const char *text, bool *hold,
                       struct err *err)
{
    for (int s = 0; s < CCE_STORES; s++) {
        enum cce_store store = (enum cce_store)s;

        if (!is_copy(view, store, view->back ? CCE_OLD : CCE_NEW, text))
            continue;
        if (knows_store(view, store, hold, err) < 0)
            return -1;
        if (!cce_is_kept(view, store))
            return err_set(err, CAUSE_REFUSED,
                           "X3: the old trust store is not kept on it");
        if (view->back)
            return 0;
        if (!cce_is_fresh(view, CCE_READ_STAGED))
            return stale(err, "the new trust stores were");
        return cce_staged_is_good(view, store, err);
    }
    return err_set(err, CAUSE_REFUSED, "I4: it is not the %s trust store",
                   view->back ? "old" : "new");
}

/* -- bindings -------------------------------------------------------------- */

static int knows_bound(const struct view *view, enum cce_listener listener,
                       bool *hold, struct err *err)
{
    const struct cce_bound *b = &cce_facts_of(view)->bound[listener];

    if (!cce_is_fresh(view, CCE_READ_BOUND) || !b->known)
        return stale(err, "what it has bound was");
    if (cce_was_bound(view->plan, view->node, listener, b->thumb) ||
        cce_we_bound(view, b->thumb))
        return 0;
    /* between unbinding and binding a process may have died: X2 */
    if (!b->thumb[0] && listener == CCE_PORTICO_7890)
        return 0;
    *hold = true;
    return err_set(err, CAUSE_REFUSED,
                   "X2: %s is bound to a certificate (%s) that is neither the "
                   "old nor the new one: somebody else has changed it",
                   cce_listeners[listener].title,
                   b->thumb[0] ? b->thumb : "none");
}

/* The wanted one is in the machine's store. */
static int can_bind(const struct view *view, enum cce_listener listener,
                    bool *hold, struct err *err)
{
    char thumb[PKI_SHA1_HEX];

    if (knows_bound(view, listener, hold, err) < 0)
        return -1;
    if (!cce_is_fresh(view, CCE_READ_MY))
        return stale(err, "the machine's store was");
    cce_target_thumb(view, listener, thumb);
    if (thumb[0] && strcmp(cce_facts_of(view)->in_my[listener], thumb) == 0)
        return 0;
    return err_set(err, CAUSE_REFUSED,
                   "X1: the certificate to bind is not in the machine's store");
}

static int guard_bind(const struct view *view, const char *text,
                      enum cce_listener listener, bool *hold, struct err *err)
{
    char thumb[PKI_SHA1_HEX];

    if (can_bind(view, listener, hold, err) < 0)
        return -1;
    cce_target_thumb(view, listener, thumb);
    return strstr(text, thumb)
               ? 0
               : err_set(err, CAUSE_REFUSED,
                         "X1: it is not the certificate to bind");
}

/* -- services -------------------------------------------------------------- */

static int guard_service(const struct view *view, const char *text,
                         struct err *err)
{
    const char *name = strchr(text, ' ') + 1;
    bool ready = false;

    name = strchr(name, ' ') + 1;
    if (!cce_is_fresh(view, CCE_READ_SERVICES) ||
        !cce_is_fresh(view, CCE_READ_BOUND) ||
        !cce_is_fresh(view, CCE_READ_STORES))
        return stale(err, "its services were");
    if (begins(name, "DiagFwSvc"))
        ready = cce_is_bound(view, CCE_PORTICO_7890);
    else if (begins(name, "IISADMIN") || strcmp(name, "W3SVC") == 0)
        ready = cce_is_bound(view, CCE_IIS_443);
    else if (strcmp(name, cce_tomcat(view->plan->plan)) == 0)
        ready = cce_is_swapped(view);
    else
        return err_set(err, CAUSE_REFUSED, "this run has nothing to do with %s",
                       name);
    return ready ? 0
                 : err_set(err, CAUSE_REFUSED,
                           "X4: what %s reads is not as wanted yet", name);
}

static int guard_command(const struct view *view, const char *text, bool *hold,
                         struct err *err)
{
    if (begins(text, CCE_KEYTOOL))
        return guard_keytool(view, text, err);
    if (begins(text, "certreq ") || begins(text, "certutil -addstore "))
        return guard_staging(view, text, err);
    if (begins(text, "copy /b /y cce-") || begins(text, "move "))
        return guard_store(view, text, hold, err);
    if (begins(text, "copy "))
        return guard_aside(view, text, err);
    if (begins(text, "netsh http update "))
        return guard_bind(view, text, CCE_IIS_443, hold, err);
    if (strstr(text, "/task:BindCertFromStore"))
        return guard_bind(view, text, CCE_PORTICO_7890, hold, err);
    if (strstr(text, "/task:UnbindCert"))
        return can_bind(view, CCE_PORTICO_7890, hold, err);
    if (begins(text, "net "))
        return guard_service(view, text, err);
    return err_set(err, CAUSE_REFUSED, "no rule allows it");
}

/* Files of the new set alone, in the login's folder. */
static int guard_file(const struct view *view, const char *name,
                      struct err *err)
{
    unsigned generation = 0;

    if (!cce_product.is_ours(name, &generation) ||
        generation != view->plan->number || strstr(name, ".jks"))
        return err_set(err, CAUSE_REFUSED, "I4: %s is no file of this run",
                       name);
    return 0;
}

int cce_guard(const struct view *view, const struct act *act, const char *text,
              bool *hold, struct err *err)
{
    *hold = false;
    switch (act->kind) {
    case ACT_COMMAND:
        return guard_command(view, text, hold, err);
    case ACT_PUT:
        return guard_file(view, text, err);
    case ACT_FETCH: /* these read */
    case ACT_TAKE:
        return 0;
    default:
        return err_set(err, CAUSE_REFUSED, "no row of a CCE server does that");
    }
}
