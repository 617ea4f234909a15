/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/peers_bed.h - what the peers must be told of the servers, as
 * files: configurations, hosts, five files to push.
 */
#ifndef CERTFLEET_BENCH_PEERS_BED_H
#define CERTFLEET_BENCH_PEERS_BED_H

struct bed {
    const char *dir, *base, *user; /* a server's: not ours */
    unsigned nodes;
    char *hosts; /* all addresses, by commas; bed_release */
};

/* Writes into `dir`, and sets the environment of what is started then. */
void bed_init(struct bed *bed);
/* Only the first so many nodes from now on. */
void bed_take(struct bed *bed, unsigned nodes);
void bed_release(struct bed *bed);

/* Empty folders for ansible's copies: what is there already it leaves. */
void bed_renew_copies(const struct bed *bed);
/* The word with {dir} and {hosts} filled in; the caller frees. */
char *bed_filled(const struct bed *bed, const char *word);

#endif
