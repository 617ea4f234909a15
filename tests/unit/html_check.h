/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a page of ours well-formed?  Stricter than HTML asks: every tag is closed
 * in its order, every attribute is quoted, and a bare < or & stands nowhere.
 */
#ifndef CERTFLEET_TESTS_HTML_CHECK_H
#define CERTFLEET_TESTS_HTML_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
    HTML_DEPTH = 64
};

struct html_check {
    const char *fault; /* the first one, or NULL */
    const char *p;
    char open[HTML_DEPTH][16];
    size_t depth;
};

/* False, and the first fault is kept. */
static inline bool html_fail(struct html_check *c, const char *what)
{
    if (!c->fault)
        c->fault = what;
    return false;
}

static inline size_t html_name(const char *p)
{
    return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789-");
}

/* Text up to `end': an & begins one of the five that we write. */
static inline bool html_text_check(struct html_check *c, char end)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;",
                                        "&#39;"};

    for (; *c->p && *c->p != end; c->p++) {
        bool good = *c->p != '&' && *c->p != '<';

        for (size_t i = 0; i < 5; i++)
            good = good || strncmp(c->p, known[i], strlen(known[i])) == 0;
        if (!good)
            return html_fail(c, "markup in a text");
        if ((unsigned char)*c->p < 0x20 && *c->p != '\n' && *c->p != '\t')
            return html_fail(c, "a control character");
    }
    return true;
}

static inline bool html_close_check(struct html_check *c)
{
    size_t len = html_name(c->p);

    if (c->depth == 0 || strlen(c->open[c->depth - 1]) != len ||
        strncmp(c->open[c->depth - 1], c->p, len) != 0)
        return html_fail(c, "this closes what is not open");
    c->depth--;
    c->p += len;
    return true;
}

/* ` name="value"' ... up to `>' or `/>' */
static inline bool html_attributes_check(struct html_check *c)
{
    while (*c->p == ' ' || *c->p == '\n') {
        size_t len = html_name(++c->p);

        if (len == 0 || strncmp(c->p + len, "=\"", 2) != 0)
            return html_fail(c, "an attribute without quotes");
        if (strncmp(c->p, "on", 2) == 0)
            return html_fail(c, "a script in an attribute");
        c->p += len + 2;
        if (!html_text_check(c, '"'))
            return false;
        c->p += *c->p == '"';
    }
    return true;
}

static inline bool html_open_check(struct html_check *c)
{
    size_t len = html_name(c->p);

    if (len == 0 || len >= sizeof(c->open[0]) || c->depth == HTML_DEPTH)
        return html_fail(c, "no tag");
    memcpy(c->open[c->depth], c->p, len);
    c->open[c->depth++][len] = '\0';
    c->p += len;
    if (!html_attributes_check(c))
        return false;
    if (*c->p == '/') {
        c->depth--;
        c->p++;
    }
    return true;
}

static inline bool html_tag_check(struct html_check *c)
{
    bool close = c->p[1] == '/';

    c->p += close ? 2 : 1;
    if (!(close ? html_close_check(c) : html_open_check(c)))
        return false;
    if (*c->p != '>')
        return html_fail(c, "a tag without its end");
    c->p++;
    return true;
}

/* Nothing that loads, and nothing that runs. */
static inline const char *html_foreign(const char *page)
{
    static const char *const foreign[] = {"<script", "<img",    "<link",
                                          "<iframe", " src=\"", " href=\""};

    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        if (strstr(page, foreign[i]))
            return foreign[i];
    return NULL;
}

/* NULL: it is well-formed; else what is wrong, and from where on. */
static inline const char *html_fault(const char *page, const char **where)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    struct html_check c = {.p = page + sizeof(doctype) - 1};

    *where = page;
    if (strncmp(page, doctype, sizeof(doctype) - 1) != 0)
        return "no doctype";
    if (html_foreign(page))
        return html_foreign(page);
    while (*c.p && html_text_check(&c, '<') && (!*c.p || html_tag_check(&c)))
        *where = c.p;
    if (c.depth && !c.fault)
        html_fail(&c, "a tag is never closed");
    return c.fault;
}

#define html_is_well_formed(page)                                              \
    do {                                                                       \
        const char *where_, *fault_ = html_fault(page, &where_);               \
                                                                               \
        if (fault_)                                                            \
            fail_msg("%s: %.80s", fault_, where_);                             \
    } while (0)

#endif
