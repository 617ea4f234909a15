/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to the lab and to what a run has said, and the assertions made of
 * them.
 */
#include "tests/scenario/bed_priv.h"

#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the lab --------------------------------------------------------------- */

json_t *bed_lab(struct bed *bed, const char *fmt, ...)
{
    json_t *answer;
    char *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&line, fmt, ap) < 0)
        abort();
    va_end(ap);
    answer = rig_ask(bed->rig, "%s", line);
    json_array_append_new(bed->kept, answer);
    if (!json_is_true(json_object_get(answer, "ok")))
        fail_msg("lab: %s: %s", line, bed_text(answer, "error"));
    free(line);
    return answer;
}

int bed_id(json_t *answer)
{
    return (int)json_integer_value(json_object_get(answer, "id"));
}

json_t *bed_verdict(struct bed *bed)
{
    return bed_lab(bed, "verdict");
}

/* Any value as text, in the bed. */
static const char *as_text(struct bed *bed, const json_t *value)
{
    char *text = json_is_string(value) ? strdup(json_string_value(value))
                                       : json_dumps(value, JSON_ENCODE_ANY);
    const char *copy = arena_strdup(&bed->arena, text ? text : "null");

    free(text);
    return copy;
}

const char *bed_node(struct bed *bed, const char *node, const char *field)
{
    return as_text(bed, json_object_get(bed_lab(bed, "node %s", node), field));
}

unsigned bed_count(struct bed *bed, const char *node, const char *pattern)
{
    json_t *answer = bed_lab(bed, "history %s", node);
    const json_t *entry;
    unsigned n = 0;
    size_t i;

    json_array_foreach(json_object_get(answer, "commands"), i, entry)
    {
        n += strcmp(bed_text(entry, "source"), "foreign") != 0 &&
             fnmatch(pattern, bed_text(entry, "text"), 0) == 0;
    }
    return n;
}

unsigned bed_files(struct bed *bed, const char *node, const char *pattern)
{
    json_t *answer = bed_lab(bed, "files %s", node);
    const json_t *file;
    unsigned n = 0;
    size_t i;

    json_array_foreach(json_object_get(answer, "files"), i, file)
    {
        n += fnmatch(pattern, bed_text(file, "name"), 0) == 0;
    }
    return n;
}

/* -- what a run said ------------------------------------------------------- */

const char *bed_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

json_t *bed_result(const struct bed_run *run)
{
    size_t n = json_array_size(run->events);
    json_t *last = n ? json_array_get(run->events, n - 1) : NULL;

    if (strcmp(bed_text(last, "event"), "result") != 0) {
        bed_print(run);
        fail_msg("certfleet %s: ended without a result", run->line);
    }
    return last;
}

/* The object of the list "clusters" with this name; NULL: none. */
static json_t *named_cluster(const json_t *object, const char *cluster)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(object, "clusters"), i, item)
    {
        if (strcmp(bed_text(item, "cluster"), cluster) == 0)
            return item;
    }
    return NULL;
}

json_t *bed_cluster(const struct bed_run *run, const char *cluster)
{
    json_t *found = named_cluster(bed_result(run), cluster);

    if (!found) {
        bed_print(run);
        fail_msg("the result has no cluster %s", cluster);
    }
    return found;
}

bool bed_said(const struct bed_run *run, const char *word)
{
    return strstr(str_text(&run->out_text), word) ||
           strstr(str_text(&run->err_text), word);
}

const char *bed_run_id(const struct bed_run *run)
{
    return bed_text(bed_result(run), "run");
}

struct bed_run *bed_next(struct bed_run *run, const char *verb)
{
    struct bed *bed = run->bed;
    const char *next = bed_text(bed_result(run), "next");
    const char *wanted =
        arena_printf(&bed->arena, " %s %s", verb, bed_run_id(run));
    const char *at = strstr(next, wanted);

    if (strncmp(next, "certfleet ", 10) != 0 || !at ||
        strcmp(at, wanted) != 0) {
        bed_print(run);
        fail_msg("next is `%s', wanted a command that ends with `%s'", next,
                 wanted);
    }
    return bed_do(bed, "%s --yes", at + 1);
}

/* -- what every run must have said ----------------------------------------- */

static void has_no_secret(const struct bed_run *run)
{
    const char *password = bed_read(run->bed, "password");

    if (bed_said(run, "PRIVATE KEY") ||
        (strlen(password) >= 8 && bed_said(run, password))) {
        bed_print(run);
        fail_msg("certfleet %s: a secret was printed", run->line);
    }
}

void bed_examine(struct bed_run *run)
{
    json_int_t code;

    has_no_secret(run);
    if (run->plain)
        return;
    if (run->parsed != run->out_text.len || strcmp(run->line, "") == 0) {
        bed_print(run);
        fail_msg("standard output ends in the middle of a line");
    }
    code = json_integer_value(json_object_get(bed_result(run), "exit"));
    if (code != run->code || bed_events(run, "result", NULL, NULL) != 1) {
        bed_print(run);
        fail_msg("the result says exit %d, the program's was %d", (int)code,
                 run->code);
    }
}

