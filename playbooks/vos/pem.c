/* SPDX-License-Identifier: Apache-2.0
 *
 * PEM blocks out of what a node printed or answered.
 */
#include "playbooks/vos/pem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    COLUMNS = 64
};

static bool is_base64(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=';
}

/* The same bytes are the same text, however they were broken into lines. */
static int add_base64(const char *p, const char *stop, struct str *out)
{
    size_t column = 0;

    for (; p < stop; p++) {
        if (strchr(" \t\r\n", *p))
            continue;
        if (!is_base64(*p))
            return -1;
        str_addc(out, *p);
        if (++column % COLUMNS == 0)
            str_addc(out, '\n');
    }
    if (column % COLUMNS)
        str_addc(out, '\n');
    return column ? 0 : -1;
}

const char *vos_pem_next(const char *text, const char *label, struct str *out)
{
    char begin[80], end[80];
    const char *p, *stop;

    snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
    snprintf(end, sizeof(end), "-----END %s-----", label);
    p = strstr(text, begin);
    stop = p ? strstr(p, end) : NULL;
    if (!stop)
        return NULL;
    str_addf(out, "%s\n", begin);
    if (add_base64(p + strlen(begin), stop, out) < 0 ||
        str_addf(out, "%s\n", end) < 0)
        return NULL;
    return stop + strlen(end);
}

int vos_pem(const char *text, const char *label, struct str *out)
{
    return vos_pem_next(text, label, out) ? 0 : -1;
}
