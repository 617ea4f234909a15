/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/prune_list.h - which files of a cluster's nodes may go.  Pure: fed with
 * what was read, asked for the answer.
 *
 * A set goes when it is older than keep_days, and no file of its generation
 * is in use on any node that was read.  Of the snapshots the newest
 * keep_backups of each node stay.  A file whose age nobody tells stays.
 */
#ifndef CERTFLEET_CLI_PRUNE_LIST_H
#define CERTFLEET_CLI_PRUNE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prune_file {
    const void *cluster; /* same pointer: same cluster */
    const void *node;
    char *name;
    int64_t mtime; /* seconds; -1: not told */
    uint64_t size;
    unsigned generation; /* of a set */
    bool backup, in_use;
    bool goes; /* the answer */
};
struct prune_list {
    struct prune_file *files;
    size_t n;
};
struct prune_rules {
    int64_t now; /* seconds */
    unsigned keep_days, keep_backups;
};

/* The name is copied. */
void prune_add(struct prune_list *list, const struct prune_file *file,
               const char *name);
void prune_decide(struct prune_list *list, const struct prune_rules *rules);
/* Of `list' only what goes in `shown' too, goes. */
void prune_only(struct prune_list *list, const struct prune_list *shown);
void prune_release(struct prune_list *list);

/* "cf-3f9a-primary.bak": a snapshot that a run made (design: the name is the
 * second witness of who held the data). */
bool prune_is_backup(const char *name);

#endif
