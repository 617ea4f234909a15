/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a command line: taken, faults, looked up, acted on, answered.
 */
#include "tests/lab/mmp.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/faults.h"
#include "tests/lab/hostile.h"
#include "tests/lab/record.h"
#include "tests/lab/win.h"

enum {
    OUTPUT_CAP = 1 << 20
};

static struct mmp_run *held_runs; /* of the one lab of this process */

/* -- output ---------------------------------------------------------------- */

void mmp_print(struct mmp_run *run, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    str_addv(&run->out, fmt, ap);
    va_end(ap);
}

static struct entry *entry_of(struct mmp_run *run)
{
    return record_entry(run->node->lab, run->entry);
}

static void mark(struct mmp_run *run, const char *state)
{
    struct entry *e = entry_of(run);

    e->state = state;
    if (run->result)
        e->result = run->result;
    e->answered_ms = lab_age_ms(run->node->lab);
    lab_changed(run->node->lab);
}

void mmp_flush(struct mmp_run *run)
{
    if (!run->detached && run->out.len > 0)
        run->sink.write(run->sink.user, str_text(&run->out), run->out.len);
    str_reset(&run->out);
}

static void free_run(struct mmp_run *run)
{
    str_release(&run->out);
    for (int i = 0; i < run->n_words; i++)
        free(run->words[i]);
    free(run->text);
    free(run);
}

static const struct fault *strikes(struct mmp_run *run, enum fault_kind kind)
{
    return faults_match(run->node, kind, run->text);
}

/* True when there was a terminal; from now on there is none. */
static bool let_go(struct mmp_run *run)
{
    bool had = !run->detached;

    if (had && run->sink.handle)
        *run->sink.handle = NULL;
    run->detached = true;
    return had;
}

static void cut(struct mmp_run *run, bool flush)
{
    mark(run, "cut");
    if (let_go(run))
        run->sink.drop(run->sink.user, flush);
    free_run(run);
}

/* Ends without a word; the connection is left open and silent. */
static void vanish(struct mmp_run *run)
{
    mark(run, "lost");
    let_go(run);
    free_run(run);
}

/* -- the end of a run ------------------------------------------------------ */

static void add_noise(struct mmp_run *run)
{
    struct str noisy;

    str_init(&noisy, OUTPUT_CAP);
    for (size_t i = 0; i < run->out.len; i++) {
        if (i % 7 == 3)
            str_addn(&noisy, "\x1b[1m\x80", 5);
        str_addc(&noisy, run->out.data[i]);
        if (i % 23 == 11)
            str_addn(&noisy, "\0\a", 2);
    }
    str_release(&run->out);
    run->out = noisy;
}

static void add_prompt_inside(struct mmp_run *run)
{
    char *end = run->out.len ? strchr(run->out.data, '\n') : NULL;
    struct str both;
    size_t first = end ? (size_t)(end - run->out.data) + 1 : 0;

    str_init(&both, OUTPUT_CAP);
    str_addn(&both, str_text(&run->out), first);
    str_addf(&both, "%s> \n%s> help\n", run->node->hostname,
             run->node->hostname);
    str_add(&both, str_text(&run->out) + first);
    str_release(&run->out);
    run->out = both;
}

static void answer(struct mmp_run *run)
{
    bool drop = false;

    if (strikes(run, F_GARBLE))
        add_noise(run);
    if (strikes(run, F_PROMPT_INSIDE))
        add_prompt_inside(run);
    if (strikes(run, F_TORN))
        run->out.len /= 2;
    if (strikes(run, F_DROP_HALF)) {
        run->out.len /= 2;
        mmp_flush(run);
        cut(run, true);
        return;
    }
    mmp_flush(run);
    mark(run, run->detached ? "lost" : "answered");
    drop = strikes(run, F_DROP_AFTER) != NULL;
    if (let_go(run))
        run->sink.done(run->sink.user, drop);
    free_run(run);
}

static void reboot(struct mmp_run *run, unsigned ms)
{
    struct lab_node *node = run->node;

    mark(run, "cut");
    let_go(run);
    free_run(run);
    lab_node_reboot(node, ms);
}

void mmp_restart(struct mmp_run *run, unsigned ms)
{
    struct lab_node *node = run->node;

    mmp_flush(run);
    if (ms) {
        reboot(run, ms);
        return;
    }
    mark(run, "cut");
    let_go(run);
    free_run(run);
    lab_node_down(node);
}

