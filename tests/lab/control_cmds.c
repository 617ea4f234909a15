/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of control commands.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/lab/control_priv.h"
#include "tests/lab/engine.h"
#include "tests/lab/faults.h"
#include "tests/lab/mmp.h"

enum {
    FILE_CAP = 16 << 20
};

struct command {
    const char *name;
    int min, max;
    command_f *run;
    const char *usage;
};

static const struct command commands[];

unsigned control_number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

struct lab_node *control_node(struct ask *ask, const char *name)
{
    struct lab_node *n = lab_node(ask_lab(ask), name);

    if (!n)
        ask_fail(ask, "no node called %s", name);
    return n;
}

void control_done(struct ask *ask)
{
    ask_answer(ask, json_object());
}

json_t *control_with(const char *key, json_t *value)
{
    json_t *o = json_object();

    json_object_set_new(o, key, value);
    return o;
}

/* -- looking -----------------------------------------------------------------
 */

static void c_help(struct ask *ask, char **w, int n)
{
    json_t *list = json_array(), *kinds = json_object();

    (void)w, (void)n;
    for (const struct command *c = commands; c->name; c++) {
        char line[300];
        snprintf(line, sizeof(line), "%s %s", c->name, c->usage);
        json_array_append_new(list, json_string(line));
    }
    for (int k = 0; k < F_KINDS; k++)
        json_object_set_new(kinds, fault_name((enum fault_kind)k),
                            json_string(fault_help((enum fault_kind)k)));
    list = control_with("commands", list);
    json_object_set_new(list, "faults", kinds);
    ask_answer(ask, list);
}

static void c_nodes(struct ask *ask, char **w, int n)
{
    struct lab *lab = ask_lab(ask);
    json_t *list = json_array();

    (void)w, (void)n;
    for (size_t i = 0; i < lab->n_nodes; i++)
        json_array_append_new(list, verdict_node(lab->nodes[i]));
    ask_answer(ask, control_with("nodes", list));
}

static void c_node(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    (void)n;
    if (node)
        ask_answer(ask, verdict_node(node));
}

static void c_cluster(struct ask *ask, char **w, int n)
{
    struct lab *lab = ask_lab(ask);
    struct lab_cluster *c = n > 1 ? lab_cluster(lab, w[1]) : lab->clusters[0];

    if (c)
        ask_answer(ask, verdict_cluster(c));
    else
        ask_fail(ask, "no cluster called %s", w[1]);
}

static void c_status(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);
    struct str text;

    (void)n;
    if (!node)
        return;
    str_init(&text, 1 << 16);
    mmp_status_text(node, &text);
    ask_answer(ask, control_with("text", json_string(str_text(&text))));
    str_release(&text);
}

static void c_history(struct ask *ask, char **w, int n)
{
    struct lab *lab = ask_lab(ask);
    json_t *list = json_array();
    uint64_t after = n > 2 ? strtoull(w[2], NULL, 10) : 0;

    for (uint64_t seq = after + 1; seq <= lab->record->n; seq++) {
        struct entry *e = record_entry(lab, seq);
        if (n < 2 || fnmatch(w[1], e->node->name, 0) == 0)
            json_array_append_new(list, verdict_entry(e));
    }
    list = control_with("commands", list);
    json_object_set_new(list, "last", json_integer((json_int_t)lab->record->n));
    ask_answer(ask, list);
}

static void on_settled(void *user, const struct err *why)
{
    struct ask *ask = user;

    (void)why;
    ask_answer(ask, verdict_json(ask_lab(ask)));
}

static void c_verdict(struct ask *ask, char **w, int n)
{
    struct lab *lab = ask_lab(ask);

    (void)w, (void)n;
    lab->ops->settle(lab->engine, on_settled, ask);
}

/* -- files -------------------------------------------------------------------
 */

static void c_files(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);
    json_t *list = json_array();

    (void)n;
    for (struct lab_file *f = node ? node->files : NULL; f; f = f->next) {
        char hex[65];
        lab_digest(f->data ? f->data : (void *)"", f->len, hex);
        json_array_append_new(list,
                              json_pack("{s:s,s:i,s:s}", "name", f->name,
                                        "size", (int)f->len, "sha256", hex));
    }
    if (node)
        ask_answer(ask, control_with("files", list));
    else
        json_decref(list);
}

static void c_put(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);
    struct err err;
    struct secret *s = node ? file_read(w[3], FILE_CAP, &err) : NULL;

    (void)n;
    if (!node)
        return;
    if (!s) {
        ask_fail(ask, "%s", err.text);
        return;
    }
    lab_file_set(node, w[2], s->data, s->len);
    secret_free(s);
    control_done(ask);
}

static void c_rm(struct ask *ask, char **w, int n)
{
    struct lab_node *node = control_node(ask, w[1]);

    (void)n;
    if (node && lab_file_remove(node, w[2]))
        control_done(ask);
    else if (node)
        ask_fail(ask, "%s has no file %s", w[1], w[2]);
}

/* -- faults ------------------------------------------------------------------
 */

static json_t *fault_json(const struct fault *f)
{
    return json_pack("{s:i,s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:i}", "id", (int)f->id,
                     "node", f->node, "kind", fault_name(f->kind), "subject",
                     f->subject, "nth", (int)f->nth, "ms", (int)f->ms, "after",
                     (int)f->after, "seen", (int)f->seen, "hits", (int)f->hits);
}

