/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/login.c - who may send which password.  It must not know libssh.
 */
#include "transport/login.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNANSWERED_MAX = 2
};

struct login_place {
    struct login_place *next;
    bool accepted; /* else refused */
    char *name;
};

struct login_entry {
    struct login_entry *next;
    char *user;
    struct secret *password;
    bool accepted;    /* at least once */
    char *refused_by; /* NULL: not refused */
    unsigned unanswered;
    struct login *leader;
    struct login *waiting;
    struct login_place *places;
};

struct logins {
    struct login_entry *first;
};

struct logins *logins_new(void)
{
    struct logins *l = calloc(1, sizeof(*l));

    if (l == NULL)
        abort();
    return l;
}

static void entry_free(struct login_entry *e)
{
    while (e->places != NULL) {
        struct login_place *p = e->places;

        e->places = p->next;
        free(p->name);
        free(p);
    }
    secret_free(e->password);
    free(e->refused_by);
    free(e->user);
    free(e);
}

void logins_free(struct logins *l)
{
    if (l == NULL)
        return;
    while (l->first != NULL) {
        struct login_entry *e = l->first;

        l->first = e->next;
        entry_free(e);
    }
    free(l);
}

static bool is_same_secret(const struct secret *a, const struct secret *b)
{
    return a == b ||
           (a->len == b->len && CRYPTO_memcmp(a->data, b->data, a->len) == 0);
}

static struct login_entry *entry_of(struct logins *l, const char *user,
                                    struct secret *password)
{
    struct login_entry *e = l->first;

    while (e != NULL && (strcmp(e->user, user) != 0 ||
                         !is_same_secret(e->password, password)))
        e = e->next;
    if (e != NULL)
        return e;
    e = calloc(1, sizeof(*e));
    if (e == NULL || (e->user = strdup(user)) == NULL)
        abort();
    e->password = secret_share(password);
    e->next = l->first;
    l->first = e;
    return e;
}

static struct login_place *place_of(const struct login_entry *e,
                                    const char *name)
{
    struct login_place *p = e->places;

    while (p != NULL && strcmp(p->name, name) != 0)
        p = p->next;
    return p;
}

static void remember(struct login_entry *e, const char *name, bool accepted)
{
    struct login_place *p = place_of(e, name);

    if (p == NULL) {
        p = calloc(1, sizeof(*p));
        if (p == NULL || (p->name = strdup(name)) == NULL)
            abort();
        p->next = e->places;
        e->places = p;
    }
    p->accepted = accepted;
}

static void join_line(struct login_entry *e, struct login *who)
{
    struct login **at = &e->waiting;

    if (who->waiting)
        return;
    while (*at != NULL)
        at = &(*at)->next;
    *at = who;
    who->next = NULL;
    who->waiting = true;
}

enum login_word login_ask(struct logins *l, struct login *who, const char *user,
                          struct secret *password)
{
    struct login_entry *e = entry_of(l, user, password);
    const struct login_place *p = place_of(e, who->place);

    who->entry = e;
    if (p != NULL)
        return p->accepted ? LOGIN_GO : LOGIN_REFUSED;
    if (e->refused_by != NULL)
        return LOGIN_REFUSED;
    if (e->accepted || e->leader == who)
        return LOGIN_GO;
    if (e->leader != NULL) {
        join_line(e, who);
        return LOGIN_WAIT;
    }
    e->leader = who;
    who->leads = true;
    return LOGIN_GO;
}

/* Everybody asks again: all go, or all are refused, or the first leads. */
static void wake_all(struct login_entry *e)
{
    while (e->waiting != NULL) {
        struct login *who = e->waiting;

        e->waiting = who->next;
        who->waiting = false;
        who->next = NULL;
        who->turn(who);
    }
}

static void step_down(struct login *who)
{
    if (who->entry == NULL || !who->leads)
        return;
    who->leads = false;
    who->entry->leader = NULL;
    wake_all(who->entry);
}

void login_accepted(struct login *who)
{
    who->entry->accepted = true;
    who->entry->unanswered = 0;
    remember(who->entry, who->place, true);
    step_down(who);
}

static void refuse(struct login *who)
{
    if (who->entry->refused_by == NULL)
        who->entry->refused_by = strdup(who->place);
    remember(who->entry, who->place, false);
}

void login_refused(struct login *who)
{
    refuse(who);
    step_down(who);
}

void login_unanswered(struct login *who)
{
    struct login_entry *e = who->entry;

    if (!e->accepted && ++e->unanswered >= UNANSWERED_MAX)
        refuse(who);
    step_down(who);
}

static void leave_line(struct login *who)
{
    struct login **at = &who->entry->waiting;

    while (*at != NULL && *at != who)
        at = &(*at)->next;
    if (*at != NULL)
        *at = who->next;
    who->waiting = false;
    who->next = NULL;
}

void login_leave(struct login *who)
{
    if (who->entry == NULL)
        return;
    if (who->waiting)
        leave_line(who);
    step_down(who);
    who->entry = NULL;
}

void login_reason(const struct login *who, struct err *err)
{
    const struct login_entry *e = who->entry;
    const struct login_place *here = place_of(e, who->place);

    if (here != NULL && !here->accepted)
        err_set(err, CAUSE_REFUSED,
                "%s refused the password of user %s; it is not sent again in "
                "this run: correct it first, one more try may lock the "
                "account",
                who->place, e->user);
    else
        err_set(err, CAUSE_REFUSED,
                "the password of user %s was not sent to %s, because %s "
                "refused it: correct it first",
                e->user, who->place, e->refused_by);
}
