/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/link_request.c - requests: their line, their one completion.
 */
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "transport/link_priv.h"

void line_init(struct request_line *line)
{
    line->first = NULL;
    line->last = &line->first;
}

void line_add(struct request_line *line, struct request *r)
{
    r->next = NULL;
    *line->last = r;
    line->last = &r->next;
}

void line_push_front(struct request_line *line, struct request *r)
{
    r->next = line->first;
    if (line->first == NULL)
        line->last = &r->next;
    line->first = r;
}

struct request *line_take(struct request_line *line)
{
    struct request *r = line->first;

    if (r == NULL)
        return NULL;
    line->first = r->next;
    if (line->first == NULL)
        line->last = &line->first;
    r->next = NULL;
    return r;
}

struct request *request_new(struct link *l, enum request_kind kind,
                            link_done_f *done, void *user)
{
    struct request *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->link = l;
    r->kind = kind;
    r->done = done;
    r->user = user;
    str_init(&r->out, 0);
    l->pending++;
    return r;
}

static void request_free(struct request *r)
{
    str_release(&r->out);
    if (r->bytes != NULL)
        OPENSSL_cleanse(r->bytes, r->result.len);
    free(r->bytes);
    for (size_t i = 0; i < r->result.n_files; i++)
        free((char *)r->files[i].name);
    free(r->files);
    free(r);
}

/* At the top of the loop.  `done` may close the link: it lives until its own
 * note is told. */
static void tell(struct port_note *note)
{
    struct request *r =
        (struct request *)((char *)note - offsetof(struct request, note));
    struct link *l = r->link;

    l->pending--;
    r->done(r->user, &r->result);
    request_free(r);
    link_end_if_closed(l);
}

void request_settle(struct request *r, enum link_end end, const struct err *err)
{
    if (r->settled) {
        log_debug("%s: late end of a request ignored", r->link->target->name);
        return;
    }
    r->settled = true;
    r->result.end = end;
    if (end != LINK_OK && err != NULL)
        r->err = *err;
    else if (end == LINK_CANCELED)
        err_set(&r->err, CAUSE_CANCELED, "canceled");
    r->result.err = end == LINK_OK ? NULL : &r->err;
    if (r->sent && r->result.took_ms == 0 && r->last_ms > r->sent_ms)
        r->result.took_ms = r->last_ms - r->sent_ms;
    r->note.tell = tell;
    port_tell(r->link->port, &r->note);
}

static enum cause cause_of(enum link_end end)
{
    switch (end) {
    case LINK_FAILED:
        return CAUSE_REMOTE;
    case LINK_REFUSED:
        return CAUSE_REFUSED;
    case LINK_CANCELED:
        return CAUSE_CANCELED;
    default:
        return CAUSE_LOST;
    }
}

void request_settlef(struct request *r, enum link_end end, const char *fmt, ...)
{
    struct str text;
    struct err err;
    va_list ap;

    str_init(&text, sizeof(err.text));
    va_start(ap, fmt);
    (void)str_addv(&text, fmt, ap);
    va_end(ap);
    err_set(&err, cause_of(end), "%s", str_text(&text));
    str_release(&text);
    request_settle(r, end, &err);
}
