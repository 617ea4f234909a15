/* SPDX-License-Identifier: Apache-2.0
 *
 * From bytes to sections and entries.  inih splits `key = value ; comment`;
 * everything that it cuts, joins or hides when used plainly is looked at
 * before it sees the line: this file counts lines, reads section lines, drops
 * leading blanks (so that no line continues another) and refuses lines that
 * do not fit.  What keys mean is not known here.
 */
#include <ctype.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "core/fleet/inventory_priv.h"
#include "core/fleet/suggest.h"

/* Some builds of inih (Debian's) let its limits be set when it runs; others
 * have them compiled in and lack these symbols. */
extern int ini_max_line __attribute__((weak));
extern bool ini_allow_multiline __attribute__((weak));

enum {
    LINE_BYTES = 4096,
    NAME_BYTES = 63
};

struct lines {
    struct reading *rd;
    const char *at, *end;
    unsigned line;
    bool asked;  /* inih was given a line that must give a key */
    bool broken; /* that line was cut and is told of */
};

/* inih reports only the first line without `=`; ours are all told. */
static void settle_line(struct lines *l)
{
    if (l->asked && !l->broken)
        reading_fault(l->rd, FAULT_ERROR, l->line,
                      "neither a section, nor `key = value', nor a comment");
    l->asked = false;
}

static int on_pair(void *user, const char *section, const char *name,
                   const char *value)
{
    struct lines *l = user;

    (void)section; /* it never saw one */
    if (!value)
        return 1; /* a build that accepts lines without `=` */
    l->asked = false;
    inventory_entry(l->rd, name, value, l->line, l->broken);
    return 1;
}

static bool is_name(const char *name)
{
    if (!isalnum((unsigned char)name[0]) || strlen(name) > NAME_BYTES)
        return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            return false;
    return true;
}

static void unknown_kind(struct reading *rd, const char *word, unsigned line)
{
    struct suggest suggest;
    struct str text;

    str_init(&text, 256);
    suggest_start(&suggest, word);
    for (const struct section_word *w = section_words; w->word; w++)
        suggest_offer(&suggest, w->word);
    suggest_add(&suggest, &text);
    reading_fault(rd, FAULT_ERROR, line,
                  "unknown section [%.60s]%s (known: fleet, issuer NAME, "
                  "cluster NAME, node NAME, preflight [CLUSTER]); its keys "
                  "were not looked at",
                  word, str_text(&text));
    str_release(&text);
}

/* Enters a section of a known kind in the books of names. */
static void enter_name(struct reading *rd, struct section *s)
{
    struct names *names = section_names(rd, s->kind);
    struct section *earlier;

    if (!is_name(s->name)) {
        reading_fault(rd, FAULT_ERROR, s->line,
                      "`%.60s' is no name for a %s: letters, digits, `.', `_' "
                      "and `-' are wanted, %d at most",
                      s->name, section_word(s->kind), NAME_BYTES);
        s->twice = true;
        return;
    }
    earlier = names_put(names, s->name, s);
    if (!earlier)
        return;
    s->twice = true;
    reading_fault(rd, FAULT_ERROR, s->line, "%s is already on line %u",
                  section_title(rd, s), earlier->line);
}

static void enter_section(struct reading *rd, struct section *s)
{
    if (s->kind == SECTION_PREFLIGHT) {
        preflight_enter(rd, s);
    } else if (s->kind != SECTION_FLEET && s->name[0] == '\0') {
        reading_fault(rd, FAULT_ERROR, s->line, "[%s] has no name: [%s NAME]",
                      section_word(s->kind), section_word(s->kind));
        s->twice = true;
    } else if (s->kind != SECTION_FLEET) {
        enter_name(rd, s);
    } else if (s->name[0] != '\0') {
        reading_fault(rd, FAULT_ERROR, s->line, "[fleet] takes no name");
        s->twice = true;
    } else if (rd->fleet->line) {
        reading_fault(rd, FAULT_ERROR, s->line, "[fleet] is already on line %u",
                      rd->fleet->line);
        s->twice = true;
    } else {
        rd->fleet = s;
    }
}

