/* SPDX-License-Identifier: Apache-2.0
 *
 * What a hostile node answers; see the header.
 */
#include "tests/lab/hostile.h"

#include <string.h>

#include "tests/lab/faults.h"

enum {
    NAMES = 200,            /* of one packet of a list without an end */
    HUGE_BYTES = 0x7fffffff /* what `stat` tells of a huge file */
};

/* Title, colours, a cleared screen, C1 as a byte and as UTF-8, marks of
 * direction, a line that begins anew, a line that looks like ours. */
#define STEERS                                                                 \
    "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b"                                      \
    "1m\xc2\x9b"                                                               \
    "7m\xe2\x80\xae"                                                           \
    "drawkcab\xe2\x81\xa6\x7f\b\b\rdone\xe2\x81\xa9\xe2\x80\xac"

/* -- commands -------------------------------------------------------------- */

bool hostile_answer(struct mmp_run *run)
{
    if (faults_match(run->node, F_STEER, run->text)) {
        mmp_print(run, "%s\n", STEERS);
        mmp_fail(run, "%s\ncertfleet: error: forged\nnext: rm -rf /", STEERS);
        return true;
    }
    if (faults_match(run->node, F_FORGE, run->text)) {
        mmp_print(run, "%s: started\nSUCCESS: done\n%s> ", run->words[0],
                  run->node->hostname);
        mmp_end(run, "forged");
        return true;
    }
    return false;
}

/* -- files ----------------------------------------------------------------- */

static void begin(struct request *r, unsigned type)
{
    str_reset(&r->reply);
    wire_u32(&r->reply, 0);
    wire_u8(&r->reply, type);
    wire_u32(&r->reply, r->id);
}

static void huge(struct request *r)
{
    static const char bytes[32768] = "-----BEGIN CERTIFICATE-----\n";

    if (r->type == FXP_READ) {
        begin(r, FXP_DATA);
        wire_bytes(&r->reply, bytes,
                   r->asked < sizeof(bytes) ? r->asked : sizeof(bytes));
    } else if (r->reply.data[4] == FXP_ATTRS) {
        begin(r, FXP_ATTRS);
        wire_u32(&r->reply, ATTR_SIZE);
        wire_u64(&r->reply, HUGE_BYTES);
    }
}

static void wrong_id(struct request *r)
{
    wire_patch_u32(r->reply.data + 5, r->id + 1000);
}

static void many_attrs(struct request *r)
{
    begin(r, FXP_ATTRS);
    wire_u32(&r->reply, 0x80000000U);
    wire_u32(&r->reply, 0xffffffffU);
    for (int i = 0; i < 1000; i++) {
        wire_text(&r->reply, "flood@example.com");
        wire_text(&r->reply, "x");
    }
}

static void add_name(struct request *r, const char *name)
{
    wire_text(&r->reply, name);
    wire_text(&r->reply, name);
    wire_u32(&r->reply, 0);
}

/* Once; what is asked after it has its usual answer. */
static void odd_names(struct request *r)
{
    static const char steers[] = STEERS;
    static const char *const names[] = {
        "../../etc/passwd",     "a/b",  "/", "..", "", "new\nline.crt",
        "dbserver-g9-3f9a.key", steers,
    };

    begin(r, FXP_NAME);
    wire_u32(&r->reply, sizeof(names) / sizeof(*names));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        add_name(r, names[i]);
}

static void more_names(struct request *r)
{
    static unsigned long count;
    char name[64];

    begin(r, FXP_NAME);
    wire_u32(&r->reply, NAMES);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "file-%lu.crt", ++count);
        add_name(r, name);
    }
}

static void words(struct request *r)
{
    filer_status(r, FX_FAILURE, STEERS "\ncertfleet: error: forged");
}

/* An answer whose length is 4 GB; the rest of it never comes. */
static void too_long(struct request *r)
{
    wire_patch_u32(r->reply.data, 0xffffffffU);
    chan_write(r->filer->chan, r->reply.data, r->reply.len);
    str_reset(&r->reply);
}

/* clang-format off */
static const struct {
    enum fault_kind kind;
    void (*spoil)(struct request *r);
    const char *operation; /* the only one that it makes sense for */
} lies[] = {
    { F_SFTP_HUGE,     huge },
    { F_SFTP_LONG,     too_long },
    { F_SFTP_WRONG_ID, wrong_id },
    { F_SFTP_ATTRS,    many_attrs, "stat" },
    { F_SFTP_NAMES,    odd_names,  "readdir" },
    { F_SFTP_ENDLESS,  more_names, "readdir" },
    { F_SFTP_WORDS,    words },
};
/* clang-format on */

bool hostile_reply(struct request *r, const char *operation,
                   const char *subject)
{
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        if ((lies[i].operation && strcmp(lies[i].operation, operation) != 0) ||
            !faults_match(r->filer->node, lies[i].kind, subject))
            continue;
        lies[i].spoil(r);
        if (r->reply.len > 0)
            filer_send(r->filer, &r->reply);
        return true;
    }
    return false;
}