static void hold(struct mmp_run *run, const struct fault *f,
                 void (*then)(struct mmp_run *))
{
    run->held = f->id;
    run->on_later = then;
    run->next_held = held_runs;
    held_runs = run;
    lab_changed(run->node->lab);
}

static void on_late_answer(void *user)
{
    answer(user);
}

/* Acted on: what may happen between the act and its answer. */
static void after_act(struct mmp_run *run)
{
    const struct fault *f;

    if ((f = strikes(run, F_REBOOT_DURING))) {
        reboot(run, f->ms);
    } else if (strikes(run, F_DROP_DURING)) {
        cut(run, false);
    } else if (strikes(run, F_NO_ANSWER)) {
        vanish(run);
    } else if ((f = strikes(run, F_HOLD_AFTER))) {
        hold(run, f, answer);
    } else if ((f = strikes(run, F_SLOW))) {
        later_start(run->node->lab->loop, f->ms, on_late_answer, run);
    } else if (run->node->set.command_ms) {
        later_start(run->node->lab->loop, run->node->set.command_ms,
                    on_late_answer, run);
    } else {
        answer(run);
    }
}

void mmp_end(struct mmp_run *run, const char *result)
{
    run->result = result;
    entry_of(run)->result = result;
    after_act(run);
}

void mmp_fail(struct mmp_run *run, const char *fmt, ...)
{
    va_list ap;

    str_add(&run->out,
            run->node->ucm ? "Executed command unsuccessfully\n" : "FAILURE: ");
    va_start(ap, fmt);
    str_addv(&run->out, fmt, ap);
    va_end(ap);
    str_add(&run->out, "\n");
    mmp_end(run, "failure");
}

void mmp_ok(struct mmp_run *run, const char *fmt, ...)
{
    va_list ap;

    str_add(&run->out, "SUCCESS: ");
    va_start(ap, fmt);
    str_addv(&run->out, fmt, ap);
    va_end(ap);
    str_add(&run->out, "\n");
    mmp_end(run, "ok");
}

/* -- questions and delays -------------------------------------------------- */

void mmp_ask(struct mmp_run *run, const char *question,
             void (*on_yes)(struct mmp_run *))
{
    str_add(&run->out, question);
    mmp_flush(run);
    entry_of(run)->state = "asked";
    lab_changed(run->node->lab);
    if (strikes(run, F_DROP_ASKED)) {
        cut(run, true);
        return;
    }
    run->asking = true;
    run->on_yes = on_yes;
    if (run->foreign)
        mmp_answer(run, true);
    else if (run->detached) /* held, and the terminal went meanwhile */
        mmp_answer(run, false);
    else if (run->sink.asked)
        run->sink.asked(run->sink.user); /* may answer at once */
}

void mmp_answer(struct mmp_run *run, bool yes)
{
    void (*on_no)(struct mmp_run *) = run->on_no;

    run->asking = false;
    run->on_no = NULL;
    run->on_paste = NULL;
    if (!yes && on_no) {
        str_add(&run->out, "\n");
        on_no(run);
        return;
    }
    if (!yes) {
        run->result = "aborted";
        mark(run, "aborted");
        if (let_go(run))
            run->sink.done(run->sink.user, false);
        free_run(run);
        return;
    }
    str_add(&run->out, "\n");
    run->on_yes(run);
}

void mmp_ask_either(struct mmp_run *run, const char *question,
                    void (*on_yes)(struct mmp_run *),
                    void (*on_no)(struct mmp_run *))
{
    run->on_no = on_no;
    mmp_ask(run, question, on_yes);
}

static void no_text(struct mmp_run *run)
{
    mmp_end(run, "aborted"); /* a person's own command: nobody pastes */
}

void mmp_ask_text(struct mmp_run *run, const char *prompt,
                  void (*on_paste)(struct mmp_run *, const char *))
{
    run->on_paste = on_paste;
    mmp_ask(run, prompt, no_text);
}

void mmp_pasted(struct mmp_run *run, const char *text)
{
    void (*on_paste)(struct mmp_run *, const char *) = run->on_paste;

    run->asking = false;
    run->on_paste = NULL;
    on_paste(run, text);
}

