/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a page of ours well-formed?  Stricter than HTML asks: every tag is closed
 * in its order, every attribute is quoted, and a bare < or & stands nowhere.
 */
#ifndef CERTFLEET_TESTS_HTML_CHECK_H
#define CERTFLEET_TESTS_HTML_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    HTML_DEPTH = 64
};

struct html_check {
    const char *page, *p;
    char open[HTML_DEPTH][16];
    size_t depth;
};

#define HTML_FAIL(c, what)                                                     \
    fail_msg("%s at byte %zu: %.60s", what, (size_t)((c)->p - (c)->page),      \
             (c)->p)

static inline size_t html_name(const char *p)
{
    return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789-");
}

/* Text up to `end': an & begins one of the five that we write. */
static inline void html_text_check(struct html_check *c, char end)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;",
                                        "&#39;"};

    for (; *c->p && *c->p != end; c->p++) {
        bool good = *c->p != '&' && *c->p != '<';

        for (size_t i = 0; i < 5; i++)
            good = good || strncmp(c->p, known[i], strlen(known[i])) == 0;
        if (!good)
            HTML_FAIL(c, "markup in a text");
        if ((unsigned char)*c->p < 0x20 && *c->p != '\n' && *c->p != '\t')
            HTML_FAIL(c, "a control character");
    }
}

static inline void html_close_check(struct html_check *c, const char *name,
                                    size_t len)
{
    if (c->depth == 0 || strlen(c->open[c->depth - 1]) != len ||
        strncmp(c->open[c->depth - 1], name, len) != 0)
        HTML_FAIL(c, "this closes what is not open");
    c->depth--;
}

/* ` name="value"' ... up to `>' or `/>' */
static inline void html_attributes_check(struct html_check *c)
{
    while (*c->p == ' ' || *c->p == '\n') {
        c->p++;
        size_t len = html_name(c->p);

        if (len == 0 || strncmp(c->p + len, "=\"", 2) != 0)
            HTML_FAIL(c, "an attribute without quotes");
        if (strncmp(c->p, "on", 2) == 0)
            HTML_FAIL(c, "a script in an attribute");
        c->p += len + 2;
        html_text_check(c, '"');
        c->p += *c->p == '"';
    }
}

static inline void html_open_check(struct html_check *c)
{
    size_t len = html_name(c->p);

    if (len == 0 || len >= sizeof(c->open[0]) || c->depth == HTML_DEPTH)
        HTML_FAIL(c, "no tag");
    memcpy(c->open[c->depth], c->p, len);
    c->open[c->depth++][len] = '\0';
    c->p += len;
    html_attributes_check(c);
    if (*c->p == '/') {
        c->depth--;
        c->p++;
    }
}

static inline void html_tag_check(struct html_check *c)
{
    c->p++;
    if (*c->p == '/') {
        size_t len = html_name(++c->p);

        html_close_check(c, c->p, len);
        c->p += len;
    } else {
        html_open_check(c);
    }
    if (*c->p != '>')
        HTML_FAIL(c, "a tag without its end");
    c->p++;
}

static inline void html_is_well_formed(const char *page)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    struct html_check c = {.page = page, .p = page};

    assert_memory_equal(page, doctype, sizeof(doctype) - 1);
    c.p += sizeof(doctype) - 1;
    while (*c.p) {
        html_text_check(&c, '<');
        if (*c.p)
            html_tag_check(&c);
    }
    if (c.depth)
        fail_msg("<%s> is never closed", c.open[c.depth - 1]);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<img"));
    assert_null(strstr(page, "src="));
    assert_null(strstr(page, "href="));
    assert_null(strstr(page, "url(http"));
    assert_null(strstr(page, "@import"));
}

#endif
