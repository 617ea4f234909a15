/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of JSON, and a file of them that is written anew.
 */
#include "cli/reading.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/fleet/names.h"
#include "core/run/plan.h"

/* -- from a node to a line ------------------------------------------------- */

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, app_text(text));
}

static void on_cert(void *user, const struct cert_row *row)
{
    json_t *certs = user, *c = json_object();

    set_text(c, "service", row->service);
    set_text(c, "file", row->file);
    set_text(c, "subject", row->info.subject);
    set_text(c, "issuer", row->info.issuer);
    set_text(c, "cn", row->info.common_name);
    set_text(c, "serial", row->info.serial);
    set_text(c, "sha256", row->info.sha256);
    set_text(c, "findings", row->findings);
    set_text(c, "playbook", row->playbook);
    set_text(c, "key", row->input_key);
    set_text(c, "value", row->input_value);
    json_object_set_new(c, "from", json_integer(row->info.not_before));
    json_object_set_new(c, "to", json_integer(row->info.not_after));
    json_array_append_new(certs, c);
}

static bool is_healthy(const struct view *view)
{
    struct findings findings = {.n = 0};
    bool bad = false;

    view->plan->plan->playbook->product->health(view, &findings);
    for (size_t i = 0; i < findings.n; i++)
        bad = bad || findings.list[i].severity >= SEVERITY_BLOCK;
    findings_release(&findings);
    return !bad;
}

void reading_start(struct reading *reading, int64_t now)
{
    str_init(&reading->lines, READING_CAP);
    reading->at = now;
}

void reading_take(struct reading *reading, const struct view *view)
{
    const struct plan_node *pn = &view->plan->nodes[view->node];
    json_t *line = json_object(), *certs = json_array();
    bool up = !pn->facts->unreachable;
    char *text;

    json_object_set_new(line, "cluster", app_text(view->plan->cluster->name));
    json_object_set_new(line, "node", app_text(pn->node->name));
    json_object_set_new(line, "at", json_integer(reading->at));
    json_object_set_new(line, "up", json_boolean(up));
    if (up) {
        json_object_set_new(line, "healthy", json_boolean(is_healthy(view)));
        view->plan->plan->playbook->product->certificates(view, on_cert, certs);
    }
    json_object_set_new(line, "certs", certs);
    text = json_dumps(line, JSON_COMPACT);
    if (!text)
        abort();
    str_addf(&reading->lines, "%s\n", text);
    free(text);
    json_decref(line);
}

/* -- the file ---------------------------------------------------------------
 */

static const char *path_of(const struct inventory *inventory,
                           struct arena *arena)
{
    return arena_printf(arena, "%s/reading.json", inventory->state_dir);
}

