/* SPDX-License-Identifier: Apache-2.0
 *
 * The status parser: line by line, a section for the list of nodes, tables
 * for the labels and for the words.
 */
#include "playbooks/cms/status.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/str.h"

struct line {
    const char *label; /* trimmed */
    size_t label_len;
    const char *value; /* trimmed */
    size_t value_len;
    bool indented, has_value;
    bool ended; /* by a line end, not by the end of the text */
};

enum label {
    L_STATUS,
    L_ERROR,
    L_NODES,
    L_IN_USE,
    L_INTERFACE,
    L_CERTIFICATES,
    L_LAST,
    L_FILE,
    L_UNKNOWN
};

/* clang-format off */
static const struct {
    const char *text;
    enum label label;
    enum cms_slot slot;
} labels[] = {
    { "Status",             L_STATUS },
    { "ERROR",              L_ERROR },
    { "Nodes",              L_NODES },
    { "Node in use",        L_IN_USE },
    { "Interface",          L_INTERFACE },
    { "Certificates",       L_CERTIFICATES },
    { "Last command",       L_LAST },
    { "Server Key",         L_FILE, CMS_SERVER_KEY },
    { "Server Certificate", L_FILE, CMS_SERVER_CRT },
    { "Client Key",         L_FILE, CMS_CLIENT_KEY },
    { "Client Certificate", L_FILE, CMS_CLIENT_CRT },
    { "CA Certificate",     L_FILE, CMS_CA_CRT },
};
static const char *const place_words[] = {
    "not to be told", "standalone", "Connected Primary", "Connected Replica",
    "connected", "not connected",
};
/* clang-format on */

const char *cms_place_word(enum cms_place place)
{
    return place_words[place];
}

/* -- small text ----------------------------------------------------------- */

static void trim(const char **text, size_t *len)
{
    while (*len && strchr(" \t\r", **text)) {
        (*text)++;
        (*len)--;
    }
    while (*len && strchr(" \t\r", (*text)[*len - 1]))
        (*len)--;
}

static void keep(char *out, size_t room, const char *text, size_t len)
{
    struct str s;

    str_init(&s, room - 1);
    str_add_visible(&s, text, len, false);
    snprintf(out, room, "%s", str_text(&s));
    str_release(&s);
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static bool starts(const char *text, size_t len, const char *word)
{
    return len >= strlen(word) && strncasecmp(text, word, strlen(word)) == 0;
}

static bool has(const char *text, size_t len, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= len; i++)
        if (strncasecmp(text + i, word, strlen(word)) == 0)
            return true;
    return false;
}

/* A label ends at " : "; a heading ("Nodes:") at a colon that ends its line.
 * An IPv6 address has colons, but none between blanks. */
static bool split(const char *text, size_t len, struct line *line)
{
    const char *colon = memmem(text, len, " : ", 3);

    memset(line, 0, sizeof(*line));
    line->indented = len > 0 && (text[0] == ' ' || text[0] == '\t');
    line->label = text;
    line->label_len = len;
    line->value = "";
    if (colon) {
        line->has_value = true;
        line->label_len = (size_t)(colon - text);
        line->value = colon + 3;
        line->value_len = len - line->label_len - 3;
        trim(&line->value, &line->value_len);
    }
    trim(&line->label, &line->label_len);
    if (line->label_len && line->label[line->label_len - 1] == ':') {
        line->label_len--;
        trim(&line->label, &line->label_len);
    }
    return line->label_len > 0;
}

/* -- lines ---------------------------------------------------------------- */

static enum cms_word word_of(const char *text, size_t len)
{
    if (is_word(text, len, "Enabled"))
        return CMS_ENABLED;
    if (is_word(text, len, "Disabled"))
        return CMS_DISABLED;
    if (is_word(text, len, "Error"))
        return CMS_ERROR;
    /* Initializing, Attaching, Detaching: only the first is documented */
    if (len > 3 && len < 40 && is_word(text + len - 3, 3, "ing") &&
        !memchr(text, ' ', len))
        return CMS_BUSY;
    return CMS_ODD;
}

static void take_member(struct cms_status *status, const struct line *line)
{
    struct cms_member *m = &status->members[status->n_members];
    const char *name = line->label;
    size_t len = line->label_len;

    if (status->n_members == CMS_MEMBERS) {
        status->odd_lines++;
        return;
    }
    memset(m, 0, sizeof(*m));
    if (len > 4 && is_word(name + len - 4, 4, "(me)")) {
        m->me = true;
        len -= 4;
        trim(&name, &len);
    }
    keep(m->address, sizeof(m->address), name, len);
    m->connected = starts(line->value, line->value_len, "Connected");
    m->primary =
        m->connected && (has(line->value, line->value_len, "Primary") ||
                         has(line->value, line->value_len, "Master"));
    m->replica =
        m->connected && (has(line->value, line->value_len, "Replica") ||
                         has(line->value, line->value_len, "Slave"));
    m->in_sync = m->replica && has(line->value, line->value_len, "In Sync") &&
                 !has(line->value, line->value_len, "Not In Sync");
    status->n_members++;
}

static void take_file(struct cms_status *status, enum cms_slot slot,
                      const struct line *line)
{
    size_t len = 0;

    while (len < line->value_len && !strchr(" \t", line->value[len]))
        len++;
    if (is_word(line->value, len, "none"))
        len = 0;
    keep(status->files[slot], CMS_NAME_BYTES, line->value, len);
    status->flagged[slot] = len > 0 && len < line->value_len;
}

/* Every status that was ever printed ends with the last command (facts/cms.md
 * 2.1), so that one without was cut off.  A shell takes the last line end. */
