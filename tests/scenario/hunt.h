/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/hunt.h - looks for secrets wherever a run leaves traces.
 *
 * What is kept is looked for as it stands and as the first bytes of it would
 * look in hex, in base64 (at each of its three alignments), escaped for JSON
 * and as %XX.  Of a private key the secret number itself is kept, so that no
 * armour hides it.  Each look fails the test and says where, what and in which
 * form; `hunt_looks` counts, so that a test can tell that it has looked at all.
 */
#ifndef CERTFLEET_SCENARIO_HUNT_H
#define CERTFLEET_SCENARIO_HUNT_H

#include "tests/scenario/bed.h"

struct hunt_looks {
    unsigned command_lines, environments, files;
};
extern struct hunt_looks hunt_looks;

/* Forgets all; keeps the lab's password and the head of any private key. */
void hunt_start(struct bed *bed);
void hunt_keep(const char *what, const void *bytes, size_t len);
void hunt_keep_word(const char *what, const char *word);
/* A PEM file in the bed's folder; `password` of it or NULL. */
void hunt_keep_key(struct bed *bed, const char *name, const char *password);
/* One that ssh-keygen made, ed25519, without a passphrase. */
void hunt_keep_identity(struct bed *bed, const char *name);

/* "hex of password"; NULL: nothing was found. */
const char *hunt_found(const void *bytes, size_t len);

/* Command line and environment of it and of all that it has started. */
void hunt_processes(pid_t run);
/* The state folder: every file 0600, every folder 0700, and secrets only in
 * the keys of generations and in backups. */
void hunt_state(struct bed *bed);
/* One file, a secret by its nature or not. */
void hunt_file(struct bed *bed, const char *name);
/* Every other file in the bed's folder, but those that are secrets by their
 * nature: keys, passwords, the lab's own folder of certificates. */
void hunt_folder(struct bed *bed);
/* All that any certfleet has printed. */
void hunt_outputs(struct bed *bed);
/* What the lab has recorded: commands, files' names, logins, violations. */
void hunt_lab(struct bed *bed);
void hunt_everywhere(struct bed *bed); /* the four above */

#endif
