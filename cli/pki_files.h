/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/pki_files.h - local files of the pki commands: read whole, written once
 * and never over another.
 */
#ifndef CERTFLEET_CLI_PKI_FILES_H
#define CERTFLEET_CLI_PKI_FILES_H

#include "cli/app.h"
#include "core/base/secret.h"
#include "core/pki/pki.h"

/* Any file may hold a key, so all come as secrets.  CAUSE_INPUT on error. */
struct secret *pki_file_read(const char *path, struct err *err);
/* "BASENAME.ext"; the caller frees. */
char *pki_file_name(const char *base, const char *extension);
/* Fails (CAUSE_INPUT) when one of the NULL-ended names exists. */
int pki_files_absent(char *const *names, struct err *err);
/* mode 0600 for keys, 0644 for the rest; exclusive. */
int pki_file_write(const char *path, const void *data, size_t len, bool key,
                   struct err *err);

/* The same name anew, 0600: the old file is there, or the new one. */
int pki_file_replace(const char *path, const void *data, size_t len,
                     struct err *err);

/* The passphrase that --passphrase refers to; *passphrase stays NULL without
 * it.  `path` names the key in a prompt. */
int pki_passphrase(const struct app *app, const char *path,
                   struct secret **passphrase, struct err *err);
/* The key of a file's bytes, opened by --passphrase when it is locked.  Shared:
 * the caller frees.  NULL and CAUSE_INPUT, naming `path`, when it cannot be. */
struct secret *pki_key_opened(const struct app *app, const char *path,
                              struct secret *key, struct err *err);

enum pki_purpose pki_purpose_of(const struct args *args,
                                enum pki_purpose preset);
/* --days, or the preset; 0: it is no number of days, err is filled. */
unsigned pki_days_of(const struct args *args, unsigned preset, struct err *err);

/* CN:VALUE OU:VALUE ... subjectAltName:a,b in the MMP's words and by its rules:
 * the CN is put among the names when there are any, and only then. */
struct pki_words {
    struct pki_subject subject;
    struct arena arena;
};
int pki_words_read(struct pki_words *words, const char *const *list,
                   struct err *err);
void pki_words_release(struct pki_words *words);

#endif
