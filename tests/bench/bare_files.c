/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids say it all: file i is opened by id i, written by 100 + i, closed by
 * 200 + i.
 */
#include "tests/bench/bare.h"

#include <stdint.h>
#include <string.h>

#include "tests/bench/worker.h"

enum {
    FXP_INIT = 1,
    FXP_VERSION = 2,
    FXP_OPEN = 3,
    FXP_CLOSE = 4,
    FXP_WRITE = 6,
    FXP_STATUS = 101,
    FXP_HANDLE = 102,
    FLAGS = 0x2 | 0x8 | 0x10, /* write, create, truncate */
    ID_WRITE = 100,
    ID_CLOSE = 200
};

static void add(struct bare_files *f, const void *data, size_t len)
{
    if (f->out_len + len > BARE_OUT) {
        f->failed = true;
        return;
    }
    memcpy(f->out + f->out_len, data, len);
    f->out_len += len;
}

static void add_u8(struct bare_files *f, unsigned value)
{
    unsigned char b = (unsigned char)value;

    add(f, &b, 1);
}

static void add_u32(struct bare_files *f, uint32_t value)
{
    unsigned char b[4] = {(unsigned char)(value >> 24),
                          (unsigned char)(value >> 16),
                          (unsigned char)(value >> 8), (unsigned char)value};

    add(f, b, sizeof(b));
}

static void add_string(struct bare_files *f, const void *data, size_t len)
{
    add_u32(f, (uint32_t)len);
    add(f, data, len);
}

static uint32_t u32_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

void bare_files_begin(struct bare_files *f)
{
    add_u32(f, 5);
    add_u8(f, FXP_INIT);
    add_u32(f, 3);
}

static void open_all(struct bare_files *f)
{
    for (unsigned i = 0; i < WORK_FILE_COUNT; i++) {
        char name[16];

        work_file_name(i, name);
        add_u32(f, (uint32_t)(1 + 4 + 4 + strlen(name) + 4 + 4));
        add_u8(f, FXP_OPEN);
        add_u32(f, i);
        add_string(f, name, strlen(name));
        add_u32(f, FLAGS);
        add_u32(f, 0);
    }
}

static void write_file(struct bare_files *f, uint32_t id,
                       const unsigned char *handle, size_t len)
{
    static const char payload[WORK_FILE_BYTES];

    add_u32(f, (uint32_t)(1 + 4 + 4 + len + 8 + 4 + WORK_FILE_BYTES));
    add_u8(f, FXP_WRITE);
    add_u32(f, ID_WRITE + id);
    add_string(f, handle, len);
    add_u32(f, 0);
    add_u32(f, 0);
    add_string(f, payload, WORK_FILE_BYTES);
    add_u32(f, (uint32_t)(1 + 4 + 4 + len));
    add_u8(f, FXP_CLOSE);
    add_u32(f, ID_CLOSE + id);
    add_string(f, handle, len);
}

/* type, id, and a handle or a status */
static void take_packet(struct bare_files *f, const unsigned char *p,
                        size_t len)
{
    uint32_t id = len >= 5 ? u32_at(p + 1) : 0;
    uint32_t value = len >= 9 ? u32_at(p + 5) : 0;

    if (len >= 5 && p[0] == FXP_VERSION)
        open_all(f);
    else if (len >= 9 && p[0] == FXP_HANDLE && value <= len - 9)
        write_file(f, id, p + 9, value);
    else if (len < 9 || p[0] != FXP_STATUS || value != 0)
        f->failed = true;
    else if (id >= ID_CLOSE)
        f->written++;
}

void bare_files_take(struct bare_files *f, const void *data, size_t len)
{
    size_t at = 0;

    if (f->in_len + len > BARE_IN) {
        f->failed = true;
        return;
    }
    memcpy(f->in + f->in_len, data, len);
    f->in_len += len;
    while (f->in_len - at >= 4 && f->in_len - at - 4 >= u32_at(f->in + at)) {
        take_packet(f, f->in + at + 4, u32_at(f->in + at));
        at += 4 + u32_at(f->in + at);
    }
    memmove(f->in, f->in + at, f->in_len - at);
    f->in_len -= at;
}

bool bare_files_done(const struct bare_files *f)
{
    return f->written == WORK_FILE_COUNT;
}
