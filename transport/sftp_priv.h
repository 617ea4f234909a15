/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/sftp_priv.h - what sftp*.c share: the wire, the requests, the
 * conversation.  Nobody else includes it (the fuzzer uses sftp.h).
 *
 * A conversation has requests (struct op, in the order made) and slots (one
 * for each packet in flight).  An op's kind sends its packets and takes the
 * answers; only files_finish() ends an op.
 */
#ifndef CERTFLEET_TRANSPORT_SFTP_PRIV_H
#define CERTFLEET_TRANSPORT_SFTP_PRIV_H

#include "core/base/arena.h"
#include "core/base/str.h"
#include "transport/sftp.h"

enum {
    FILES_CHUNK = 32768,        /* of a READ or WRITE: every server takes it */
    FILES_PACKET_MAX = 262144,  /* of the server; longer is a break */
    FILES_OUT_MARK = 31 * 1024, /* no new packet when more is queued */
    FILES_DEPTH_MAX = 64,
    FILES_NAME_MAX = 255,        /* of a file in a list */
    FILES_HANDLE_MAX = 256,      /* by the protocol */
    FILES_UNSIZED = 1024 * 1024, /* a get of more asks for the size first */
};

/* Packet types of version 3. */
enum {
    FXP_INIT = 1,
    FXP_VERSION = 2,
    FXP_OPEN = 3,
    FXP_CLOSE = 4,
    FXP_READ = 5,
    FXP_WRITE = 6,
    FXP_OPENDIR = 11,
    FXP_READDIR = 12,
    FXP_REMOVE = 13,
    FXP_STAT = 17,
    FXP_RENAME = 18,
    FXP_STATUS = 101,
    FXP_HANDLE = 102,
    FXP_DATA = 103,
    FXP_NAME = 104,
    FXP_ATTRS = 105,
};

/* ------------------------------------------------ the wire (sftp_wire.c) */

/* Bytes that may be keys: wiped wherever they leave memory. */
struct bytes {
    unsigned char *data;
    size_t start; /* first byte in use */
    size_t len;   /* bytes in use */
    size_t room;
};

void bytes_release(struct bytes *b);
void bytes_reserve(struct bytes *b, size_t more);
void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_drop(struct bytes *b, size_t n); /* the first n */

/* Reads a packet; past its end `bad` stays true and zeroes come. */
struct cursor {
    const unsigned char *p;
    size_t left;
    bool bad;
};

uint8_t cursor_u8(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
struct cursor cursor_string(struct cursor *c);

struct attrs {
    bool has_size, has_mode, has_mtime;
    uint64_t size;
    uint32_t mode;
    uint32_t mtime;
};

void cursor_attrs(struct cursor *c, struct attrs *a);

/* An answer, decoded as far as every kind needs it. */
struct reply {
    uint8_t type;
    uint32_t status;    /* STATUS */
    struct cursor text; /* STATUS: its message; DATA, HANDLE: the bytes */
    struct cursor rest; /* NAME: what follows the id */
    struct attrs attrs; /* ATTRS */
};

/* ------------------------------------------------------------- requests */

struct op;

struct slot { /* one packet in flight */
    struct op *op;
    uint32_t id;
    uint8_t type;
    uint64_t offset; /* READ */
    uint32_t len;    /* READ */
};

struct op_kind {
    const char *verb; /* "put": in messages */
    bool changes;     /* writes what it names */
    bool folder;      /* concerns every name */
    /* Queues one packet.  False: nothing to send before an answer. */
    bool (*send)(struct files *f, struct op *op);
    /* Takes an answer.  -1: the server broke the protocol. */
    int (*answer)(struct files *f, struct op *op, const struct slot *slot,
                  struct reply *reply, struct err *err);
};

enum op_phase {
    OP_OPEN,
    OP_BODY,
    OP_CLOSE,
    OP_AFTER,
    OP_ENDING
};

struct hole { /* what a short READ left out */
    uint64_t offset;
    uint32_t len;
};

struct op {
    struct op *next;
    const struct op_kind *kind;
    char *name;
    char *to; /* rename */
    files_done_f *done;
    void *user;
    enum op_phase phase;
    bool started;       /* may send; counts against the depth */
    bool queued;        /* its first packet is in the output */
    uint64_t first_at;  /* where in the stream that begins */
    uint64_t began_ms;  /* when that byte was taken */
    unsigned in_flight; /* packets */
    struct files_result result;
    struct err err;
    unsigned char handle[FILES_HANDLE_MAX];
    size_t handle_len; /* 0: none */
    /* put */
    const unsigned char *source;
    size_t source_len;
    size_t offset;
    bool exclusive;
    /* get */
    size_t cap;
    bool sized;     /* the size was asked for */
    uint64_t asked; /* reads went out for all below */
    uint64_t eof;   /* UINT64_MAX: not seen */
    unsigned window;
    struct hole holes[FILES_DEPTH_MAX];
    unsigned n_holes;
    struct bytes got; /* with gaps until every READ was answered */
    /* list */
    struct arena names;
    struct link_file *entries;
    size_t n_entries, entries_room, seen;
};

struct files {
    struct files_options options;
    bool ready, broken, in_callback, freeing;
    struct bytes in;  /* the packet that is being received */
    struct bytes out; /* not taken yet */
    uint64_t taken;   /* bytes taken since the start */
    uint32_t next_id;
    struct slot slots[FILES_DEPTH_MAX];
    unsigned n_slots;
    struct op *ops, **tail;
};

/* ----------------------------------------- the conversation (sftp.c) */

/* Makes an op at the end of the queue. */
struct op *files_add(struct files *f, const struct op_kind *kind,
                     const char *name, files_done_f *done, void *user);

/* Begins a packet with a fresh id and a slot for its answer; then the fields;
 * files_send_end() writes its length. */
struct slot *files_send(struct files *f, struct op *op, uint8_t type);
void files_send_u32(struct files *f, uint32_t value);
void files_send_u64(struct files *f, uint64_t value);
void files_send_string(struct files *f, const void *data, size_t len);
void files_send_end(struct files *f, size_t start);
/* Where the packet begins, for files_send_end: call before files_send. */
size_t files_send_start(const struct files *f);

/* Remembers the first failure of an op; it ends later. */
void files_op_fail(struct op *op, enum files_end end, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same from a STATUS. */
void files_op_status(struct op *op, const struct reply *reply);

/* Takes the op out, completes it and frees it. */
void files_finish(struct files *f, struct op *op);

/* Fills err: "the SFTP server broke the protocol: what".  Returns -1. */
int files_broke(struct err *err, const char *what);

/* -------------------------------- parts of several kinds (sftp_ops.c) */

void files_op_free(struct op *op);

/* A packet whose only field is the op's name, or its handle. */
bool files_send_name(struct files *f, struct op *op, uint8_t type);
bool files_send_handle(struct files *f, struct op *op, uint8_t type);
bool files_send_close(struct files *f, struct op *op); /* to OP_AFTER */

/* The answer to OPEN and OPENDIR; refused: to OP_ENDING. */
int files_take_handle(struct op *op, const struct reply *reply,
                      struct err *err);

/* Ends the op when nothing is in flight and nothing is left to send: the
 * last call of every answer, the op may be gone after it.  Returns 0. */
int files_settle(struct files *f, struct op *op);

#endif
