/* SPDX-License-Identifier: Apache-2.0
 *
 * A shell with or without a pty, or one exec'd command: echo, line editing,
 * the prompt, the wait for a capital Y (facts/cms.md 1.2, 1.3, 3.4).
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/faults.h"
#include "tests/lab/mmp.h"
#include "tests/lab/pager.h"
#include "tests/lab/record.h"
#include "tests/lab/server.h"

enum {
    LINE_CAP = 4096,
    INPUT_CAP = 1 << 20,
    FLOOD_BYTES = 1 << 20,
    SPLIT_MS = 30
};

struct terminal {
    struct chan *chan;
    struct lab_node *node;
    bool exec;
    struct str line; /* being typed */
    struct pager pager;
    struct str pasted;   /* lines of a text that was asked for */
    struct str input;    /* typed ahead, while a command runs */
    struct mmp_run *run; /* the one that runs, or NULL */
    bool busy;           /* a command was taken and has not ended */
    bool feeding;
    bool ending;
    bool eof;            /* nobody types any more */
    bool skip_newline;   /* \r\n is one line end */
    bool mute;           /* shows no prompt */
    unsigned renewing;   /* 1: new password, 2: again; 0: no */
    struct later *later; /* the other half of a prompt, or a trickle */
    struct str slow;     /* what still has to trickle out */
};

/* -- output ---------------------------------------------------------------- */

static void on_trickle(void *user)
{
    struct terminal *t = user;
    size_t n = t->node->set.trickle;

    t->later = NULL;
    if (n == 0 || n > t->slow.len)
        n = t->slow.len;
    chan_write(t->chan, str_text(&t->slow), n);
    str_shift(&t->slow, n);
    if (t->slow.len > 0)
        t->later = later_start(t->node->lab->loop, 1, on_trickle, t);
    else if (t->ending)
        chan_finish(t->chan);
}

static void put_raw(struct terminal *t, const char *data, size_t len)
{
    if (t->node->set.trickle == 0 && !t->later) {
        chan_write(t->chan, data, len);
        return;
    }
    str_addn(&t->slow, data, len);
    if (!t->later)
        t->later = later_start(t->node->lab->loop, 1, on_trickle, t);
}

static void put(struct terminal *t, const char *text, size_t len)
{
    bool cr = t->chan->pty || (t->exec && t->node->set.exec_cr);
    struct str out;

    if (!cr) {
        put_raw(t, text, len);
        return;
    }
    str_init(&out, 1 << 22);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            str_addc(&out, '\r');
        str_addc(&out, text[i]);
    }
    put_raw(t, str_text(&out), out.len);
    str_release(&out);
}

static void put_text(struct terminal *t, const char *text)
{
    put(t, text, strlen(text));
}

static void put_prompt(struct terminal *t)
{
    const char *own = t->node->set.prompt;
    char prompt[300];
    size_t half;

    if (t->renewing || t->mute)
        return;
    snprintf(prompt, sizeof(prompt), "%.*s%s", 255,
             *own ? own : t->node->hostname, *own ? "" : "> ");
    half = strlen(prompt) / 2;
    if (!t->node->set.prompt_split) {
        put_text(t, prompt);
        if (t->node->set.ucm_twice) {
            put_text(t, "\n\r");
            put_text(t, prompt);
        }
        return;
    }
    put(t, prompt, half);
    if (!t->later)
        t->later = later_start(t->node->lab->loop, SPLIT_MS, on_trickle, t);
    str_add(&t->slow, prompt + half);
}

/* -- commands -------------------------------------------------------------- */

static void feed(struct terminal *t);
static void close_input(struct terminal *t);

static void on_run_write(void *user, const char *text, size_t len)
{
    struct terminal *t = user;

    pager_write(&t->pager, text, len);
}

static void on_page(void *user, const char *text, size_t len)
{
    put(user, text, len);
}

/* Not before the last byte has trickled out. */
static void finish(struct terminal *t)
{
    t->ending = true;
    if (!t->later)
        chan_finish(t->chan);
}

static void on_run_done(void *user, bool drop)
{
    struct terminal *t = user;

    t->busy = false;
    if (t->exec)
        finish(t);
    else if (pager_end(&t->pager))
        put_prompt(t);
    if (drop)
        conn_drop(t->chan->conn, true);
    else if (!t->exec) {
        feed(t);
        close_input(t);
    }
}