/* once = the first match; nth=N; always; ms=N; after=ID */
static bool take_how(struct fault *f, const char *word)
{
    if (strcmp(word, "always") == 0)
        f->nth = 0;
    else if (strcmp(word, "once") == 0)
        f->nth = 1;
    else if (strncmp(word, "nth=", 4) == 0)
        f->nth = control_number(word + 4);
    else if (strncmp(word, "ms=", 3) == 0)
        f->ms = control_number(word + 3);
    else if (strncmp(word, "after=", 6) == 0)
        f->after = control_number(word + 6);
    else
        return false;
    return true;
}

static void add_fault(struct ask *ask, struct fault *f, char **w, int n)
{
    static char any[] = "*";

    f->subject = any;
    f->nth = 1;
    for (int i = 0; i < n; i++)
        if (!take_how(f, w[i])) {
            if (i > 0) {
                ask_fail(ask, "not understood: %s", w[i]);
                return;
            }
            f->subject = w[i];
        }
    ask_answer(
        ask,
        control_with("id", json_integer(faults_add(ask_lab(ask)->faults, f))));
}

static void c_inject(struct ask *ask, char **w, int n)
{
    int kind = fault_kind(w[2]);
    struct fault f = {.node = w[1], .ms = 500};

    if (kind < 0) {
        ask_fail(ask, "no fault called %s", w[2]);
        return;
    }
    f.kind = (enum fault_kind)kind;
    add_fault(ask, &f, w + 3, n - 3);
}

static void c_hold(struct ask *ask, char **w, int n)
{
    struct fault f = {.node = w[1]};

    if (strcmp(w[2], "before") != 0 && strcmp(w[2], "after") != 0) {
        ask_fail(ask, "hold NODE before|after PATTERN");
        return;
    }
    f.kind = *w[2] == 'b' ? F_HOLD_BEFORE : F_HOLD_AFTER;
    add_fault(ask, &f, w + 3, n - 3);
}

static void c_release(struct ask *ask, char **w, int n)
{
    struct lab *lab = ask_lab(ask);
    unsigned id = n > 1 ? control_number(w[1]) : 0;
    int released;

    if (id)
        faults_clear(lab->faults, id);
    released = mmp_release(lab, id);
    ask_answer(ask, control_with("released", json_integer(released)));
}

static void c_faults(struct ask *ask, char **w, int n)
{
    json_t *list = json_array();

    (void)w, (void)n;
    for (struct fault *f = ask_lab(ask)->faults->list; f; f = f->next)
        json_array_append_new(list, fault_json(f));
    ask_answer(ask, control_with("faults", list));
}

static void c_clear(struct ask *ask, char **w, int n)
{
    unsigned id = n > 1 ? control_number(w[1]) : 0;

    ask_answer(ask, control_with("cleared", json_integer(faults_clear(
                                                ask_lab(ask)->faults, id))));
}

/* clang-format off */
static const struct command commands[] = {
    { "help", 1, 1, c_help, "" },
    { "nodes", 1, 1, c_nodes, "" },
    { "node", 2, 2, c_node, "NODE" },
    { "cluster", 1, 2, c_cluster, "[CLUSTER]" },
    { "status", 2, 2, c_status, "NODE" },
    { "history", 1, 3, c_history, "[NODE-GLOB [AFTER-SEQ]]" },
    { "verdict", 1, 1, c_verdict, "" },
    { "timing", 1, 2, timing_run, "[CLUSTER]" },
    { "files", 2, 2, c_files, "NODE" },
    { "put", 4, 4, c_put, "NODE NAME PATH" },
    { "rm", 3, 3, c_rm, "NODE NAME" },
    { "inject", 3, 7, c_inject,
      "NODE-GLOB KIND [SUBJECT-GLOB] [once|nth=N|always] [ms=N] [after=ID]" },
    { "faults", 1, 1, c_faults, "" },
    { "clear", 1, 2, c_clear, "[ID]" },
    { "hold", 4, 5, c_hold, "NODE-GLOB before|after PATTERN [nth=N|always]" },
    { "release", 1, 2, c_release, "[ID]" },
    { "wait", 3, 9, wait_run,
      "held ID | fault ID | NODE|* command PATTERN seen|asked|answered|done|"
      "success|failed|lost [count=N] [after=SEQ] | NODE|CLUSTER FIELD PATTERN"
      "; [timeout=MS]" },
    { "down", 2, 2, c_down, "NODE" },
    { "up", 2, 2, c_up, "NODE" },
    { "reboot", 2, 3, c_reboot, "NODE [MS]" },
    { "cut", 2, 2, c_cut, "NODE" },
    { "clock", 3, 3, c_clock, "NODE SECONDS|+SECONDS|-SECONDS" },
    { "set", 4, 4, c_set, "NODE KEY|version VALUE" },
    { "calls", 3, 3, c_calls, "NODE N; so many are active now" },
    { "sync", 3, 3, c_sync, "NODE on|off" },
    { "password", 3, 4, c_password, "NODE USER [NEW]; without: expired" },
    { "host-key", 2, 2, c_host_key, "NODE; another from now on" },
    { "move-primary", 2, 2, c_move, "NODE; it leads from now on" },
    { "foreign", 3, 3, c_foreign, "NODE COMMAND; questions get a Y" },
    { "quit", 1, 1, c_quit, "" },
    { NULL, 0, 0, NULL, NULL },
};
/* clang-format on */

void control_run(struct ask *ask, char **words, int n)
{
    for (const struct command *c = commands; c->name; c++) {
        if (strcmp(c->name, words[0]) != 0)
            continue;
        if (n < c->min || n > c->max)
            ask_fail(ask, "usage: %s %s", c->name, c->usage);
        else
            c->run(ask, words, n);
        return;
    }
    ask_fail(ask, "no command called %s", words[0]);
}
