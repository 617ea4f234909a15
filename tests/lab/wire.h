/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/wire.h - bytes of the SFTP protocol, version 3
 * (draft-ietf-secsh-filexfer-02).  Reading past the end sets `bad`.
 */
#ifndef CERTFLEET_LAB_WIRE_H
#define CERTFLEET_LAB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"

enum {
    FXP_INIT = 1,
    FXP_VERSION = 2,
    FXP_OPEN = 3,
    FXP_CLOSE = 4,
    FXP_READ = 5,
    FXP_WRITE = 6,
    FXP_LSTAT = 7,
    FXP_FSTAT = 8,
    FXP_SETSTAT = 9,
    FXP_FSETSTAT = 10,
    FXP_OPENDIR = 11,
    FXP_READDIR = 12,
    FXP_REMOVE = 13,
    FXP_MKDIR = 14,
    FXP_RMDIR = 15,
    FXP_REALPATH = 16,
    FXP_STAT = 17,
    FXP_RENAME = 18,
    FXP_STATUS = 101,
    FXP_HANDLE = 102,
    FXP_DATA = 103,
    FXP_NAME = 104,
    FXP_ATTRS = 105
};
enum {
    FX_OK = 0,
    FX_EOF = 1,
    FX_NO_SUCH_FILE = 2,
    FX_PERMISSION_DENIED = 3,
    FX_FAILURE = 4,
    FX_OP_UNSUPPORTED = 8
};
enum {
    OPEN_READ = 1,
    OPEN_WRITE = 2,
    OPEN_CREAT = 8,
    OPEN_TRUNC = 16,
    OPEN_EXCL = 32
};
enum {
    ATTR_SIZE = 1,
    ATTR_PERMISSIONS = 4,
    ATTR_ACMODTIME = 8
};

struct wire {
    const unsigned char *p;
    size_t left;
    bool bad;
};

unsigned wire_take_u8(struct wire *w);
uint32_t wire_take_u32(struct wire *w);
uint64_t wire_take_u64(struct wire *w);
const unsigned char *wire_take_bytes(struct wire *w, size_t *len);
char *wire_take_text(struct wire *w); /* malloc'd; NULL: bad or has a NUL */

void wire_u8(struct str *out, unsigned v);
void wire_u32(struct str *out, uint32_t v);
void wire_u64(struct str *out, uint64_t v);
void wire_bytes(struct str *out, const void *data, size_t len);
void wire_text(struct str *out, const char *text);
void wire_patch_u32(char *at, uint32_t v);

#endif
