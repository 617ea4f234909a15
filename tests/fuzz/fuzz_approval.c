/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies beside a plan, and who may sign: FILE.sig, and a file of
 * approvers.  Whatever they hold, nothing of it counts that nobody signed.
 */
#include <string.h>

#include "core/fleet/approvers.h"
#include "core/run/approval.h"
#include "tests/fuzz/fuzz.h"

#define ZEROS "00000000000000000000000000000000"

static void check_approvers(struct input in)
{
    struct approvers approvers;
    struct err err = {0};
    struct arena arena;

    arena_init(&arena);
    if (approvers_read(&arena, fuzz_file(in), &approvers, &err) < 0)
        must(err.cause == CAUSE_INPUT && err.text[0]);
    else
        must(approvers.n > 0);
    for (size_t i = 0; i < approvers.n && err.cause == CAUSE_NONE; i++) {
        const struct approver_line *line = &approvers.list[i];

        must(line->line > 0 && *line->principals && *line->blob);
        must(line->authority || !strpbrk(line->principals, "*?!"));
    }
    arena_release(&arena);
}

static void check_one(struct approval *a, struct arena *arena)
{
    const char *key = approval_ssh_key(a->signature, arena);
    struct str line;

    must(!key || strlen(key) == strlen("SHA256:") + 43);
    must(approval_time(a->time) < 0 ||
         strlen(a->time) == APPROVAL_TIME_BYTES - 1);
    if (a->why)
        return;
    str_init(&line, 1 << 20);
    approval_line(a, &line);
    must(line.len > 0 &&
         strchr(str_text(&line), '\n') == str_text(&line) + line.len - 1);
    str_release(&line);
}

/* Without a file of approvers no program is asked, and without a CA none. */
static void check_signatures(struct input in)
{
    const struct cluster cluster = {
        .name = "lab", .approvals = 1, .approval_days = 7};
    const struct approval_plan plan = {.plan_sha256 = ZEROS ZEROS,
                                       .file_sha256 = ZEROS ZEROS};
    struct approvals all;
    struct err err = {0};
    struct arena arena;
    const struct approval_case of = {&plan, &cluster, 1795867200, &arena};

    arena_init(&arena);
    approvals_read((const char *)in.p, in.left, &arena, &all);
    must(all.n <= APPROVALS_MAX);
    for (size_t i = 0; i < all.n; i++)
        check_one(&all.list[i], &arena);
    must(approvals_judge(&of, &all, &err) == 0);
    must(all.counted == 0);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    check_approvers(in);
    check_signatures(in);
    return 0;
}
