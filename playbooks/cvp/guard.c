/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard.  The harm, first:
 *
 *  - the keystore is replaced by one that was not proven, or when it is not
 *    what this run knows (somebody else was at work): I3, I7;
 *  - it is replaced before its copy is kept: nobody can make its keys again:
 * I5;
 *  - a key is made anew, or deleted, after its request was signed: I4;
 *  - keytool writes into anything but this run's own copy: I4;
 *  - a service is started anew on a keystore that is neither the old nor the
 *    new one, or one that this run has nothing to do with.
 *
 * It knows no row and no order, only what was just read.
 */
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cvp/commands.h"
#include "playbooks/cvp/cvp.h"

static const struct plan_node *node_of(const struct view *view)
{
    return &view->plan->nodes[view->node];
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends_with(const char *text, const char *with)
{
    size_t len = strlen(text), n = strlen(with);

    return len >= n && strcmp(text + len - n, with) == 0;
}

static bool is_fresh(const struct view *view, uint32_t bit)
{
    const struct facts *f = node_of(view)->facts;

    return !f->unreachable && facts_age_ms(f, bit) <= CVP_FRESH_MS;
}

static const char *old_sha256(const struct view *view)
{
    const struct set_file *file = set_slot(&node_of(view)->old, "keystore");

    return file ? file->sha256 : "";
}

static bool is_old(const struct view *view, const char *sha)
{
    return sha[0] && strcmp(sha, old_sha256(view)) == 0;
}

static void copy_name(const struct view *view, enum cvp_copy copy,
                      struct str *out)
{
    str_init(out, CVP_NAME_BYTES);
    (void)cvp_copy_name(view->plan, copy, out);
}

static bool is_copy(const struct view *view, enum cvp_copy copy,
                    const char *word, size_t len)
{
    struct str name;
    bool is;

    copy_name(view, copy, &name);
    is = name.len && name.len == len && memcmp(str_text(&name), word, len) == 0;
    str_release(&name);
    return is;
}

/* What is in the keystore's place is what this run found or put there. */
static int knows_live(const struct view *view, bool *hold, struct err *err)
{
    const struct cvp_facts *f = cvp_facts_of(view);

    if (!is_fresh(view, CVP_READ_STATUS) || !is_fresh(view, CVP_READ_COPIES))
        return err_set(err, CAUSE_REFUSED,
                       "the keystore was not read just now");
    if (is_old(view, f->live_sha256) ||
        strcmp(f->live_sha256, f->copy_sha256[CVP_NEW]) == 0)
        return 0;
    *hold = true;
    return err_set(err, CAUSE_REFUSED,
                   "I7: the keystore is neither the old nor the new one: "
                   "somebody else has changed it");
}

/* -- keytool --------------------------------------------------------------- */

/* Behind this option, to the next blank. */
static const char *option(const char *text, const char *name, size_t *len)
{
    const char *at = strstr(text, name);

    if (!at)
        return NULL;
    at += strlen(name);
    *len = strcspn(at, " ");
    return at;
}

static int guard_keytool(const struct view *view, const char *text,
                         struct err *err)
{
    size_t len = 0;
    const char *store = option(text, " -keystore ", &len);
    bool makes = strstr(text, " -delete ") || strstr(text, " -genkeypair ") ||
                 strstr(text, " -certreq ");

    if (!store || !is_copy(view, CVP_NEW, store, len))
        return err_set(err, CAUSE_REFUSED,
                       "I4: it is not about this run's copy");
    if (view->back)
        return err_set(err, CAUSE_REFUSED, "no way back has a use for it");
    if (makes && view->plan->issued)
        return err_set(err, CAUSE_REFUSED,
                       "I4: the keys of the copy are signed already");
    if (!makes && !cvp_facts_of(view)->copy_sha256[CVP_NEW][0])
        return err_set(err, CAUSE_REFUSED, "the copy is not there");
    return 0;
}

/* -- copies ---------------------------------------------------------------- */

static int guard_aside(const struct view *view, const char *text, bool *hold,
                       struct err *err)
{
    const char *name = strrchr(text, ' ') + 1;
    const struct cvp_facts *f = cvp_facts_of(view);
    bool old = is_copy(view, CVP_OLD, name, strlen(name));

    if (!old && !is_copy(view, CVP_NEW, name, strlen(name)))
        return err_set(err, CAUSE_REFUSED, "I4: it is no copy of this run");
    if (knows_live(view, hold, err) < 0)
        return -1;
    if (!is_old(view, f->live_sha256))
        return err_set(err, CAUSE_REFUSED,
                       "I5: the keystore is not the old one any more");
    if (old && is_old(view, f->copy_sha256[CVP_OLD]))
        return 0; /* once more the same: its fetch failed */
    if (!old && view->plan->issued)
        return err_set(err, CAUSE_REFUSED,
                       "I4: the keys of the copy are signed already");
    return 0;
}

/* -- live ------------------------------------------------------------------ */

static int target_is_proven(const struct view *view, struct err *err)
{
    const struct cvp_facts *f = cvp_facts_of(view);

    if (!is_old(view, f->copy_sha256[CVP_OLD]))
        return err_set(err, CAUSE_REFUSED,
                       "I5: the old keystore is not kept on it");
    if (!view->back &&
        (!is_fresh(view, CVP_READ_STAGED) || cvp_staged_is_good(view, err) < 0))
        return err_set(err, CAUSE_REFUSED,
                       "I3: the new keystore is not proven on it");
    return 0;
}

static int guard_replace(const struct view *view, const char *text, bool *hold,
                         struct err *err)
{
    struct str name;
    bool own;

    copy_name(view, view->back ? CVP_OLD : CVP_NEW, &name);
    own = name.len && strstr(text, str_text(&name));
    str_release(&name);
    if (!own)
        return err_set(err, CAUSE_REFUSED, "I4: it is not the %s keystore",
                       view->back ? "old" : "new");
    if (knows_live(view, hold, err) < 0)
        return -1;
    return target_is_proven(view, err);
}

static int guard_service(const struct view *view, const char *text, bool *hold,
                         struct err *err)
{
    const char *name = strrchr(text, ' ') + 1;

    for (int s = 0; s < CVP_SERVICES; s++) {
        if (strcmp(cvp_services[s].name, name) != 0)
            continue;
        if (!(node_of(view)->node->roles & cvp_services[s].roles) ||
            !cvp_renews(view->plan, view->node, cvp_services[s].alias))
            break;
        if (!is_fresh(view, CVP_READ_SERVICES))
            return err_set(err, CAUSE_REFUSED,
                           "the state of %s was not read just now", name);
        if (knows_live(view, hold, err) < 0)
            return -1;
        return cvp_is_swapped(view)
                   ? 0
                   : err_set(err, CAUSE_REFUSED,
                             "the keystore is not the wanted one yet");
    }
    return err_set(err, CAUSE_REFUSED, "this run has nothing to do with %s",
                   name);
}

static int guard_command(const struct view *view, const char *text, bool *hold,
                         struct err *err)
{
    if (begins(text, KEYTOOL))
        return guard_keytool(view, text, err);
    if (begins(text, "copy /b /y " CVP_STORE " "))
        return guard_aside(view, text, hold, err);
    if (begins(text, "copy ") || begins(text, "move "))
        return guard_replace(view, text, hold, err);
    if (begins(text, "net "))
        return guard_service(view, text, hold, err);
    return err_set(err, CAUSE_REFUSED, "no rule allows it");
}

/* Files of the new set alone, in the login's folder. */
static int guard_file(const struct view *view, const char *name,
                      struct err *err)
{
    unsigned generation = 0;

    if (!cvp_product.is_ours(name, &generation) ||
        generation != view->plan->number || ends_with(name, ".keystore"))
        return err_set(err, CAUSE_REFUSED, "I4: %s is no file of this run",
                       name);
    return 0;
}

int cvp_guard(const struct view *view, const struct act *act, const char *text,
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
        return err_set(err, CAUSE_REFUSED, "no row of a CVP server does that");
    }
}
