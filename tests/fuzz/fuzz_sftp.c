/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever an SFTP server answers: every request ends once, with no more than
 * was allowed, and what it gives out can be used.
 *
 * First byte: which requests are made.  Second: how the answers come: bit 0:
 * as bytes that stand in the input, else as packets that a script makes of
 * it, well-formed but for what they say; the rest: bytes in a piece.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"
#include "tests/fuzz/fuzz.h"
#include "transport/sftp.h"

enum {
    REQUESTS = 8,
    PENDING = 64,
    ENTRIES = 100,
    GET_CAP = 4096,
    BIG_CAP = 2 << 20, /* so large that its size is asked first */
    OUT_CAP = 1 << 20
};

struct pending { /* a packet of ours that has no answer */
    uint32_t id;
    uint8_t type;
    uint32_t asked; /* READ */
};

struct talk {
    struct files *f;
    struct input in;
    size_t piece;
    struct pending list[PENDING];
    size_t n;
    struct str sent; /* what we sent and was not looked at */
    unsigned made, ended;
};

struct asked {
    struct talk *talk;
    size_t cap; /* get */
    bool get, ended;
};

static void on_done(void *user, const struct files_result *r)
{
    struct asked *a = user;

    must(!a->ended);
    a->ended = true;
    a->talk->ended++;
    must((r->end != FILES_OK) == (r->err != NULL));
    if (r->err)
        must_be_visible(r->err->text, strlen(r->err->text), false);
    if (a->get && r->end == FILES_OK)
        must(r->data && r->len <= a->cap && r->data[r->len] == '\0');
    must(r->n_entries <= ENTRIES);
    for (size_t i = 0; i < r->n_entries; i++) {
        const char *name = r->entries[i].name;

        must(name[0] && !strchr(name, '/') && strcmp(name, "..") != 0);
        must(strlen(name) <= 4 * 255);
        must_be_visible(name, strlen(name), false);
    }
}

static void make_requests(struct talk *t, struct asked *a, uint8_t which)
{
    static const unsigned char data[40000];
    const struct link_put small = {"a", data, 100, true};
    const struct link_put big = {"b", data, sizeof(data), false};

    for (unsigned i = 0; i < REQUESTS; i++) {
        if (!(which & 1U << i))
            continue;
        a[i].talk = t;
        t->made++;
        a[i].get = i == 2 || i == 3;
        a[i].cap = i == 2 ? GET_CAP : BIG_CAP;
        switch (i) {
        case 0:
            files_put(t->f, &small, on_done, &a[i]);
            break;
        case 1:
            files_put(t->f, &big, on_done, &a[i]);
            break;
        case 2:
            files_get(t->f, "c", GET_CAP, on_done, &a[i]);
            break;
        case 3:
            files_get(t->f, "d", BIG_CAP, on_done, &a[i]);
            break;
        case 4:
            files_list(t->f, ".", on_done, &a[i]);
            break;
        case 5:
            files_stat(t->f, "e", on_done, &a[i]);
            break;
        case 6:
            files_remove(t->f, "f", on_done, &a[i]);
            break;
        default:
            files_rename(t->f, "g", "h", on_done, &a[i]);
            break;
        }
    }
}

/* -- what we send ---------------------------------------------------------- */

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 |
           u[3];
}

static void note_packet(struct talk *t, const char *p, uint32_t len)
{
    struct pending *new = &t->list[t->n];

    must(len >= 5 && t->n < PENDING);
    new->type = (uint8_t)p[0];
    if (new->type == 1) /* INIT has no answer of this kind */
        return;
    new->id = be32(p + 1);
    new->asked = new->type == 5 ? be32(p + len - 4) : 0;
    t->n++;
}

static void take_sent(struct talk *t)
{
    size_t n;
    const void *p = files_output(t->f, &n);

    while (n > 0) {
        must(n <= 65536 + 64);
        str_addn(&t->sent, p, n);
        files_sent(t->f, n);
        p = files_output(t->f, &n);
    }
    while (t->sent.len >= 4 && t->sent.len - 4 >= be32(t->sent.data)) {
        uint32_t len = be32(t->sent.data);

        note_packet(t, t->sent.data + 4, len);
        str_shift(&t->sent, 4 + len);
    }
}

/* -- what the server says -------------------------------------------------- */

