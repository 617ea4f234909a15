/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of reads and a parser for each row.  Pure: bytes in, facts out.
 * Windows' words are translated and its exit codes say little (facts/uc.md 4.1,
 * 10): digits, hexadecimal and Cisco's own sentence are all that is read.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/cce/cce.h"
#include "playbooks/cce/commands.h"

struct facts *cce_facts_new(void)
{
    struct cce_facts *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    return (struct facts *)f;
}

static void drop_held(struct cce_held *held)
{
    free(held->pem);
    free(held->sha256);
    memset(held, 0, sizeof(*held));
}

void cce_facts_free(struct facts *facts)
{
    struct cce_facts *f = (struct cce_facts *)facts;

    for (int s = 0; s < CCE_STORES; s++)
        drop_held(&f->staged[s]);
    for (int l = 0; l < CCE_LISTENERS; l++)
        secret_free(f->shown_bytes[l]);
    win_node_release(&f->node);
    free(f);
}

const struct cce_facts *cce_facts_at(const struct plan_cluster *pc, size_t i)
{
    return (const struct cce_facts *)pc->nodes[i].facts;
}

const struct cce_facts *cce_facts_of(const struct view *view)
{
    return cce_facts_at(view->plan, view->node);
}

bool cce_is_fresh(const struct view *view, uint32_t bit)
{
    const struct facts *f = view->plan->nodes[view->node].facts;

    return !f->unreachable && facts_age_ms(f, bit) <= CCE_FRESH_MS;
}

/* -- parsers --------------------------------------------------------------- */

/* Nothing bound is an answer, too: there are no digits in it. */
static int parse_bound(struct facts *facts, const struct read_file *about,
                       const struct link_result *result, struct err *err)
{
    struct cce_bound *b = &((struct cce_facts *)facts)->bound[about->tag];

    (void)err;
    b->known = result->len > 0;
    win_thumbprint(result->data, result->len, b->thumb);
    win_guid(result->data, result->len, b->app);
    return 0;
}

static int parse_store(struct facts *facts, const struct read_file *about,
                       const struct link_result *result, struct err *err)
{
    char *sha = ((struct cce_facts *)facts)->store_sha256[about->tag];

    if (win_hash(result->data, result->len, sha))
        return 0;
    return err_set(err, CAUSE_REMOTE,
                   about->tag == CCE_STORE_ICM
                       ? "no digest of \\icm\\ssl\\cacerts: is it a CCE "
                         "server, and is ICM on another drive (drive=)?"
                       : "no digest of lib\\security\\cacerts below "
                         "%%CCE_JAVA_HOME%%: is it set for this login?");
}

static int parse_home(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    struct cce_facts *f = (struct cce_facts *)facts;
    size_t n = 0;

    (void)about;
    (void)err;
    while (n < result->len && n + 1 < sizeof(f->home) &&
           (unsigned char)result->data[n] >= ' ') {
        f->home[n] = result->data[n];
        n++;
    }
    f->home[n] = '\0';
    return 0;
}

static int parse_copy(struct facts *facts, const struct read_file *file,
                      const struct link_result *result, struct err *err)
{
    struct cce_facts *f = (struct cce_facts *)facts;
    char *sha = f->copy_sha256[file->tag / CCE_COPIES][file->tag % CCE_COPIES];

    (void)err;
    sha[0] = '\0';
    if (result->end == LINK_OK)
        pki_sha256(result->data, result->len, sha);
    return 0;
}

/* A list that is none holds no CA, and the row's goal says so. */
static int parse_staged(struct facts *facts, const struct read_file *about,
                        const struct link_result *result, struct err *err)
{
    struct cce_held *held = &((struct cce_facts *)facts)->staged[about->tag];

    (void)err;
    drop_held(held);
    held->pem = strndup(result->data ? result->data : "", result->len);
    return 0;
}

/* What `certutil -store' has found.  A serial number of twenty bytes has forty
 * digits as well, and stands before them: the hash is behind "(sha1)".  Whether
 * each language has that is not known; where it is not, the first forty count,
 * and if these are the wrong ones nothing is bound. */
