/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of the services, made from their table (facts/cms.md 5).
 *
 * `certs' and `trust' say nothing when all is well, as no document shows a
 * word of them; what they name is looked at when the service starts.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/faults.h"
#include "tests/lab/mmp.h"
#include "tests/lab/service.h"

enum {
    MAX_COMMANDS = 128,
    NAME_ROOM = 48
};

/* What a command is about; parallel to the commands, filled with them. */
struct subject {
    const struct service_kind *kind;
    const struct service_slot *slot;
    char name[NAME_ROOM];
};

static struct mmp_command commands[MAX_COMMANDS + 1];
static struct subject subjects[MAX_COMMANDS];

static const struct subject *subject_of(const struct mmp_run *run)
{
    return &subjects[run->command - commands];
}

static struct service *service_of(const struct mmp_run *run)
{
    return service_find(run->node, subject_of(run)->kind->name);
}

static bool is_busy(struct mmp_run *run)
{
    const struct service *s = service_of(run);

    if (!s->busy)
        return false;
    mmp_fail(run, "%s is busy", s->kind->name);
    return true;
}

/* -- printouts ------------------------------------------------------------- */

static const void *setting(const struct lab_node *node, size_t offset)
{
    return (const char *)&node->set + offset;
}

static void add_line(struct mmp_run *run, const struct service *s,
                     const struct service_line *l)
{
    const char *file = l->kind == LINE_FILE || l->kind == LINE_FILE_IF_SET
                           ? s->file[l->number]
                           : NULL;
    const char *text = l->text;

    if (l->kind == LINE_FILE_IF_SET && !file)
        return;
    mmp_print(run, "%s", l->label);
    if (l->kind == LINE_PORT) {
        mmp_print(run, "%s%u\n", text,
                  *(const unsigned *)setting(run->node, l->number));
        return;
    }
    if (l->kind == LINE_ENABLED)
        text = s->enabled ? "true" : "false";
    else if (l->kind == LINE_WORD)
        text = *(char *const *)setting(run->node, l->number);
    else if (l->kind == LINE_FILE || l->kind == LINE_FILE_IF_SET)
        text = file ? file : "none";
    else if (l->kind == LINE_STATUS) {
        mmp_print(run, "%s %srunning\n", s->kind->name,
                  s->running ? "" : "not ");
        return;
    }
    mmp_print(run, "%s\n", text);
}

static void print(struct mmp_run *run)
{
    const struct service *s = service_of(run);

    for (const struct service_line *l = s->kind->lines; l->label; l++)
        add_line(run, s, l);
    mmp_end(run, "ok");
}

static void status(struct mmp_run *run)
{
    static const struct service_line line = {"STATUS : ", LINE_STATUS, 0, NULL};

    add_line(run, service_of(run), &line);
    mmp_end(run, "ok");
}

/* -- files ----------------------------------------------------------------- */

static unsigned files_of(const struct service_slot *slot)
{
    return slot->kind == SLOT_PAIR ? 3 : slot->kind == SLOT_TRUST ? 1 : 2;
}

/* What no document shows, and an appliance might say all the same. */
static void end_well(struct mmp_run *run, const char *what)
{
    if (run->node->set.service_words)
        mmp_ok(run, "%s %s", subject_of(run)->kind->name, what);
    else
        mmp_end(run, "ok");
}

static void on_named(struct mmp_run *run)
{
    end_well(run, subject_of(run)->slot->verb);
}

static void name_files(struct mmp_run *run)
{
    struct service *s = service_of(run);
    const struct service_slot *slot = subject_of(run)->slot;

    if (is_busy(run))
        return;
    for (int i = 0; i < run->n_args; i++)
        if (!lab_file(run->node, run->args[i])) {
            mmp_fail(run, "File %s not found", run->args[i]);
            return;
        }
    for (unsigned i = 0; i < files_of(slot); i++)
        lab_replace(&s->file[slot->first + i],
                    (int)i < run->n_args ? run->args[i] : NULL);
    mmp_later(run, run->node->set.certs_ms, on_named);
}

/* -- starting and stopping ------------------------------------------------- */

static void on_started(struct mmp_run *run)
{
    struct service *s = service_of(run);
    bool fails = faults_match(run->node, F_FAIL_ASYNC, run->text) != NULL;

    s->busy = false;
    if (fails)
        mmp_fail(run, "Internal error"); /* it stays down */
    else
        mmp_end(run, service_start(run->node, s, &run->out) ? "ok" : "failure");
}

