/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of versions (facts/cms.md).  Whoever asks names a trait, never a
 * version.
 */
#include "playbooks/cms/versions.h"

#include <limits.h>
#include <stdlib.h>

/* clang-format off */
const unsigned cms_versions[] = {
    209, 300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310, 311, 312,
};
const size_t cms_n_versions = sizeof(cms_versions) / sizeof(cms_versions[0]);

const struct cms_trait_row cms_traits[CMS_TRAITS] = {
    [CMS_ALWAYS] =          { "webadmin, callbridge, turn, uploader", 0, 0, 'I', "5.2, 5.3, 5.5, 5.10" },
    [CMS_DB_NEEDS_SET] =    { "a database cluster needs certificates", 207, 0, 'R', "3.2" },
    [CMS_HAS_SIGN] =        { "pki sign", 207, 0, 'R', "4" },
    [CMS_HAS_WEBBRIDGE] =   { "webbridge certs, trust", 0, 300, 'R', "5.12" },
    [CMS_HAS_XMPP] =        { "xmpp certs, cluster trust", 0, 300, 'R', "5.12" },
    [CMS_PLAIN_FORMS] =     { "recorder and streamer: certs, trust", 0, 300, 'R', "5.6, 5.7" },
    [CMS_SIP_FORMS] =       { "recorder and streamer: sip certs", 300, 0, 'R', "5.6, 5.7" },
    [CMS_HAS_WEBBRIDGE3] =  { "webbridge3", 300, 0, 'R', "5.4" },
    [CMS_FULL_CHAINS] =     { "services that take a full chain", 300, 0, 'R', "5.4, 5.8, 5.9" },
    [CMS_HAS_SCHEDULER] =   { "scheduler", 303, 0, 'R', "5.9" },
    [CMS_PEERS_BY_NAME] =   { "the webadmin's certificate must name the peer's address", 304, 0, 'R', "5.3" },
    [CMS_HAS_MEETINGAPPS] = { "meetingapps", 305, 0, 'R', "5.8" },
    [CMS_DB_BY_NAME] =      { "the database server's certificate must name its address", 305, 0, 'I', "3.2" },
};
/* clang-format on */

unsigned cms_version_number(const char *text)
{
    char *rest = NULL;
    unsigned long major, minor;

    if (text[0] < '0' || text[0] > '9')
        return 0;
    major = strtoul(text, &rest, 10);
    minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
    return major > 999 || minor > 99 ? 0 : (unsigned)(major * 100 + minor);
}

bool cms_version_has(unsigned version, enum cms_trait trait)
{
    const struct cms_trait_row *row = &cms_traits[trait];

    if (version == 0)
        version = UINT_MAX;
    return version >= row->since && (!row->until || version < row->until);
}
