/* SPDX-License-Identifier: Apache-2.0
 *
 * Age, use and number decide; nothing is contacted here.
 */
#include "cli/prune_list.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECONDS_A_DAY = 86400,
    TAG_DIGITS = 4
};

bool prune_is_backup(const char *name)
{
    static const char *const words[] = {"primary", "replica", "connect"};
    static const char *const ends[] = {".bak", ".json"};
    const char *role = name + 3 + TAG_DIGITS + 1, *rest = NULL;

    if (strncmp(name, "cf-", 3) != 0 ||
        strspn(name + 3, "0123456789abcdef") != TAG_DIGITS ||
        name[3 + TAG_DIGITS] != '-')
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(role, words[i], strlen(words[i])) == 0)
            rest = role + strlen(words[i]);
    if (!rest)
        return false;
    if (*rest == '-') /* a second snapshot of the same run is numbered */
        rest += 1 + strspn(rest + 1, "0123456789");
    for (size_t i = 0; i < 2; i++)
        if (strcmp(rest, ends[i]) == 0)
            return true;
    return false;
}

void prune_add(struct prune_list *list, const struct prune_file *file,
               const char *name)
{
    struct prune_file *grown =
        realloc(list->files, (list->n + 1) * sizeof(*grown));

    if (!grown)
        abort();
    list->files = grown;
    grown[list->n] = *file;
    grown[list->n].name = strdup(name);
    if (!grown[list->n].name)
        abort();
    list->n++;
}

void prune_release(struct prune_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->files[i].name);
    free(list->files);
    memset(list, 0, sizeof(*list));
}

static bool generation_in_use(const struct prune_list *list,
                              const struct prune_file *file)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct prune_file *f = &list->files[i];
        if (!f->backup && f->cluster == file->cluster && f->in_use &&
            f->generation == file->generation)
            return true;
    }
    return false;
}

static size_t stem(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? (size_t)(dot - name) : strlen(name);
}

/* .bak and .json of one snapshot count as one. */
static bool same_snapshot(const char *a, const char *b)
{
    return stem(a) == stem(b) && strncmp(a, b, stem(a)) == 0;
}

/* How many snapshots of the node are newer than this file's? */
static size_t newer_backups(const struct prune_list *list,
                            const struct prune_file *file)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        const struct prune_file *f = &list->files[i];
        bool counted = false;

        if (!f->backup || f->node != file->node || f->mtime <= file->mtime ||
            same_snapshot(f->name, file->name))
            continue;
        for (size_t k = 0; k < i && !counted; k++)
            counted = list->files[k].backup && list->files[k].node == f->node &&
                      list->files[k].mtime > file->mtime &&
                      same_snapshot(list->files[k].name, f->name);
        n += !counted;
    }
    return n;
}

void prune_decide(struct prune_list *list, const struct prune_rules *rules)
{
    int64_t oldest = rules->now - (int64_t)rules->keep_days * SECONDS_A_DAY;

    for (size_t i = 0; i < list->n; i++) {
        struct prune_file *f = &list->files[i];

        f->goes = false;
        if (f->in_use || f->mtime < 0)
            continue;
        if (f->backup)
            f->goes = newer_backups(list, f) >= rules->keep_backups;
        else
            f->goes = f->mtime < oldest && !generation_in_use(list, f);
    }
}

static bool was_shown(const struct prune_list *shown,
                      const struct prune_file *file)
{
    for (size_t i = 0; i < shown->n; i++)
        if (shown->files[i].goes && shown->files[i].node == file->node &&
            strcmp(shown->files[i].name, file->name) == 0)
            return true;
    return false;
}

void prune_only(struct prune_list *list, const struct prune_list *shown)
{
    for (size_t i = 0; i < list->n; i++)
        list->files[i].goes =
            list->files[i].goes && was_shown(shown, &list->files[i]);
}
