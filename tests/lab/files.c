/* SPDX-License-Identifier: Apache-2.0
 *
 * The flat root of an appliance, in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/lab.h"

struct lab_file *lab_file(struct lab_node *node, const char *name)
{
    struct lab_file *f = node->files;

    while (f && strcmp(f->name, name) != 0)
        f = f->next;
    return f;
}

/* At the end, so that listings keep the order of creation. */
struct lab_file *lab_file_make(struct lab_node *node, const char *name)
{
    struct lab_file **p = &node->files;

    while (*p && strcmp((*p)->name, name) != 0)
        p = &(*p)->next;
    if (!*p) {
        *p = lab_calloc(1, sizeof(**p));
        (*p)->name = lab_strdup(name);
    }
    (*p)->mtime = lab_node_now(node);
    return *p;
}

size_t lab_files_bytes(const struct lab_node *node)
{
    size_t sum = 0;

    for (const struct lab_file *f = node->files; f; f = f->next)
        sum += f->len;
    return sum;
}

int lab_file_write(struct lab_node *node, struct lab_file *file,
                   uint64_t offset, const void *data, size_t len)
{
    size_t end, others = lab_files_bytes(node) - file->len;

    if (offset > SIZE_MAX / 4 || len > SIZE_MAX / 4)
        return -1;
    end = (size_t)offset + len;
    if (end > file->len && others + end > node->set.disk_bytes)
        return -1;
    if (end > file->room) {
        size_t room = file->room ? file->room : 1024;
        unsigned char *bigger;

        while (room < end)
            room *= 2;
        bigger = realloc(file->data, room);
        if (!bigger)
            abort();
        memset(bigger + file->len, 0, room - file->len);
        file->data = bigger;
        file->room = room;
    }
    if (len)
        memcpy(file->data + offset, data, len);
    if (end > file->len)
        file->len = end;
    file->mtime = lab_node_now(node);
    return 0;
}

void lab_file_set(struct lab_node *node, const char *name, const void *data,
                  size_t len)
{
    struct lab_file *f = lab_file_make(node, name);

    f->len = 0;
    lab_file_write(node, f, 0, data, len);
}

static void free_file(struct lab_file *f)
{
    free(f->name);
    free(f->data);
    free(f);
}

bool lab_file_remove(struct lab_node *node, const char *name)
{
    struct lab_file **p = &node->files, *f;

    while (*p && strcmp((*p)->name, name) != 0)
        p = &(*p)->next;
    f = *p;
    if (!f)
        return false;
    *p = f->next;
    free_file(f);
    return true;
}

void lab_files_free(struct lab_node *node)
{
    while (node->files) {
        struct lab_file *next = node->files->next;
        free_file(node->files);
        node->files = next;
    }
}
