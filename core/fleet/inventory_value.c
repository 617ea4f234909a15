/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text behind a `=` to a value, one function a type.  What a value
 * means among others is not known here.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/words.h"
#include "core/fleet/inventory_priv.h"
#include "core/fleet/path.h"
#include "core/fleet/secret_ref.h"

enum {
    PIN_DIGITS = 43
}; /* 32 bytes in base64 without padding */

int parse_text(struct reading *rd, const struct key_type *type,
               const char *text, struct value *value, struct err *err)
{
    (void)type;
    (void)err;
    value->text = arena_strdup(&rd->inv->arena, text);
    return 0;
}

int parse_number(struct reading *rd, const struct key_type *type,
                 const char *text, struct value *value, struct err *err)
{
    unsigned long n = 0;

    (void)rd;
    /* Nine digits fit; "1e3", "+1" and " 1" are not how numbers are written. */
    if (strspn(text, "0123456789") == strlen(text) && strlen(text) <= 9)
        n = strtoul(text, NULL, 10);
    else
        n = (unsigned long)type->max + 1;
    if (n < type->min || n > type->max)
        return err_set(err, CAUSE_INPUT, "a number from %u to %u is wanted",
                       type->min, type->max);
    value->number = (unsigned)n;
    return 0;
}

int parse_words(struct reading *rd, const struct key_type *type,
                const char *text, struct value *value, struct err *err)
{
    (void)rd;
    for (unsigned i = 0; type->words[i]; i++) {
        if (strcmp(type->words[i], text) == 0) {
            value->number = i;
            value->text = type->words[i];
            return 0;
        }
    }
    return err_set(err, CAUSE_INPUT, "%s: %s",
                   type->words[1] ? "one of these is wanted" : "only known",
                   type->look);
}

int parse_path(struct reading *rd, const struct key_type *type,
               const char *text, struct value *value, struct err *err)
{
    char *path = path_expand(rd->inv->folder, text, err);

    (void)type;
    if (!path)
        return -1;
    value->text = arena_strdup(&rd->inv->arena, path);
    free(path);
    return 0;
}

int parse_path_or_none(struct reading *rd, const struct key_type *type,
                       const char *text, struct value *value, struct err *err)
{
    if (strcmp(text, "none") == 0)
        return 0;
    return parse_path(rd, type, text, value, err);
}

int parse_identity(struct reading *rd, const struct key_type *type,
                   const char *text, struct value *value, struct err *err)
{
    if (parse_path(rd, type, text, value, err) < 0)
        return -1;
    if (access(value->text, R_OK) < 0)
        return err_errno(err, CAUSE_INPUT, "%s", value->text);
    return 0;
}

/* {cluster} is filled in later; any other brace is a slip of the pen. */
int parse_ca_path(struct reading *rd, const struct key_type *type,
                  const char *text, struct value *value, struct err *err)
{
    static const char mark[] = "{cluster}";

    for (const char *p = text; (p = strpbrk(p, "{}")) != NULL;) {
        if (strncmp(p, mark, sizeof(mark) - 1) != 0)
            return err_set(err, CAUSE_INPUT, "only {cluster} is filled in");
        p += sizeof(mark) - 1;
    }
    return parse_path(rd, type, text, value, err);
}

/* The program is a path: nothing is looked up in $PATH, which is another one
 * for each who calls. */
int parse_command(struct reading *rd, const struct key_type *type,
                  const char *text, struct value *value, struct err *err)
{
    const char **words = words_split(&rd->inv->arena, text, err);
    char *path;

    (void)type;
    if (!words)
        return -1;
    if (!strchr(words[0], '/'))
        return err_set(err, CAUSE_INPUT,
                       "the program's path is wanted, with a slash in it");
    path = path_expand(rd->inv->folder, words[0], err);
    if (!path)
        return -1;
    words[0] = arena_strdup(&rd->inv->arena, path);
    free(path);
    value->list = words;
    return 0;
}

/* What libpq makes of it is known when it is used; a password in it is never
 * repeated. */
int parse_store(struct reading *rd, const struct key_type *type,
                const char *text, struct value *value, struct err *err)
{
    const char *rest = strstr(text, "://"), *at;

    if (!rest || (strncmp(text, "postgresql", (size_t)(rest - text)) != 0 &&
                  strncmp(text, "postgres", (size_t)(rest - text)) != 0))
        return err_set(err, CAUSE_INPUT,
                       "it begins with postgresql:// (left out: SQLite in "
                       "state_dir)");
    rest += 3;
    at = rest + strcspn(rest, "@/?");
    if ((*at == '@' && memchr(rest, ':', (size_t)(at - rest))) ||
        strstr(rest, "password="))
        return err_set(err, CAUSE_INPUT,
                       "a password does not belong into the URL: "
                       "store_password = env:NAME | file:PATH | ..., or "
                       "libpq's ~/.pgpass");
    return parse_text(rd, type, text, value, err);
}

int parse_secret(struct reading *rd, const struct key_type *type,
                 const char *text, struct value *value, struct err *err)
{
    if (secret_ref_check(text, err) < 0)
        return -1;
    return parse_text(rd, type, text, value, err);
}

