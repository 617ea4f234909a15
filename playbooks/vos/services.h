/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/vos/services.h - `utils service list' of the platform's shell
 * (facts/uc.md 1.4).
 */
#ifndef CERTFLEET_VOS_SERVICES_H
#define CERTFLEET_VOS_SERVICES_H

#include <stddef.h>

#include "core/base/err.h"

enum vos_running {
    VOS_NO_SERVICE, /* not listed, or not activated */
    VOS_STARTED,
    VOS_MOVING, /* starting or stopping */
    VOS_DOWN,
};
enum {
    VOS_SERVICES_MAX = 160
};
struct vos_services {
    struct {
        char name[64];
        enum vos_running running;
    } list[VOS_SERVICES_MAX];
    size_t n; /* 0: not read */
};

/* -1, CAUSE_REMOTE: it is no whole list, and n is 0. */
int vos_services_parse(const char *text, size_t len, struct vos_services *out,
                       struct err *err);
enum vos_running vos_running_of(const struct vos_services *services,
                                const char *name);

#endif
