/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the program may die: by --wrap of the calls between its parts, so that
 * the product knows nothing of it.
 *
 *     every record of the journal   not stored, stored
 *     every act                     unsent, sent, answered; a put: begun, too
 *     every cell's VERIFY           polled
 *     every file written here       unwritten, written
 *     every staged file taken away  unsent, sent, answered
 *
 * `sent' is the moment when the lab has done it and before it can answer;
 * `begun' is when a file was made there and nothing is in it.
 */
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/run/act.h"
#include "core/run/cell_priv.h"
#include "core/run/course.h"
#include "core/run/send.h"
#include "tests/prove/point.h"
#include "transport/port.h"

enum {
    MOST_LINKS = 256
};

/* What every wrapped call hands on when it is over. */
struct later {
    char label[POINT_BYTES];
    union {
        store_done_f *stored;
        sent_f *sent;
        link_done_f *answered;
    } done;
    void *user;
};

static struct later *later_new(void *user)
{
    struct later *later = calloc(1, sizeof(*later));

    if (!later)
        abort();
    later->user = user;
    return later;
}

/* -- the journal ---------------------------------------------------------- */

void __real_store_append(struct store *store, const struct store_record *record,
                         store_done_f *done, void *user);
void __real_store_begin(struct store *store, const struct store_run *run,
                        const struct store_names *clusters, store_done_f *done,
                        void *user);
void __real_store_takeover(struct store *store, const char *run,
                           store_done_f *done, void *user);
void __real_store_end(struct store *store, const struct store_ending *ending,
                      store_done_f *done, void *user);
void __wrap_store_append(struct store *store, const struct store_record *record,
                         store_done_f *done, void *user);
void __wrap_store_begin(struct store *store, const struct store_run *run,
                        const struct store_names *clusters, store_done_f *done,
                        void *user);
void __wrap_store_takeover(struct store *store, const char *run,
                           store_done_f *done, void *user);
void __wrap_store_end(struct store *store, const struct store_ending *ending,
                      store_done_f *done, void *user);

static const char *text_of(const json_t *data, const char *key)
{
    const char *text = json_string_value(json_object_get(data, key));

    return text ? text : "";
}

static void label_record(const struct store_record *record, char *label)
{
    const char *who = record->node ? record->node : record->cluster;
    json_t *data = record->data ? json_loads(record->data, 0, NULL) : NULL;
    const char *back =
        strcmp(text_of(data, "walk"), "back") == 0 ? "back " : "";

    if (strcmp(record->kind, "cell") == 0)
        snprintf(label, POINT_BYTES, "%s %s %s%s->%s", who, record->step, back,
                 text_of(data, "from"), text_of(data, "to"));
    else if (strcmp(record->kind, "clock") == 0)
        snprintf(label, POINT_BYTES, "%s clock %s %s", who,
                 text_of(data, "clock"), text_of(data, "edge"));
    else
        snprintf(label, POINT_BYTES, "%s record %s", who, record->kind);
    json_decref(data);
}

static void on_stored(void *user, const struct err *err)
{
    struct later *later = user;

    if (!err)
        point("%s, stored", later->label);
    if (later->done.stored)
        later->done.stored(later->user, err);
    free(later);
}

static struct later *store_later(const char *label, store_done_f *done,
                                 void *user)
{
    struct later *later = later_new(user);

    snprintf(later->label, POINT_BYTES, "%s", label);
    later->done.stored = done;
    point("%s, not stored", label);
    return later;
}

void __wrap_store_append(struct store *store, const struct store_record *record,
                         store_done_f *done, void *user)
{
    char label[POINT_BYTES];

    label_record(record, label);
    __real_store_append(store, record, on_stored,
                        store_later(label, done, user));
}

void __wrap_store_begin(struct store *store, const struct store_run *run,
                        const struct store_names *clusters, store_done_f *done,
                        void *user)
{
    __real_store_begin(store, run, clusters, on_stored,
                       store_later("run begin", done, user));
}

void __wrap_store_takeover(struct store *store, const char *run,
                           store_done_f *done, void *user)
{
    __real_store_takeover(store, run, on_stored,
                          store_later("run takeover", done, user));
}

void __wrap_store_end(struct store *store, const struct store_ending *ending,
                      store_done_f *done, void *user)
{
    __real_store_end(store, ending, on_stored,
                     store_later("run end", done, user));
}

/* -- acts ----------------------------------------------------------------- */

