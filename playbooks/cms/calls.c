/* SPDX-License-Identifier: Apache-2.0
 *
 * A reading of a status document, strict: tags that match, no comment, no
 * CDATA, no DOCTYPE, no entity.  A node has no reason to send any of these.
 */
#include "playbooks/cms/calls.h"

#include <string.h>

enum {
    MOST_DEPTH = 8,
    MOST_NAME = 64,
    MOST_DIGITS = 7
};

struct name {
    const char *at;
    size_t len;
};

struct reader {
    const char *p, *end;
    struct name open[MOST_DEPTH];
    size_t depth;
    size_t roots, found;
    unsigned legs;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static bool is_called(const struct name *name, const char *text)
{
    return name->len == strlen(text) && memcmp(name->at, text, name->len) == 0;
}

static bool takes(struct reader *r, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(r->end - r->p) < len || memcmp(r->p, text, len) != 0)
        return false;
    r->p += len;
    return true;
}

/* To the tag's end; *alone: it closes itself. */
static int skip_attributes(struct reader *r, bool *alone)
{
    char quote = '\0';

    for (; r->p < r->end; r->p++) {
        if (*r->p == '<' || *r->p == '&')
            return -1;
        if (quote)
            quote = *r->p == quote ? '\0' : quote;
        else if (*r->p == '"' || *r->p == '\'')
            quote = *r->p;
        else if (*r->p == '>') {
            *alone = r->p[-1] == '/';
            r->p++;
            return 0;
        }
    }
    return -1;
}

static int take_name(struct reader *r, struct name *name)
{
    name->at = r->p;
    while (r->p < r->end && is_name_char(*r->p))
        r->p++;
    name->len = (size_t)(r->p - name->at);
    return name->len > 0 && name->len <= MOST_NAME && r->p < r->end ? 0 : -1;
}

static int take_number(struct reader *r)
{
    unsigned digits = 0;

    r->legs = 0;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
        if (++digits > MOST_DIGITS)
            return -1;
        r->legs = r->legs * 10 + (unsigned)(*r->p - '0');
    }
    r->found++;
    return digits && r->p < r->end && *r->p == '<' ? 0 : -1;
}

static int take_open(struct reader *r)
{
    struct name name;
    bool alone = false;

    if (take_name(r, &name) < 0 || skip_attributes(r, &alone) < 0)
        return -1;
    if (r->depth == 0 && (++r->roots > 1 || !is_called(&name, "status")))
        return -1;
    if (is_called(&name, "callLegsActive") && (alone || r->depth != 1))
        return -1;
    if (alone)
        return 0;
    if (r->depth == MOST_DEPTH)
        return -1;
    r->open[r->depth++] = name;
    return is_called(&name, "callLegsActive") ? take_number(r) : 0;
}

static int take_close(struct reader *r)
{
    const struct name *open;
    struct name name;

    if (r->depth == 0 || take_name(r, &name) < 0 || !takes(r, ">"))
        return -1;
    open = &r->open[--r->depth];
    return open->len == name.len && memcmp(open->at, name.at, name.len) == 0
               ? 0
               : -1;
}

static int take_text(struct reader *r)
{
    for (; r->p < r->end && *r->p != '<'; r->p++)
        if (*r->p == '&' || *r->p == '\0' || *r->p == '>' ||
            (r->depth == 0 && !is_blank(*r->p)))
            return -1;
    return 0;
}

static int read_all(struct reader *r)
{
    bool alone;

    if (takes(r, "<?xml") && skip_attributes(r, &alone) < 0)
        return -1;
    while (r->p < r->end) {
        int rc = take_text(r);

        if (rc < 0)
            return -1;
        if (r->p == r->end)
            break;
        rc = takes(r, "</") ? take_close(r) : takes(r, "<") ? take_open(r) : -1;
        if (rc < 0)
            return -1;
    }
    return r->depth == 0 && r->found == 1 ? 0 : -1;
}

int cms_calls_parse(const char *text, size_t len, unsigned *legs,
                    struct err *err)
{
    struct reader r = {.p = text, .end = text + len};

    if (read_all(&r) < 0)
        return err_set(err, CAUSE_REMOTE,
                       "its API's answer is no status with one callLegsActive");
    *legs = r.legs;
    return 0;
}
