/* SPDX-License-Identifier: Apache-2.0
 *
 * The asking, answer by answer: each function ends in one request to the link,
 * one piece of work in the pool, or the end.  What is on the node is asked of
 * the node; what it has told once is on disk before anything follows from it.
 */
#include "core/run/signing_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/run/act.h"

enum {
    SAID_CAP = 64 * 1024,
    COMMAND_CAP = 1024,
    WAITS_CAP = 700,     /* bytes of ids in an error */
    LOOK_MS = 250,       /* for what a command prints that nobody heard ... */
    LOOK_MOST_MS = 3000, /* ... that long */
    GIVEN_MOST = 2       /* times, where nothing shows that it was */
};

static void next_wish(struct signing *s);
static void look(struct signing *s);

struct issue_wish *signing_wish(const struct signing *s)
{
    return &s->job->wishes[s->at];
}

struct link *signing_link(const struct signing *s)
{
    return s->course->signer;
}

/* -- the end -------------------------------------------------------------- */

static void on_closed(uv_handle_t *timer)
{
    struct signing *s = timer->data;

    str_release(&s->command);
    str_release(&s->said);
    str_release(&s->waits);
    free(s->answer);
    free(s);
}

static void finish(struct signing *s, enum sent sent)
{
    s->done(s->user, sent, sent == SENT_OK ? NULL : &s->err);
    uv_close((uv_handle_t *)&s->timer, on_closed);
}

/* Requests that the CA has are not to be given in again: the run stays. */
void signing_fail(struct signing *s, enum sent sent)
{
    struct str wish;

    str_init(&wish, 200);
    signing_say_wish(signing_wish(s), &wish);
    err_context(&s->err, "issuer %s, node %s, %s", s->issuer->name,
                s->issuer->node->name, str_text(&wish));
    str_release(&wish);
    finish(s, s->known && !s->canceled ? SENT_WAITING : sent);
}

void signing_fail_by(struct signing *s, const struct link_result *result)
{
    if (s->canceled || result->end == LINK_CANCELED)
        err_set(&s->err, CAUSE_CANCELED, "stopped");
    else
        s->err = *result->err;
    signing_fail(s, result->end == LINK_REFUSED ? SENT_REFUSED : SENT_ERROR);
}

bool signing_stops(struct signing *s)
{
    if (!s->canceled)
        return false;
    err_set(&s->err, CAUSE_CANCELED, "stopped");
    finish(s, SENT_ERROR);
    return true;
}

static void end(struct signing *s)
{
    if (s->n_waits)
        err_set(&s->err, CAUSE_REFUSED,
                "%s (node %s) has %zu request%s that its manager is to issue: "
                "%s",
                s->issuer->config, s->issuer->node->name, s->n_waits,
                s->n_waits == 1 ? "" : "s", str_text(&s->waits));
    finish(s, s->n_waits ? SENT_WAITING : SENT_OK);
}

/* -- commands ------------------------------------------------------------- */

static void tell(const struct signing *s, const char *command)
{
    struct event e = {.event = "command",
                      .cluster = s->course->pc->cluster->name,
                      .node = s->issuer->node->name,
                      .step = "issue",
                      .command = command,
                      .took_ms = -1};

    journal_tell(s->course->journal, &e);
}

static void send_command(struct signing *s,
                         void (*make)(const struct signer_ask *, struct str *),
                         link_done_f *done)
{
    const struct signer_ask ask = {
        .issuer = s->issuer,
        .purpose = signing_wish(s)->purpose,
        .base = s->names.base,
        .id = s->id,
    };
    struct link_command command = {.timeout_ms = s->issuer->timeout_s * 1000};

    str_reset(&s->command);
    make(&ask, &s->command);
    command.text = str_text(&s->command);
    if (journal_may_act(s->course->journal, &s->err) < 0 ||
        !command_match(s->signer->product, command.text, &s->err)) {
        signing_fail(s, SENT_ERROR);
    } else {
        tell(s, command.text);
        s->course->ops->command(signing_link(s), &command, done, s);
    }
}

