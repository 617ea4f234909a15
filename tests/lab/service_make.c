/* SPDX-License-Identifier: Apache-2.0
 *
 * What --services writes: the services of a node and their first files, for
 * the lab and for the client's inventory.
 */
#include <string.h>

#include "tests/lab/service.h"

/* "all", but for what is gone by now; or the role stands between commas */
static bool is_listed(const char *list, const struct service_kind *kind)
{
    const char *role = kind->role;
    size_t len = strlen(role);

    if (strcmp(list, "all") == 0)
        return !kind->until;
    for (const char *p = list; *p; p += strcspn(p, ",")) {
        p += *p == ',';
        if (strcspn(p, ",") == len && strncmp(p, role, len) == 0)
            return true;
    }
    return false;
}

/* No version of today has it. */
static bool is_gone(const char *role)
{
    for (const struct service_kind *k = service_kinds; k->name; k++)
        if (strcmp(k->role, role) == 0 && !k->until)
            return false;
    return true;
}

/* One that is gone by now makes the node an old one. */
static bool is_old(const char *list)
{
    for (const struct service_kind *k = service_kinds; k->name; k++)
        if (is_listed(list, k) && is_gone(k->role))
            return true;
    return false;
}

static bool is_role(const char *word, size_t len)
{
    for (const struct service_kind *k = service_kinds; k->name; k++)
        if (strlen(k->role) == len && strncmp(k->role, word, len) == 0)
            return true;
    return false;
}

int service_check_list(const char *list, struct err *err)
{
    if (strcmp(list, "all") == 0)
        return 0;
    for (const char *p = list;; p++) {
        size_t len = strcspn(p, ",");
        if (!is_role(p, len))
            return err_set(err, CAUSE_INPUT, "%.*s: no service", (int)len, p);
        p += len;
        if (!*p)
            return 0;
    }
}

static bool fits(const struct service_kind *kind, bool old)
{
    return old ? kind->since < 300 : !kind->until;
}

void service_add_config(const char *list, struct str *lab)
{
    bool old = is_old(list);

    for (const struct service_kind *k = service_kinds; k->name; k++) {
        if (!is_listed(list, k) || !fits(k, old))
            continue;
        for (const struct service_slot *t = k->slots; t->verb; t++)
            if (t->made)
                str_addf(lab, "%s %s = %s\n", k->name, t->verb, t->made);
    }
    if (old)
        str_add(lab, "version = 2.9\n");
    str_add(lab, "services =");
    for (const struct service_kind *k = service_kinds; k->name; k++)
        if (strcmp(k->name, k->role) == 0 && is_listed(list, k) && fits(k, old))
            str_addf(lab, " %s", k->name);
    str_add(lab, "\n");
}

/* A role is written once, however many rows it has. */
void service_add_roles(const char *list, struct str *inventory)
{
    bool old = is_old(list);

    for (const struct service_kind *k = service_kinds; k->name; k++)
        if (strcmp(k->name, k->role) == 0 && is_listed(list, k) && fits(k, old))
            str_addf(inventory, " %s", k->role);
}
