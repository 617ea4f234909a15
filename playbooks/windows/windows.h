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
#include "core/run/plan.h"

/* OpenSSH's default shell is cmd.exe or PowerShell, as the registry says
 * (facts/uc.md 7).  This is the same command in both: PowerShell leaves %NAME%
 * alone, and a template has neither quotes nor `&', which the outer one could
 * take for its own (Win32-OpenSSH issue 1206). */
#define WIN_BEFORE "cmd /d /s /c \""
#define WIN_AFTER "\""

/* Where a path has blanks it wants quotes, and then each shell wants its own
 * form (facts/uc.md 7): cmd.exe expands the name, PowerShell says it back. */
#define WIN_SHELL_QUESTION "echo %COMSPEC%"
extern const struct link_shell win_shells[];

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

struct win_clock {
    bool known;
    int64_t off_ms; /* of ours; below 0: it is behind */
};
enum {
    WIN_LISTED = 4096, /* files in the login's folder */
    WIN_NAME_BYTES = 64
};
struct win_node { /* a product's facts begin with it */
    struct facts base;
    struct win_clock clock;
    char (*listed)[WIN_NAME_BYTES]; /* what lies in the login's folder */
    size_t n_listed;
};
void win_node_release(struct win_node *node);
bool win_is_listed(const struct win_node *node, const char *name);
/* For the tables of reads. */
int win_clock_take(struct facts *facts, const struct read_file *about,
                   const struct link_result *result, struct err *err);
int win_list_take(struct facts *facts, const struct read_file *about,
                  const struct link_result *result, struct err *err);
/* Five minutes off is refused, as Kerberos does. */
void win_gate_clock(const struct win_node *node, const char *name,
                    struct findings *findings);
/* Names of ours that lie there are known, and a new generation is a later one
 * than theirs. */
void win_note_listed(struct plan_cluster *pc, size_t i);
int64_t win_behind_s(const struct plan_cluster *pc); /* product.behind_s */
/* MET when it runs.  `net start' waits: one that is stopped behind it has
 * failed. */
enum goal win_goal_runs(const struct view *view, enum win_state state,
                        const char *title, struct err *why);
/* "wsm-g7-3f9a.csr": how long is "wsm"?  0: it is no name of ours. */
size_t win_generation(const char *name, unsigned *generation);

/* `wmic os get localdatetime`: "20261129021500.123456+540", minutes east of
 * UTC; as UTF-16 too.  Seconds since 1970; false: it is not there. */
bool win_clock_parse(const char *text, size_t len, int64_t *seconds);

/* Forty hexadecimal digits, blanks between bytes or none, in lower case: a
 * certificate's thumbprint, its label translated or not, and with what
 * invisible characters around it (facts/uc.md 4.2, 10).  False: none are. */
bool win_thumbprint(const char *text, size_t len, char hex[PKI_SHA1_HEX]);
/* "{4dc3e181-e14b-4a21-b022-59fc669b0914}": the first such word. */
enum {
    WIN_GUID_BYTES = 39
};
bool win_guid(const char *text, size_t len, char guid[WIN_GUID_BYTES]);

/* A full path that needs no quotes: "C:\Cisco\CVP". */
bool win_is_plain_path(const char *path);

/* -- keytool (facts/uc.md 6) ----------------------------------------------- */

/* What its exit code does not tell: 0, or the line that says that it refused.
 */
int win_keytool_complains(const char *output, size_t len, struct err *err);

#endif
