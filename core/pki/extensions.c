/* SPDX-License-Identifier: Apache-2.0
 *
 * The extensions that decide what a certificate may be used for, in the words
 * of `openssl x509 -text'.  Judges nothing.
 */
#include <openssl/err.h>
#include <stdio.h>

#include "core/pki/pki_priv.h"

/* An authority's id may take several lines: they are joined. */
static void add_lines(struct str *s, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *lf = memchr(text, '\n', (size_t)(end - text));
        const char *stop = lf ? lf : end;
        if (stop > text && s->len > 0)
            str_add(s, ", ");
        str_add_visible(s, text, (size_t)(stop - text), false);
        text = lf ? lf + 1 : end;
    }
}

static void extension_text(X509_EXTENSION *extension, char *text, size_t room)
{
    const char *critical =
        X509_EXTENSION_get_critical(extension) ? " (critical)" : "";
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    struct str s;
    long len = 0;

    str_init(&s, 16 * 1024);
    if (bio && X509V3_EXT_print(bio, extension, X509V3_EXT_ERROR_UNKNOWN, 0))
        len = BIO_get_mem_data(bio, &data);
    if (len > 0)
        add_lines(&s, data, (size_t)len);
    else
        str_add(&s, "(cannot be read)");
    if (s.len + strlen(critical) < room)
        snprintf(text, room, "%s%s", str_text(&s), critical);
    else
        snprintf(text, room, "%.*s...%s", (int)(room - 15), str_text(&s),
                 critical);
    str_release(&s);
    BIO_free(bio);
    ERR_clear_error();
}

void pki_extensions_text(const STACK_OF(X509_EXTENSION) * list,
                         struct pki_cert_info *info)
{
    // clang-format off
    const struct { int nid; char *text; size_t room; } rows[] = {
        { NID_key_usage,                info->usage,
          sizeof(info->usage) },
        { NID_ext_key_usage,            info->purposes,
          sizeof(info->purposes) },
        { NID_basic_constraints,        info->constraints,
          sizeof(info->constraints) },
        { NID_subject_key_identifier,   info->subject_id,
          sizeof(info->subject_id) },
        { NID_authority_key_identifier, info->authority_id,
          sizeof(info->authority_id) },
    };
    // clang-format on

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int at = X509v3_get_ext_by_NID(list, rows[i].nid, -1);
        if (at >= 0)
            extension_text(X509v3_get_ext(list, at), rows[i].text,
                           rows[i].room);
    }
}
