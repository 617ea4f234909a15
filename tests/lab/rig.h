/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/rig.h - for tests: a lab in a process of its own, in a folder of
 * its own, talked to through its control socket and by OpenSSH's clients.
 *
 * Every wait has a deadline (RIG_DEADLINE_MS); a broken rig prints why and
 * aborts: a test has nothing to decide then.  Not linked with the lab itself.
 */
#ifndef CERTFLEET_LAB_RIG_H
#define CERTFLEET_LAB_RIG_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
    RIG_DEADLINE_MS = 30000
};

struct rig {
    char *dir;  /* made, and removed by rig_stop */
    char *base; /* first address: 127.X.Y.1, of this process alone */
    pid_t pid;
    int in, out; /* its standard input (its life line) and output */
};

/* Where tests work: $TMPDIR, else /tmp. */
const char *rig_place(void);

/* `args` are further arguments, NULL-ended ("--make", "3+2" ...); without
 * --make the last one is a lab.ini and `dir` must be given.  The lab ends
 * when this process does (--until-eof). */
struct rig *rig_start(const char *program, const char *const *args);
/* 0 and the verdict (the caller decrefs), or the lab's exit code. */
int rig_stop(struct rig *rig, json_t **verdict);

/* Any other program (found in PATH), standard input empty; its exit code. */
int rig_run(const char *const *argv);

/* One control command; the whole answer.  Never NULL. */
json_t *rig_ask(struct rig *rig, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool rig_do(struct rig *rig, const char *fmt, ...) /* its "ok" */
    __attribute__((format(printf, 2, 3)));

/* The n-th address of the lab (1: the first node). */
void rig_address(const struct rig *rig, unsigned n, char text[16]);

/* ssh ADDRESS COMMAND with the identity; what it printed (free it), and its
 * exit code. */
char *rig_ssh(struct rig *rig, unsigned node, const char *command, int *code);
/* The same in a shell with a pty: types `command`, waits for the question,
 * types `answer`, waits for the prompt, leaves; sooner when it is cut. */
char *rig_dialog(struct rig *rig, unsigned node, const char *command,
                 const char *answer);
/* sftp -b with these lines; its exit code. */
int rig_sftp(struct rig *rig, unsigned node, const char *batch);
/* ssh with a password (through SSH_ASKPASS); its exit code. */
int rig_login(struct rig *rig, unsigned node, const char *method,
              const char *password);

#endif