/* What was at work when the power went does not go on after it. */
static void on_delay(void *user)
{
    struct mmp_run *run = user;

    if (!run->node->up || run->boots != run->node->boots ||
        run->node->lab->stopping)
        cut(run, false);
    else
        run->on_later(run);
}

void mmp_later(struct mmp_run *run, unsigned ms, void (*fn)(struct mmp_run *))
{
    run->on_later = fn;
    later_start(run->node->lab->loop, ms, on_delay, run);
}

void mmp_detach(struct mmp_run *run)
{
    run->detached = true;
    if (run->on_detach)
        run->on_detach(run);
    if (run->asking)
        mmp_answer(run, false);
}

/* -- holding --------------------------------------------------------------- */

const struct mmp_run *mmp_held(struct lab *lab, unsigned id)
{
    for (struct mmp_run *r = held_runs; r; r = r->next_held)
        if (r->node->lab == lab && (id == 0 || r->held == id))
            return r;
    return NULL;
}

int mmp_release(struct lab *lab, unsigned id)
{
    struct mmp_run **p = &held_runs, *r, *freed = NULL;
    int n = 0;

    while ((r = *p)) {
        if (r->node->lab != lab || (id != 0 && r->held != id)) {
            p = &r->next_held;
            continue;
        }
        *p = r->next_held;
        r->next_held = freed;
        freed = r;
        n++;
    }
    while ((r = freed)) {
        freed = r->next_held;
        r->held = 0;
        if (lab->stopping)
            free_run(r);
        else
            r->on_later(r);
    }
    return n;
}

/* -- acting ---------------------------------------------------------------- */

/* Words, with double quotes around blanks (facts/cms.md 4, pki csr). */
static void split(struct mmp_run *run)
{
    const char *p = run->text;

    while (run->n_words < MMP_WORDS) {
        struct str word;
        bool quoted = false;

        while (*p == ' ' || *p == '\t')
            p++;
        if (!*p)
            break;
        str_init(&word, 4096);
        for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
            if (*p == '"')
                quoted = !quoted;
            else
                str_addc(&word, *p);
        }
        run->words[run->n_words++] = str_take(&word);
    }
}

static void act(struct mmp_run *run)
{
    const struct mmp_command *c;
    int words;

    if (!run->node->up || run->boots != run->node->boots) {
        vanish(run);
        return;
    }
    if (hostile_answer(run))
        return;
    if (strikes(run, F_FAIL)) {
        mmp_fail(run, "Internal error");
        return;
    }
    if (run->node->win) {
        win_run(run);
        return;
    }
    c = mmp_find(run, &words);
    if (!mmp_knows(run) || strikes(run, F_UNKNOWN_COMMAND)) {
        mmp_print(run, "Unknown command: '%s'\n", run->words[0]);
        mmp_end(run, "unknown");
        return;
    }
    if (!c) {
        mmp_usage(run);
        return;
    }
    run->command = c;
    run->args = run->words + words;
    run->n_args = run->n_words - words;
    if (c->dangerous)
        record_violation(run->node, "dangerous", run->foreign, "%s", run->text);
    if (run->n_args < c->min_args || run->n_args > c->max_args)
        mmp_usage(run);
    else
        c->run(run);
}

/* Taken, not acted on yet. */
static void before_act(struct mmp_run *run)
{
    const struct fault *f;

    if ((f = strikes(run, F_REBOOT_BEFORE))) {
        reboot(run, f->ms);
    } else if (strikes(run, F_DROP_BEFORE)) {
        cut(run, false);
    } else if (strikes(run, F_NO_REPLY)) {
        vanish(run);
    } else if ((f = strikes(run, F_HOLD_BEFORE))) {
        hold(run, f, act);
    } else {
        act(run);
    }
}

void mmp_start(struct lab_node *node, const struct mmp_sink *sink,
               const char *line)
{
    struct mmp_run *run = lab_calloc(1, sizeof(*run));

    run->node = node;
    run->sink = *sink;
    run->text = lab_strdup(line);
    run->boots = node->boots;
    run->foreign = strcmp(sink->source, "foreign") == 0;
    str_init(&run->out, OUTPUT_CAP);
    split(run);
    run->entry = record_add(node, sink->source, sink->login, line);
    if (sink->handle)
        *sink->handle = run;
    before_act(run);
}