/* Down now, up when its time is over. */
static void begin(struct mmp_run *run)
{
    struct service *s = service_of(run);
    const struct fault *slow = faults_match(run->node, F_SLOW_ASYNC, run->text);

    s->busy = true;
    service_stop(run->node, s);
    mmp_later(run, run->node->set.service_ms + (slow ? slow->ms : 0),
              on_started);
}

static void restart(struct mmp_run *run)
{
    struct service *s = service_of(run);

    if (is_busy(run))
        return;
    if (s->enabled)
        begin(run);
    else
        mmp_fail(run, "%s is not enabled", s->kind->name);
}

static void on_enabled(struct mmp_run *run)
{
    struct service *s = service_of(run);
    bool fails = faults_match(run->node, F_FAIL_ASYNC, run->text) != NULL;

    s->busy = false;
    s->enabled = !fails && service_start(run->node, s, &run->out);
    if (fails)
        mmp_fail(run, "Internal error");
    else
        mmp_end(run, s->enabled ? "ok" : "failure");
}

/* One that runs is started anew, so that its files are loaded. */
static void enable(struct mmp_run *run)
{
    if (is_busy(run))
        return;
    begin(run);
    run->on_later = on_enabled;
}

static void on_disabled(struct mmp_run *run)
{
    service_of(run)->busy = false;
    end_well(run, "disabled");
}

static void disable(struct mmp_run *run)
{
    struct service *s = service_of(run);

    if (is_busy(run))
        return;
    s->busy = true;
    s->enabled = false;
    service_stop(run->node, s);
    mmp_later(run, run->node->set.certs_ms, on_disabled);
}

/* -- the table of commands, made once from the table of services ----------- */

static void add(const struct subject *about, void (*run)(struct mmp_run *),
                int least, int most, const char *usage)
{
    size_t n = 0;

    while (commands[n].name)
        n++;
    if (n == MAX_COMMANDS)
        abort();
    subjects[n] = *about;
    commands[n] = (struct mmp_command){.name = subjects[n].name,
                                       .run = run,
                                       .min_args = least,
                                       .max_args = most,
                                       .usage = usage,
                                       .since = about->kind->since,
                                       .until = about->kind->until};
}

static void add_verb(const struct service_kind *kind, const char *verb,
                     void (*run)(struct mmp_run *))
{
    struct subject about = {.kind = kind};

    snprintf(about.name, sizeof(about.name), "%s%s%s", kind->name,
             *verb ? " " : "", verb);
    add(&about, run, 0, 0, "");
}

static void add_slot(const struct service_kind *kind,
                     const struct service_slot *slot)
{
    static const char *const usage[] = {
        [SLOT_PAIR] = "<key-file> <crt-file> [<cert-bundle>]",
        [SLOT_KEY_CERT] = "<key-file> <crt-file>",
        [SLOT_CHAIN] = "<key-file> <crt-fullchain-file>",
        [SLOT_TRUST] = "<crt-bundle>",
    };
    struct subject about = {.kind = kind, .slot = slot};
    int most = (int)files_of(slot);

    snprintf(about.name, sizeof(about.name), "%s %s", kind->name, slot->verb);
    add(&about, name_files, most < 2 ? most : 2, most, usage[slot->kind]);
    if (!slot->none)
        return;
    snprintf(about.name, sizeof(about.name), "%s %s none", kind->name,
             slot->verb);
    add(&about, name_files, 0, 0, "");
}

static void add_kind(const struct service_kind *kind)
{
    add_verb(kind, "", print);
    if (kind->flags & SERVICE_RESTART)
        add_verb(kind, "restart", restart);
    if (kind->flags & SERVICE_SWITCH) {
        add_verb(kind, "enable", enable);
        add_verb(kind, "disable", disable);
    }
    if (kind->flags & SERVICE_STATUS)
        add_verb(kind, "status", status);
    for (const struct service_slot *s = kind->slots; s->verb; s++)
        add_slot(kind, s);
}

const struct mmp_command *mmp_service_commands(void)
{
    if (!commands[0].name)
        for (const struct service_kind *k = service_kinds; k->name; k++)
            add_kind(k);
    return commands;
}
