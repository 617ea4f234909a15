/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/bed_keys.c - keys of users and hosts, and an agent.  It must
 * not know the code under test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sshd/bed.h"

static void allow_key(const struct bed *b, const char *path)
{
    char name[256], public_name[300];
    char *old, *more;
    FILE *f;

    snprintf(public_name, sizeof(public_name), "%s.pub", path);
    bed_path(b, "authorized", name);
    old = bed_read(name);
    more = bed_read(public_name);
    f = fopen(name, "we");
    assert_non_null(f);
    fprintf(f, "%s%s", old, more);
    fclose(f);
    free(old);
    free(more);
}

static void make_key(struct bed *b, const char *name, const char *type,
                     const char *passphrase, char path[256])
{
    char *argv[] = {"ssh-keygen",       "-q", "-t", (char *)type, "-N",
                    (char *)passphrase, "-f", path, NULL};

    bed_path(b, name, path);
    assert_int_equal(bed_run(argv), 0);
}

void bed_make_key(struct bed *b, const char *name, const char *type,
                  const char *passphrase, char path[256])
{
    make_key(b, name, type, passphrase, path);
    allow_key(b, path);
}

void bed_make_stranger(struct bed *b, const char *name, char path[256])
{
    make_key(b, name, "ed25519", "", path);
}

void bed_start_agent(struct bed *b, const char *key_path)
{
    char log[256];
    char *const agent[] = {"ssh-agent", "-D", "-a", b->agent_socket, NULL};
    char *const add[] = {"ssh-add", "-q", (char *)key_path, NULL};

    bed_path(b, "agent.sock", b->agent_socket);
    bed_path(b, "agent.log", log);
    b->agent = bed_start(agent, log);
    bed_wait_file(b->agent_socket);
    setenv("SSH_AUTH_SOCK", b->agent_socket, 1);
    assert_int_equal(bed_run(add), 0);
    unsetenv("SSH_AUTH_SOCK");
}

void bed_trust(const struct bed_server *s, const char *known_hosts)
{
    char *key = bed_read(s->host_key);
    char *old = bed_read(known_hosts);
    FILE *f = fopen(known_hosts, "we");

    assert_non_null(f);
    fprintf(f, "%s[%s]:%u %s", old, s->address, s->port, key);
    fclose(f);
    free(key);
    free(old);
}

void bed_fingerprint(const struct bed_server *s, char print[128])
{
    char *const list[] = {"ssh-keygen", "-l", "-f", (char *)s->host_key, NULL};
    char line[300];
    char *at;

    bed_first_line(list, line, sizeof(line));
    at = strstr(line, "SHA256:");
    assert_non_null(at);
    at[strcspn(at, " ")] = '\0';
    snprintf(print, 128, "%s", at);
}
