/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of services, line by line.
 */
#include "playbooks/vos/services.h"

#include <string.h>

/* "Cisco Tomcat[STARTED]", "Cisco HCS Admin UI[STOPPED]  Component is ..." */
static void take_service(struct vos_services *s, const char *line, size_t len)
{
    const char *open = memchr(line, '[', len);
    size_t name = open ? (size_t)(open - line) : 0;
    const char *end = line + len;

    while (name && line[name - 1] == ' ')
        name--;
    if (!name || name >= sizeof(s->list[0].name) || s->n == VOS_SERVICES_MAX)
        return;
    memcpy(s->list[s->n].name, line, name);
    s->list[s->n].name[name] = '\0';
    len = (size_t)(end - open);
    s->list[s->n++].running = memmem(open, len, "[STARTED]", 9) ? VOS_STARTED
                              : memmem(open, len, "[STARTING]", 10) ||
                                      memmem(open, len, "[STOPPING]", 10)
                                  ? VOS_MOVING
                              : memmem(open, len, "Not Activated", 13)
                                  ? VOS_NO_SERVICE
                                  : VOS_DOWN;
}

/* Every node has a Tomcat: a list without one is no list, and a service that is
 * not in it would be taken for one that is not activated. */
static int whole(struct vos_services *s, struct err *err)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->list[i].name, "Cisco Tomcat") == 0)
            return 0;
    s->n = 0;
    return err_set(err, CAUSE_REMOTE, "it lists no Cisco Tomcat");
}

int vos_services_parse(const char *text, size_t len, struct vos_services *out,
                       struct err *err)
{
    const char *p = text, *end = text + len;

    out->n = 0;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));

        take_service(out, p, (size_t)((nl ? nl : end) - p));
        p = nl ? nl + 1 : end;
    }
    return whole(out, err);
}

enum vos_running vos_running_of(const struct vos_services *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->list[i].name, name) == 0)
            return s->list[i].running;
    return VOS_NO_SERVICE;
}
