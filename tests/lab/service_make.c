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

/* One that is gone by now makes the node an old one. */
void service_add_config(const char *list, struct str *lab)
{
    bool old = false;

    for (const struct service_kind *k = service_kinds; k->name; k++) {
        if (!is_listed(list, k))
            continue;
        old = old || k->until;
        for (const struct service_slot *t = k->slots; t->verb; t++)
            if (t->made)
                str_addf(lab, "%s %s = %s\n", k->name, t->verb, t->made);
    }
    if (old)
        str_add(lab, "version = 2.9\n");
    str_add(lab, "services =");
    for (const struct service_kind *k = service_kinds; k->name; k++)
        if (strcmp(k->name, k->role) == 0 && is_listed(list, k))
            str_addf(lab, " %s", k->name);
    str_add(lab, "\n");
}

/* A role is written once, however many rows it has. */
void service_add_roles(const char *list, struct str *inventory)
{
    for (const struct service_kind *k = service_kinds; k->name; k++)
        if (strcmp(k->name, k->role) == 0 && is_listed(list, k))
            str_addf(inventory, " %s", k->role);
}
