/* SPDX-License-Identifier: Apache-2.0
 *
 * What keytool lists of a keystore (facts/uc.md 6): entries with their kind and
 * their chains in PEM.  The language is English, as every command asks for.
 */
#include <stdlib.h>
#include <string.h>

#include "playbooks/cvp/cvp.h"

enum {
    LIST_MOST = 1024 * 1024,
    CHAIN_BYTES = 128 * 1024
};

void cvp_store_release(struct cvp_store *store)
{
    for (int a = 0; a < CVP_ALIASES; a++)
        free(store->entry[a].pem);
    memset(store, 0, sizeof(*store));
}

struct reader {
    struct cvp_store *store;
    struct cvp_entry *entry; /* NULL: of an alias that is not ours */
    struct str pem;
    bool inside;
    bool listed; /* the line that begins a list was seen */
};

static void end_entry(struct reader *r)
{
    if (r->entry && r->pem.len) {
        free(r->entry->pem);
        r->entry->pem = strdup(str_text(&r->pem));
    }
    r->entry = NULL;
    str_reset(&r->pem);
    r->inside = false;
}

static struct cvp_entry *entry_of(struct cvp_store *store, const char *alias)
{
    for (int a = 0; a < CVP_ALIASES; a++)
        if (strcasecmp(cvp_aliases[a].alias, alias) == 0)
            return &store->entry[a];
    return NULL;
}

static const char *after(const char *line, const char *label)
{
    size_t n = strlen(label);

    return strncmp(line, label, n) == 0 ? line + n : NULL;
}

static void take_line(struct reader *r, const char *line)
{
    const char *value;

    if (after(line, "Your keystore contains "))
        r->listed = true;
    if (!r->listed)
        return;
    if ((value = after(line, "Alias name: "))) {
        end_entry(r);
        r->entry = entry_of(r->store, value);
        if (r->entry)
            r->entry->seen = true;
    } else if (r->entry && (value = after(line, "Entry type: "))) {
        r->entry->key = strcmp(value, "PrivateKeyEntry") == 0;
    } else if (r->entry &&
               (value = after(line, "Certificate chain length: "))) {
        r->entry->chain = (unsigned)strtoul(value, NULL, 10);
    }
    if (strcmp(line, "-----BEGIN CERTIFICATE-----") == 0)
        r->inside = true;
    if (r->inside && r->entry)
        str_addf(&r->pem, "%s\n", line);
    if (strcmp(line, "-----END CERTIFICATE-----") == 0)
        r->inside = false;
}

static void take_lines(struct reader *r, char *text)
{
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n"))) {
        line[strcspn(line, "\r")] = '\0';
        take_line(r, line);
    }
    end_entry(r);
}

static int not_listed(struct cvp_store *store, const char *text,
                      struct err *err)
{
    const char *at = strstr(text, "keytool error: ");

    if (at && strstr(at, "Keystore file does not exist"))
        return 0;
    if (at && strstr(at, "password was incorrect"))
        err_set(err, CAUSE_REMOTE,
                "the keystore is not opened by keystore_password");
    else if (at)
        err_set(err, CAUSE_REMOTE, "the node says: %.*s",
                (int)strcspn(at, "\r\n"), at);
    else
        err_set(err, CAUSE_REMOTE, "it is no list of a keystore");
    cvp_store_release(store);
    return -1;
}

int cvp_store_parse(struct cvp_store *store, const char *text, size_t len,
                    struct err *err)
{
    struct reader r = {.store = store};
    struct str copy;
    int rc = 0;

    cvp_store_release(store);
    str_init(&copy, LIST_MOST);
    str_init(&r.pem, CHAIN_BYTES);
    if (str_addn(&copy, text, len) < 0 || memchr(text, '\0', len))
        rc = err_set(err, CAUSE_REMOTE, "its list is too long, or no text");
    else if (len && strstr(str_text(&copy), "Your keystore contains ")) {
        take_lines(&r, copy.data);
        store->there = r.listed;
        if (!r.listed)
            rc = err_set(err, CAUSE_REMOTE, "it is no list of a keystore");
    } else {
        rc = not_listed(store, str_text(&copy), err);
    }
    str_release(&r.pem);
    str_release(&copy);
    return rc;
}

static void decode(struct cvp_entry *entry)
{
    struct pki_cert_info *infos = NULL;
    size_t n = 0;

    if (pki_describe_all(entry->pem, strlen(entry->pem), &infos, &n, NULL) ==
            0 &&
        n > 0) {
        entry->leaf = infos[0];
        entry->rooted = infos[n - 1].self_issued;
        entry->chain = entry->chain == n ? entry->chain : 0;
    }
    free(infos);
}

void cvp_store_work(struct cvp_store *store)
{
    for (int a = 0; a < CVP_ALIASES; a++)
        if (store->entry[a].pem)
            decode(&store->entry[a]);
}