int __real_send_act(const struct sending *sending, bool *hold, struct err *err);
int __wrap_send_act(const struct sending *sending, bool *hold, struct err *err);

static const char *step_of(const struct sending *sending)
{
    const struct playbook *pb = sending->view->plan->plan->playbook;

    for (size_t i = 0; i < pb->n_steps; i++)
        for (const struct act *a = pb->steps[i].acts; a && a->kind != ACT_END;
             a++)
            if (a == sending->act)
                return pb->steps[i].id;
    abort();
}

/* A command with its first argument says which one it is. */
static int short_length(const char *text)
{
    const char *end = strchr(text, '}');

    return end ? (int)(end + 1 - text) : (int)strlen(text);
}

static void label_act(const struct sending *sending, char *label)
{
    static const char *const verbs[] = {
        [ACT_COMMAND] = "> ", [ACT_CONFIRM] = "> ",   [ACT_PUT] = "put ",
        [ACT_FETCH] = "get ", [ACT_TAKE] = "get ",    [ACT_REMOVE] = "remove ",
        [ACT_ASKED] = "> ",   [ACT_PASTE] = "> ",     [ACT_KEEP] = "> ",
        [ACT_POST] = "> ",    [ACT_LOCAL] = "here: ",
    };
    const struct plan_cluster *pc = sending->view->plan;
    size_t node = sending->view->node;
    const struct act *act = sending->act;

    snprintf(label, POINT_BYTES, "%s %s %s%s%.*s",
             node == SIZE_MAX ? pc->cluster->name : pc->nodes[node].node->name,
             step_of(sending), sending->view->back ? "back " : "",
             verbs[act->kind],
             act->kind == ACT_FETCH ? POINT_BYTES / 4 : short_length(act->text),
             act->text);
}

/* The lab does it, and then cannot answer.  A put is read back afterwards:
 * what is asked for is its first `open' and its first `close'. */
/* A shell may stand around it; to a pattern a backslash is no letter. */
static void as_pattern(struct str *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->data[i] == '\\')
            text->data[i] = '?';
}

static void die_when_sent(const struct sending *sending, const char *file_verb)
{
    static const char *const hold = "hold %s after '*%s*'";
    static const char *const mute = "inject %s sftp-no-reply '%s %s' once";
    const struct plan_cluster *pc = sending->view->plan;
    const char *node = pc->nodes[sending->view->node].node->name;
    char trap[2 * POINT_BYTES];
    struct err err = {0};
    struct str text;

    str_init(&text, POINT_BYTES);
    if (act_text(sending->view, sending->act, &text, &err) < 0)
        abort();
    as_pattern(&text);
    if (file_verb)
        snprintf(trap, sizeof(trap), mute, node, file_verb, str_text(&text));
    else
        snprintf(trap, sizeof(trap), hold, node, str_text(&text));
    str_release(&text);
    point_die_when(file_verb ? "fault" : "held", trap);
}

/* The same of an order by REST: its path is what the lab knows it by. */
static void die_when_posted(const struct sending *sending)
{
    const char *text = sending->act->text, *path = strchr(text, '/');
    char trap[POINT_BYTES];

    if (!path)
        abort();
    snprintf(trap, sizeof(trap), "inject %s no-reply '%.*s' once",
             sending->view->plan->nodes[sending->view->node].node->name,
             (int)(path - text + (ptrdiff_t)strcspn(path, " ")), text);
    point_die_when("fault", trap);
}

static void send_points(const struct sending *sending, const char *label)
{
    switch (sending->act->kind) {
    case ACT_COMMAND:
    case ACT_CONFIRM:
    case ACT_ASKED:
    case ACT_PASTE:
    case ACT_KEEP:
        if (point_reached("%s, sent", label))
            die_when_sent(sending, NULL);
        break;
    case ACT_PUT:
        if (point_reached("%s, begun", label))
            die_when_sent(sending, "open");
        if (point_reached("%s, sent", label))
            die_when_sent(sending, "close");
        break;
    case ACT_FETCH:
    case ACT_TAKE:
        if (point_reached("%s, sent", label))
            die_when_sent(sending, "read");
        break;
    case ACT_POST:
        if (point_reached("%s, sent", label))
            die_when_posted(sending);
        break;
    case ACT_REMOVE: /* of a row that the proof's cluster has not */
    case ACT_LOCAL:  /* the files that it writes are its points */
    case ACT_END:
        break;
    }
}

static void on_sent(void *user, enum sent sent, const struct err *err)
{
    struct later *later = user;

    point("%s, answered", later->label);
    later->done.sent(later->user, sent, err);
    free(later);
}

