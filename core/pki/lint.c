/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings, and the first set of them: the form of a file (facts/certs.md 6,
 * A1-A11).  Looks at names and bytes; what certificates mean is for the others.
 */
#include <assert.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/pki/pki_priv.h"

enum {
    COLUMNS = 64
};

void pki_findings_release(struct pki_findings *findings)
{
    free(findings->list);
    memset(findings, 0, sizeof(*findings));
}

bool pki_findings_has_error(const struct pki_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->list[i].severity >= PKI_BLOCK)
            return true;
    return false;
}

static bool is_known(const struct pki_findings *findings,
                     const struct pki_finding *one)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->list[i].id, one->id) == 0 &&
            strcmp(findings->list[i].text, one->text) == 0)
            return true;
    return false;
}

/* `n`: the bytes that the text would have had. */
static void add(struct pki_findings *findings, const char *id,
                enum pki_severity severity, const char *text, int n)
{
    struct pki_finding one = {.severity = severity}, *list;

    snprintf(one.id, sizeof(one.id), "%s", id);
    snprintf(one.text, sizeof(one.text), "%s", text);
    if (n >= (int)sizeof(one.text))
        memcpy(one.text + str_fit(text, sizeof(one.text) - 4), "...", 4);
    if (is_known(findings, &one))
        return;
    list = realloc(findings->list, (findings->n + 1) * sizeof(*list));
    if (!list)
        abort();
    findings->list = list;
    list[findings->n++] = one;
}

void pki_find(struct pki_findings *findings, const char *id, const char *fmt,
              ...)
{
    const struct pki_check *check = pki_check_find(id);
    char text[sizeof(findings->list->text)];
    va_list ap;
    int n;

    assert(check); /* an id of ours without its row */
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    add(findings, id, check ? check->severity : PKI_ERROR, text, n);
}

void pki_find_as(struct pki_findings *findings, const char *id,
                 enum pki_severity severity, const char *fmt, ...)
{
    char text[sizeof(findings->list->text)];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    add(findings, id, severity, text, n);
}

/* -- what the file is for ------------------------------------------------ */

enum form {
    FORM_ANY,
    FORM_CERTS,
    FORM_KEY,
    FORM_REQUEST
};

// clang-format off
static const struct { const char *suffix; enum form form; } suffixes[] = {
    { "pem", FORM_ANY     },
    { "der", FORM_ANY     },
    { "cer", FORM_CERTS   },
    { "crt", FORM_CERTS   },
    { "key", FORM_KEY     },
    { "csr", FORM_REQUEST },
};
// clang-format on

static const char *base_name(const char *name)
{
    const char *slash = name ? strrchr(name, '/') : NULL;

    return slash ? slash + 1 : name;
}

static enum form form_of_suffix(const char *name, bool *known)
{
    const char *dot = name ? strrchr(name, '.') : NULL;

    *known = false;
    for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(dot + 1, suffixes[i].suffix) == 0) {
            *known = true;
            return suffixes[i].form;
        }
    return FORM_ANY;
}

/* The device's documents contradict each other about "_"; a name that we
 * choose need not take part in that (facts/cms.md 1.5). */
static void check_name(const char *name, struct pki_findings *findings)
{
    const char *base = base_name(name);
    const char *dot = strrchr(base, '.');
    size_t stem = dot ? (size_t)(dot - base) : strlen(base);
    bool known;

    form_of_suffix(base, &known);
    if (stem == 0 || strspn(base, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz"
                                  "0123456789-") != stem)
        pki_find(findings, "A1",
                 "name %.80s: rename it; before the extension only letters, "
                 "digits and hyphens",
                 base);
    if (!known)
        pki_find(findings, "A1",
                 "name %.80s: rename it; the extension is none of .pem .der "
                 ".cer .crt .key .csr",
                 base);
}

/* -- lines --------------------------------------------------------------- */

static void check_line_ends(const char *data, size_t len,
                            struct pki_findings *findings)
{
    if (memchr(data, '\r', len))
        pki_find(findings, "A5",
                 "line ends are CR LF or CR; normalize the file to LF");
}