static int feed(struct talk *t, struct input bytes)
{
    int rc = 0;

    while (rc == 0 && bytes.left > 0) {
        struct input piece = input_take(&bytes, t->piece);
        struct err err = {0};

        rc = files_feed(t->f, piece.p, piece.left, &err);
        if (rc < 0)
            must_be_visible(err.text, strlen(err.text), false);
    }
    return rc;
}

static void put32(struct str *out, uint32_t v)
{
    str_addc(out, (char)(v >> 24));
    str_addc(out, (char)(v >> 16));
    str_addc(out, (char)(v >> 8));
    str_addc(out, (char)v);
}

static uint32_t take32(struct talk *t)
{
    uint32_t v = input_byte(&t->in);

    for (int i = 0; i < 3; i++)
        v = v << 8 | input_byte(&t->in);
    return v;
}

static void put_text(struct talk *t, struct str *out)
{
    struct input text = input_take(&t->in, input_byte(&t->in));

    put32(out, (uint32_t)text.left);
    if (text.left)
        str_addn(out, text.p, text.left);
}

static void put_attrs(struct talk *t, struct str *out)
{
    uint32_t flags = input_byte(&t->in);

    put32(out, flags);
    for (uint32_t i = 0; i < 8; i++)
        if (flags & 1U << i)
            put32(out, take32(t));
}

static void put_data(struct talk *t, struct str *out, uint32_t asked)
{
    static const char bytes[40000];
    uint32_t n = input_byte(&t->in);

    if (n >= 128) /* all that was asked, or about so much */
        n = asked - (n - 128);
    if (n > sizeof(bytes))
        n = sizeof(bytes);
    put32(out, n);
    str_addn(out, bytes, n);
}

static void put_names(struct talk *t, struct str *out)
{
    uint32_t n = input_byte(&t->in) % 8;

    put32(out, n);
    for (uint32_t i = 0; i < n; i++) {
        put_text(t, out);
        put_text(t, out);
        put_attrs(t, out);
    }
}

static void put_body(struct talk *t, struct str *out, const struct pending *to)
{
    switch (out->data[4] & 0x7f) {
    case 101:
        put32(out, input_byte(&t->in));
        put_text(t, out);
        put_text(t, out);
        break;
    case 102:
        put_text(t, out);
        break;
    case 103:
        put_data(t, out, to->asked);
        break;
    case 104:
        put_names(t, out);
        break;
    case 105:
        put_attrs(t, out);
        break;
    default:
        put_text(t, out);
    }
}

/* One answer, to whichever packet of ours the script points at. */
static int answer(struct talk *t)
{
    uint8_t type = input_byte(&t->in), which = input_byte(&t->in);
    struct pending to = {.id = which};
    struct str out;
    int rc;

    if (t->n > 0) {
        size_t at = which % t->n;

        to = t->list[at];
        t->list[at] = t->list[--t->n];
    }
    str_init(&out, OUT_CAP);
    put32(&out, 0);
    str_addc(&out, (char)(type >= 250 ? type : 101 + type % 5));
    put32(&out, to.id);
    put_body(t, &out, &to);
    out.data[1] = (char)((out.len - 4) >> 16);
    out.data[2] = (char)((out.len - 4) >> 8);
    out.data[3] = (char)(out.len - 4);
    rc = feed(t, (struct input){(const uint8_t *)out.data, out.len});
    str_release(&out);
    return rc;
}

static void serve(struct talk *t, bool raw)
{
    static const uint8_t version[] = {0, 0, 0, 5, 2, 0, 0, 0, 3};
    int rc = 0;

    if (!raw)
        rc = feed(t, (struct input){version, sizeof(version)});
    take_sent(t);
    while (rc == 0 && t->in.left > 0) {
        rc = raw ? feed(t, input_take(&t->in, t->piece)) : answer(t);
        take_sent(t);
    }
    must(rc == 0 || files_is_broken(t->f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    uint8_t which = input_byte(&in), how = input_byte(&in);
    struct files_options options = {.depth = how % 17, .entries_cap = ENTRIES};
    struct talk t = {.f = files_new(&options), .piece = 1U + how};
    struct asked asked[REQUESTS] = {{0}};
    struct err why;

    t.in = in;
    str_init(&t.sent, OUT_CAP);
    make_requests(&t, asked, which);
    serve(&t, how & 1);
    err_set(&why, CAUSE_LOST, "the channel is gone");
    files_fail_all(t.f, &why);
    must(t.ended == t.made);
    files_free(t.f);
    must(t.ended == t.made);
    str_release(&t.sent);
    return 0;
}