/* Also what may stand in a command of a node: core/run checks again. */
int parse_address(struct reading *rd, const struct key_type *type,
                  const char *text, struct value *value, struct err *err)
{
    static const char rule[] = "a name or an IP address without blanks and "
                               "brackets is wanted";

    if (text[0] == '-')
        return err_set(err, CAUSE_INPUT, "%s", rule);
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr(".:_-%", *p))
            return err_set(err, CAUSE_INPUT, "%s", rule);
    return parse_text(rd, type, text, value, err);
}

/* What goes out in commands, as an argument without quotes: core/run's table of
 * commands takes nothing else.  Behind it, or NULL. */
static const char *skip_plain(const char *p)
{
    const char *begin = p;

    while (isalnum((unsigned char)*p) || (*p && strchr(".:_-", *p)))
        p++;
    return p > begin && *begin != '-' ? p : NULL;
}

int parse_plain_word(struct reading *rd, const struct key_type *type,
                     const char *text, struct value *value, struct err *err)
{
    const char *end = skip_plain(text);

    if (!end || *end)
        return err_set(err, CAUSE_INPUT,
                       "one word of letters, digits and .:_- is wanted");
    return parse_text(rd, type, text, value, err);
}

int parse_ca_config(struct reading *rd, const struct key_type *type,
                    const char *text, struct value *value, struct err *err)
{
    const char *end = skip_plain(text);

    if (strchr(text, ' '))
        return err_set(err, CAUSE_INPUT,
                       "a CA whose name has blanks cannot be asked: it would "
                       "need quotes, which the shells of a Windows login take "
                       "in different ways");
    end = end && *end == '\\' ? skip_plain(end + 1) : NULL;
    if (!end || *end)
        return err_set(err, CAUSE_INPUT,
                       "HOST\\CA is wanted, each of letters, digits and .:_-");
    return parse_text(rd, type, text, value, err);
}

int parse_user(struct reading *rd, const struct key_type *type,
               const char *text, struct value *value, struct err *err)
{
    if (text[0] == '-' || strpbrk(text, " \t"))
        return err_set(err, CAUSE_INPUT,
                       "a login name without blanks is wanted");
    return parse_text(rd, type, text, value, err);
}

/* Words between blanks or commas. */
int parse_list(struct reading *rd, const struct key_type *type,
               const char *text, struct value *value, struct err *err)
{
    static const char between[] = " \t,";
    struct arena *arena = &rd->inv->arena;
    const char **list;
    size_t n = 0;

    (void)type;
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr(".:_-* \t,", *p))
            return err_set(err, CAUSE_INPUT,
                           "words between blanks or commas are wanted");
    list = arena_alloc(arena, (strlen(text) / 2 + 2) * sizeof(*list));
    for (const char *p = text + strspn(text, between); *p;) {
        size_t len = strcspn(p, between);
        list[n++] = arena_strndup(arena, p, len);
        p += len;
        p += strspn(p, between);
    }
    value->list = list;
    return n > 0 ? 0 : err_set(err, CAUSE_INPUT, "no word in it");
}

/* The last of 43 digits holds four bits: its lower two must be zero. */
int parse_host_key(struct reading *rd, const struct key_type *type,
                   const char *text, struct value *value, struct err *err)
{
    static const char head[] = "SHA256:";
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    const char *pin = text + sizeof(head) - 1;
    size_t len;

    (void)type;
    if (strncmp(text, head, sizeof(head) - 1) != 0)
        return err_set(err, CAUSE_INPUT,
                       "a pin begins with SHA256:, as ssh-keygen -l shows it");
    len = strspn(pin, digits);
    if (len != PIN_DIGITS || (pin[len] != '\0' && strcmp(pin + len, "=") != 0))
        return err_set(
            err, CAUSE_INPUT,
            "%d base64 digits are wanted behind SHA256:", PIN_DIGITS);
    if ((strchr(digits, pin[len - 1]) - digits) % 4 != 0)
        return err_set(err, CAUSE_INPUT, "its last digit cannot be right");
    value->text =
        arena_strndup(&rd->inv->arena, text, sizeof(head) - 1 + PIN_DIGITS);
    return 0;
}

/* One NAME=VALUE; what names there are is for core/pki to know. */
static int check_rdn(const char *p, size_t len, struct err *err)
{
    const char *equals = memchr(p, '=', len);
    size_t name = equals ? (size_t)(equals - p) : 0;

    for (size_t i = 0; i < name; i++)
        if (!isalnum((unsigned char)p[i]) && p[i] != '.')
            name = 0;
    if (name == 0 || name + 1 == len)
        return err_set(err, CAUSE_INPUT,
                       "KEY=VALUE between commas is wanted, as in "
                       "O=Example Inc.,C=GB");
    if (name == 2 && strncasecmp(p, "CN", 2) == 0)
        return err_set(err, CAUSE_INPUT,
                       "the common name is not free: it is the first database "
                       "node's name, and `postgres' for clients");
    if (name == 1 && (*p == 'C' || *p == 'c') && len != 4)
        return err_set(err, CAUSE_INPUT, "C takes a code of two letters");
    return 0;
}

int parse_subject(struct reading *rd, const struct key_type *type,
                  const char *text, struct value *value, struct err *err)
{
    for (const char *p = text; p; p = *p ? p + 1 : NULL) {
        size_t len = 0;
        p += strspn(p, " ");
        while (p[len] && p[len] != ',')
            len += p[len] == '\\' && p[len + 1] ? 2 : 1;
        if (check_rdn(p, len, err) < 0)
            return -1;
        p += len;
    }
    return parse_text(rd, type, text, value, err);
}
