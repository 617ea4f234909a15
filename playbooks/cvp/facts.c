/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of reads and a parser for each row.  Pure: bytes in, facts out.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cvp/commands.h"
#include "playbooks/cvp/cvp.h"

struct facts *cvp_facts_new(void)
{
    struct cvp_facts *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    return (struct facts *)f;
}

static void drop_shown(struct cvp_facts *f)
{
    for (int a = 0; a < CVP_ALIASES; a++) {
        secret_free(f->shown_bytes[a]);
        f->shown_bytes[a] = NULL;
    }
}

void cvp_facts_free(struct facts *facts)
{
    struct cvp_facts *f = (struct cvp_facts *)facts;

    if (!f)
        return;
    cvp_store_release(&f->live);
    cvp_store_release(&f->staged);
    drop_shown(f);
    win_node_release(&f->node);
    free(f);
}

const struct cvp_facts *cvp_facts_at(const struct plan_cluster *pc, size_t i)
{
    return (const struct cvp_facts *)pc->nodes[i].facts;
}

const struct cvp_facts *cvp_facts_of(const struct view *view)
{
    return cvp_facts_at(view->plan, view->node);
}

/* -- parsers --------------------------------------------------------------- */

static int parse_status(struct facts *facts, const struct read_file *about,
                        const struct link_result *result, struct err *err)
{
    struct cvp_facts *f = (struct cvp_facts *)facts;

    (void)about;
    if (win_hash(result->data, result->len, f->live_sha256))
        return 0;
    return err_set(err, CAUSE_REMOTE,
                   "no digest of the keystore: is it a CVP server, is "
                   "%%CVP_HOME%% set, and may this user read the keystore?");
}

static int parse_home(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    struct cvp_facts *f = (struct cvp_facts *)facts;
    size_t n = 0;

    (void)about;
    (void)err;
    while (n < result->len && n + 1 < sizeof(f->home) &&
           result->data[n] > ' ') {
        f->home[n] = result->data[n];
        n++;
    }
    f->home[n] = '\0';
    return 0;
}

static int parse_live(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    (void)about;
    return cvp_store_parse(&((struct cvp_facts *)facts)->live, result->data,
                           result->len, err);
}

static int parse_staged(struct facts *facts, const struct read_file *about,
                        const struct link_result *result, struct err *err)
{
    (void)about;
    return cvp_store_parse(&((struct cvp_facts *)facts)->staged, result->data,
                           result->len, err);
}

static int parse_copy(struct facts *facts, const struct read_file *file,
                      const struct link_result *result, struct err *err)
{
    char *sha = ((struct cvp_facts *)facts)->copy_sha256[file->tag];

    (void)err;
    sha[0] = '\0';
    if (result->end == LINK_OK)
        pki_sha256(result->data, result->len, sha);
    return 0;
}

static int parse_service(struct facts *facts, const struct read_file *about,
                         const struct link_result *result, struct err *err)
{
    (void)err;
    ((struct cvp_facts *)facts)->service[about->tag] =
        win_service(result->data, result->len);
    return 0;
}

static int parse_shown(struct facts *facts, const struct read_file *about,
                       const struct link_result *result, struct err *err)
{
    struct cvp_facts *f = (struct cvp_facts *)facts;

    (void)err;
    secret_free(f->shown_bytes[about->tag]);
    f->shown_bytes[about->tag] = secret_from(result->data, result->len);
    f->shown_ms[about->tag] = clock_mono_ms();
    return 0;
}

/* -- in the pool ----------------------------------------------------------- */

static void work_live(struct facts *facts)
{
    cvp_store_work(&((struct cvp_facts *)facts)->live);
}

static void work_staged(struct facts *facts)
{
    cvp_store_work(&((struct cvp_facts *)facts)->staged);
}

/* A port that does not answer shows nothing: not what it showed before. */
static void forget_shown(struct facts *facts)
{
    struct cvp_facts *f = (struct cvp_facts *)facts;

    drop_shown(f);
    memset(f->shown_sha256, 0, sizeof(f->shown_sha256));
}