/* A driver must answer only what it has seen (facts/cms.md 3.4). */
static void on_run_asked(void *user)
{
    struct terminal *t = user;

    pager_flush(&t->pager);
    if (str_text(&t->input)[strspn(str_text(&t->input), "\r\n")])
        record_violation(t->node, "early", false,
                         "typed before the question: %s", t->run->text);
    feed(t);
    close_input(t);
}

static void on_run_drop(void *user, bool flush)
{
    struct terminal *t = user;

    pager_flush(&t->pager);
    conn_drop(t->chan->conn, flush);
}

/* Nothing but output from now on, as fast as it is taken: a MB a turn, and
 * none while the last one waits. */
static void on_flood(void *user)
{
    static const char lines[] = "0123456789 endless \x1b[7m output\r\n";
    struct terminal *t = user;

    while (t->chan->out.len < FLOOD_BYTES)
        chan_write(t->chan, lines, sizeof(lines) - 1);
    t->later = later_start(t->node->lab->loop, 1, on_flood, t);
}

static bool flood(struct terminal *t, const char *subject)
{
    if (!faults_match(t->node, F_ENDLESS, subject))
        return false;
    on_flood(t);
    return true;
}

static void start(struct terminal *t, const char *line)
{
    struct mmp_sink sink = {
        .write = on_run_write,
        .asked = on_run_asked,
        .done = on_run_done,
        .drop = on_run_drop,
        .user = t,
        .handle = &t->run,
        .source = t->exec ? "exec" : "shell",
        .login = t->chan->conn->user,
    };

    if (strcmp(line, "set cli pagination off") == 0)
        t->pager.lines = 0;
    t->busy = true;
    if (!flood(t, line))
        mmp_start(t->node, &sink, line);
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

/* -- a password that has expired ------------------------------------------- */

/* "On first login, the user will be asked to configure a new password." */
static bool must_renew(struct terminal *t)
{
    struct lab_user *u = lab_user(t->node, t->chan->conn->user);

    return (u && u->must_change) ||
           faults_match(t->node, F_PASSWORD_EXPIRED, t->chan->conn->user);
}

static void ask_new_password(struct terminal *t)
{
    t->renewing = 1;
    put_text(t, "Your password has expired\nPlease enter new password: ");
}

static void take_new_password(struct terminal *t, const char *line)
{
    struct lab_user *u = lab_user(t->node, t->chan->conn->user);

    if (t->renewing == 1) {
        t->renewing = 2;
        put_text(t, "Please enter new password again: ");
        return;
    }
    t->renewing = 0;
    if (u && !is_blank(line)) {
        lab_replace(&u->password, line);
        u->must_change = false;
        record_violation(t->node, "password", false,
                         "the password of %s was changed", u->name);
    }
    put_prompt(t);
}

/* -- input ----------------------------------------------------------------- */

static void echo(struct terminal *t, const char *text, size_t len)
{
    if (t->chan->pty && !t->renewing)
        put(t, text, len);
}

static void take_line(struct terminal *t)
{
    char *line = str_take(&t->line);

    if (t->chan->pty)
        put_text(t, "\n");
    if (t->renewing)
        take_new_password(t, line);
    else if (is_blank(line))
        put_prompt(t);
    else if (strcmp(line, "exit") == 0 || strcmp(line, "logout") == 0)
        finish(t);
    else
        start(t, line);
    free(line);
}

static void edit(struct terminal *t, char c)
{
    if (c == '\r' || c == '\n') {
        take_line(t);
    } else if (c == 0x7f || c == '\b') {
        if (t->line.len > 0) {
            t->line.data[--t->line.len] = '\0';
            echo(t, "\b \b", 3);
        }
    } else if (c == 0x15) { /* Ctrl-U */
        str_reset(&t->line);
    } else if (c == 0x03) { /* Ctrl-C */
        str_reset(&t->line);
        put_text(t, "^C\n");
        put_prompt(t);
    } else if ((unsigned char)c >= ' ') {
        if (str_addc(&t->line, c) == 0)
            echo(t, &c, 1);
    }
}

/* A line of what was asked for; a blank one behind some text ends it. */
static void take_text(struct terminal *t, char c)
{
    if (c != '\r' && c != '\n') {
        str_addc(&t->line, c);
        echo(t, &c, 1);
        return;
    }
    if (t->chan->pty)
        put_text(t, "\n");
    if (!is_blank(str_text(&t->line))) {
        str_addf(&t->pasted, "%s\n", str_text(&t->line));
        str_reset(&t->line);
        return;
    }
    str_reset(&t->line);
    if (t->pasted.len == 0)
        return;
    mmp_pasted(t->run, str_text(&t->pasted));
    str_reset(&t->pasted);
}

static bool is_yes(const struct terminal *t)
{
    const char *line = str_text(&t->line);

    return t->node->ucm ? strcmp(line, "y") == 0 || strcmp(line, "yes") == 0
                        : strcmp(line, "Y") == 0;
}

/* A capital Y goes on, as one key or as a line; anything else aborts. */
static void answer_question(struct terminal *t, char c)
{
    bool by_key = strcmp(t->node->set.confirm, "key") == 0;
    bool end = c == '\r' || c == '\n';
    bool yes;

    if (!end && !by_key) {
        str_addc(&t->line, c);
        echo(t, &c, 1);
        return;
    }
    if (by_key) {
        yes = c == 'Y';
        if (!end)
            echo(t, &c, 1);
    } else {
        yes = is_yes(t);
    }
    str_reset(&t->line);
    if (t->chan->pty)
        put_text(t, "\n");
    mmp_answer(t->run, yes);
}

/* Typed ahead is kept until the command has ended or asks something. */
static void feed(struct terminal *t)
{
    if (t->feeding)
        return;
    t->feeding = true;
    if (t->run && t->run->on_input && t->input.len > 0) {
        t->run->on_input(t->run, str_text(&t->input), t->input.len);
        str_reset(&t->input);
    }
    while (t->input.len > 0 && !t->ending) {
        bool asking = t->run && t->run->asking;
        char c = t->input.data[0];

        if (t->busy && !asking) {
            if (c != 0x03)
                break;
            str_shift(&t->input, 1);
            continue;
        }
        str_shift(&t->input, 1);
        if (t->skip_newline && c == '\n') {
            t->skip_newline = false;
            continue;
        }
        t->skip_newline = c == '\r';
        if (!t->busy && t->pager.held.len > 0) {
            if (pager_key(&t->pager, c))
                put_prompt(t);
            continue;
        }
        if (asking && t->run->on_paste)
            take_text(t, c);
        else if (asking)
            answer_question(t, c);
        else if (!t->exec)
            edit(t, c);
    }
    t->feeding = false;
}

void terminal_data(struct terminal *t, const char *data, size_t len)
{
    str_addn(&t->input, data, len);
    feed(t);
}

/* After EOF a question is answered by what was typed, or not at all. */
static void close_input(struct terminal *t)
{
    if (!t->eof || t->input.len > 0)
        return;
    if (t->run && t->run->asking) {
        if (t->line.len > 0)
            answer_question(t, '\n');
        else
            mmp_answer(t->run, false);
    } else if (!t->exec && !t->busy) {
        finish(t);
    }
}

void terminal_eof(struct terminal *t)
{
    t->eof = true;
    close_input(t);
}

/* -- beginning and end ----------------------------------------------------- */

static struct terminal *make(struct chan *chan)
{
    struct terminal *t = lab_calloc(1, sizeof(*t));

    t->chan = chan;
    t->node = chan->conn->node;
    str_init(&t->line, LINE_CAP);
    str_init(&t->pasted, INPUT_CAP);
    pager_init(&t->pager, t->node->ucm ? t->node->set.ucm_page : 0, on_page, t);
    str_init(&t->input, INPUT_CAP);
    str_init(&t->slow, 1 << 22);
    return t;
}

struct terminal *terminal_shell(struct chan *chan)
{
    struct terminal *t = make(chan);

    put_text(t, t->node->set.banner);
    t->mute = faults_match(t->node, F_NO_PROMPT, chan->conn->user) != NULL;
    if (flood(t, "login"))
        return t;
    if (must_renew(t))
        ask_new_password(t);
    else if (!t->node->set.ucm_nudged)
        put_prompt(t);
    return t;
}

struct terminal *terminal_exec(struct chan *chan, const char *command)
{
    struct terminal *t = make(chan);

    t->exec = true;
    t->pager.lines = 0;
    chan->terminal = t; /* start() may already end it */
    if (must_renew(t)) {
        put_text(t, "Your password has expired\n"
                    "Please enter new password: ");
        finish(t);
    } else if (is_blank(command)) {
        finish(t);
    } else {
        start(t, command);
    }
    return t;
}

void terminal_free(struct terminal *t)
{
    if (!t)
        return;
    if (t->run)
        mmp_detach(t->run);
    later_cancel(t->later);
    str_release(&t->line);
    str_release(&t->pasted);
    pager_release(&t->pager);
    str_release(&t->input);
    str_release(&t->slow);
    free(t);
}
