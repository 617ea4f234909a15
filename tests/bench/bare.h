/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/bench/bare.h - the five files of the bare loop, by hand-made packets
 * of SFTP version 3: OPEN all, WRITE and CLOSE on each handle.
 */
#ifndef CERTFLEET_BENCH_BARE_H
#define CERTFLEET_BENCH_BARE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    BARE_OUT = 32 * 1024, /* all five files and their packets */
    BARE_IN = 4096        /* answers are short */
};

struct bare_files {
    unsigned char out[BARE_OUT];
    size_t out_len, out_at;
    unsigned char in[BARE_IN];
    size_t in_len;
    unsigned written; /* files whose WRITE and CLOSE were acknowledged */
    bool failed;
};

void bare_files_begin(struct bare_files *f);
void bare_files_take(struct bare_files *f, const void *data, size_t len);
bool bare_files_done(const struct bare_files *f);

#endif
