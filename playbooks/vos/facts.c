/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of reads and its parsers.  What a parser does not understand stays
 * unknown, and what must be known refuses in decide.c and guard.c.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "playbooks/vos/pem.h"
#include "playbooks/vos/vos.h"

struct facts *vos_facts_new(void)
{
    struct vos_facts *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    return (struct facts *)f;
}

void vos_facts_free(struct facts *facts)
{
    struct vos_facts *f = (struct vos_facts *)facts;

    free(f->own);
    free(f->trust);
    vos_node_release(&f->node);
    free(f);
}

const struct vos_facts *vos_facts_at(const struct plan_cluster *pc, size_t i)
{
    return (const struct vos_facts *)pc->nodes[i].facts;
}

const struct vos_facts *vos_facts_of(const struct view *view)
{
    return vos_facts_at(view->plan, view->node);
}

bool vos_is_fresh(const struct vos_facts *f, enum vos_read bit)
{
    uint64_t at = f->node.base.read_ms[__builtin_ctz(bit)];

    return at && clock_mono_ms() - at <= VOS_FRESH_MS;
}

/* -- the shell ------------------------------------------------------------- */

bool vos_version_parse(const char *text, size_t len, char out[64])
{
    static const char words[] = "Active Master Version:";
    const char *p = memmem(text, len, words, sizeof(words) - 1);
    const char *end = text + len;
    size_t n = 0;

    out[0] = '\0';
    if (!p)
        return false;
    p += sizeof(words) - 1;
    while (p < end && *p == ' ')
        p++;
    while (p < end && n < 63 &&
           (isalnum((unsigned char)*p) || *p == '.' || *p == '-'))
        out[n++] = *p++;
    out[n] = '\0';
    return n > 0;
}

static int parse_version(struct facts *facts, const struct read_file *about,
                         const struct link_result *result, struct err *err)
{
    struct vos_facts *f = (struct vos_facts *)facts;

    (void)about;
    return vos_version_parse(result->data, result->len, f->version)
               ? 0
               : err_set(err, CAUSE_REMOTE, "it does not tell its version");
}

static void keep_text(char **kept, const struct link_result *result)
{
    free(*kept);
    *kept = strndup(result->data, result->len);
    if (!*kept)
        abort();
}

static bool is_refusal(const struct link_result *result)
{
    static const char word[] = "unsuccessfully";

    return memmem(result->data, result->len, word, sizeof(word) - 1) != NULL;
}

static int parse_text(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    struct vos_facts *f = (struct vos_facts *)facts;
    char **kept = about->tag ? &f->trust : &f->own;

    if (result->len == 0 || is_refusal(result)) {
        free(*kept);
        *kept = NULL;
        return err_set(err, CAUSE_REMOTE, "it prints no certificates");
    }
    keep_text(kept, result);
    return 0;
}

/* No request is said in words that no document has: whatever holds no PEM. */
static int parse_csr(struct facts *facts, const struct read_file *about,
                     const struct link_result *result, struct err *err)
{
    struct vos_facts *f = (struct vos_facts *)facts;
    char *text = strndup(result->data, result->len);
    struct str pem;

    (void)about;
    if (!text)
        abort();
    str_init(&pem, 16 * 1024);
    f->csr_sha256[0] = '\0';
    f->csr_known = true;
    if (vos_pem(text, "CERTIFICATE REQUEST", &pem) == 0)
        pki_sha256(str_text(&pem), pem.len, f->csr_sha256);
    else if (strstr(text, "BEGIN"))
        f->csr_known = false;
    str_release(&pem);
    free(text);
    return f->csr_known
               ? 0
               : err_set(err, CAUSE_REMOTE, "its request cannot be read");
}

/* -- what is shown --------------------------------------------------------- */

static bool shown_peer(const struct view *view, const struct read_file *about,
                       struct link_peer *peer)
{
    struct plan_node *pn = &view->plan->nodes[view->node];

    (void)about;
    vos_shown_forget(pn->facts);
    peer->address = pn->node->address;
    peer->port = vos_port(view->plan->plan);
    peer->tls = LINK_TLS_PLAIN;
    return true;
}

/* -- the trust store ------------------------------------------------------- */

/* A file's name has other signs than letters and digits as `_', or as they
 * are. */
static bool same_sign(char name, char cn)
{
    if (isalnum((unsigned char)cn))
        return tolower((unsigned char)name) == tolower((unsigned char)cn);
    return name == cn || name == '_';
}

static bool same_number(const char *p, size_t len, const char *serial)
{
    while (len && *p == '0') {
        p++;
        len--;
    }
    serial += strspn(serial, "0");
    return len == strlen(serial) && strncasecmp(p, serial, len) == 0;
}

/* "CN_SERIAL" or "CN", as the part in front of ".pem" */
static bool is_file_of(const char *p, size_t len,
                       const struct pki_cert_info *ca, bool *by_name)
{
    size_t cn = strlen(ca->common_name);

    if (cn == 0 || len < cn)
        return false;
    for (size_t i = 0; i < cn; i++)
        if (!same_sign(p[i], ca->common_name[i]))
            return false;
    if (len == cn)
        *by_name = true;
    return len > cn + 1 && p[cn] == '_' &&
           same_number(p + cn + 1, len - cn - 1, ca->serial);
}

bool vos_lists_ca(const char *list, const struct pki_cert_info *ca,
                  bool *by_name)
{
    static const char store[] = "tomcat-trust/";

    *by_name = false;
    for (const char *p = list; (p = strstr(p, store));) {
        size_t line = strcspn(p += sizeof(store) - 1, "\r\n");
        const char *end = memmem(p, line, ".pem", 4);

        if (end && is_file_of(p, (size_t)(end - p), ca, by_name))
            return true;
    }
    return false;
}

/* clang-format off */
const struct read_row vos_reads[] = {
    { VOS_READ_SERVICES, READ_COMMAND, "utils service list", .parse = vos_services_take },
    { VOS_READ_VERSION,  READ_COMMAND, "show version active", true, .parse = parse_version },
    { VOS_READ_OWN,      READ_COMMAND, "show cert own tomcat", true, .parse = parse_text, .about = { NULL, 0 } },
    { VOS_READ_TRUST,    READ_COMMAND, "show cert list trust", true, .parse = parse_text, .about = { NULL, 1 } },
    { VOS_READ_CSR,      READ_COMMAND, "show csr own tomcat", true, .parse = parse_csr },
    { VOS_READ_SHOWN,    READ_SERVED, NULL, true, .peer = shown_peer, .parse = vos_shown_take },
    { VOS_READ_SHOWN,    READ_WORK, .work = vos_shown_describe },
    { 0 },
};
/* clang-format on */
