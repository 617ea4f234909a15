/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificate of a request that has an id: taken and kept, or why there is
 * none; then the node's files of it are taken off.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/signing_priv.h"

/* -- the node's files of a wish ------------------------------------------- */

static void tidy(struct signing *s);

/* One that is not there is off as well; one that stays harms nobody. */
static void on_tidied(void *user, const struct link_result *result)
{
    struct signing *s = user;

    if (result->end == LINK_OK || result->end == LINK_FAILED)
        tidy(s);
    else
        s->then(s);
}

static void tidy(struct signing *s)
{
    while (s->tidied < SIGNER_FILES && !s->names.file[s->tidied][0])
        s->tidied++;
    if (s->tidied == SIGNER_FILES)
        s->then(s);
    else
        s->course->ops->remove(signing_link(s), s->names.file[s->tidied++],
                               on_tidied, s);
}

void signing_tidy_then(struct signing *s, signing_f *then)
{
    s->then = then;
    s->tidied = 0;
    tidy(s);
}

/* -- the certificate ------------------------------------------------------ */

static void on_kept(struct signing *s)
{
    struct issue_wish *wish = signing_wish(s);

    wish->answer = s->answer;
    wish->answer_len = s->answer_len;
    s->answer = NULL;
    signing_tidy_then(s, signing_next);
}

static void keep_answer(uv_work_t *work)
{
    struct signing *s = work->data;

    s->rc = file_write(signing_wish(s)->answer_path, s->answer, s->answer_len,
                       0600, false, &s->err);
}

static void take_answer(struct signing *s, const struct link_result *result)
{
    free(s->answer);
    s->answer = malloc(result->len + 1);
    if (!s->answer)
        abort();
    if (result->len)
        memcpy(s->answer, result->data, result->len);
    s->answer[result->len] = '\0';
    s->answer_len = result->len;
}

/* The path comes along in a file of its own; a CA that wrote none has its
 * certificate alone. */
static void on_chain(void *user, const struct link_result *result)
{
    struct signing *s = user;

    if (result->end == LINK_OK && result->len)
        take_answer(s, result);
    if (result->end == LINK_OK || result->end == LINK_FAILED)
        signing_queue(s, keep_answer, on_kept);
    else
        signing_fail_by(s, result);
}

void signing_say(struct signing *s, const char *what)
{
    struct str words;

    str_init(&words, 400);
    signing_say_words(str_text(&s->said), s->said.len, &words);
    err_set(&s->err, CAUSE_REMOTE, "%s; it says: %s", what, str_text(&words));
    str_release(&words);
}

static void on_denied(struct signing *s)
{
    s->known = 0; /* a set of which one is denied is none */
    signing_fail(s, SENT_ERROR);
}

static void wait_for(struct signing *s)
{
    str_addf(&s->waits, "%s%s (", s->n_waits++ ? ", " : "", s->id);
    signing_say_wish(signing_wish(s), &s->waits);
    str_add(&s->waits, ")");
    signing_tidy_then(s, signing_next);
}

static void hear_why(struct signing *s)
{
    struct str what;

    str_init(&what, 400);
    switch (s->signer->word(str_text(&s->said), s->said.len)) {
    case SIGNER_PENDING:
        wait_for(s);
        break;
    case SIGNER_DENIED:
        str_addf(&what, "%s has denied request %s", s->issuer->config, s->id);
        if (s->n_waits)
            str_addf(&what, " (and keeps %s)", str_text(&s->waits));
        signing_say(s, str_text(&what));
        signing_tidy_then(s, on_denied);
        break;
    case SIGNER_FAILED:
        str_addf(&what, "%s was not asked about request %s", s->issuer->config,
                 s->id);
        signing_say(s, str_text(&what));
        signing_fail(s, SENT_ERROR);
        break;
    }
    str_release(&what);
}

static void on_answer(void *user, const struct link_result *result)
{
    struct signing *s = user;

    if (result->end == LINK_OK) {
        take_answer(s, result);
        s->course->ops->get(signing_link(s), s->names.file[SIGNER_CHAIN],
                            ISSUE_ANSWER_BYTES, on_chain, s);
    } else if (result->end == LINK_FAILED) {
        hear_why(s);
    } else {
        signing_fail_by(s, result);
    }
}

void signing_fetch(struct signing *s)
{
    if (!signing_stops(s))
        s->course->ops->get(signing_link(s), s->names.file[SIGNER_ANSWER],
                            ISSUE_ANSWER_BYTES, on_answer, s);
}
