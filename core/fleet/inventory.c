/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file, reading it whole, the order of the passes, and what is asked of
 * an inventory afterwards.  Neither lines nor values are known here.
 */
#include "core/fleet/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/fleet/inventory_priv.h"
#include "core/fleet/path.h"

enum {
    FILE_BYTES = 16 * 1024 * 1024
};

static const char here[] = "./certfleet.ini";
static const char system_wide[] = "/etc/certfleet/certfleet.ini";

/* The file that the user means.  The descriptor, or -1. */
static int open_first(const char *given, const char **path, struct err *err)
{
    const char *places[] = {here, system_wide};

    if (!given || !*given)
        given = getenv("CERTFLEET_INVENTORY");
    if (given && *given) {
        int fd = open(given, O_RDONLY | O_CLOEXEC);
        *path = given;
        return fd >= 0 ? fd
                       : err_errno(err, CAUSE_INPUT, "inventory %s", given);
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int fd = open(places[i], O_RDONLY | O_CLOEXEC);
        *path = places[i];
        if (fd >= 0)
            return fd;
        if (errno != ENOENT && errno != ENOTDIR)
            return err_errno(err, CAUSE_INPUT, "inventory %s", places[i]);
    }
    return err_set(err, CAUSE_INPUT,
                   "no inventory: neither -i nor $CERTFLEET_INVENTORY is "
                   "given, and neither %s nor %s exists; `certfleet inventory "
                   "sample' prints one to begin with",
                   here, system_wide);
}

/* A pipe is as good as a file: `-i <(generate)`. */
static int slurp(int fd, const char *path, struct str *text, struct err *err)
{
    char buffer[64 * 1024];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, CAUSE_INPUT, "inventory %s", path);
        if (str_addn(text, buffer, (size_t)n) < 0)
            return err_set(err, CAUSE_INPUT, "inventory %s: over %d MB", path,
                           FILE_BYTES / (1024 * 1024));
    }
    return 0;
}

static int by_line(const void *a, const void *b)
{
    const struct numbered_fault *x = a, *y = b;

    if (x->fault.line != y->fault.line)
        return x->fault.line < y->fault.line ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static void keep_faults(struct reading *rd)
{
    struct inventory *inv = rd->inv;

    if (rd->n_faults)
        qsort(rd->faults, rd->n_faults, sizeof(*rd->faults), by_line);
    inv->n_faults = rd->n_faults;
    inv->faults =
        arena_alloc(&inv->arena, (rd->n_faults + 1) * sizeof(*inv->faults));
    for (size_t i = 0; i < rd->n_faults; i++)
        inv->faults[i] = rd->faults[i].fault;
    free(rd->faults);
}

static void read_text(struct inventory *inv, const struct str *text,
                      const struct inventory_options *options)
{
    struct section no_fleet = {.kind = SECTION_FLEET, .name = ""};
    struct reading rd = {.inv = inv,
                         .products = options->products,
                         .checks = options->checks,
                         .fleet = &no_fleet};

    rd.tail = &rd.first;
    inventory_presets(&rd);
    inventory_lines(&rd, str_text(text), text->len);
    inventory_settle(&rd, options->state_dir);
    preflight_settle(&rd);
    inventory_windows_settle(&rd);
    inventory_check(&rd);
    keep_faults(&rd);
    names_release(&rd.keys);
    names_release(&rd.graded);
}

struct inventory *inventory_read(const struct inventory_options *options,
                                 struct err *err)
{
    const char *path;
    int fd = open_first(options->path, &path, err);
    struct inventory *inv;
    struct str text;
    char *folder;

    if (fd < 0)
        return NULL;
    str_init(&text, FILE_BYTES);
    if (slurp(fd, path, &text, err) < 0) {
        close(fd);
        str_release(&text);
        return NULL;
    }
    close(fd);
    inv = calloc(1, sizeof(*inv));
    if (!inv)
        abort();
    arena_init(&inv->arena);
    inv->index = arena_alloc(&inv->arena, sizeof(*inv->index));
    folder = path_folder(path);
    inv->folder = arena_strdup(&inv->arena, folder);
    inv->path = arena_strdup(&inv->arena, path);
    free(folder);
    read_text(inv, &text, options);
    str_release(&text);
    return inv;
}

void inventory_free(struct inventory *inv)
{
    if (!inv)
        return;
    names_release(&inv->index->issuers);
    names_release(&inv->index->clusters);
    names_release(&inv->index->nodes);
    inventory_zones_release(inv->index);
    arena_release(&inv->arena);
    free(inv);
}

void inventory_faults(const struct inventory *inv, struct str *out)
{
    for (size_t i = 0; i < inv->n_faults; i++) {
        const struct fault *f = &inv->faults[i];

        str_add_visible(out, inv->path, strlen(inv->path), false);
        if (f->line)
            str_addf(out, ":%u", f->line);
        str_addf(out, ": %s: ", f->level == FAULT_ERROR ? "error" : "warning");
        str_add_visible(out, f->text, strlen(f->text), false);
        str_addc(out, '\n');
    }
}

struct node *inventory_node(const struct inventory *inv, const char *name)
{
    struct section *s = names_get(&inv->index->nodes, name);

    return s ? s->made : NULL;
}

struct cluster *inventory_cluster(const struct inventory *inv, const char *name)
{
    struct section *s = names_get(&inv->index->clusters, name);

    return s ? s->made : NULL;
}