/* One finding is enough: the cure is the same for every line. */
static void check_lines(const char *data, size_t len,
                        struct pki_findings *findings)
{
    const char *at = data, *end = data + len;
    bool wide = false, blanks = false;

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        if (n > 0 && at[n - 1] == '\r')
            n--;
        blanks = blanks || memchr(at, '\t', n) || (n > 0 && at[n - 1] == ' ');
        wide = wide || n > COLUMNS;
        at = stop ? stop + 1 : end;
    }
    if (wide)
        pki_find(findings, "A6",
                 "a line is longer than %d characters; normalize the file",
                 COLUMNS);
    if (blanks)
        pki_find(findings, "A6",
                 "a line holds a tab or ends in a blank; normalize the file");
}

/* -- blocks -------------------------------------------------------------- */

static size_t line_end(const char *at, const char *end)
{
    size_t left = (size_t)(end - at);

    if (left >= 2 && at[0] == '\r' && at[1] == '\n')
        return 2;
    return left >= 1 && (at[0] == '\n' || at[0] == '\r') ? 1 : 0;
}

struct form_state {
    const char *data, *end, *last; /* last: behind the block before */
    enum form form;
    int blocks, keys;
    bool gap; /* A3 is told once */
};

static void check_place(struct form_state *state, const struct pki_block *block,
                        struct pki_findings *findings)
{
    const char *expected;

    if (state->blocks == 1) {
        if (block->start != state->data)
            pki_find(findings, "A2",
                     "text, a blank line or a byte order mark stands before "
                     "the first BEGIN line; normalize the file");
        return;
    }
    expected = state->last + line_end(state->last, state->end);
    if (!state->gap && (block->start != expected || expected == state->last)) {
        state->gap = true;
        pki_find(findings, "A3",
                 "block %d does not begin on the line below the END line; "
                 "normalize the file",
                 state->blocks);
    }
}

static const char *form_words(enum form form)
{
    return form == FORM_CERTS ? "a certificate file"
           : form == FORM_KEY ? "a key file"
                              : "a request file";
}

static enum form form_of_label(enum pki_label label)
{
    return label == PKI_LABEL_CERT || label == PKI_LABEL_TRUSTED ? FORM_CERTS
           : label == PKI_LABEL_REQUEST                          ? FORM_REQUEST
           : label == PKI_LABEL_OTHER                            ? FORM_ANY
                                                                 : FORM_KEY;
}

static void check_label(struct form_state *state, const struct pki_block *block,
                        struct pki_findings *findings)
{
    enum pki_label label = pki_pem_label(block);
    enum form form = form_of_label(label);

    if (state->form == FORM_ANY)
        state->form = form; /* the first block says what the file is */
    if (label == PKI_LABEL_TRUSTED)
        pki_find(findings, "A7",
                 "block %d is a TRUSTED CERTIFICATE; convert it with "
                 "\"openssl x509 -in FILE\"",
                 state->blocks);
    else if (label == PKI_LABEL_OTHER || label == PKI_LABEL_PARAMS)
        pki_find(findings, "A7",
                 "block %d (%s) is neither a certificate nor a request nor a "
                 "private key; take it out",
                 state->blocks, block->label);
    else if (form != state->form)
        pki_find(findings, "A7",
                 "block %d (%s) does not belong in %s; split the file",
                 state->blocks, block->label, form_words(state->form));
    if (label == PKI_LABEL_KEY || label == PKI_LABEL_LOCKED_KEY)
        state->keys++;
    if (label == PKI_LABEL_LOCKED_KEY)
        pki_find(findings, "A8",
                 "the private key is encrypted; unlock it on the device with "
                 "\"pki unlock\", or here with \"openssl pkey -in FILE\"");
}

static bool is_readable(const struct pki_block *block)
{
    enum pki_label label = pki_pem_label(block);
    struct err err;
    X509 *cert;

    if (label == PKI_LABEL_CERT) {
        cert = pki_read_cert(block->start, block->len, &err);
        X509_free(cert);
        return cert != NULL;
    }
    if (label == PKI_LABEL_KEY) {
        EVP_PKEY *key = pki_read_key(block->start, block->len, NULL, &err);
        EVP_PKEY_free(key);
        return key != NULL;
    }
    if (label == PKI_LABEL_REQUEST) {
        X509_REQ *request = pki_read_request(block->start, block->len, &err);
        X509_REQ_free(request);
        return request != NULL;
    }
    return true;
}

static void check_tail(const struct form_state *state,
                       struct pki_findings *findings)
{
    size_t n = line_end(state->last, state->end);

    if (n == 0 || state->last + n != state->end)
        pki_find(findings, "A4", "%s; normalize the file",
                 state->last == state->end
                     ? "no line end behind the last END line"
                     : "more than one line end behind the last END line");
}

