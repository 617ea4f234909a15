/* SPDX-License-Identifier: Apache-2.0
 *
 * What certreq prints.  Hostile bytes, in whatever language and code page;
 * where PowerShell has written the file, in UTF-16.
 *
 *     RequestId: 8
 *     RequestId: "8"
 *     Certificate request is pending: Taken Under Submission (0)
 *
 *     Certificate not issued (Denied) Denied by Policy Module ... 0x80094800
 *     (-2146875392 CERTSRV_E_UNSUPPORTED_CERT_TYPE)
 *
 * The first is seed 002 3.3's, the second Microsoft's form of its errors.  What
 * decides is the number of a failure: of FACILITY_SECURITY it is the CA's own
 * (0x8009....: a template, a right, a manager), of another one the CA was not
 * reached (0x800706ba: no RPC server) or certreq did not understand.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "playbooks/adcs/adcs.h"

enum {
    TEXT_MOST = 64 * 1024,
    FACILITY_SECURITY = 9
};

/* Without NULs and byte order mark: UTF-16 of what is read here becomes ASCII.
 * The caller frees. */
static char *plain(const char *said, size_t len)
{
    char *text = malloc((len < TEXT_MOST ? len : TEXT_MOST) + 1);
    size_t n = 0;

    if (!text)
        abort();
    for (size_t i = len > 1 && memcmp(said, "\xff\xfe", 2) == 0 ? 2 : 0;
         i < len && n < TEXT_MOST; i++)
        if (said[i])
            text[n++] = said[i];
    text[n] = '\0';
    return text;
}

/* -- the id --------------------------------------------------------------- */

struct id {
    char text[SIGNER_ID_BYTES];
    bool odd; /* another one, too */
};

static void take(struct id *id, const char *digits, size_t n)
{
    if (n == 0 || n >= SIGNER_ID_BYTES) {
        id->odd = id->odd || n > 0;
        return;
    }
    if (id->text[0] &&
        (strlen(id->text) != n || strncmp(id->text, digits, n) != 0))
        id->odd = true;
    memcpy(id->text, digits, n);
    id->text[n] = '\0';
}

static size_t digits_at(const char *p)
{
    return strspn(p, "0123456789");
}

/* `"8"' wherever it stands: no translation changes it. */
static void take_quoted(const char *text, struct id *id)
{
    for (const char *p = text; (p = strchr(p, '"')); p++) {
        size_t n = digits_at(p + 1);

        if (n && p[1 + n] == '"')
            take(id, p + 1, n);
    }
}

/* `LABEL: 8' with nothing behind, whatever the label's language.  One that is
 * not ended may go on: 8 may be 80. */
static void take_line(const char *line, size_t len, struct id *id)
{
    const char *colon = memchr(line, ':', len), *p;
    size_t n;

    if (!colon || colon == line)
        return;
    p = colon + 1;
    p += strspn(p, " ");
    n = digits_at(p);
    if (n && p + n == line + len)
        take(id, p, n);
}

static void take_lines(const char *text, struct id *id)
{
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, "\r\n");

        if (p[len])
            take_line(p, len, id);
        p += len;
        p += strspn(p, "\r\n");
    }
}

static bool read_id(const char *said, size_t len, char id[SIGNER_ID_BYTES])
{
    char *text = plain(said, len);
    struct id found = {.odd = false};

    take_quoted(text, &found);
    if (!found.text[0])
        take_lines(text, &found);
    free(text);
    if (!found.text[0] || found.odd)
        return false;
    memcpy(id, found.text, SIGNER_ID_BYTES);
    return true;
}

/* -- why there is no certificate ------------------------------------------ */

uint32_t adcs_failure(const char *text)
{
    uint32_t last = 0;

    for (const char *p = text; (p = strstr(p, "0x")); p += 2) {
        size_t n = strspn(p + 2, "0123456789abcdefABCDEF");
        unsigned long code = n == 8 ? strtoul(p + 2, NULL, 16) : 0;

        if (code & 0x80000000UL)
            last = (uint32_t)code;
    }
    return last;
}

static enum signer_word read_word(const char *said, size_t len)
{
    char *text = plain(said, len);
    uint32_t code = adcs_failure(text);
    bool denied = strstr(text, "(Denied)") != NULL;

    free(text);
    if (denied || (code && (code >> 16 & 0x1fff) == FACILITY_SECURITY))
        return SIGNER_DENIED;
    return code ? SIGNER_FAILED : SIGNER_PENDING;
}

/* -- what goes out -------------------------------------------------------- */

static void submit(const struct signer_ask *ask, struct str *command)
{
    const char *template = signer_template(ask->issuer, ask->purpose);

    str_addf(command, "certreq -submit -q -f -config %s", ask->issuer->config);
    if (template)
        str_addf(command, " -attrib CertificateTemplate:%s", template);
    str_addf(command, " %s.csr %s.cer %s.p7b >%s.txt", ask->base, ask->base,
             ask->base, ask->base);
}

static void retrieve(const struct signer_ask *ask, struct str *command)
{
    str_addf(command,
             "certreq -retrieve -q -f -config %s %s %s.cer %s.p7b >%s.txt",
             ask->issuer->config, ask->id, ask->base, ask->base, ask->base);
}

/* Beside what it is told certreq leaves the CA's whole response. */
const struct signer adcs_signer = {
    .product = &adcs_product,
    .endings = {".csr", ".cer", ".p7b", ".txt", ".rsp"},
    .submit = submit,
    .retrieve = retrieve,
    .id = read_id,
    .word = read_word,
};