/* The next line, or NULL at the end; what is no object is passed over. */
static json_t *next_line(const char **at, const char *end)
{
    while (*at < end) {
        const char *begin = *at, *nl = memchr(begin, '\n', (size_t)(end - *at));
        size_t len = (size_t)((nl ? nl : end) - begin);
        json_t *line = json_loadb(begin, len, 0, NULL);

        *at = nl ? nl + 1 : end;
        if (json_is_object(line))
            return line;
        json_decref(line);
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* Of a node that the inventory has still, in the same cluster; else NULL. */
static const struct node *node_of(const struct names *nodes, const json_t *line)
{
    const struct node *node = names_get(nodes, text_of(line, "node"));

    return node && strcmp(node->cluster->name, text_of(line, "cluster")) == 0
               ? node
               : NULL;
}

static void name_nodes(struct names *nodes, const struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->n_nodes; i++)
        names_put(nodes, inventory->nodes[i]->name, inventory->nodes[i]);
}

/* Behind the new lines the old ones of nodes that have no new one. */
static void add_old(struct reading *reading, const struct inventory *inventory,
                    const struct secret *old)
{
    struct names nodes = {.slots = NULL}, fresh = {.slots = NULL};
    struct arena arena;
    const char *at = str_text(&reading->lines), *end = at + reading->lines.len;
    json_t *line;

    arena_init(&arena);
    name_nodes(&nodes, inventory);
    for (; (line = next_line(&at, end)); json_decref(line)) {
        char *name = arena_strdup(&arena, text_of(line, "node"));
        names_put(&fresh, name, name);
    }
    at = (const char *)old->data;
    end = at + old->len;
    while (at < end) {
        const char *begin = at;

        line = next_line(&at, end);
        if (line && node_of(&nodes, line) &&
            !names_get(&fresh, text_of(line, "node")))
            str_addn(&reading->lines, begin, (size_t)(at - begin));
        json_decref(line);
    }
    names_release(&nodes);
    names_release(&fresh);
    arena_release(&arena);
}

/* Held until it is closed. */
static int lock(const char *path, struct arena *arena)
{
    int fd = open(arena_printf(arena, "%s.lock", path),
                  O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int write_all(struct reading *reading, const struct inventory *inventory,
                     struct arena *arena, struct err *err)
{
    const char *path = path_of(inventory, arena);
    struct secret *old;
    int fd, rc;

    if (file_make_folders(inventory->state_dir, err) < 0)
        return -1;
    fd = lock(path, arena);
    if (fd < 0)
        return err_set(err, CAUSE_SYSTEM, "%s.lock: it cannot be locked", path);
    old = file_exists(path) ? file_read(path, READING_CAP, err) : NULL;
    if (old)
        add_old(reading, inventory, old);
    secret_free(old);
    rc = reading->lines.cut
             ? err_set(err, CAUSE_SYSTEM, "more than %d MB", READING_CAP >> 20)
             : file_write(path, str_text(&reading->lines), reading->lines.len,
                          0600, false, err);
    close(fd);
    return rc;
}

void reading_keep(struct reading *reading, const struct inventory *inventory)
{
    struct err err = {.cause = CAUSE_NONE};
    struct arena arena;

    arena_init(&arena);
    if (reading->lines.len && write_all(reading, inventory, &arena, &err) < 0)
        log_info("what was read is not kept for `windows' and metrics: %s",
                 err.text);
    str_release(&reading->lines);
    arena_release(&arena);
}

/* -- and back ---------------------------------------------------------------
 */

static const char *kept(struct arena *arena, const json_t *c, const char *key)
{
    const char *text = text_of(c, key);

    return *text ? arena_strdup(arena, text) : NULL;
}

static void copy(char *to, size_t room, const json_t *c, const char *key)
{
    snprintf(to, room, "%s", text_of(c, key));
}

static void take_cert(struct fleet_facts *facts, const struct node *node,
                      const json_t *json, struct arena *arena)
{
    struct fleet_cert *c = fleet_add_cert(facts);
    struct pki_cert_info *info = &c->row.info;

    c->cluster = node->cluster->name;
    c->node = node->name;
    copy(c->service, sizeof(c->service), json, "service");
    copy(c->file, sizeof(c->file), json, "file");
    copy(info->subject, sizeof(info->subject), json, "subject");
    copy(info->issuer, sizeof(info->issuer), json, "issuer");
    copy(info->common_name, sizeof(info->common_name), json, "cn");
    copy(info->serial, sizeof(info->serial), json, "serial");
    copy(info->sha256, sizeof(info->sha256), json, "sha256");
    copy(c->row.findings, sizeof(c->row.findings), json, "findings");
    info->not_before = json_integer_value(json_object_get(json, "from"));
    info->not_after = json_integer_value(json_object_get(json, "to"));
    c->row.playbook = kept(arena, json, "playbook");
    c->row.input_key = kept(arena, json, "key");
    c->row.input_value = kept(arena, json, "value");
    c->days = fleet_days(info->not_after, facts->now);
}

static void take_line(struct fleet_facts *facts, const struct node *node,
                      const json_t *line, struct arena *arena)
{
    struct fleet_node *n = fleet_add_node(facts);
    json_t *cert;
    size_t i;

    n->cluster = node->cluster->name;
    n->node = node->name;
    n->read_at = json_integer_value(json_object_get(line, "at"));
    if (!facts->read_at || n->read_at < facts->read_at)
        facts->read_at = n->read_at;
    n->up = json_is_true(json_object_get(line, "up"));
    n->healthy = json_is_true(json_object_get(line, "healthy"));
    json_array_foreach(json_object_get(line, "certs"), i, cert)
    {
        take_cert(facts, node, cert, arena);
    }
}

int reading_load(const struct inventory *inventory, struct arena *arena,
                 struct fleet_facts *facts, struct err *err)
{
    const char *path = path_of(inventory, arena), *at;
    struct names nodes = {.slots = NULL};
    struct secret *text;
    json_t *line;

    facts->kept = true;
    if (!file_exists(path))
        return 0;
    text = file_read(path, READING_CAP, err);
    if (!text)
        return -1;
    name_nodes(&nodes, inventory);
    at = (const char *)text->data;
    for (; (line = next_line(&at, (const char *)text->data + text->len));
         json_decref(line)) {
        const struct node *node = node_of(&nodes, line);
        if (node)
            take_line(facts, node, line, arena);
    }
    names_release(&nodes);
    secret_free(text);
    fleet_sort(facts);
    return 0;
}
