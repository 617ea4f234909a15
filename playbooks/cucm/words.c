/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of a terminal, line by line, blank-parted words.
 */
#include "playbooks/cucm/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"

enum {
    WORDS_MAX = 24,
    LINE_BYTES = 1024
};

struct line {
    char text[LINE_BYTES];
    char *words[WORDS_MAX];
    size_t n;
};

/* -- lines ----------------------------------------------------------------- */

/* The next line, without its end; false: there is none. */
static bool next_line(const char **p, const char *end, struct line *line)
{
    const char *nl;
    size_t len;

    if (*p >= end)
        return false;
    nl = memchr(*p, '\n', (size_t)(end - *p));
    len = (size_t)((nl ? nl : end) - *p);
    if (len >= sizeof(line->text))
        len = sizeof(line->text) - 1;
    memcpy(line->text, *p, len);
    line->text[len] = '\0';
    *p = nl ? nl + 1 : end;
    return true;
}

static void split(struct line *line)
{
    char *save = NULL;

    line->n = 0;
    for (char *w = strtok_r(line->text, " \t\r", &save);
         w && line->n < WORDS_MAX; w = strtok_r(NULL, " \t\r", &save))
        line->words[line->n++] = w;
}

static int odd(struct err *err, const char *what)
{
    return err_set(err, CAUSE_REMOTE, "%s is not understood", what);
}

static bool is_address(const char *word)
{
    return word[0] &&
           strspn(word, "0123456789abcdefABCDEF.:") == strlen(word) &&
           (strchr(word, '.') || strchr(word, ':')) &&
           strlen(word) < sizeof(((struct cucm_replica *)NULL)->address);
}

static void copy(char *to, size_t room, const char *word)
{
    size_t len = strlen(word) < room - 1 ? strlen(word) : room - 1;

    memcpy(to, word, len);
    to[len] = '\0';
}

static bool has(const char *text, size_t len, const char *word)
{
    return memmem(text, len, word, strlen(word)) != NULL;
}

/* -- replication ----------------------------------------------------------- */

/* "(2)": a state.  "(g_2)" is a group. */
static bool is_state(const char *word, unsigned *state)
{
    size_t digits = word[0] == '(' ? strspn(word + 1, "0123456789") : 0;

    if (digits == 0 || digits > 3 || strcmp(word + 1 + digits, ")") != 0)
        return false;
    *state = (unsigned)strtoul(word + 1, NULL, 10);
    return true;
}

static bool is_monitor(const char *word)
{
    return strlen(word) == 5 && word[1] == '/' && word[3] == '/' &&
           strspn(word, "YNyn/-") == 5;
}

static bool take_replica(const struct line *line, struct cucm_replica *r)
{
    bool found = false;

    if (line->n < 4 || !is_address(line->words[1]))
        return false;
    copy(r->name, sizeof(r->name), line->words[0]);
    copy(r->address, sizeof(r->address), line->words[1]);
    r->monitored = true;
    for (size_t i = 2; i < line->n; i++) {
        if (is_monitor(line->words[i]))
            r->monitored = strcmp(line->words[i], "Y/Y/Y") == 0;
        found = is_state(line->words[i], &r->state) || found;
    }
    return found;
}

/* "Cluster Detailed View from cucm-01 (2 Servers):" */
static unsigned servers_of(const char *text)
{
    const char *open =
        strstr(text, "Cluster Detailed View") ? strchr(text, '(') : NULL;
    char *end = NULL;
    unsigned long n = open ? strtoul(open + 1, &end, 10) : 0;

    return end && strncmp(end, " Server", 7) == 0 && n <= CUCM_NODES_MAX
               ? (unsigned)n
               : 0;
}

/* Errors and mismatches stand in one line, with "No" before them or without. */
static bool tells_mismatch(const char *text)
{
    const char *p = strcasestr(text, "errors or mismatches");

    if (!p)
        return false;
    return !(p - text >= 3 && strncasecmp(p - 3, "no ", 3) == 0);
}

int cucm_replication_parse(const char *text, size_t len,
                           struct cucm_replication *out, struct err *err)
{
    const char *p = text, *end = text + len;
    bool in_table = false;
    unsigned servers = 0;
    struct line line;

    memset(out, 0, sizeof(*out));
    while (next_line(&p, end, &line)) {
        unsigned n = servers_of(line.text);

        servers = n ? n : servers;
        out->mismatched |= tells_mismatch(line.text);
        split(&line);
        if (line.n && strncmp(line.words[0], "------", 6) == 0) {
            in_table = true;
        } else if (in_table && line.n) {
            if (out->n == CUCM_NODES_MAX ||
                !take_replica(&line, &out->rows[out->n]))
                return odd(err, "a line of the state of replication");
            out->n++;
        } else if (in_table && out->n) {
            break; /* an empty line ends the table */
        }
    }
    if (out->n == 0 || (servers && servers != out->n))
        return odd(err, "the state of replication");
    return 0;
}

