/* SPDX-License-Identifier: Apache-2.0
 *
 * A small SFTP server with a flat folder, for test_transport_sftp.c.  It reads
 * the client's bytes and writes answers; knobs make it refuse, shorten, reorder
 * and keep silent.  It knows nothing of the codec under test.
 */
#ifndef CERTFLEET_TEST_TRANSPORT_SFTP_MODEL_H
#define CERTFLEET_TEST_TRANSPORT_SFTP_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/str.h"

enum {
    MODEL_FILES = 64,
    MODEL_HANDLES = 64,
    MODEL_CAP = 8 * 1024 * 1024
};

struct model_file {
    char name[64];
    unsigned char *data;
    size_t len;
    bool there;
};

struct model_handle {
    struct model_file *file; /* NULL with used: the folder */
    unsigned read_from;      /* folder: next entry */
    bool used;
};

struct model {
    struct model_file files[MODEL_FILES];
    struct model_handle handles[MODEL_HANDLES];
    struct str in, out;
    struct str answers[64]; /* held back to be sent in reverse order */
    unsigned n_answers;
    /* knobs */
    unsigned fail_at;  /* the n-th request (from 1) is answered FAILURE */
    unsigned mute_at;  /* from the n-th on nothing is answered */
    unsigned short_by; /* a READ gives at most so many bytes; 0: all */
    unsigned lose;     /* so many bytes of each file's end are not kept */
    bool reverse;      /* answers of one turn in reverse order */
    bool no_stat;      /* STAT is not supported */
    bool no_size;      /* ATTRS tell nothing */
    bool no_modes;     /* entries have no permissions */
    bool endless;      /* READDIR never says EOF */
    unsigned version;
    /* seen */
    unsigned requests, most_at_once, open_now;
    unsigned types[32];
};

static inline void model_u32(struct str *s, uint32_t v)
{
    unsigned char b[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                          (unsigned char)(v >> 8), (unsigned char)v};

    str_addn(s, b, 4);
}

static inline void model_text(struct str *s, const void *p, size_t n)
{
    model_u32(s, (uint32_t)n);
    str_addn(s, p, n);
}