/* `text` is what stands between the brackets. */
static void new_section(struct lines *l, const char *text)
{
    struct reading *rd = l->rd;
    struct section *s = arena_alloc(&rd->inv->arena, sizeof(*s));
    size_t word = strcspn(text, " \t");
    const struct section_word *w = section_words;

    while (w->word &&
           (strncmp(w->word, text, word) != 0 || w->word[word] != '\0'))
        w++;
    s->kind = w->kind;
    s->line = l->line;
    s->name = text + word + strspn(text + word, " \t");
    rd->now = s;
    *rd->tail = s;
    rd->tail = &s->next;
    if (s->kind)
        enter_section(rd, s);
    else
        unknown_kind(rd, arena_strndup(&rd->inv->arena, text, word), l->line);
}

static void on_section(struct lines *l, const char *at, size_t len)
{
    const char *close = memchr(at, ']', len);
    const char *rest = close ? close + 1 : NULL;
    size_t inside;

    while (rest && rest < at + len && isspace((unsigned char)*rest))
        rest++;
    if (!close || (rest < at + len && *rest != ';' && *rest != '#')) {
        reading_fault(l->rd, FAULT_ERROR, l->line,
                      close ? "something stands behind the `]' of a section"
                            : "a section without `]'");
        if (!close)
            close = at + len;
    }
    for (at++; at < close && isspace((unsigned char)*at); at++)
        ;
    for (inside = (size_t)(close - at);
         inside > 0 && isspace((unsigned char)at[inside - 1]); inside--)
        ;
    new_section(l, arena_strndup(&l->rd->inv->arena, at, inside));
}

/* What inih gets of a line: a key line, or nothing. */
static size_t look_at(struct lines *l, const char *at, size_t len, size_t room)
{
    l->broken = false;
    if (len == 0 || *at == ';' || *at == '#')
        return 0;
    if (memchr(at, '\0', len)) {
        reading_fault(l->rd, FAULT_ERROR, l->line,
                      "a NUL byte: is this a text file in UTF-8?");
        return 0;
    }
    if (*at == '[') {
        on_section(l, at, len);
        return 0;
    }
    l->asked = true;
    if (len <= room)
        return len;
    reading_fault(l->rd, FAULT_ERROR, l->line,
                  "a line of %zu bytes; at most %zu can be read", len, room);
    l->broken = true;
    return room;
}

static char *next_line(char *buffer, int size, void *stream)
{
    struct lines *l = stream;
    const char *at = l->at, *end;
    size_t len;

    settle_line(l);
    if (at >= l->end)
        return NULL;
    end = memchr(at, '\n', (size_t)(l->end - at));
    if (!end)
        end = l->end;
    l->at = end < l->end ? end + 1 : end;
    l->line++;
    if (l->line == 1 && end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    while (at < end && isspace((unsigned char)*at))
        at++;
    while (end > at && isspace((unsigned char)end[-1]))
        end--;
    len = look_at(l, at, (size_t)(end - at), (size_t)size - 3);
    memcpy(buffer, at, len);
    buffer[len] = '\0';
    return buffer;
}

void inventory_lines(struct reading *rd, const char *data, size_t len)
{
    struct lines l = {.rd = rd, .at = data, .end = data + len};

    if (&ini_max_line)
        ini_max_line = LINE_BYTES + 3;
    if (&ini_allow_multiline)
        ini_allow_multiline = false;
    /* Again and again: some builds stop at the first line they dislike. */
    while (l.at < l.end) {
        const char *before = l.at;
        (void)ini_parse_stream(next_line, &l, on_pair, &l);
        if (l.at == before)
            abort(); /* it has no memory for one line */
    }
    settle_line(&l);
}
