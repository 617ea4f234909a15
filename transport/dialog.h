/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/dialog.h - a person at a prompt, as a machine without I/O.
 *
 * It is fed what a shell on a terminal prints, cut anywhere, and says what
 * to type.  It knows no channel, no clock and no libssh: its driver tells it
 * when nothing came for the time that it asked for.
 *
 *     dialog_init(&d, rules, cap);
 *     ... dialog_feed(&d, bytes, n)      whatever came
 *     ... dialog_quiet(&d)               when nothing came for
 *                                        dialog_quiet_ms(&d) (0: never call)
 *     p = dialog_output(&d, &n); dialog_sent(&d, n);    after each of these
 *     dialog_state(&d): DIALOG_READY: dialog_command(&d, "...", confirm),
 *     and when it is READY again the answer stands in dialog_answer().
 *     dialog_release(&d);
 *
 * A prompt counts only at the end of all that came, and when nothing follows
 * it: output may hold the prompt's words too, and a prompt may arrive in
 * pieces (facts/cms.md 1.3).  At the login a banner may look like a prompt:
 * empty lines are typed until the answer to one is the same last line twice.
 * That line is then known, and waiting for it takes DIALOG_SETTLE_MS only.
 */
#ifndef CERTFLEET_TRANSPORT_DIALOG_H
#define CERTFLEET_TRANSPORT_DIALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/link.h"

struct dialog_rules; /* a dialect's patterns, compiled; shared by dialogs */

/* NULL: a pattern is no regular expression (CAUSE_SYSTEM: our own table). */
struct dialog_rules *dialog_rules_new(const struct link_dialect *dialect,
                                      struct err *err);
void dialog_rules_free(struct dialog_rules *rules);
bool dialog_is_password_change(const struct dialog_rules *rules,
                               const char *text);

enum {
    DIALOG_SETTLE_MS = 10,    /* after the known prompt */
    DIALOG_LOGIN_MS = 20,     /* after what looks like the first one */
    DIALOG_DOUBT_MS = 200,    /* after what only looks like one */
    DIALOG_ASKED_MS = 50,     /* after a question: its rest may follow */
    DIALOG_SILENT_MS = 1500,  /* at the login without any prompt */
    DIALOG_STUCK_MS = 1000,   /* after a question that is not ours to answer */
    DIALOG_PROMPT_MAX = 200,  /* bytes of a prompt */
    DIALOG_SYNC_MAX = 5,      /* empty lines typed at a login */
    DIALOG_BANNER_MAX = 65536 /* bytes before the first prompt */
};

enum dialog_state {
    DIALOG_LOGIN,  /* waits for the first prompt */
    DIALOG_READY,  /* at the prompt */
    DIALOG_BUSY,   /* a command is running */
    DIALOG_FAILED, /* see dialog_failure; nothing more is typed */
};

enum dialog_failure {
    DIALOG_NO_PROMPT,    /* the login shows none */
    DIALOG_NEW_PASSWORD, /* the login asks for a new password */
    DIALOG_TOO_LONG,     /* more output than the cap */
    DIALOG_QUESTION,     /* it asks what nobody said how to answer */
};

/* How the bytes of a terminal are read. */
enum dialog_scan {
    DIALOG_SCAN_TEXT,
    DIALOG_SCAN_ESC,
    DIALOG_SCAN_CSI,
    DIALOG_SCAN_STRING, /* OSC, DCS ...: until BEL or ESC \ */
    DIALOG_SCAN_STRING_ESC,
    DIALOG_SCAN_SKIP, /* one more byte: character sets */
};

struct dialog { /* private, but for its storage */
    const struct dialog_rules *rules;
    enum dialog_state state;
    enum dialog_failure failure;
    enum dialog_scan scan;
    bool cr;            /* a carriage return, and not yet what follows it */
    bool knows;         /* `prompt` is known */
    bool echoes;        /* Enter was answered with a new line */
    bool confirm;       /* the running command may be answered */
    bool confirmed;     /* it was */
    const char *answer; /* with this */
    const char *paste;  /* what is left of it; NULL: none */
    bool pasting;
    size_t pasted_at; /* text before this was there when the line was typed */
    unsigned synced;  /* empty lines typed */
    size_t asked_at;  /* text before this was there when we answered */
    struct str text;  /* what came since the last thing typed at the prompt */
    struct str out;   /* to be typed */
    struct str command;
    struct str prompt;
};

void dialog_init(struct dialog *d, const struct dialog_rules *rules,
                 size_t output_cap);
void dialog_release(struct dialog *d);

void dialog_feed(struct dialog *d, const void *data, size_t len);
void dialog_quiet(struct dialog *d);
unsigned dialog_quiet_ms(const struct dialog *d);

enum dialog_state dialog_state(const struct dialog *d);
/* For the next command alone; both outlive it.  `answer` NULL: the dialect's.
 * `paste`, NULL or lines, is typed when the node asks for a text: a line at a
 * time, the next when the node has shown that one (a slow terminal loses what
 * is typed ahead), a blank one last. */
void dialog_offer(struct dialog *d, const char *answer, const char *paste);
/* Only in DIALOG_READY. */
void dialog_command(struct dialog *d, const char *text, bool confirm);

const char *dialog_output(const struct dialog *d, size_t *len);
void dialog_sent(struct dialog *d, size_t n);

/* In DIALOG_READY after a command: its output, without echo and prompt, ends
 * of lines as \n, without escape sequences.  Valid until the next call. */
const char *dialog_answer(const struct dialog *d, size_t *len);
bool dialog_was_confirmed(const struct dialog *d);

/* In DIALOG_FAILED. */
enum dialog_failure dialog_failure(const struct dialog *d);
const char *dialog_failure_text(const struct dialog *d);

#endif
