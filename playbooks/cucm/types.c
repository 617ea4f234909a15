/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of types and its questions.
 */
#include "playbooks/cucm/types.h"

#include <string.h>

/* clang-format off */
/* tomcat: seed 004 step 7 names Cisco Tomcat; the rest is facts/uc.md 2 (14 and
 * 15; Cisco Tftp serves the old one until it starts anew).  CallManager: the
 * order of seed 004; HAProxy from 14SU1 on (facts/uc.md 2). */
const struct cucm_type cucm_types[] = {
    { "tomcat", CUCM_ALL, CUCM_PUBLISHER, 8443, LINK_TLS_PLAIN, true, false, false, true,
      { { "Cisco Tomcat",       CUCM_ALL },
        { "Cisco UDS Tomcat",   CUCM_UCM },
        { "Cisco AXL Tomcat",   CUCM_UCM },
        { "Cisco SSOSP Tomcat", CUCM_ALL },
        { "Cisco Tftp",         CUCM_UCM },
        { "Cisco DRF Master",   CUCM_PUBLISHER },
        { "Cisco DRF Local",    CUCM_ALL } } },
    { "CallManager", CUCM_UCM, CUCM_PUBLISHER, 5061, LINK_TLS_PLAIN, false, true, true, false,
      { { "Cisco Tftp",         CUCM_UCM },
        { "Cisco CallManager",  CUCM_UCM },
        { "Cisco CTIManager",   CUCM_UCM },
        { "Cisco Trust Verification Service", CUCM_UCM },
        { "Cisco HAProxy",      CUCM_UCM } } },
    { "cup-xmpp", CUCM_PRESENCE, CUCM_IMP_PUBLISHER, 5222, LINK_TLS_XMPP, false, false, false, false,
      { { "Cisco XCP Router",   CUCM_PRESENCE } } },
    { "cup-xmpp-s2s", CUCM_PRESENCE, CUCM_IMP_PUBLISHER, 5269, LINK_TLS_XMPP_SERVER, false, false, false, false,
      { { "Cisco XCP XMPP Federation Connection Manager", CUCM_PRESENCE } } },
    { NULL },
};
/* clang-format on */

const struct cucm_type *cucm_type_find(const char *name)
{
    for (const struct cucm_type *t = cucm_types; name && t->name; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

bool cucm_type_restarts(const struct cucm_type *type, const char *service,
                        uint32_t roles)
{
    for (size_t i = 0; i < CUCM_RESTARTS && type->restarts[i].service; i++)
        if (strcmp(type->restarts[i].service, service) == 0)
            return (type->restarts[i].roles & roles) != 0;
    return false;
}

static bool stands_before(const struct cucm_type *type, size_t row)
{
    const char *service = type->restarts[row].service;

    for (const struct cucm_type *t = cucm_types; t < type; t++)
        for (size_t i = 0; i < CUCM_RESTARTS && t->restarts[i].service; i++)
            if (strcmp(t->restarts[i].service, service) == 0)
                return true;
    return false;
}

const char *cucm_service_at(size_t i)
{
    for (const struct cucm_type *t = cucm_types; t->name; t++)
        for (size_t k = 0; k < CUCM_RESTARTS && t->restarts[k].service; k++)
            if (!stands_before(t, k) && i-- == 0)
                return t->restarts[k].service;
    return NULL;
}
