/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/remove_tree.h - a folder of a test and all below it, gone.
 */
#ifndef CERTFLEET_TESTS_REMOVE_TREE_H
#define CERTFLEET_TESTS_REMOVE_TREE_H

#include <ftw.h>
#include <stdio.h>

static inline int remove_tree_one(const char *path, const struct stat *st,
                                  int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

/* 0, or -1: something is left. */
static inline int remove_tree(const char *path)
{
    return nftw(path, remove_tree_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
