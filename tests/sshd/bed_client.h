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
#include "tests/sshd/bed.h"
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

/* The end is `want`, told once, and the error holds `words` (NULL: any). */
#define assert_end(a, want, words)                                             \
    client_assert_end(a, want, words, __FILE__, __LINE__)
void client_assert_end(const struct answer *a, enum link_end want,
                       const char *words, const char *file, int line);

struct trial { /* one link to one server, by the bed's key */
    struct client c;
    struct link *l;
    struct link_target target;
    struct answer a;
};

void trial_begin(struct trial *x, const struct bed *b,
                 const struct bed_server *s,
                 const struct port_options *options);
void trial_end(struct trial *x);
/* The target alone. */
void trial_target(struct link_target *target, const struct bed *b,
                  const struct bed_server *s);

#endif
