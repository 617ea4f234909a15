/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers of what Windows' tools print.  Pure: bytes in, a fact out.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "playbooks/windows/windows.h"

enum {
    LOCAL_DIGITS = 14, /* yyyymmddHHMMSS */
    TEXT_MOST = 4096
};

/* 64 digits with nothing but blanks between and around them. */
static bool is_hash_line(const char *line, size_t len, char *hex)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];

        if (c == ' ' || c == '\r')
            continue;
        if (!isxdigit(c) || n == PKI_SHA256_HEX - 1)
            return false;
        hex[n++] = (char)tolower(c);
    }
    hex[n] = '\0';
    return n == PKI_SHA256_HEX - 1;
}

bool win_hash(const char *text, size_t len, char hex[PKI_SHA256_HEX])
{
    const char *p = text, *end = text + len;

    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);

        if (is_hash_line(p, n, hex))
            return true;
        p += n + 1;
    }
    hex[0] = '\0';
    return false;
}

static size_t take_text(const char *text, size_t len, char *out,
                        bool (*keep)(char))
{
    size_t n = 0;

    for (size_t i = 0; i < len && n + 1 < TEXT_MOST; i++)
        if (keep(text[i]))
            out[n++] = text[i];
    out[n] = '\0';
    return n;
}

static bool is_shown(char c)
{
    return c != '\0';
}

enum win_state win_service(const char *text, size_t len)
{
    char copy[TEXT_MOST];
    const char *at;
    long state;

    take_text(text, len, copy, is_shown);
    at = strstr(copy, " STATE ");
    at = at ? strchr(at, ':') : NULL;
    state = at ? strtol(at + 1, NULL, 10) : 0;
    return state >= WIN_STOPPED && state <= WIN_RUNNING ? (enum win_state)state
                                                        : WIN_UNKNOWN;
}

static const char *find_local(const char *text)
{
    for (const char *p = text; *p; p++)
        if (strspn(p, "0123456789") == LOCAL_DIGITS && p[LOCAL_DIGITS] == '.')
            return p;
        else
            p += strspn(p, "0123456789") ? strspn(p, "0123456789") - 1 : 0;
    return NULL;
}

bool win_clock_parse(const char *text, size_t len, int64_t *seconds)
{
    char copy[TEXT_MOST], stamp[LOCAL_DIGITS + 1];
    struct tm tm = {0};
    const char *at, *zone;
    char *end;
    long minutes;

    take_text(text, len, copy, is_shown); /* the NULs of UTF-16 are not */
    at = find_local(copy);
    if (!at)
        return false;
    memcpy(stamp, at, LOCAL_DIGITS);
    stamp[LOCAL_DIGITS] = '\0';
    zone = at + LOCAL_DIGITS + 1;
    zone += strspn(zone, "0123456789");
    minutes = strtol(zone, &end, 10);
    if ((*zone != '+' && *zone != '-') || end == zone + 1 || minutes < -840 ||
        minutes > 840 || !strptime(stamp, "%Y%m%d%H%M%S", &tm))
        return false;
    *seconds = timegm(&tm) - minutes * 60;
    return true;
}

const struct link_shell win_shells[] = {
    {"%COMSPEC%", "cmd /d /s /c '", "'"}, /* PowerShell */
    {"\\cmd.exe", WIN_BEFORE, WIN_AFTER},
    {NULL, NULL, NULL},
};

/* -- certificates in a store ----------------------------------------------- */

/* Behind twenty bytes that begin here, older releases with a blank between
 * each; NULL: they do not. */
static const char *take_bytes(const char *p, const char *end, char *hex)
{
    for (size_t n = 0; n < PKI_SHA1_HEX - 1; n += 2) {
        if (n && p < end && *p == ' ')
            p++;
        if (end - p < 2 || !isxdigit((unsigned char)p[0]) ||
            !isxdigit((unsigned char)p[1]))
            return NULL;
        hex[n] = (char)tolower((unsigned char)*p++);
        hex[n + 1] = (char)tolower((unsigned char)*p++);
    }
    hex[PKI_SHA1_HEX - 1] = '\0';
    return p;
}

/* It is a part of a longer digest, in the form that this one has. */
static bool goes_on(const char *text, const char *from, const char *behind,
                    const char *end)
{
    bool blanks = from[2] == ' ';

    if (blanks && from - text > 1 && from[-1] == ' ' &&
        isxdigit((unsigned char)from[-2]))
        return true;
    if (blanks && behind < end && *behind == ' ')
        behind++;
    return behind < end && isxdigit((unsigned char)*behind);
}

bool win_thumbprint(const char *text, size_t len, char hex[PKI_SHA1_HEX])
{
    const char *end = text + len;

    for (const char *p = text; p < end; p++) {
        const char *behind;

        if (p > text && isxdigit((unsigned char)p[-1]))
            continue;
        behind = take_bytes(p, end, hex);
        if (behind && !goes_on(text, p, behind, end))
            return true;
    }
    hex[0] = '\0';
    return false;
}

static bool is_guid(const char *text)
{
    static const char form[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";

    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'x' ? !isxdigit((unsigned char)text[i])
                           : text[i] != form[i])
            return false;
    return true;
}

bool win_guid(const char *text, size_t len, char guid[WIN_GUID_BYTES])
{
    for (size_t i = 0; i + WIN_GUID_BYTES - 1 <= len; i++)
        if (text[i] == '{' && is_guid(text + i)) {
            memcpy(guid, text + i, WIN_GUID_BYTES - 1);
            guid[WIN_GUID_BYTES - 1] = '\0';
            return true;
        }
    guid[0] = '\0';
    return false;
}

static bool is_path_char(char c)
{
    return isalnum((unsigned char)c) || strchr("._-\\", c) != NULL;
}

bool win_is_plain_path(const char *path)
{
    if (!isalpha((unsigned char)path[0]) || path[1] != ':' || path[2] != '\\')
        return false;
    for (const char *p = path + 2; *p; p++)
        if (!is_path_char(*p))
            return false;
    return true;
}