static void lint_pem(struct form_state *state, struct pki_findings *findings)
{
    const char *at = state->data;
    struct pki_block block;
    int got;

    check_line_ends(state->data, (size_t)(state->end - state->data), findings);
    check_lines(state->data, (size_t)(state->end - state->data), findings);
    while ((got = pki_pem_next(&at, state->end, &block)) > 0) {
        state->blocks++;
        check_place(state, &block, findings);
        check_label(state, &block, findings);
        if (!is_readable(&block))
            pki_find(findings, "A9",
                     "block %d (%s) is damaged; fetch the file again",
                     state->blocks, block.label);
        state->last = at;
    }
    if (got < 0)
        pki_find(findings, "A7",
                 "block %d begins and does not end; fetch the file again",
                 state->blocks + 1);
    else
        check_tail(state, findings);
    if (state->form == FORM_KEY && state->keys > 1)
        pki_find(findings, "A7", "%d private keys; a key file holds one",
                 state->keys);
    if (state->form == FORM_REQUEST && state->blocks > 1)
        pki_find(findings, "A7", "%d blocks; a request file holds one",
                 state->blocks);
}

/* -- DER ----------------------------------------------------------------- */

static void lint_der(const struct form_state *state,
                     struct pki_findings *findings)
{
    size_t len = (size_t)(state->end - state->data), claimed;
    struct pki_cert_info info;
    struct err err;
    enum form form;

    if (pki_describe(state->data, len, &info, &err) < 0) {
        claimed = pki_der_length((const unsigned char *)state->data, len);
        if (claimed > 0 && claimed < len)
            pki_find(findings, "A9",
                     "%zu bytes stand behind the DER object; cut them off",
                     len - claimed);
        else
            pki_find(findings, "A7",
                     "no certificate, request or private key, neither as PEM "
                     "nor as DER");
        return;
    }
    form = info.kind == PKI_KEY       ? FORM_KEY
           : info.kind == PKI_REQUEST ? FORM_REQUEST
                                      : FORM_CERTS;
    if (state->form != FORM_ANY && form != state->form)
        pki_find(findings, "A7",
                 "it holds %s in DER, and its name is that of %s",
                 info.kind == PKI_KEY       ? "a key"
                 : info.kind == PKI_REQUEST ? "a request"
                                            : "a certificate",
                 form_words(state->form));
    if (strcmp(info.key, "encrypted") == 0)
        pki_find(findings, "A8",
                 "the private key is encrypted; decrypt it with \"openssl "
                 "pkey -in FILE\"");
}

/* What A2 to A9 let pass: other line breaks in the base64, a block of
 * parameters.  Told only when nothing else was: the cure is the same. */
static void check_normal(const void *data, size_t len,
                         struct pki_findings *findings)
{
    struct str normal;
    struct err err;

    str_init(&normal, PKI_MAX_BYTES * 2);
    if (pki_normalize(data, len, &normal, &err) == 0 &&
        (normal.len != len || memcmp(normal.data, data, len) != 0))
        pki_find(findings, "A10",
                 "it is not in the normal form; \"certfleet pki normalize\" "
                 "writes that to another file");
    if (normal.data)
        explicit_bzero(normal.data, normal.room);
    str_release(&normal);
}

void pki_lint_owner(const char *path, struct pki_findings *findings)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return; /* who reads the file says so */
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        pki_find(findings, "A11",
                 "it holds a private key, and others may use the file (mode "
                 "%04o); chmod 600",
                 (unsigned)st.st_mode & 07777);
    if (st.st_uid != geteuid())
        pki_find(findings, "A11",
                 "it holds a private key, and belongs to user %u; chown it to "
                 "who runs certfleet",
                 (unsigned)st.st_uid);
}

void pki_lint_file(const char *name, const void *data, size_t len,
                   struct pki_findings *findings)
{
    size_t before;
    struct form_state state = {.data = data, .last = data};
    bool known;

    state.end = state.data + len;
    state.form = form_of_suffix(base_name(name), &known);
    if (name)
        check_name(name, findings);
    before = findings->n; /* A1 is no reason not to look on */
    if (pki_pem_is(data, len))
        lint_pem(&state, findings);
    else
        lint_der(&state, findings);
    if (pki_pem_is(data, len) && findings->n == before)
        check_normal(data, len, findings);
    ERR_clear_error();
}