int __wrap_send_act(const struct sending *sending, bool *hold, struct err *err)
{
    struct later *later = later_new(sending->user);
    struct sending ours = *sending;

    label_act(sending, later->label);
    later->done.sent = sending->done;
    ours.done = on_sent;
    ours.user = later;
    point("%s, unsent", later->label);
    send_points(sending, later->label);
    if (__real_send_act(&ours, hold, err) == 0)
        return 0;
    free(later);
    return -1;
}

/* -- polls ---------------------------------------------------------------- */

void __real_cell_read(struct cell *cell);
void __wrap_cell_read(struct cell *cell);

/* How often it is asked is the node's matter: the first time of each try. */
void __wrap_cell_read(struct cell *cell)
{
    const struct node *node = cell_node(cell);

    if (cell->state == CELL_VERIFY)
        point_once("%s %s %stry %u, polled",
                   node ? node->name : cell_course(cell)->pc->cluster->name,
                   cell->step->id, cell->walk->back ? "back " : "",
                   cell->tries + 1);
    __real_cell_read(cell);
}

/* -- files here ----------------------------------------------------------- */

int __real_file_write(const char *path, const void *data, size_t len,
                      unsigned mode, bool exclusive, struct err *err);
int __wrap_file_write(const char *path, const void *data, size_t len,
                      unsigned mode, bool exclusive, struct err *err);

/* A tag is another one in each run. */
static void take_tag_out(char *name)
{
    char *at = strstr(name, "-g1-"), *rest;

    if (!at && strncmp(name, "cf-", 3) == 0)
        at = name + 2;
    if (!at)
        return;
    rest = strpbrk(at + (at[1] == 'g' ? 4 : 1), "-.");
    if (rest)
        memmove(at, rest, strlen(rest) + 1);
}

static void label_file(const char *path, char *label)
{
    char *copy = strdup(path), *name = basename(copy);
    char *folder = basename(dirname(strdupa(path)));

    take_tag_out(name);
    snprintf(label, POINT_BYTES, "file %s%s%s",
             strncmp(name, "cf-", 3) == 0 ? folder : "",
             strncmp(name, "cf-", 3) == 0 ? "/" : "", name);
    free(copy);
}

int __wrap_file_write(const char *path, const void *data, size_t len,
                      unsigned mode, bool exclusive, struct err *err)
{
    char label[POINT_BYTES];
    int rc;

    label_file(path, label);
    point("%s, unwritten", label);
    rc = __real_file_write(path, data, len, mode, exclusive, err);
    point("%s, written", label);
    return rc;
}

/* -- links ---------------------------------------------------------------- */

const struct link_ops *__real_port_ops(void);
const struct link_ops *__wrap_port_ops(void);

static const struct link_ops *inner;
static struct {
    const struct link *link;
    const char *node;
} links[MOST_LINKS];
static size_t n_links;

static const char *node_of(const struct link *link)
{
    size_t i = 0;

    while (i < n_links && links[i].link != link)
        i++;
    return i < n_links ? links[i].node : "?";
}

static struct link *open_link(struct link_port *port,
                              const struct link_target *target)
{
    struct link *link = inner->open(port, target);

    if (n_links == MOST_LINKS)
        abort();
    links[n_links].link = link;
    links[n_links++].node = target->name;
    return link;
}

static void on_removed(void *user, const struct link_result *result)
{
    struct later *later = user;

    point("%s, answered", later->label);
    later->done.answered(later->user, result);
    free(later);
}

static void remove_file(struct link *link, const char *name, link_done_f *done,
                        void *user)
{
    struct later *later = later_new(user);
    char plain[POINT_BYTES / 2], trap[POINT_BYTES];

    snprintf(plain, sizeof(plain), "%s", name);
    take_tag_out(plain);
    snprintf(later->label, POINT_BYTES, "%s rm %s", node_of(link), plain);
    later->done.answered = done;
    point("%s, unsent", later->label);
    if (point_reached("%s, sent", later->label)) {
        snprintf(trap, sizeof(trap), "inject %s sftp-no-reply 'remove %s' once",
                 node_of(link), name);
        point_die_when("fault", trap);
    }
    inner->remove(link, name, on_removed, later);
}

const struct link_ops *__wrap_port_ops(void)
{
    static struct link_ops ours;

    inner = __real_port_ops();
    ours = *inner;
    ours.open = open_link;
    ours.remove = remove_file;
    return &ours;
}