static inline uint32_t model_get(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static inline void model_init(struct model *m)
{
    memset(m, 0, sizeof(*m));
    m->version = 3;
    str_init(&m->in, MODEL_CAP);
    str_init(&m->out, MODEL_CAP);
    for (unsigned i = 0; i < 64; i++)
        str_init(&m->answers[i], MODEL_CAP);
}

static inline void model_release(struct model *m)
{
    str_release(&m->in);
    str_release(&m->out);
    for (unsigned i = 0; i < 64; i++)
        str_release(&m->answers[i]);
    for (unsigned i = 0; i < MODEL_FILES; i++)
        free(m->files[i].data);
}

static inline struct model_file *model_find(struct model *m, const char *name)
{
    name += name[0] == '/';
    for (unsigned i = 0; i < MODEL_FILES; i++)
        if (m->files[i].there && strcmp(m->files[i].name, name) == 0)
            return &m->files[i];
    return NULL;
}

static inline struct model_file *model_make(struct model *m, const char *name,
                                            const void *data, size_t len)
{
    struct model_file *f = model_find(m, name);

    for (unsigned i = 0; !f && i < MODEL_FILES; i++)
        if (!m->files[i].there)
            f = &m->files[i];
    free(f->data);
    f->data = malloc(len + 1);
    if (len)
        memcpy(f->data, data, len);
    f->len = len;
    f->there = true;
    name += name[0] == '/';
    snprintf(f->name, sizeof(f->name), "%.63s", name);
    return f;
}

/* Starts an answer; the caller adds its fields. */
static inline struct str *model_answer(struct model *m, uint8_t type,
                                       uint32_t id)
{
    struct str *s = &m->answers[m->n_answers++];

    str_reset(s);
    str_addn(s, &type, 1);
    model_u32(s, id);
    return s;
}

static inline void model_status(struct model *m, uint32_t id, uint32_t code,
                                const char *text)
{
    struct str *s = model_answer(m, 101, id);

    model_u32(s, code);
    model_text(s, text, strlen(text));
    model_text(s, "", 0);
}

static inline void model_attrs(struct model *m, struct str *s,
                               const struct model_file *f)
{
    if (m->no_size) {
        model_u32(s, 0);
        return;
    }
    model_u32(s, 0x1 | 0x8 | (m->no_modes ? 0 : 0x4));
    model_u32(s, 0);
    model_u32(s, (uint32_t)f->len);
    if (!m->no_modes)
        model_u32(s, 0100600);
    model_u32(s, 1000);
    model_u32(s, 2000);
}

static inline void model_handle(struct model *m, uint32_t id,
                                struct model_file *file)
{
    unsigned i = 0;
    unsigned char name;
    struct str *s = model_answer(m, 102, id);

    while (m->handles[i].used)
        i++;
    m->handles[i] = (struct model_handle){.file = file, .used = true};
    m->open_now++;
    name = (unsigned char)i;
    model_text(s, &name, 1);
}

static inline void model_open(struct model *m, uint32_t id, const char *name,
                              uint32_t flags)
{
    struct model_file *f = model_find(m, name);

    if (!f && !(flags & 0x8)) {
        model_status(m, id, 2, "no such thing");
        return;
    }
    if (f && (flags & 0x20)) {
        model_status(m, id, 4, "it \x1b[31mexists");
        return;
    }
    if (!f || (flags & 0x10))
        f = model_make(m, name, "", 0);
    model_handle(m, id, f);
}

static inline void model_read(struct model *m, uint32_t id,
                              struct model_file *f, uint64_t offset,
                              uint32_t len)
{
    if (offset >= f->len) {
        model_status(m, id, 1, "the end");
        return;
    }
    if (len > f->len - offset)
        len = (uint32_t)(f->len - offset);
    if (m->short_by && len > m->short_by)
        len = m->short_by;
    model_text(model_answer(m, 103, id), f->data + offset, len);
}

/* p: offset, length, bytes */
static inline void model_write(struct model *m, uint32_t id,
                               struct model_file *f, const unsigned char *p)
{
    size_t offset = model_get(p + 4), len = model_get(p + 8);

    if (offset + len > f->len) {
        f->data = realloc(f->data, offset + len + 1);
        f->len = offset + len;
    }
    memcpy(f->data + offset, p + 12, len);
    model_status(m, id, 0, "");
}

static inline void model_entry(struct str *s, const char *name,
                               const char *line, uint32_t mode)
{
    model_text(s, name, strlen(name));
    model_text(s, line, strlen(line));
    model_u32(s, mode ? 0x4 : 0);
    if (mode)
        model_u32(s, mode);
}

/* Two names at a time, after a first answer of what is to be left out. */
static inline void model_readdir(struct model *m, uint32_t id,
                                 struct model_handle *h)
{
    struct str *s;
    unsigned n = 0, at;

    if (h->read_from == 0) {
        s = model_answer(m, 104, id);
        model_u32(s, 4);
        model_entry(s, ".", "drwx", 040755);
        model_entry(s, "folder", "drwx", m->no_modes ? 0 : 040755);
        model_entry(s, "../../etc/passwd", "-rw-", 0100600);
        model_entry(s, "bad\x1b]0;name", "-rw-", 0100600);
        h->read_from = 1;
        return;
    }
    if (m->endless)
        h->read_from = 1;
    for (at = h->read_from - 1; at < MODEL_FILES && !m->files[at].there;)
        at++;
    if (at == MODEL_FILES) {
        model_status(m, id, 1, "");
        return;
    }
    s = model_answer(m, 104, id);
    for (unsigned i = at; i < MODEL_FILES && n < 2; i++)
        n += m->files[i].there;
    model_u32(s, n);
    for (; n > 0; at++) {
        if (!m->files[at].there)
            continue;
        model_text(s, m->files[at].name, strlen(m->files[at].name));
        model_text(s, "-rw-", 4);
        model_attrs(m, s, &m->files[at]);
        n--;
    }
    h->read_from = at + 1;
}

static inline void model_close(struct model *m, uint32_t id,
                               struct model_handle *h)
{
    if (h->file && m->lose && h->file->len >= m->lose)
        h->file->len -= m->lose;
    h->used = false;
    m->open_now--;
    model_status(m, id, 0, "");
}

/* Requests that begin with a handle. */
static inline void model_by_handle(struct model *m, uint8_t type, uint32_t id,
                                   unsigned handle, const unsigned char *p)
{
    struct model_handle *h = &m->handles[handle % MODEL_HANDLES];
    uint64_t offset;

    if (!h->used || (type != 4 && (type == 12) != (h->file == NULL))) {
        model_status(m, id, 4, "no such handle");
        return;
    }
    if (type == 4) {
        model_close(m, id, h);
        return;
    }
    if (type == 12) {
        model_readdir(m, id, h);
        return;
    }
    offset = (uint64_t)model_get(p) << 32 | model_get(p + 4);
    if (type == 5)
        model_read(m, id, h->file, offset, model_get(p + 8));
    else
        model_write(m, id, h->file, p);
}

static inline void model_rename(struct model *m, uint32_t id,
                                struct model_file *f, const unsigned char *p)
{
    char to[64] = "";
    uint32_t len = model_get(p);

    memcpy(to, p + 4, len < 63 ? len : 63);
    if (model_find(m, to)) {
        model_status(m, id, 4, "it is there");
        return;
    }
    memmove(to, to + (to[0] == '/'), sizeof(to) - 1);
    memcpy(f->name, to, sizeof(to));
    model_status(m, id, 0, "");
}

static inline void model_by_name(struct model *m, uint8_t type, uint32_t id,
                                 const char *name, const unsigned char *p)
{
    struct model_file *f = model_find(m, name);

    if (type == 3) {
        model_open(m, id, name, model_get(p));
    } else if (type == 11) {
        model_handle(m, id, NULL);
    } else if (type == 17 && m->no_stat) {
        model_status(m, id, 8, "");
    } else if (!f) {
        model_status(m, id, 2, "no such thing");
    } else if (type == 17) {
        model_attrs(m, model_answer(m, 105, id), f);
    } else if (type == 13) {
        f->there = false;
        model_status(m, id, 0, "");
    } else {
        model_rename(m, id, f, p);
    }
}

static inline void model_request(struct model *m, const unsigned char *p)
{
    uint8_t type = p[0];
    uint32_t id = model_get(p + 1), len;
    char name[64] = "";

    if (type == 1) {
        unsigned char v[9] = {0, 0, 0, 5, 2, 0, 0, 0};
        v[8] = (unsigned char)m->version;
        str_addn(&m->out, v, 9);
        return;
    }
    m->requests++;
    m->types[type % 32]++;
    if (m->mute_at && m->requests >= m->mute_at)
        return;
    if (m->requests == m->fail_at) {
        model_status(m, id, 4, "injected");
        return;
    }
    len = model_get(p + 5);
    if (type == 4 || type == 5 || type == 6 || type == 12) {
        model_by_handle(m, type, id, p[9], p + 9 + len);
        return;
    }
    memcpy(name, p + 9, len < 63 ? len : 63);
    model_by_name(m, type, id, name, p + 9 + len);
}

static inline void model_flush(struct model *m)
{
    if (m->n_answers > m->most_at_once)
        m->most_at_once = m->n_answers;
    for (unsigned i = 0; i < m->n_answers; i++) {
        struct str *s = &m->answers[m->reverse ? m->n_answers - 1 - i : i];
        model_text(&m->out, s->data, s->len);
    }
    m->n_answers = 0;
}

/* Takes the client's bytes, cut anywhere; answers are in m->out. */
static inline void model_feed(struct model *m, const void *data, size_t n)
{
    str_addn(&m->in, data, n);
    for (;;) {
        const unsigned char *p = (const unsigned char *)m->in.data;
        if (m->in.len < 4 || m->in.len < 4 + (size_t)model_get(p))
            break;
        model_request(m, p + 4);
        str_shift(&m->in, 4 + (size_t)model_get(p));
    }
    model_flush(m);
}

#endif
