/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/windows/windows.h - what products on Windows servers share: how a
 * command is sent by OpenSSH, and what Windows' own tools print.
 *
 * Windows translates its words (facts/uc.md 4.1, 7): nothing here reads any,
 * only digits, hexadecimal, and labels that sc.exe does not translate.
 */
#ifndef CERTFLEET_WINDOWS_WINDOWS_H
#define CERTFLEET_WINDOWS_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pki/pki.h"

/* OpenSSH's default shell is cmd.exe or PowerShell, as the registry says
 * (facts/uc.md 7).  This is the same command in both: PowerShell leaves %NAME%
 * alone, and a template has neither quotes nor `&', which the outer one could
 * take for its own (Win32-OpenSSH issue 1206). */
#define WIN_BEFORE "cmd /d /s /c \""
#define WIN_AFTER "\""

/* `certutil -hashfile FILE SHA256`: 64 digits on a line of their own, older
 * releases put blanks between the bytes.  False: there are none. */
bool win_hash(const char *text, size_t len, char hex[PKI_SHA256_HEX]);

enum win_state { /* the numbers are Windows' own */
    WIN_UNKNOWN,
    WIN_STOPPED,
    WIN_STARTING,
    WIN_STOPPING,
    WIN_RUNNING
};
/* `sc query NAME`; UNKNOWN: no such service, or paused, or odd words. */
enum win_state win_service(const char *text, size_t len);

/* `wmic os get localdatetime`: "20261129021500.123456+540", minutes east of
 * UTC; as UTF-16 too.  Seconds since 1970; false: it is not there. */
bool win_clock(const char *text, size_t len, int64_t *seconds);

/* A full path that needs no quotes: "C:\Cisco\CVP". */
bool win_is_plain_path(const char *path);

#endif
