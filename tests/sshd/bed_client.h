/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/sshd/bed_client.h - links driven from a test, one call after the
 * other: each call runs the loop until its completion, or fails the test at
 * the deadline.
 */
#ifndef CERTFLEET_TESTS_SSHD_BED_CLIENT_H
#define CERTFLEET_TESTS_SSHD_BED_CLIENT_H

#include <uv.h>

#include "core/link.h"
#include "transport/port.h"

struct client {
    uv_loop_t loop;
    uv_timer_t deadline;
    struct link_port *port;
    const struct link_ops *ops;
    unsigned files_before; /* open when it was made */
};

struct answer {     /* what a completion gave, copied */
    unsigned times; /* completions: 1 when all is well */
    enum link_end end;
    struct err err;
    char data[65536];
    size_t len;
    bool confirmed;
    uint64_t took_ms;
    size_t n_files;
    char first_file[256];
    uint64_t first_size;
};

void client_init(struct client *c, const struct port_options *options);
/* Fails the test when a descriptor is left open. */
void client_release(struct client *c);

/* A dialect like CMS's, and a target with it. */
extern const struct link_dialect client_dialect;
void client_target(struct link_target *t, const char *address, unsigned port,
                   const char *user);

link_done_f client_on_done; /* user: struct answer */
void client_wait(struct client *c, const struct answer *a);
void client_wait_all(struct client *c, const struct answer *a, size_t n);

struct link *client_open(struct client *c, const struct link_target *t);
void client_close(struct client *c, struct link *l);
void client_connect(struct client *c, struct link *l, struct answer *a);
void client_command(struct client *c, struct link *l, const char *text,
                    struct answer *a);
void client_confirm(struct client *c, struct link *l, const char *text,
                    struct answer *a);
void client_put(struct client *c, struct link *l, const struct link_put *put,
                struct answer *a);
void client_get(struct client *c, struct link *l, const char *name, size_t cap,
                struct answer *a);
void client_list(struct client *c, struct link *l, struct answer *a);
void client_remove(struct client *c, struct link *l, const char *name,
                   struct answer *a);

/* The end is `end`, and the error, when there is one, holds `words`. */
#define assert_end(a, want, words)                                             \
    do {                                                                       \
        if ((a)->end != (want) || (a)->times != 1 || !client_says(a, words))   \
            fail_msg("end %d (want %d), told %u times, \"%s\" (want \"%s\")",  \
                     (int)(a)->end, (int)(want), (a)->times, (a)->err.text,    \
                     words ? words : "");                                      \
    } while (0)
bool client_says(const struct answer *a, const char *words);

#endif