/* -- assertions ------------------------------------------------------------ */

void bed_ends(const struct bed_run *run, int code, const char *outcome)
{
    const char *said = bed_text(bed_result(run), "outcome");

    if (run->code == code && strcmp(said, outcome) == 0)
        return;
    bed_print(run);
    fail_msg("certfleet %s: exit %d, %s; wanted %d, %s", run->line, run->code,
             said, code, outcome);
}

static json_t *find_cluster(json_t *verdict, const char *cluster)
{
    json_t *found = named_cluster(verdict, cluster);

    if (!found)
        fail_msg("the lab has no cluster %s", cluster);
    return found;
}

static void wrong(struct bed *bed, const json_t *what, const char *why)
{
    char *text = json_dumps(what, JSON_INDENT(1));

    for (struct bed_run *run = bed->runs; run; run = run->next)
        bed_print(run);
    fprintf(stderr, "--- the lab: %s\n", text);
    free(text);
    fail_msg("the lab: %s", why);
}

/* The program's own; a person's at the keyboard are not its fault. */
static void has_no_violation(struct bed *bed, json_t *verdict)
{
    const json_t *v;
    size_t i;

    json_array_foreach(json_object_get(verdict, "violations"), i, v)
    {
        if (!json_is_true(json_object_get(v, "foreign")))
            wrong(bed, v, "an invariant was broken");
    }
}

static bool file_holds(const char *path, const char *word)
{
    FILE *f = fopen(path, "re");
    struct str bytes;
    char buf[16384];
    size_t n;
    bool found;

    str_init(&bytes, BED_TEXT_CAP);
    while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
        str_addn(&bytes, buf, n);
    if (f)
        fclose(f);
    found = bytes.len && memmem(bytes.data, bytes.len, word, strlen(word));
    str_release(&bytes);
    return found;
}

static void store_has_no_secret(struct bed *bed)
{
    const char *password = bed_read(bed, "password");
    glob_t found;

    if (glob(arena_printf(&bed->arena, "%s/state/*.db*", bed->dir), 0, NULL,
             &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (file_holds(found.gl_pathv[i], "PRIVATE KEY") ||
            file_holds(found.gl_pathv[i], password))
            fail_msg("%s holds a secret", found.gl_pathv[i]);
    globfree(&found);
}

static void is_safe(struct bed *bed, json_t *verdict)
{
    json_t *item;
    size_t i;

    has_no_violation(bed, verdict);
    if (json_integer_value(json_object_get(verdict, "secrets_seen")) != 0)
        wrong(bed, verdict, "a secret was typed");
    json_array_foreach(json_object_get(verdict, "clusters"), i, item)
    {
        if (json_integer_value(json_object_get(item, "rows_lost")) != 0)
            wrong(bed, item, "rows were lost");
    }
    store_has_no_secret(bed);
}

void bed_is_safe(struct bed *bed)
{
    is_safe(bed, bed_verdict(bed));
}

static void is_whole(struct bed *bed, const char *cluster, const char *state,
                     const char *primary)
{
    json_t *verdict = bed_verdict(bed);
    json_t *c = find_cluster(verdict, cluster);

    if (strcmp(bed_text(c, "state"), state) != 0)
        wrong(bed, c, "the nodes' sets are not as wanted");
    if (!json_is_true(json_object_get(c, "healthy")))
        wrong(bed, c, "the cluster is not whole and in sync");
    if (strcmp(bed_text(c, "primary"), primary) != 0)
        wrong(bed, c, "another node is the primary");
    is_safe(bed, verdict);
}

void bed_is_new(struct bed *bed, const char *cluster, const char *primary)
{
    is_whole(bed, cluster, "new", primary);
}

void bed_is_old(struct bed *bed, const char *cluster, const char *primary)
{
    is_whole(bed, cluster, "old", primary);
}

static void was_not_changed(struct bed *bed, const char *cluster)
{
    json_t *c = find_cluster(bed_verdict(bed), cluster);
    const json_t *node;
    size_t i;

    json_array_foreach(json_object_get(c, "nodes"), i, node)
    {
        const char *name = bed_text(node, "node");
        unsigned all = bed_count(bed, name, "database cluster *");
        unsigned reads = bed_count(bed, name, "database cluster status");

        if (all != reads)
            wrong(bed, bed_lab(bed, "history %s", name),
                  "a command has changed the node");
    }
}

void bed_is_untouched(struct bed *bed, const char *cluster, const char *primary)
{
    was_not_changed(bed, cluster);
    is_whole(bed, cluster, "old", primary);
}

void bed_is_clean(struct bed *bed)
{
    json_t *answer = bed_lab(bed, "nodes");
    const json_t *node;
    size_t i;

    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        const char *name = bed_text(node, "node");

        if (strcmp(bed_text(node, "set"), "old") == 0 &&
            bed_files(bed, name, "db*-g[0-9]*-*") != 0)
            wrong(bed, bed_lab(bed, "files %s", name),
                  "a staged file was left");
    }
}
