/* SPDX-License-Identifier: Apache-2.0
 *
 * A conversation of the SFTP codec with the server model, and what its
 * requests came to: shared by test_transport_sftp*.c.
 */
#ifndef CERTFLEET_TEST_TRANSPORT_SFTP_TALK_H
#define CERTFLEET_TEST_TRANSPORT_SFTP_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/test_transport_sftp_model.h"
#include "transport/sftp.h"

enum {
    BIG = 300 * 1000 + 7
};

struct seen { /* what one request came to */
    unsigned times;
    enum files_end end;
    unsigned status;
    bool sent, created, size_told, folder;
    uint64_t size;
    int64_t mtime;
    char text[1024];
    unsigned char *data;
    size_t len;
    char names[512];
    size_t n_entries;
};

struct talk {
    struct files *f;
    struct model m;
    size_t cut; /* bytes at a time in both directions; 0: all */
    struct err err;
    int rc;
};

static unsigned char big[BIG];

static inline void on_done(void *user, const struct files_result *r)
{
    struct seen *s = user;
    size_t used = 0;

    s->times++;
    s->end = r->end;
    s->status = r->status;
    s->sent = r->sent;
    s->created = r->created;
    s->size_told = r->size_told;
    s->size = r->size;
    s->mtime = r->mtime;
    s->folder = r->folder;
    assert_int_equal(r->err != NULL, r->end != FILES_OK);
    snprintf(s->text, sizeof(s->text), "%s", r->err ? r->err->text : "");
    s->len = r->len;
    if (r->data) {
        assert_int_equal(r->data[r->len], 0);
        s->data = malloc(r->len + 1);
        memcpy(s->data, r->data, r->len);
    }
    s->n_entries = r->n_entries;
    for (size_t i = 0; i < r->n_entries && used < sizeof(s->names); i++)
        used += (size_t)snprintf(s->names + used, sizeof(s->names) - used,
                                 "%s ", r->entries[i].name);
}

static inline void talk_init(struct talk *t, unsigned depth, size_t cut)
{
    struct files_options options = {.depth = depth};

    memset(t, 0, sizeof(*t));
    t->f = files_new(&options);
    t->cut = cut;
    model_init(&t->m);
}

static inline void talk_release(struct talk *t)
{
    files_free(t->f);
    model_release(&t->m);
}

/* Carries bytes both ways until neither side has any. */
static inline void run(struct talk *t)
{
    const void *p;
    size_t n;

    for (;;) {
        p = files_output(t->f, &n);
        assert_true(n <= 64 * 1024);
        if (n) {
            if (t->cut && n > t->cut)
                n = t->cut;
            model_feed(&t->m, p, n);
            files_sent(t->f, n);
        } else if (t->m.out.len == 0 || t->rc != 0) {
            return;
        }
        n = t->m.out.len;
        if (t->cut && n > t->cut)
            n = t->cut;
        if (n && t->rc == 0) {
            t->rc = files_feed(t->f, t->m.out.data, n, &t->err);
            str_shift(&t->m.out, n);
        }
    }
}

/* An exclusive put. */
static inline void put(struct talk *t, const char *name, const void *data,
                       size_t len, struct seen *s)
{
    struct link_put p = {name, data, len, true};

    files_put(t->f, &p, on_done, s);
}

enum {
    MIX = 9
};

/* Every kind, with requests that depend on earlier ones. */
static inline void start_mix(struct talk *t, struct seen s[MIX])
{
    memset(s, 0, MIX * sizeof(*s));
    put(t, "/one", big, 70000, &s[0]);
    put(t, "/two", "two", 3, &s[1]);
    files_get(t->f, "/one", BIG, on_done, &s[2]); /* after its put */
    files_list(t->f, "/", on_done, &s[3]);        /* after both puts */
    files_remove(t->f, "/two", on_done, &s[4]);   /* after the list */
    files_stat(t->f, "/two", on_done, &s[5]);     /* is gone */
    files_rename(t->f, "/one", "/uno", on_done, &s[6]);
    files_get(t->f, "/uno", BIG, on_done, &s[7]);
    put(t, "/one", "again", 5, &s[8]); /* free again by then */
}

static inline void check_mix(struct talk *t, struct seen s[MIX])
{
    for (int i = 0; i < MIX; i++) {
        assert_int_equal(s[i].times, 1);
        assert_int_equal(s[i].end, i == 5 ? FILES_STATUS : FILES_OK);
    }
    assert_int_equal(s[2].len, 70000);
    assert_memory_equal(s[2].data, big, 70000);
    assert_string_equal(s[3].names, "bad\\x1b]0;name one two ");
    assert_int_equal(s[7].len, 70000);
    assert_int_equal(t->m.open_now, 0);
}

static inline void free_mix(struct seen s[MIX])
{
    for (int i = 0; i < MIX; i++)
        free(s[i].data);
}

static int fill_big(void **state)
{
    (void)state;
    for (size_t i = 0; i < BIG; i++)
        big[i] = (unsigned char)(i * 2654435761U >> 13);
    return 0;
}

#endif
