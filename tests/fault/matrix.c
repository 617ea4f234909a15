/* SPDX-License-Identifier: Apache-2.0
 *
 * fault_matrix [--full] [--jobs N] [--only GLOB] [--keep FOLDER] [--verbose]
 *
 * Every row of cms/db-rotate x every fault of the lab x once, for good x
 * forward, while rolling back, rollback of a done run.  Each cell is a lab of
 * its own with 3+2 nodes; what the run came to is judged by the lab (judge.c).
 * Without --full a sample.  Ends with 1 when a cell is WRONG.
 *
 * --only 'forward/leave*' plays the cells whose name matches:
 * WAY/ROW/FAULT/once|good.
 */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/clock.h"
#include "tests/fault/pool.h"
#include "tests/fault/sample.h"
#include "tests/fault/sheet.h"

static struct cell *make_cells(size_t *n)
{
    struct cell *cells;

    *n = (size_t)WAYS * n_rows * n_columns * SPANS;
    cells = calloc(*n, sizeof(*cells));
    if (!cells)
        abort();
    for (size_t i = 0; i < *n; i++) {
        cells[i].span = (enum span)(i % SPANS);
        cells[i].column = i / SPANS % n_columns;
        cells[i].row = i / SPANS / n_columns % n_rows;
        cells[i].way = (enum way)(i / SPANS / n_columns / n_rows);
    }
    return cells;
}

static void choose(const struct pool *pool, bool full, const char *only)
{
    char name[128];

    for (size_t i = 0; i < pool->n; i++)
        pool->marks[i] = cell_unfit(&pool->cells[i]) ? MARK_UNFIT : MARK_WRONG;
    if (!full && !only)
        sample_take(pool->cells, pool->marks, pool->n);
    for (size_t i = 0; only && i < pool->n; i++) {
        cell_name(&pool->cells[i], name, sizeof(name));
        if (pool->marks[i] != MARK_UNFIT && fnmatch(only, name, 0) != 0)
            pool->marks[i] = MARK_SKIPPED;
    }
}

static int run(struct pool *pool, bool full, const char *only)
{
    struct cell *cells = make_cells(&pool->n);
    uint64_t began = clock_mono_ms();
    int wrong = 0;

    pool->cells = cells;
    pool->marks = calloc(pool->n, sizeof(*pool->marks));
    if (!pool->marks)
        abort();
    choose(pool, full, only);
    pool_run(pool);
    sheet_print(pool->cells, pool->marks, pool->n);
    printf("took %.0f s\n", (double)(clock_mono_ms() - began) / 1000);
    for (size_t i = 0; i < pool->n; i++)
        wrong |= pool->marks[i] == MARK_WRONG;
    free(pool->marks);
    free(cells);
    return wrong;
}

static int usage(const char *self)
{
    fprintf(stderr,
            "usage: %s [--full] [--jobs N] [--only GLOB] [--keep FOLDER] "
            "[--verbose]\n",
            self);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"full", no_argument, NULL, 'f'},
        {"jobs", required_argument, NULL, 'j'},
        {"only", required_argument, NULL, 'o'},
        {"keep", required_argument, NULL, 'k'},
        {"verbose", no_argument, NULL, 'v'},
        {0},
    };
    struct pool pool = {.jobs = 0};
    const char *only = NULL;
    bool full = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (c == 'f')
            full = true;
        else if (c == 'j')
            pool.jobs = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'o')
            only = optarg;
        else if (c == 'k')
            pool.keep = optarg;
        else if (c == 'v')
            pool.talk = true;
        else
            return usage(argv[0]);
    if (optind != argc)
        return usage(argv[0]);
    if (pool.jobs == 0) /* they mostly wait */
        pool.jobs = full ? 12 : 8;
    if (pool.keep && mkdir(pool.keep, 0700) < 0 && errno != EEXIST)
        return usage(argv[0]);
    axes_init();
    return run(&pool, full, only);
}