/* Of a command that was not found the file is blank, and its shell has said
 * so instead. */
static void keep_said(struct signing *s, const struct link_result *result)
{
    if (result->end != LINK_OK || !result->len)
        return;
    str_reset(&s->said);
    str_addn(&s->said, result->data, result->len);
}

/* -- the pool ------------------------------------------------------------- */

static void on_worked(uv_work_t *work, int status)
{
    struct signing *s = work->data;

    (void)status;
    if (s->rc < 0)
        signing_fail(s, SENT_ERROR);
    else
        s->then(s);
}

void signing_queue(struct signing *s, uv_work_cb work, signing_f *then)
{
    s->then = then;
    s->work.data = s;
    uv_queue_work(s->course->loop, &s->work, work, on_worked);
}

/* -- the id --------------------------------------------------------------- */

static void on_journaled(void *user, const struct err *err)
{
    struct signing *s = user;

    if (!err) {
        signing_fetch(s);
        return;
    }
    s->err = *err;
    signing_fail(s, SENT_ERROR);
}

static void journal_id(struct signing *s)
{
    const struct issue_wish *wish = signing_wish(s);
    const struct journal_record record = {
        .cluster = s->course->pc->cluster->name,
        .step = "issue",
        .kind = "submitted",
        .data = json_pack("{s:s, s:s*, s:s, s:s}", "slot", wish->slot, "node",
                          wish->node, "id", s->id, "to", s->issuer->config),
    };

    s->known++;
    journal_write(s->course->journal, &record, on_journaled, s);
}

static void note(uv_work_t *work)
{
    struct signing *s = work->data;

    s->rc = signing_note(s->issuer, signing_wish(s), s->id, &s->err);
}

static bool has_id(struct signing *s)
{
    return s->signer->id(str_text(&s->said), s->said.len, s->id);
}

/* Reading does no harm: what was printed is looked for once more. */
static bool is_lost(const struct signing *s, const struct link_result *result)
{
    return !s->canceled &&
           (result->end == LINK_LOST || result->end == LINK_UNSENT);
}

static void look_for_it(struct signing *s)
{
    s->look_until_ms = clock_mono_ms() + LOOK_MOST_MS;
    look(s);
}

static void on_nothing(struct signing *s)
{
    signing_fail(s, SENT_ERROR);
}

static void on_heard(void *user, const struct link_result *result)
{
    struct signing *s = user;

    keep_said(s, result);
    if (is_lost(s, result)) {
        look_for_it(s);
    } else if (result->end != LINK_OK && result->end != LINK_FAILED) {
        signing_fail_by(s, result);
    } else if (has_id(s)) {
        signing_queue(s, note, journal_id);
    } else {
        signing_say(s, "the request got no id");
        signing_tidy_then(s, on_nothing);
    }
}

/* -- giving it in --------------------------------------------------------- */

static void on_submitted(void *user, const struct link_result *result)
{
    struct signing *s = user;

    if (result->end == LINK_OK) {
        keep_said(s, result); /* where the command itself is not found */
        s->course->ops->get(signing_link(s), s->names.file[SIGNER_SAID],
                            SAID_CAP, on_heard, s);
    } else if (result->end == LINK_LOST && !s->canceled) {
        look_for_it(s);
    } else {
        signing_fail_by(s, result);
    }
}

static void on_put(void *user, const struct link_result *result)
{
    struct signing *s = user;

    if (result->end != LINK_OK)
        signing_fail_by(s, result);
    else if (!signing_stops(s))
        send_command(s, s->signer->submit, on_submitted);
}