static bool take_found(const struct link_result *result,
                       char thumb[PKI_SHA1_HEX])
{
    static const char label[] = "(sha1)";
    const char *end = result->data + result->len;
    const char *at =
        result->len ? memmem(result->data, result->len, label, strlen(label))
                    : NULL;

    if (!at)
        at = result->data;
    return win_thumbprint(at, (size_t)(end - at), thumb);
}

/* It prints what it was asked for, or nothing of the kind. */
static int parse_my(struct facts *facts, const struct read_file *about,
                    const struct link_result *result, struct err *err)
{
    (void)err;
    take_found(result, ((struct cce_facts *)facts)->in_my[about->tag]);
    return 0;
}

static int parse_trust(struct facts *facts, const struct read_file *about,
                       const struct link_result *result, struct err *err)
{
    char thumb[PKI_SHA1_HEX];

    (void)err;
    ((struct cce_facts *)facts)->trusted[about->tag] =
        take_found(result, thumb);
    return 0;
}

/* Seed 003, CCE 5.6: in English, since it is Cisco's own. */
static int parse_valid(struct facts *facts, const struct read_file *about,
                       const struct link_result *result, struct err *err)
{
    static const char sentence[] = "The certificate binding is VALID";

    (void)about;
    (void)err;
    ((struct cce_facts *)facts)->valid =
        result->len &&
        memmem(result->data, result->len, sentence, strlen(sentence)) != NULL;
    return 0;
}

static int parse_service(struct facts *facts, const struct read_file *about,
                         const struct link_result *result, struct err *err)
{
    (void)err;
    ((struct cce_facts *)facts)->service[about->tag] =
        win_service(result->data, result->len);
    return 0;
}

static int parse_shown(struct facts *facts, const struct read_file *about,
                       const struct link_result *result, struct err *err)
{
    struct cce_facts *f = (struct cce_facts *)facts;

    (void)err;
    secret_free(f->shown_bytes[about->tag]);
    f->shown_bytes[about->tag] = secret_from(result->data, result->len);
    f->shown_ms[about->tag] = clock_mono_ms();
    return 0;
}

/* -- in the pool ----------------------------------------------------------- */

static void work_staged(struct facts *facts)
{
    struct cce_facts *f = (struct cce_facts *)facts;

    for (int s = 0; s < CCE_STORES; s++) {
        struct cce_held *held = &f->staged[s];
        struct pki_cert_info *infos = NULL;
        size_t n = 0;

        if (!held->pem)
            continue;
        if (pki_describe_all(held->pem, strlen(held->pem), &infos, &n, NULL) <
            0)
            n = 0;
        held->sha256 = calloc(n + 1, sizeof(*held->sha256));
        if (!held->sha256)
            abort();
        for (held->n = 0; held->n < n; held->n++)
            memcpy(held->sha256[held->n], infos[held->n].sha256,
                   PKI_SHA256_HEX);
        free(infos);
        free(held->pem);
        held->pem = NULL;
    }
}

static void work_shown(struct facts *facts)
{
    struct cce_facts *f = (struct cce_facts *)facts;

    for (int l = 0; l < CCE_LISTENERS; l++) {
        struct secret *bytes = f->shown_bytes[l];

        if (bytes &&
            pki_describe(bytes->data, bytes->len, &f->shown[l], NULL) < 0)
            memset(&f->shown[l], 0, sizeof(f->shown[l]));
        secret_free(bytes);
        f->shown_bytes[l] = NULL;
    }
}

/* -- what to look at ------------------------------------------------------- */

static size_t copy_names(const struct view *view, struct read_file *list)
{
    struct arena *arena = &view->plan->plan->arena;
    size_t n = 0;

    for (unsigned k = 0; k < CCE_STORES * CCE_COPIES; k++) {
        struct str name;

        str_init(&name, CCE_NAME_BYTES);
        if (cce_copy_name(view->plan, (enum cce_store)(k / CCE_COPIES),
                          (enum cce_copy)(k % CCE_COPIES), &name))
            list[n++] =
                (struct read_file){arena_strdup(arena, str_text(&name)), k};
        str_release(&name);
    }
    return n;
}

