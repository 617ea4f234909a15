/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, notes and words of what is asked of a CA's node.  Knows no link.
 */
#include "core/run/signing_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

enum {
    NOTE_CAP = 1024,
    WORDS_CAP = 300 /* bytes of a CA's words in an error */
};

const char *signer_template(const struct issuer *issuer,
                            enum pki_purpose purpose)
{
    const char *own = purpose == PKI_SERVER   ? issuer->template_server
                      : purpose == PKI_CLIENT ? issuer->template_client
                                              : NULL;

    return own ? own : issuer->template;
}

void signing_name(const struct signer *signer, const char *request,
                  struct signing_names *names)
{
    char sha256[PKI_SHA256_HEX];

    memset(names, 0, sizeof(*names));
    pki_sha256(request, strlen(request), sha256);
    snprintf(names->base, SIGNING_NAME_BYTES, "cf-%.16s", sha256);
    for (int f = 0; f < SIGNER_FILES; f++)
        if (signer->endings[f])
            snprintf(names->file[f], SIGNING_NAME_BYTES, "cf-%.16s%s", sha256,
                     signer->endings[f]);
}

/* -- notes ---------------------------------------------------------------- */

static char *note_path(const struct issue_wish *wish)
{
    char *path = NULL;

    if (asprintf(&path, "%s.id", wish->request_path) < 0)
        abort();
    return path;
}

/* "8 CA1\IssuingCA\n" */
static bool take_note(const char *text, const struct issuer *issuer,
                      char id[SIGNER_ID_BYTES])
{
    size_t digits = strspn(text, "0123456789"), len = strlen(issuer->config);

    if (digits == 0 || digits >= SIGNER_ID_BYTES || text[digits] != ' ' ||
        strncmp(text + digits + 1, issuer->config, len) != 0 ||
        strcmp(text + digits + 1 + len, "\n") != 0)
        return false;
    memcpy(id, text, digits);
    id[digits] = '\0';
    return true;
}

bool signing_noted(const struct issuer *issuer, const struct issue_wish *wish,
                   char id[SIGNER_ID_BYTES])
{
    char *path = note_path(wish);
    struct secret *note =
        file_exists(path) ? file_read(path, NOTE_CAP, NULL) : NULL;
    bool good = note && take_note(secret_text(note), issuer, id);

    secret_free(note);
    free(path);
    return good;
}

int signing_note(const struct issuer *issuer, const struct issue_wish *wish,
                 const char *id, struct err *err)
{
    char *path = note_path(wish);
    struct str text;
    int rc;

    str_init(&text, NOTE_CAP);
    str_addf(&text, "%s %s\n", id, issuer->config);
    rc = file_write(path, str_text(&text), text.len, 0600, false, err);
    str_release(&text);
    free(path);
    return rc;
}

/* -- words ---------------------------------------------------------------- */

void signing_say_wish(const struct issue_wish *wish, struct str *out)
{
    str_addf(out, "%s%s%s", wish->slot, wish->node ? " of node " : "",
             wish->node ? wish->node : "");
}

/* Without the NULs of UTF-16 and its mark. */
static char *plain(const char *said, size_t len)
{
    char *text = malloc(len + 1);
    size_t n = 0;

    if (!text)
        abort();
    if (len >= 2 && memcmp(said, "\xff\xfe", 2) == 0) {
        said += 2;
        len -= 2;
    }
    for (size_t i = 0; i < len; i++)
        if (said[i])
            text[n++] = said[i];
    text[n] = '\0';
    return text;
}

void signing_say_words(const char *said, size_t len, struct str *out)
{
    char *text = plain(said, len), *rest = text, *line;
    const char *last = NULL, *before = NULL;
    struct str words;

    while ((line = strsep(&rest, "\r\n")))
        if (line[strspn(line, " \t")]) {
            before = last;
            last = line;
        }
    str_init(&words, WORDS_CAP);
    if (before)
        str_add_visible(&words, before, strlen(before), false);
    if (before)
        str_addc(&words, ' ');
    if (last)
        str_add_visible(&words, last, strlen(last), false);
    str_add(out, last ? str_text(&words) : "nothing");
    str_release(&words);
    free(text);
}