static void give_in(struct signing *s)
{
    const char *request = signing_wish(s)->request;
    const struct link_put put = {
        .name = s->names.file[SIGNER_REQUEST],
        .data = request,
        .len = strlen(request),
    };

    s->look_until_ms = 0;
    if (s->given_in++ == GIVEN_MOST) {
        err_set(&s->err, CAUSE_LOST,
                "the connection was lost twice while the request was given in");
        signing_fail(s, SENT_ERROR);
        return;
    }
    if (journal_may_act(s->course->journal, &s->err) < 0)
        signing_fail(s, SENT_ERROR);
    else
        s->course->ops->put(signing_link(s), &put, on_put, s);
}

/* -- was it given in? ----------------------------------------------------- */

static void on_look(uv_timer_t *timer)
{
    struct signing *s = timer->data;

    if (!signing_stops(s))
        look(s);
}

/* A command may be at work that nobody listens to any more. */
static bool look_again(struct signing *s, bool begun)
{
    uint64_t now = clock_mono_ms();

    if (begun && !s->look_until_ms)
        s->look_until_ms = now + LOOK_MOST_MS;
    if (now >= s->look_until_ms)
        return false;
    uv_timer_start(&s->timer, on_look, LOOK_MS, 0);
    return true;
}

static void on_looked(void *user, const struct link_result *result)
{
    struct signing *s = user;

    keep_said(s, result);
    if (is_lost(s, result) && look_again(s, false))
        return;
    if (result->end != LINK_OK && result->end != LINK_FAILED)
        signing_fail_by(s, result);
    else if (result->end == LINK_OK && has_id(s))
        signing_queue(s, note, journal_id);
    else if (!look_again(s, result->end == LINK_OK && result->len == 0))
        give_in(s);
}

static void look(struct signing *s)
{
    s->course->ops->get(signing_link(s), s->names.file[SIGNER_SAID], SAID_CAP,
                        on_looked, s);
}

/* -- asking again --------------------------------------------------------- */

static void on_said(void *user, const struct link_result *result)
{
    struct signing *s = user;

    keep_said(s, result);
    if (result->end == LINK_OK || result->end == LINK_FAILED)
        signing_fetch(s);
    else
        signing_fail_by(s, result);
}

static void on_retrieved(void *user, const struct link_result *result)
{
    struct signing *s = user;

    if (result->end != LINK_OK) {
        signing_fail_by(s, result);
        return;
    }
    keep_said(s, result);
    s->course->ops->get(signing_link(s), s->names.file[SIGNER_SAID], SAID_CAP,
                        on_said, s);
}

/* -- one wish after the other --------------------------------------------- */

static void begin_wish(struct signing *s)
{
    s->given_in = 0;
    s->look_until_ms = 0;
    str_reset(&s->said);
    signing_name(s->signer, signing_wish(s)->request, &s->names);
    if (signing_noted(s->issuer, signing_wish(s), s->id)) {
        s->known++;
        send_command(s, s->signer->retrieve, on_retrieved);
    } else {
        look(s);
    }
}

static void next_wish(struct signing *s)
{
    while (s->at < s->job->n_wishes && signing_wish(s)->answer)
        s->at++;
    if (signing_stops(s))
        return;
    if (s->at == s->job->n_wishes)
        end(s);
    else
        begin_wish(s);
}

void signing_next(struct signing *s)
{
    s->at++;
    next_wish(s);
}

static void on_start(uv_timer_t *timer)
{
    next_wish(timer->data);
}

struct signing *signing_start(struct course *course, struct issue_job *job,
                              sent_f *done, void *user)
{
    struct signing *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->course = course;
    s->job = job;
    s->issuer = plan_issuer(course->pc);
    s->signer = s->issuer->node->cluster->words->signer;
    s->done = done;
    s->user = user;
    str_init(&s->command, COMMAND_CAP);
    str_init(&s->said, SAID_CAP);
    str_init(&s->waits, WAITS_CAP);
    uv_timer_init(course->loop, &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_start, 0, 0);
    return s;
}

void signing_cancel(struct signing *s)
{
    s->canceled = true;
    s->course->ops->cancel(signing_link(s));
    if (uv_is_active((uv_handle_t *)&s->timer))
        uv_timer_start(&s->timer, on_look, 0, 0);
}
