/* SPDX-License-Identifier: Apache-2.0
 *
 * keytool on a cacerts, imitated after facts/uc.md 6: a prompt for the
 * password, and an entry for each CA.  A store here is text: what the installer
 * left, and behind it "alias NAME" and a certificate in PEM for each import.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/record.h"
#include "tests/lab/win_cce.h"

struct job {
    char store[256], file[256], alias[128];
    bool imports;
    struct str typed;
};

static void finish(struct mmp_run *run)
{
    struct job *job = run->child;

    run->on_input = NULL;
    run->on_detach = NULL;
    run->child = NULL;
    str_release(&job->typed);
    free(job);
    mmp_end(run, "ok"); /* 0, whatever was said */
}

static void list(struct mmp_run *run, const struct lab_file *store)
{
    char *text = strndup((const char *)store->data, store->len);

    mmp_print(run, "Keystore type: jks\nKeystore provider: SUN\n\n"
                   "Your keystore contains some entries\n\n");
    for (char *p = text, *line; (line = strsep(&p, "\n"));)
        if (strncmp(line, "alias ", 6) == 0)
            mmp_print(run, "Alias name: %s\nEntry type: trustedCertEntry\n\n",
                      line + 6);
        else
            mmp_print(run, "%s\n", line);
    free(text);
}

static void import(struct mmp_run *run, const struct job *job,
                   const struct lab_file *store)
{
    struct lab_file *cert = lab_file(run->node, job->file);
    struct str text;

    str_init(&text, 4 * 1024 * 1024);
    str_addf(&text, "\nalias %s\n", job->alias);
    if (cce_lies(run)) {
        mmp_print(run, "Certificate was not added to keystore\n");
    } else if (!cert) {
        mmp_print(run, "keytool error: java.io.FileNotFoundException: %s\n",
                  job->file);
    } else if (memmem(store->data, store->len, str_text(&text), text.len)) {
        mmp_print(run,
                  "keytool error: java.lang.Exception: Certificate not "
                  "imported, alias <%s> already exists\n",
                  job->alias);
    } else {
        char *line = lab_strdup(str_text(&text));

        str_reset(&text);
        str_addn(&text, (const char *)store->data, store->len);
        str_add(&text, line);
        str_addn(&text, (const char *)cert->data, cert->len);
        lab_file_set(run->node, job->store, str_text(&text), text.len);
        free(line);
        mmp_print(run, "Certificate was added to keystore\n");
    }
    str_release(&text);
}

static void answered(struct mmp_run *run)
{
    const struct job *job = run->child;
    const struct lab_file *store = lab_file(run->node, job->store);

    if (strcmp(str_text(&job->typed), run->node->win->secret) != 0)
        mmp_print(run, "keytool error: java.io.IOException: Keystore was "
                       "tampered with, or password was incorrect\n");
    else if (!store)
        mmp_print(run,
                  "keytool error: java.lang.Exception: Keystore file "
                  "does not exist: %s\n",
                  job->store);
    else if (job->imports)
        import(run, job, store);
    else
        list(run, store);
    finish(run);
}

static void on_input(struct mmp_run *run, const char *data, size_t len)
{
    struct job *job = run->child;

    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n') {
            answered(run);
            return;
        }
        if (data[i] != '\r')
            str_addc(&job->typed, data[i]);
    }
}

static void on_detach(struct mmp_run *run)
{
    finish(run);
}

static void take_option(struct mmp_run *run, struct job *job, const char *word,
                        const char *value)
{
    const struct win *win = run->node->win;

    if (strcmp(word, "-keystore") == 0)
        win_file_name(win, value, job->store, sizeof(job->store));
    else if (strcmp(word, "-file") == 0)
        win_file_name(win, value, job->file, sizeof(job->file));
    else if (strcmp(word, "-alias") == 0)
        snprintf(job->alias, sizeof(job->alias), "%s", value);
}

void cce_keytool(struct mmp_run *run, char **words, int n)
{
    struct job *job = lab_calloc(1, sizeof(*job));

    str_init(&job->typed, 256);
    for (int i = 1; i < n; i++) {
        job->imports |= strcmp(words[i], "-import") == 0;
        if (i + 1 < n)
            take_option(run, job, words[i], words[i + 1]);
    }
    run->child = job;
    run->on_input = on_input;
    run->on_detach = on_detach;
    mmp_print(run, "Enter keystore password:  ");
    mmp_flush(run);
}