static void work_shown(struct facts *facts)
{
    struct cvp_facts *f = (struct cvp_facts *)facts;
    struct pki_cert_info info;

    for (int a = 0; a < CVP_ALIASES; a++)
        if (f->shown_bytes[a] &&
            pki_describe(f->shown_bytes[a]->data, f->shown_bytes[a]->len, &info,
                         NULL) == 0)
            memcpy(f->shown_sha256[a], info.sha256, PKI_SHA256_HEX);
}

/* -- what to look at ------------------------------------------------------- */

static size_t copy_names(const struct view *view, struct read_file *list)
{
    struct arena *arena = &view->plan->plan->arena;
    size_t n = 0;

    for (int k = 0; k < 2; k++) {
        struct str name;

        str_init(&name, CVP_NAME_BYTES);
        if (cvp_copy_name(view->plan, (enum cvp_copy)k, &name))
            list[n++] = (struct read_file){arena_strdup(arena, str_text(&name)),
                                           (unsigned)k};
        str_release(&name);
    }
    return n;
}

static bool peer(const struct view *view, const struct read_file *about,
                 struct link_peer *at)
{
    const struct node *node = view->plan->nodes[view->node].node;
    const struct cvp_alias_row *row = &cvp_aliases[about->tag];

    at->address = node->address;
    at->port = row->port;
    return (node->roles & row->roles) != 0;
}

/* clang-format off */
#define SERVICE(name, service, roles) \
    { CVP_READ_SERVICES, READ_COMMAND, "sc query " name, false, NULL, NULL, parse_service, NULL, roles, { NULL, service } }
#define SHOWN(alias) \
    { CVP_READ_SHOWN, READ_SERVED, NULL, true, NULL, peer, parse_shown, NULL, 0, { NULL, alias } }
const struct read_row cvp_reads[] = {
    { CVP_READ_STATUS, READ_COMMAND, CVP_DIGEST, false, NULL, NULL, parse_status },
    { CVP_READ_HOME,   READ_COMMAND, CVP_WHERE, false, NULL, NULL, parse_home },
    { CVP_READ_CLOCK,  READ_COMMAND, CVP_CLOCK, true, NULL, NULL, win_clock_take },
    { CVP_READ_LIST,   READ_LIST,    NULL, false, NULL, NULL, win_list_take },
    { CVP_READ_LIVE,   READ_COMMAND, KEYTOOL "-list -rfc -keystore " CVP_STORE, false, NULL, NULL, parse_live },
    { CVP_READ_LIVE,   READ_WORK,    NULL, false, NULL, NULL, NULL, work_live },
    { CVP_READ_STAGED, READ_COMMAND, KEYTOOL "-list -rfc -keystore {keystore.new}", false, NULL, NULL, parse_staged },
    { CVP_READ_STAGED, READ_WORK,    NULL, false, NULL, NULL, NULL, work_staged },
    { CVP_READ_COPIES, READ_FILES,   NULL, false, copy_names, NULL, parse_copy },
    SERVICE("WebServicesManager", CVP_SVC_WSM, CVP_EVERY),
    SERVICE("VXMLServer", CVP_SVC_VXML, CVP_SERVER),
    SERVICE("W3SVC", CVP_SVC_IIS, CVP_OAMP),
    SERVICE("OPSConsoleServer", CVP_SVC_OAMP, CVP_OAMP),
    SERVICE("CallServer", CVP_SVC_CALLSERVER, CVP_SERVER | CVP_REPORTING),
    { CVP_READ_SHOWN,  READ_WORK,    NULL, false, NULL, NULL, NULL, forget_shown },
    SHOWN(CVP_WSM), SHOWN(CVP_VXML), SHOWN(CVP_OAMP_CERT), SHOWN(CVP_CALLSERVER),
    { CVP_READ_SHOWN,  READ_WORK,    NULL, false, NULL, NULL, NULL, work_shown },
    { 0 },
};
/* clang-format on */
