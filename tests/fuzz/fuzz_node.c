/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever one node of four answers to all that is read of it: facts, gates,
 * a decision, and the commands that would follow.
 *
 * Parts: status, names in its root (a line each), version, date, df, the five
 * files that status may name, the live certificate.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/console_model.h"
#include "playbooks/cms/cms.h"
#include "tests/fuzz/fleet.h"
#include "tests/fuzz/fuzz.h"

enum {
    NAMES = 200
};

static struct link_result result_of(struct input in)
{
    return (struct link_result){.end = LINK_OK,
                                .data = (const char *)in.p,
                                .len = in.left,
                                .took_ms = 3};
}

static void read_list(struct facts *facts, const struct read_row *row,
                      struct input in)
{
    struct link_file files[NAMES];
    struct link_result result = {.end = LINK_OK, .files = files};

    while (in.left > 0 && result.n_files < NAMES)
        files[result.n_files++] =
            (struct link_file){input_text(input_line(&in)), 100, 1795000000};
    row->parse(facts, &row->about, &result, NULL);
    for (size_t i = 0; i < result.n_files; i++)
        free((char *)(uintptr_t)files[i].name);
}

static void read_files(const struct view *view, const struct read_row *row,
                       struct input files[5])
{
    struct facts *facts = view->plan->nodes[view->node].facts;
    struct read_file list[READ_FILES_MAX];
    size_t n = row->names(view, list);

    must(n <= READ_FILES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct link_result result = result_of(files[list[i].tag % 5]);

        row->parse(facts, &list[i], &result, NULL);
    }
}

static void read_row(const struct view *view, const struct read_row *row,
                     struct input *in, struct input files[5])
{
    struct facts *facts = view->plan->nodes[view->node].facts;
    struct link_peer peer;
    struct link_result result;

    switch (row->kind) {
    case READ_COMMAND:
        result = result_of(input_part(in));
        row->parse(facts, &row->about, &result, &facts->err);
        break;
    case READ_LIST:
        read_list(facts, row, input_part(in));
        break;
    case READ_FILES:
        read_files(view, row, files);
        break;
    case READ_SERVED:
    case READ_API:
        result = result_of(input_part(in));
        if (row->peer(view, &row->about, &peer))
            row->parse(facts, &row->about, &result, NULL);
        break;
    case READ_WORK:
        row->work(facts);
        break;
    }
}

/* The order of the parts is that of the table, but for the files, which come
 * before the live certificate. */
static void read_node(struct plan_cluster *pc, size_t node, struct input in)
{
    const struct view view = {.plan = pc, .node = node, .walk_ms = 1};
    struct input files[5] = {{0}};
    bool cut = false;

    for (const struct read_row *row = cms_reads; row->bit; row++) {
        for (int i = 0; row->kind == READ_FILES && !cut && i < 5; i++)
            files[i] = input_part(&in);
        cut = cut || row->kind == READ_FILES;
        read_row(&view, row, &in, files);
    }
}

static void read_others(struct plan_cluster *pc)
{
    static const char *const places[] = {
        "    10.0.0.1 : Connected Primary\n"
        "    10.0.0.2 (me) : Connected Replica ( In Sync )\n"
        "    10.0.0.3 : Connected Replica ( In Sync )\n",
        "    10.0.0.1 : Connected Primary\n"
        "    10.0.0.2 : Connected Replica ( In Sync )\n"
        "    10.0.0.3 (me) : Connected Replica ( In Sync )\n",
        "    10.0.0.1 : Connected Primary\n"
        "    10.0.0.2 : Connected Replica ( In Sync )\n"
        "    10.0.0.3 : Connected Replica ( In Sync )\n",
    };
    char status[1024];

    for (size_t i = 0; i < 3; i++) {
        int n = snprintf(status, sizeof(status),
                         "Status : Enabled\nNodes:\n%sInterface : a\n"
                         "Last command : 'database cluster %s 10.0.0.1' "
                         "(Success)\n",
                         places[i], i < 2 ? "join" : "connect");

        read_node(pc, i + 1,
                  (struct input){(const uint8_t *)status, (size_t)n});
    }
}

/* As an event, which is how it is told. */
static void tell(const char *id, const char *words)
{
    const struct event event = {
        .event = "warning", .state = id, .detail = words, .took_ms = -1};
    struct str line;
    json_t *json = event_json(&event);
    const char *kept = json_string_value(json_object_get(json, "detail"));

    must(kept && strcmp(kept, "(not text)") != 0);
    json_decref(json);
    str_init(&line, 1 << 16);
    model_plain(&event, &line);
    must(line.len > 0 && line.data[line.len - 1] == '\n');
    must_be_visible(line.data, line.len - 1, false);
    str_release(&line);
}

static void tell_findings(struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        tell(findings->list[i].id, findings->list[i].text);
    findings_release(findings);
}

static void take_cert(void *user, const struct cert_row *row)
{
    (void)user;
    must(row->service && row->file);
    tell("row", row->findings);
    tell("row", row->info.subject);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan *plan = fleet_plan();
    struct plan_cluster *pc = &plan->clusters[0];
    const struct view view = {.plan = pc, .node = 0, .walk_ms = 1};
    const struct product *cms = plan->playbook->product;
    struct findings findings = {0};
    struct err err = {0};

    read_others(pc);
    read_node(pc, 0, (struct input){data, size});
    cms->health(&view, &findings);
    cms->certificates(&view, take_cert, NULL);
    tell_findings(&findings);
    if (plan->playbook->decide(pc, &findings, &err) < 0)
        must(err.text[0]);
    tell_findings(&findings);
    must(pc->holder == SIZE_MAX || pc->holder < pc->n_nodes);
    must(plan_name_set(pc, pc->number % 1000 + 1, "3f9a", "/state", &err) == 0);
    fleet_check_acts(pc);
    plan_free(plan);
    return 0;
}
