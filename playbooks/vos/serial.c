/* SPDX-License-Identifier: Apache-2.0
 *
 * A serial number in a text of unknown shape.
 */
#include "playbooks/vos/serial.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/str.h"

enum {
    SERIAL_LEAST = 8,
    HEX_BYTES = 64,
    DECIMAL_BYTES = 96 /* 63 hex digits are 76 decimal ones */
};
/* Without what parts digits; what is no digit of this base ends a number. */
static bool holds_digits(const char *text, size_t len, const char *digits,
                         int (*is_digit)(int))
{
    struct str plain;
    bool found;

    str_init(&plain, len + 2);
    for (size_t i = 0; i < len; i++)
        if (is_digit((unsigned char)text[i]))
            str_addc(&plain, (char)tolower((unsigned char)text[i]));
        else if (text[i] != ':' && text[i] != ' ')
            str_addc(&plain, '\n');
    found = strstr(str_text(&plain), digits) != NULL;
    str_release(&plain);
    return found;
}

static unsigned value_of(char digit)
{
    return isdigit((unsigned char)digit) ? (unsigned)(digit - '0')
                                         : (unsigned)(digit - 'a') + 10;
}

/* Schoolbook: lower-case hex digits in, decimal ones out. */
static void to_decimal(const char *hex, char decimal[DECIMAL_BYTES])
{
    unsigned char digits[DECIMAL_BYTES] = {0};
    size_t n = 1;

    for (; *hex; hex++) {
        unsigned carry = value_of(*hex);

        for (size_t i = 0; i < n; i++) {
            carry += digits[i] * 16U;
            digits[i] = (unsigned char)(carry % 10);
            carry /= 10;
        }
        for (; carry && n < DECIMAL_BYTES - 1; carry /= 10)
            digits[n++] = (unsigned char)(carry % 10);
    }
    for (size_t i = 0; i < n; i++)
        decimal[i] = (char)('0' + digits[n - 1 - i]);
    decimal[n] = '\0';
}

bool vos_holds_serial(const char *text, size_t len, const char *serial)
{
    char hex[HEX_BYTES], decimal[DECIMAL_BYTES];
    size_t n = 0;

    for (; n < sizeof(hex) - 1 && serial[n]; n++) {
        if (!isxdigit((unsigned char)serial[n]))
            return false;
        hex[n] = (char)tolower((unsigned char)serial[n]);
    }
    hex[n] = '\0';
    if (n < SERIAL_LEAST || serial[n])
        return false;
    to_decimal(hex, decimal);
    return holds_digits(text, len, hex, isxdigit) ||
           holds_digits(text, len, decimal, isdigit);
}

/* Behind the field's name, or NULL. */
static const char *skip_field(const char *p)
{
    static const char *const fields[] = {"Serial Number", "SerialNumber"};

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (strncasecmp(p, fields[i], strlen(fields[i])) == 0) {
            p += strlen(fields[i]);
            return p + strspn(p, " :");
        }
    return NULL;
}

static bool is_number(const char *p, const char *serial)
{
    p += strspn(p, "0: ");
    serial += strspn(serial, "0");
    for (; *serial; p++) {
        if (*p == ':' || *p == ' ')
            continue;
        if (tolower((unsigned char)*p) != tolower((unsigned char)*serial++))
            return false;
    }
    p += strspn(p, " \t\r");
    return *p == '\n' || *p == '\0';
}

bool vos_states_serial(const char *text, size_t len, const char *serial)
{
    char *copy = strndup(text, len);
    bool found = false;

    if (!copy)
        abort();
    for (const char *p = copy; *p && !found && serial[0]; p++) {
        const char *number = skip_field(p);

        found = number && is_number(number, serial);
    }
    free(copy);
    return found;
}
