/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/filer_priv.h - shared by filer.c (packets, faults) and
 * filer_ops.c (the operations on the flat root).
 */
#ifndef CERTFLEET_LAB_FILER_PRIV_H
#define CERTFLEET_LAB_FILER_PRIV_H

#include "tests/lab/server.h"
#include "tests/lab/wire.h"

enum {
    FILER_PACKET = 256 * 1024,
    FILER_READ = 64 * 1024,
    FILER_HANDLES = 64
};

struct open_file {
    bool used, listing, listed, written;
    char *name;
    unsigned flags;
};

struct filer {
    struct chan *chan;
    struct lab_node *node;
    struct str in;
    struct open_file handles[FILER_HANDLES];
    bool ready;          /* INIT was seen */
    struct later *pause; /* a slow answer; what follows waits behind it */
    struct str late;
};

/* One request being served. */
struct request {
    struct filer *filer;
    unsigned type;
    uint32_t id;
    struct wire in;
    struct str reply;
    char *name; /* of the file it is about, for faults */
    bool corrupt, shorten, full;
    uint32_t asked; /* READ: bytes */
};

struct filer_operation {
    unsigned type;
    const char *name; /* in the subject of a fault */
    int argument;     /* 1: a path comes first, 2: a handle, 0: neither */
    void (*serve)(struct request *r);
};

/* NULL: no such operation. */
const struct filer_operation *filer_find(unsigned type);

/* A whole packet; its length is filled in. */
void filer_send(struct filer *f, struct str *reply);
void filer_status(struct request *r, uint32_t code, const char *text);
/* "" for the root itself; NULL for what cannot exist in a flat root. */
char *filer_take_path(struct request *r);
struct open_file *filer_take_handle(struct request *r); /* NULL: bad */

#endif
