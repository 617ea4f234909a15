/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of faults and the list of those that are set.
 */
#include "tests/lab/faults.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/record.h"

struct kind {
    const char *name, *help;
};

/* clang-format off */
static const struct kind kinds[F_KINDS] = {
    [F_REFUSE] = { "refuse", "connection closed as soon as it is accepted" },
    [F_STALL] = { "stall", "connection accepted, not a byte is sent" },
    [F_HOST_KEY] = { "other-host-key", "another host key is shown" },
    [F_AUTH_LOST] = { "auth-lost", "every login is refused" },
    [F_PASSWORD_EXPIRED] = { "password-expired",
                             "the session asks for a new password" },
    [F_SLOW_LOGIN] = { "slow-login", "the key exchange starts MS late" },
    [F_CHANNEL_REFUSED] = { "channel-refused", "no channel is opened" },
    [F_DROP_BEFORE] = { "drop-before", "cut, the command was not acted on" },
    [F_DROP_ASKED] = { "drop-asked", "cut when the question was shown" },
    [F_DROP_DURING] = { "drop-during", "acted on, cut before the answer" },
    [F_DROP_HALF] = { "drop-half", "acted on, cut in the middle of it" },
    [F_DROP_AFTER] = { "drop-after", "acted on, answered, cut" },
    [F_NO_REPLY] = { "no-reply", "swallowed: not acted on, no answer" },
    [F_NO_ANSWER] = { "no-answer", "acted on, no answer" },
    [F_FAIL] = { "fail", "a FAILURE line, not acted on" },
    [F_FAIL_ASYNC] = { "fail-async", "starts, ends (Failed) in Error; a service stays down; a Windows tool has done nothing, and ends with 0" },
    [F_SLOW] = { "slow", "the answer comes MS late" },
    [F_SLOW_ASYNC] = { "slow-async", "the operation takes MS more" },
    [F_GARBLE] = { "garble", "escape sequences and noise in the answer" },
    [F_TORN] = { "torn", "half of the answer, ended as if it were whole" },
    [F_PROMPT_INSIDE] = { "prompt-inside", "the prompt within the answer" },
    [F_UNKNOWN_COMMAND] = { "unknown-command", "as if it did not exist" },
    [F_REBOOT_BEFORE] = { "reboot-before", "reboots for MS, not acted on" },
    [F_REBOOT_DURING] = { "reboot-during", "acted on, reboots for MS" },
    [F_HOLD_BEFORE] = { "hold-before", "waits for `release`, then acts" },
    [F_HOLD_AFTER] = { "hold-after", "acts, waits for `release`, answers" },
    [F_FORGE] = { "forge", "SUCCESS and a prompt, not acted on" },
    [F_STEER] = { "steer", "a FAILURE that would steer a terminal" },
    [F_ENDLESS] = { "endless", "not acted on, output without an end" },
    [F_NO_PROMPT] = { "no-prompt", "the shell never shows a prompt" },
    [F_SFTP_FAIL] = { "sftp-fail", "SSH_FX_FAILURE" },
    [F_SFTP_DROP_BEFORE] = { "sftp-drop-before", "cut, not acted on" },
    [F_SFTP_DROP_AFTER] = { "sftp-drop-after", "acted on, cut" },
    [F_SFTP_NO_REPLY] = { "sftp-no-reply", "acted on, no answer" },
    [F_SFTP_SLOW] = { "sftp-slow", "the answer comes MS late" },
    [F_DISK_FULL] = { "disk-full", "writes: no space left" },
    [F_SHORT_WRITE] = { "short-write", "half is written, OK is answered" },
    [F_CORRUPT] = { "corrupt", "a byte written differs, OK is answered" },
    [F_SFTP_HUGE] = { "sftp-huge", "2 GB to be read, or said to be there" },
    [F_SFTP_LONG] = { "sftp-long", "an answer that says it has 4 GB" },
    [F_SFTP_WRONG_ID] = { "sftp-wrong-id", "an answer to another question" },
    [F_SFTP_ATTRS] = { "sftp-attrs", "attributes, 4 billion of them" },
    [F_SFTP_NAMES] = { "sftp-names", "a list of names that nobody has" },
    [F_SFTP_ENDLESS] = { "sftp-endless", "a list without an end" },
    [F_SFTP_WORDS] = { "sftp-words", "a status whose words steer" },
};
/* clang-format on */

const char *fault_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

const char *fault_help(enum fault_kind kind)
{
    return kinds[kind].help;
}

int fault_kind(const char *name)
{
    for (int i = 0; i < F_KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return i;
    return -1;
}

struct faults *faults_new(struct lab *lab)
{
    struct faults *f = lab_calloc(1, sizeof(*f));

    f->lab = lab;
    return f;
}

static void free_fault(struct fault *f)
{
    free(f->node);
    free(f->subject);
    free(f);
}

unsigned faults_add(struct faults *faults, const struct fault *spec)
{
    struct fault *f = lab_calloc(1, sizeof(*f)), **p = &faults->list;

    *f = *spec;
    f->next = NULL;
    f->node = lab_strdup(spec->node);
    f->subject = lab_strdup(spec->subject);
    f->id = ++faults->last_id;
    while (*p)
        p = &(*p)->next;
    *p = f;
    return f->id;
}

unsigned faults_clear(struct faults *faults, unsigned id)
{
    struct fault **p = &faults->list;
    unsigned n = 0;

    while (*p) {
        struct fault *f = *p;
        if (id && f->id != id) {
            p = &f->next;
            continue;
        }
        *p = f->next;
        free_fault(f);
        n++;
    }
    return n;
}

void faults_free(struct faults *faults)
{
    if (!faults)
        return;
    faults_clear(faults, 0);
    free(faults);
}

/* Cleared ones have struck, too: nobody clears what he still waits for. */
static bool is_armed(const struct faults *faults, const struct fault *f)
{
    for (const struct fault *g = faults->list; f->after && g; g = g->next)
        if (g->id == f->after)
            return g->hits > 0;
    return true;
}

const struct fault *faults_match(struct lab_node *node, enum fault_kind kind,
                                 const char *subject)
{
    for (struct fault *f = node->lab->faults->list; f; f = f->next) {
        if (f->kind != kind || fnmatch(f->node, node->name, 0) != 0 ||
            fnmatch(f->subject, subject, 0) != 0 ||
            !is_armed(node->lab->faults, f))
            continue;
        f->seen++;
        if (f->nth != 0 && f->seen != f->nth)
            continue;
        f->hits++;
        lab_changed(node->lab);
        return f;
    }
    return NULL;
}