static bool is_end(const struct line *line)
{
    size_t len = line->value_len;

    return line->ended || (len > 0 && line->value[len - 1] == ')') ||
           is_word(line->value, len, "none");
}

/* 'database cluster join 10.48.36.61' (Success) */
static void take_last(struct cms_status *status, const struct line *line)
{
    const char *v = line->value, *end = v + line->value_len;
    const char *open = memchr(v, '\'', line->value_len);
    const char *close =
        open ? memrchr(open + 1, '\'', (size_t)(end - open - 1)) : NULL;

    if (!close)
        return; /* `none`, or words that say nothing to us */
    keep(status->last, sizeof(status->last), open + 1,
         (size_t)(close - open - 1));
    if (has(close, (size_t)(end - close), "(Success)"))
        status->last_result = CMS_LAST_SUCCESS;
    else if (has(close, (size_t)(end - close), "(Failed)"))
        status->last_result = CMS_LAST_FAILED;
    else
        status->last_result = CMS_LAST_OTHER;
}

static enum label find_label(const struct line *line, enum cms_slot *slot)
{
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        if (is_word(line->label, line->label_len, labels[i].text)) {
            *slot = labels[i].slot;
            return labels[i].label;
        }
    return L_UNKNOWN;
}

/* Returns whether the lines that follow are in the list of nodes. */
static bool take_line(struct cms_status *status, const struct line *line,
                      bool in_nodes)
{
    enum cms_slot slot = CMS_SERVER_KEY;
    enum label label = find_label(line, &slot);

    switch (label) {
    case L_STATUS:
        keep(status->word_text, sizeof(status->word_text), line->value,
             line->value_len);
        status->word = word_of(line->value, line->value_len);
        return false;
    case L_ERROR:
        keep(status->error, sizeof(status->error), line->value,
             line->value_len);
        return false;
    case L_NODES:
        return true;
    case L_IN_USE:
        keep(status->in_use, sizeof(status->in_use), line->value,
             line->value_len);
        return false;
    case L_INTERFACE:
        status->interface_shown = true;
        if (!is_word(line->value, line->value_len, "none"))
            keep(status->interface, sizeof(status->interface), line->value,
                 line->value_len);
        return false;
    case L_CERTIFICATES:
        return false;
    case L_LAST:
        status->whole = is_end(line);
        take_last(status, line);
        return false;
    case L_FILE:
        take_file(status, slot, line);
        return false;
    case L_UNKNOWN:
        break;
    }
    if (in_nodes && line->indented && line->has_value)
        take_member(status, line);
    else
        status->odd_lines++;
    return in_nodes && line->indented;
}

/* -- what follows from all lines ------------------------------------------ */

const struct cms_member *cms_status_me(const struct cms_status *status)
{
    for (size_t i = 0; i < status->n_members; i++)
        if (status->members[i].me)
            return &status->members[i];
    return NULL;
}

const struct cms_member *cms_status_primary(const struct cms_status *status)
{
    const struct cms_member *found = NULL;

    for (size_t i = 0; i < status->n_members; i++)
        if (status->members[i].primary) {
            if (found)
                return NULL; /* two of them: nobody is */
            found = &status->members[i];
        }
    return found;
}

static bool last_was(const struct cms_status *status, const char *command)
{
    return strncmp(status->last, command, strlen(command)) == 0;
}

static enum cms_place member_place(const struct cms_member *me)
{
    if (!me->connected)
        return CMS_IS_DOWN;
    if (me->primary == me->replica)
        return CMS_NOWHERE;
    return me->primary ? CMS_IS_PRIMARY : CMS_IS_REPLICA;
}

/* What a node out of a cluster prints as its status word is remembered, not
 * documented; that its last command is a `remove` with success is documented
 * (facts/cms.md 2.3), and so stands beside the word. */
static bool is_standalone(const struct cms_status *status)
{
    if (status->n_members > 0)
        return false;
    if (status->word == CMS_DISABLED)
        return true;
    return status->word == CMS_ODD && status->word_text[0] &&
           status->last_result == CMS_LAST_SUCCESS &&
           strcmp(status->last, "database cluster remove") == 0;
}

/* facts/cms.md 2.3: listed with (me): a database node; not listed, and the
 * last command was `connect`: connected only; nobody listed: standalone.  A
 * `clear_error` leaves a node where it was. */
static enum cms_place place_of(const struct cms_status *status)
{
    const struct cms_member *me = cms_status_me(status);

    if (is_standalone(status))
        return CMS_STANDALONE;
    if (status->word == CMS_ODD || status->word == CMS_BUSY)
        return CMS_NOWHERE;
    if (me)
        return member_place(me);
    if (status->n_members > 0 &&
        (last_was(status, "database cluster connect") ||
         last_was(status, "database cluster clear_error")))
        return CMS_IS_CLIENT;
    return CMS_NOWHERE;
}

int cms_status_parse(const char *text, size_t len, struct cms_status *status,
                     struct err *err)
{
    const char *end = text + len;
    bool in_nodes = false;

    memset(status, 0, sizeof(*status));
    while (text < end) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        size_t n = nl ? (size_t)(nl - text) : (size_t)(end - text);
        struct line line;

        if (split(text, n, &line)) {
            line.ended = nl != NULL;
            in_nodes = take_line(status, &line, in_nodes);
        }
        text += n + 1;
    }
    status->place = place_of(status);
    if (status->word != CMS_ODD || status->place == CMS_STANDALONE)
        return 0;
    if (!status->word_text[0])
        return err_set(err, CAUSE_REMOTE,
                       "its `database cluster status' has no Status line");
    return err_set(err, CAUSE_REMOTE,
                   "its `database cluster status' says `%s', which no rule "
                   "knows",
                   status->word_text);
}