/* -- the cluster's members --------------------------------------------------
 */

/* It is asked for by name, and stands in an order and in XML. */
static bool is_name(const char *word)
{
    return strspn(word,
                  "abcdefghijklmnopqrstuvwxyz"
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == strlen(word);
}

static bool take_member(const struct line *line, struct cucm_member *m)
{
    bool subscriber = line->n > 4 && strcmp(line->words[3], "Subscriber") == 0;

    m->publisher = line->n > 4 && strcmp(line->words[3], "Publisher") == 0;
    if ((!m->publisher && !subscriber) || !is_address(line->words[0]) ||
        !is_name(line->words[1]) || !is_name(line->words[2]))
        return false;
    m->presence = strcmp(line->words[4], "cups") == 0;
    if (!m->presence && strcmp(line->words[4], "callmanager") != 0)
        return false;
    copy(m->address, sizeof(m->address), line->words[0]);
    copy(m->fqdn, sizeof(m->fqdn), line->words[1]);
    copy(m->host, sizeof(m->host), line->words[2]);
    for (size_t i = 5; i < line->n; i++)
        if (strcmp(line->words[i], "authenticated") == 0)
            m->authenticated = strcmp(line->words[i - 1], "not") != 0;
    return true;
}

int cucm_members_parse(const char *text, size_t len, struct cucm_members *out,
                       struct err *err)
{
    const char *p = text, *end = text + len;
    struct line line;

    memset(out, 0, sizeof(*out));
    while (next_line(&p, end, &line)) {
        if (strstr(line.text, "Server Table"))
            break; /* host names alone follow */
        split(&line);
        if (line.n == 0)
            continue;
        if (out->n == CUCM_NODES_MAX || !take_member(&line, &out->rows[out->n]))
            return odd(err, "a line of `show network cluster'");
        out->n++;
    }
    return out->n ? 0 : odd(err, "`show network cluster'");
}

/* -- one value ---------------------------------------------------------------
 */

/* The one line below a line of "=". */
int cucm_mode_parse(const char *text, size_t len, bool *mixed, struct err *err)
{
    const char *p = text, *end = text + len;
    bool below = false;
    size_t values = 0;
    struct line line;

    while (next_line(&p, end, &line)) {
        split(&line);
        if (line.n == 1 && line.words[0][0] == '=') {
            below = true;
        } else if (below && line.n) {
            if (line.n != 1 || (strcmp(line.words[0], "0") != 0 &&
                                strcmp(line.words[0], "1") != 0))
                return odd(err, "the cluster's security mode");
            *mixed = line.words[0][0] == '1';
            values++;
        }
    }
    return values == 1 ? 0 : odd(err, "the cluster's security mode");
}

int cucm_sso_parse(const char *text, size_t len, bool *enabled, struct err *err)
{
    bool on = has(text, len, "Enabled"), off = has(text, len, "Disabled");

    if (!has(text, len, "SSO") || on == off)
        return odd(err, "`utils sso status'");
    *enabled = on;
    return 0;
}

/* Columns are parted by commas: the head's, and below it the figures. */
static int column_of(char *head, const char *name)
{
    char *save = NULL;
    int at = 0;

    for (char *w = strtok_r(head, ",", &save); w;
         w = strtok_r(NULL, ",", &save), at++) {
        w += strspn(w, " \t\r#");
        w[strcspn(w, " \t\r")] = '\0';
        if (strcmp(w, name) == 0)
            return at;
    }
    return -1;
}

static int number_in(char *row, int column, unsigned *number)
{
    char *save = NULL, *w = strtok_r(row, ",", &save);
    char *end;
    unsigned long n;

    for (int at = 0; w && at < column; at++)
        w = strtok_r(NULL, ",", &save);
    if (!w)
        return -1;
    w += strspn(w, " \t");
    n = isdigit((unsigned char)*w) ? strtoul(w, &end, 10) : 1000000;
    if (n >= 1000000 || end[strspn(end, " \t\r")])
        return -1;
    *number = (unsigned)n;
    return 0;
}

int cucm_phones_parse(const char *text, size_t len, unsigned *registered,
                      struct err *err)
{
    const char *p = text, *end = text + len;
    struct line line;
    int column = -1;

    while (next_line(&p, end, &line)) {
        if (column >= 0 && line.text[strspn(line.text, " \t\r")])
            return number_in(line.text, column, registered) < 0
                       ? odd(err, "the number of registered phones")
                       : 0;
        if (column < 0 && strstr(line.text, "#TotalRegistered"))
            column = column_of(line.text, "TotalRegistered");
    }
    return odd(err, "the number of registered phones");
}
