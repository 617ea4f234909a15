/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, certificates, and the few commands that all these scenarios type.
 */
#include "tests/scenario/approval.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void be_script(struct bed *bed, const char *script)
{
    char *argv[] = {(char *)"sh", (char *)"-ec", (char *)(uintptr_t)script,
                    NULL};

    if (chdir(bed->dir) < 0)
        _exit(126);
    unsetenv("SSH_AUTH_SOCK");
    execv("/bin/sh", argv);
    _exit(127);
}

void approval_script(struct bed *bed, const char *script)
{
    pid_t pid = fork();
    int status = 0;

    assert_true(pid >= 0);
    if (pid == 0)
        be_script(bed, script);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("script ended with %d: %s", status, script);
}

void approval_people(struct bed *bed, unsigned wanted)
{
    approval_script(bed,
                    "for name in alice bob mallory; do\n"
                    "    ssh-keygen -q -t ed25519 -N '' -C $name -f $name\n"
                    "done\n"
                    "{ printf 'alice@example.com '; cat alice.pub\n"
                    "  printf 'bob '; cat bob.pub; } >approvers\n");
    bed_inventory(bed, "cluster lab",
                  arena_printf(&bed->arena,
                               "approvals = %u\napprovers = approvers",
                               wanted));
}

void approval_certificates(struct bed *bed)
{
    approval_script(bed,
                    "ca() { openssl req -x509 -newkey ec -pkeyopt "
                    "ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.crt "
                    "-days 30 -subj \"/CN=$1\" 2>log; }\n"
                    "person() { # CA NAME EXTENSIONS [DAYS]\n"
                    "    openssl req -new -newkey ec -pkeyopt "
                    "ec_paramgen_curve:P-256 -nodes -keyout $2.key -out $2.csr "
                    "-subj \"/CN=$2\" 2>log\n"
                    "    printf '%b' \"$3\" >ext\n"
                    "    openssl x509 -req -in $2.csr -CA $1.crt -CAkey $1.key "
                    "-set_serial 0x$(openssl rand -hex 8) -days ${4:-20} "
                    "-extfile ext -out $2.crt 2>log\n"
                    "}\n"
                    "mail='extendedKeyUsage=emailProtection\\n'\n"
                    "ca people; ca strangers\n"
                    "person people carol "
                    "\"${mail}subjectAltName=email:carol@example.com\"\n"
                    "person people dave \"$mail\"\n"
                    "person people server 'extendedKeyUsage=serverAuth'\n"
                    "person people stale \"$mail\" -1\n"
                    "person strangers eve \"$mail\"\n");
    bed_inventory(bed, "cluster lab", "approver_ca = people.crt");
}

void approval_plan(struct bed *bed)
{
    struct bed_run *run = bed_do(bed, "plan cms/db-rotate lab -o lab.plan");

    bed_ends(run, 0, "ok");
    assert_non_null(strstr(bed_text(bed_result(run), "next"), " approve "));
}

struct bed_run *approval_by(struct bed *bed, const char *words)
{
    return bed_do(bed, "approve lab.plan --yes %s", words);
}

void approval_refuses(struct bed *bed, const char *word)
{
    struct bed_run *run = bed_do(bed, "apply --plan lab.plan --yes");

    bed_ends(run, 5, "refused");
    if (!bed_said(run, word))
        fail_msg("not said: %s; but: %s", word, str_text(&run->err_text));
    bed_is_untouched(bed, "lab", "core1");
}
