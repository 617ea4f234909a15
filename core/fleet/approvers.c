/* SPDX-License-Identifier: Apache-2.0
 *
 * allowed_signers, line by line.  Judges no signature.
 */
#include "core/fleet/approvers.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/fleet/inventory_priv.h"

enum {
    FILE_CAP = 1 << 20,
    LINES_MAX = 10000
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                             "stuvwxyz0123456789+/";

static size_t blanks(const char *p)
{
    return strspn(p, " \t");
}

/* Up to a blank that no quotes enclose; SIZE_MAX: a quote stays open. */
static size_t field(const char *p)
{
    size_t len = 0;
    bool quoted = false;

    for (; p[len] && (quoted || !strchr(" \t", p[len])); len++)
        quoted ^= p[len] == '"';
    return quoted ? SIZE_MAX : len;
}

static bool is_key_type(const char *word)
{
    static const char *const heads[] = {"ssh-", "ecdsa-", "sk-", NULL};

    for (const char *const *head = heads; *head; head++)
        if (strncmp(word, *head, strlen(*head)) == 0)
            return true;
    return false;
}

/* -- options -------------------------------------------------------------- */

static int take_option(struct approver_line *line, const char *p, size_t len,
                       struct err *err)
{
    static const char *const known[] = {"namespaces", "valid-after",
                                        "valid-before", NULL};

    if (len == strlen("cert-authority") &&
        strncasecmp(p, "cert-authority", len) == 0) {
        line->authority = true;
        return 0;
    }
    for (const char *const *k = known; *k; k++) {
        size_t n = strlen(*k);

        if (len > n + 3 && strncasecmp(p, *k, n) == 0 && p[n] == '=' &&
            p[n + 1] == '"' && p[len - 1] == '"')
            return 0;
    }
    return err_set(err, CAUSE_INPUT,
                   "option `%.*s' is not cert-authority, namespaces=\"...\", "
                   "valid-after=\"...\" or valid-before=\"...\"",
                   (int)(len > 40 ? 40 : len), p);
}

/* Commas part options, but not between quotes. */
static int take_options(struct approver_line *line, const char *options,
                        struct err *err)
{
    for (const char *p = options; *p;) {
        size_t len = 0;
        bool quoted = false;

        for (; p[len] && (quoted || p[len] != ','); len++)
            quoted ^= p[len] == '"';
        if (take_option(line, p, len, err) < 0)
            return -1;
        p += len + (p[len] == ',');
    }
    return 0;
}

/* -- a line --------------------------------------------------------------- */

static int next_field(struct arena *arena, const char **at, const char **word,
                      const char *what, struct err *err)
{
    size_t len;

    *at += blanks(*at);
    len = field(*at);
    if (len == SIZE_MAX)
        return err_set(err, CAUSE_INPUT, "a quote stays open");
    if (len == 0)
        return err_set(err, CAUSE_INPUT, "there is no %s", what);
    *word = arena_strndup(arena, *at, len);
    *at += len;
    return 0;
}

static int check_principals(struct arena *arena, struct approver_line *line,
                            struct err *err)
{
    const char *p = line->principals;
    size_t len = strlen(p);

    if (len > 1 && p[0] == '"' && p[len - 1] == '"')
        line->principals = p = arena_strndup(arena, p + 1, len - 2);
    if (!*p || strchr(p, '"'))
        return err_set(err, CAUSE_INPUT, "its principals are no names");
    if (!line->authority && strpbrk(p, "*?!"))
        return err_set(err, CAUSE_INPUT,
                       "`%.60s' is a pattern: who approves has a name (but "
                       "with cert-authority)",
                       p);
    return 0;
}

/* The key begins with its own type; of that ssh-keygen is the judge. */
static int check_key(const struct approver_line *line, struct err *err)
{
    size_t len = strspn(line->blob, base64);

    if (!is_key_type(line->type))
        return err_set(err, CAUSE_INPUT, "`%.40s' is no kind of key",
                       line->type);
    if (len < 32 || strspn(line->blob + len, "=") != strlen(line->blob + len))
        return err_set(err, CAUSE_INPUT, "its key is not base64");
    return 0;
}

static int take_line(struct arena *arena, const char *text,
                     struct approver_line *line, struct err *err)
{
    const char *word;

    if (next_field(arena, &text, &line->principals, "principal", err) < 0 ||
        next_field(arena, &text, &word, "key behind the principal", err) < 0)
        return -1;
    line->type = word;
    if (!is_key_type(word) && (take_options(line, word, err) < 0 ||
                               next_field(arena, &text, &line->type,
                                          "key behind the options", err) < 0))
        return -1;
    if (next_field(arena, &text, &line->blob, "key behind its kind", err) < 0 ||
        check_key(line, err) < 0)
        return -1;
    return check_principals(arena, line, err);
}

/* -- the file ------------------------------------------------------------- */

static int take_lines(struct arena *arena, const char *text,
                      struct approver_line *list, struct approvers *out,
                      struct err *err)
{
    unsigned number = 0;

    while (*text) {
        size_t len = strcspn(text, "\n");
        char *line = arena_strndup(arena, text, len);

        text += len + (text[len] == '\n');
        number++;
        line[strcspn(line, "\r")] = '\0';
        if (line[blanks(line)] == '\0' || line[blanks(line)] == '#')
            continue;
        if (out->n == LINES_MAX)
            return err_set(err, CAUSE_INPUT, "over %d keys", LINES_MAX);
        list[out->n].line = number;
        if (take_line(arena, line, &list[out->n], err) < 0)
            return err_context(err, "line %u", number);
        out->n++;
    }
    return out->n ? 0 : err_set(err, CAUSE_INPUT, "there is no key in it");
}

static size_t count_lines(const char *text)
{
    size_t n = 1;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n < LINES_MAX ? n : LINES_MAX;
}

static int take_file(struct arena *arena, const struct secret *data,
                     struct approvers *out, struct err *err)
{
    const char *text = secret_text(data);
    struct approver_line *list;

    if (strlen(text) != data->len)
        return err_set(err, CAUSE_INPUT, "it is no text");
    list = arena_alloc(arena, (count_lines(text) + 1) * sizeof(*list));
    out->list = list;
    return take_lines(arena, text, list, out, err);
}

int approvers_read(struct arena *arena, const char *path, struct approvers *out,
                   struct err *err)
{
    struct secret *data = file_read(path, FILE_CAP, err);
    struct stat st;
    int rc;

    *out = (struct approvers){.n = 0};
    if (!data) {
        if (err)
            err->cause = CAUSE_INPUT;
        return -1;
    }
    if (stat(path, &st) == 0 && (st.st_mode & S_IWOTH))
        rc = err_set(err, CAUSE_INPUT, "everybody may write to it");
    else
        rc = take_file(arena, data, out, err);
    secret_free(data);
    return rc < 0 ? err_context(err, "%s", path) : 0;
}

int parse_approvers(struct reading *rd, const struct key_type *type,
                    const char *text, struct value *value, struct err *err)
{
    struct approvers approvers;

    if (parse_path(rd, type, text, value, err) < 0)
        return -1;
    return approvers_read(&rd->inv->arena, value->text, &approvers, err);
}
