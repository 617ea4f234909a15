/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/bed.h - OpenSSH's sshd for a test: a folder, keys, servers, an
 * agent, a user.  Everything ends with bed_free, by pid.  It knows nothing
 * of transport/.
 */
#ifndef CERTFLEET_TESTS_SSHD_BED_H
#define CERTFLEET_TESTS_SSHD_BED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    BED_WAIT_MS = 30000,
    BED_SERVERS_MAX = 8
};

struct bed_server {
    pid_t pid;
    unsigned port;
    char address[64];
    char host_key[128]; /* path of the public key, type ed25519 */
    char log[256];
};

struct bed {
    char dir[128];
    char user[64];   /* who runs us: logs in by key */
    char key[256];   /* that key: ed25519, no passphrase */
    char known[256]; /* known_hosts; see bed_trust */
    bool is_root;
    bool has_user; /* BED_USER exists: passwords can be tried */
    pid_t agent;
    char agent_socket[256];
    struct bed_server servers[BED_SERVERS_MAX];
    unsigned n_servers;
};

#define BED_USER "cf-sshd-test"
#define BED_PASSWORD "right-Horse-7"

/* NULL: no sshd or ssh-keygen here; says so. */
struct bed *bed_new(void);
void bed_free(struct bed *b); /* fails the test when a process is left */

/* BED_USER with BED_PASSWORD; false: says why not. */
bool bed_make_user(struct bed *b);

/* ssh-keygen: type "ed25519" or "rsa", passphrase "" for none.  The path of
 * the private key in `path`; allowed to log in. */
void bed_make_key(struct bed *b, const char *name, const char *type,
                  const char *passphrase, char path[256]);

/* The same, not allowed to log in. */
void bed_make_stranger(struct bed *b, const char *name, char path[256]);

/* Starts sshd at `address` (further ones separated by blanks); returns when
 * it listens.  `lines`: more configuration. */
struct bed_server *bed_serve(struct bed *b, const char *address,
                             const char *lines);
void bed_stop(struct bed_server *s);
/* Kills every process that the server started for its connections. */
unsigned bed_kill_sessions(const struct bed_server *s, int sig);
unsigned bed_count_log(const struct bed_server *s, const char *words);
/* Until the words stand in the log n times, or the test fails. */
void bed_wait_log(const struct bed_server *s, const char *words, unsigned n);

/* ssh-agent holding one key; SSH_AUTH_SOCK is not left set. */
void bed_start_agent(struct bed *b, const char *key_path);

/* `path` in the folder, for a file of the test. */
void bed_path(const struct bed *b, const char *name, char path[256]);
void bed_write(const char *path, const char *text);
char *bed_read(const char *path); /* the caller frees */
/* known_hosts with the server's key. */
void bed_trust(const struct bed_server *s, const char *known_hosts);
void bed_fingerprint(const struct bed_server *s, char print[128]);
/* Until the file exists, or the test fails. */
void bed_wait_file(const char *path);
/* Runs a program, its output thrown away; its exit code. */
int bed_run(char *const argv[]);
/* The same without waiting, output to a file; it ends when we do. */
pid_t bed_start(char *const argv[], const char *out);
/* The first line that a program prints; "" when it fails. */
void bed_first_line(char *const argv[], char *line, size_t room);
unsigned bed_free_port(const char *address);
unsigned bed_open_files(void); /* of this process */

#endif