/* A port that does not answer shows nothing: not what it showed before. */
static bool peer(const struct view *view, const struct read_file *about,
                 struct link_peer *at)
{
    struct plan_node *pn = &view->plan->nodes[view->node];
    struct cce_facts *f = (struct cce_facts *)pn->facts;

    memset(&f->shown[about->tag], 0, sizeof(f->shown[about->tag]));
    at->address = pn->node->address;
    at->port = cce_listeners[about->tag].port;
    return true;
}

/* clang-format off */
#define COMMAND(bit, text, parse, tag) \
    { bit, READ_COMMAND, text, false, NULL, NULL, parse, NULL, 0, { NULL, tag } }
#define MAYBE(bit, text, parse, tag) \
    { bit, READ_COMMAND, text, true, NULL, NULL, parse, NULL, 0, { NULL, tag } }
#define SHOWN(tag) \
    { CCE_READ_SHOWN, READ_SERVED, NULL, true, NULL, peer, parse_shown, NULL, 0, { NULL, tag } }
const struct read_row cce_reads[] = {
    COMMAND(CCE_READ_BOUND, CCE_BOUND(CCE_IIS), parse_bound, CCE_IIS_443),
    COMMAND(CCE_READ_BOUND, CCE_BOUND(CCE_PORTICO), parse_bound, CCE_PORTICO_7890),
    COMMAND(CCE_READ_HOME,  CCE_JAVA_HOME, parse_home, 0),
    COMMAND(CCE_READ_STORES, CCE_DIGEST(CCE_ICM_STORE("{drive}")), parse_store, CCE_STORE_ICM),
    COMMAND(CCE_READ_STORES, CCE_DIGEST(CCE_JAVA_STORE), parse_store, CCE_STORE_JAVA),
    MAYBE(CCE_READ_CLOCK,   CCE_CLOCK, win_clock_take, 0),
    { CCE_READ_LIST,   READ_LIST,  NULL, false, NULL, NULL, win_list_take },
    { CCE_READ_COPIES, READ_FILES, NULL, false, copy_names, NULL, parse_copy },
    COMMAND(CCE_READ_STAGED, CCE_LIST("{icm.new}"), parse_staged, CCE_STORE_ICM),
    COMMAND(CCE_READ_STAGED, CCE_LIST("{java.new}"), parse_staged, CCE_STORE_JAVA),
    { CCE_READ_STAGED, READ_WORK,  NULL, false, NULL, NULL, NULL, work_staged },
    COMMAND(CCE_READ_MY,    CCE_FIND("My", "{iis.asked}"), parse_my, CCE_IIS_443),
    COMMAND(CCE_READ_MY,    CCE_FIND("My", "{portico.asked}"), parse_my, CCE_PORTICO_7890),
    COMMAND(CCE_READ_TRUST, CCE_FIND("Root", "{root.thumb}"), parse_trust, 0),
    COMMAND(CCE_READ_TRUST, CCE_FIND("CA", "{ca1.thumb}"), parse_trust, 1),
    COMMAND(CCE_READ_TRUST, CCE_FIND("CA", "{ca2.thumb}"), parse_trust, 2),
    COMMAND(CCE_READ_TRUST, CCE_FIND("CA", "{ca3.thumb}"), parse_trust, 3),
    COMMAND(CCE_READ_VALID, CCE_VALIDATE("{drive}"), parse_valid, 0),
    COMMAND(CCE_READ_SERVICES, "sc query IISADMIN", parse_service, CCE_IISADMIN),
    COMMAND(CCE_READ_SERVICES, "sc query W3SVC", parse_service, CCE_W3SVC),
    COMMAND(CCE_READ_SERVICES, "sc query DiagFwSvc", parse_service, CCE_DIAGFWSVC),
    COMMAND(CCE_READ_SERVICES, "sc query {tomcat}", parse_service, CCE_TOMCAT),
    SHOWN(CCE_IIS_443),
    SHOWN(CCE_PORTICO_7890),
    { CCE_READ_SHOWN, READ_WORK, NULL, false, NULL, NULL, NULL, work_shown },
    { 0 },
};
/* clang-format on */
