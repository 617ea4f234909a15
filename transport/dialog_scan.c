/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/dialog_scan.c - a terminal's bytes as plain lines.
 *
 * Escape sequences go, \r\n becomes \n, and a carriage return alone ends
 * the line too, unless it is empty: what it would overwrite might be the
 * FAILURE line.  It must not know prompts.
 */
#include "transport/dialog_priv.h"

static void backspace(struct dialog *d)
{
    const char *text = str_text(&d->text);

    if (d->text.len > 0 && text[d->text.len - 1] != '\n') {
        d->text.len--;
        d->text.data[d->text.len] = '\0';
    }
}

static bool is_line_empty(const struct dialog *d)
{
    return d->text.len == 0 || d->text.data[d->text.len - 1] == '\n';
}

static void scan_text(struct dialog *d, unsigned char c)
{
    bool cr = d->cr;

    if (c == '\r') {
        d->cr = true;
        return;
    }
    if (c == 0x1b) { /* it may stand between \r and \n */
        d->scan = DIALOG_SCAN_ESC;
        return;
    }
    d->cr = false;
    if (c == '\n') {
        str_addc(&d->text, '\n');
        return;
    }
    if (c != '\t' && c != '\b' && (c < 0x20 || c == 0x7f))
        return;
    if (cr && !is_line_empty(d))
        str_addc(&d->text, '\n');
    if (c == '\b')
        backspace(d);
    else
        str_addc(&d->text, (char)c);
}

static void scan_esc(struct dialog *d, unsigned char c)
{
    if (c == '[')
        d->scan = DIALOG_SCAN_CSI;
    else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
        d->scan = DIALOG_SCAN_STRING;
    else if (c >= 0x20 && c <= 0x2f)
        d->scan = DIALOG_SCAN_SKIP;
    else if (c != 0x1b)
        d->scan = DIALOG_SCAN_TEXT;
}

/* A control character inside a sequence ends our patience with it: a node
 * must not be able to swallow its own output for ever. */
static void scan_csi(struct dialog *d, unsigned char c)
{
    if (c >= 0x20 && c < 0x40)
        return;
    d->scan = DIALOG_SCAN_TEXT;
    if (c < 0x20)
        scan_text(d, c);
}

static void scan_string(struct dialog *d, unsigned char c)
{
    if (c == 0x1b) {
        d->scan = DIALOG_SCAN_STRING_ESC;
    } else if (c == 0x07) {
        d->scan = DIALOG_SCAN_TEXT;
    } else if (c == '\n' || c == '\r') {
        d->scan = DIALOG_SCAN_TEXT;
        scan_text(d, c);
    }
}

static void scan_one(struct dialog *d, unsigned char c)
{
    switch (d->scan) {
    case DIALOG_SCAN_TEXT:
        scan_text(d, c);
        break;
    case DIALOG_SCAN_ESC:
        scan_esc(d, c);
        break;
    case DIALOG_SCAN_CSI:
        scan_csi(d, c);
        break;
    case DIALOG_SCAN_STRING:
        scan_string(d, c);
        break;
    case DIALOG_SCAN_STRING_ESC:
        d->scan = DIALOG_SCAN_TEXT;
        if (c != '\\')
            scan_esc(d, c);
        break;
    case DIALOG_SCAN_SKIP:
        d->scan = DIALOG_SCAN_TEXT;
        break;
    }
}

void dialog_scan(struct dialog *d, const unsigned char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        scan_one(d, data[i]);
}
