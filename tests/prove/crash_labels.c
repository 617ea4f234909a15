/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting points, twice; and a sample of them.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/rig.h"
#include "tests/prove/crash.h"

/* -- a list --------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add(struct crash_labels *labels, const char *line)
{
    labels->list =
        realloc(labels->list, (labels->n + 1) * sizeof(*labels->list));
    if (!labels->list || !(labels->list[labels->n++] = strdup(line)))
        abort();
}

void crash_labels_release(struct crash_labels *labels)
{
    for (size_t i = 0; i < labels->n; i++)
        free(labels->list[i]);
    free(labels->list);
    memset(labels, 0, sizeof(*labels));
}

static int read_list(const char *path, struct crash_labels *labels)
{
    FILE *f = fopen(path, "re");
    char line[CRASH_LABEL_BYTES];

    if (!f)
        return -1;
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        add(labels, line);
    }
    fclose(f);
    unlink(path);
    if (labels->n > 0)
        qsort(labels->list, labels->n, sizeof(*labels->list), by_text);
    return 0;
}

struct count { /* a child, for it is a test program of its own */
    char path[PATH_MAX];
    pid_t pid;
};

static void begin_count(struct count *c, enum crash_way way, bool power)
{
    int fd;

    /* beside the beds: the list is moved here from one of them */
    snprintf(c->path, sizeof(c->path), "%s/certfleet-points.XXXXXX",
             rig_place());
    fd = mkstemp(c->path);
    if (fd < 0)
        abort();
    close(fd);
    fflush(NULL);
    c->pid = fork();
    if (c->pid < 0)
        abort();
    if (c->pid == 0)
        exit(!freopen("/dev/null", "we", stdout) ||
             crash_list(way, power, c->path));
}

static int end_count(struct count *c, struct crash_labels *labels)
{
    int status = -1;

    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (read_list(c->path, labels) == 0 && status == 0)
        return 0;
    printf("the points could not be counted\n");
    return -1;
}

/* -- two counts ----------------------------------------------------------- */

/* 0 when both have the same; what one has and the other has not is printed. */
static int compare(const struct crash_labels *a, const struct crash_labels *b)
{
    size_t i = 0, k = 0;
    int rc = 0;

    while (i < a->n || k < b->n) {
        int c = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->list[i], b->list[k]);
        if (c != 0) {
            printf("counted only the %s time: %s\n", c < 0 ? "first" : "second",
                   c < 0 ? a->list[i] : b->list[k]);
            rc = -1;
        }
        i += c <= 0;
        k += c >= 0;
    }
    return rc;
}

int crash_labels_count(enum crash_way way, struct crash_labels *labels)
{
    struct crash_labels second = {0};
    struct count counts[2];
    int rc;

    memset(labels, 0, sizeof(*labels));
    begin_count(&counts[0], way, false);
    begin_count(&counts[1], way, true);
    rc = end_count(&counts[0], labels);
    rc |= end_count(&counts[1], &second);
    if (rc == 0)
        rc = compare(labels, &second);
    crash_labels_release(&second);
    return rc;
}

/* -- a sample ------------------------------------------------------------- */

size_t crash_hash(const char *text)
{
    size_t h = 1469598103934665603u; /* FNV-1a */

    while (*text)
        h = (h ^ (unsigned char)*text++) * 1099511628211u;
    return h;
}

/* The row and the kind: the second word, and what follows the last comma.  All
 * files are one row. */
static void stratum(const char *label, char *key)
{
    const char *row = strchr(label, ' ');
    const char *kind = strrchr(label, ',');

    row = row ? row + 1 : label;
    if (strncmp(label, "file ", 5) == 0)
        row = "file ";
    snprintf(key, CRASH_LABEL_BYTES, "%.*s%.*s", (int)strcspn(row, " ,"), row,
             kind ? (int)strcspn(kind, "#") : 0, kind ? kind : "");
    if (key[strlen(key) - 1] == ' ')
        key[strlen(key) - 1] = '\0';
}

static bool is_in(const char *label, const char *key)
{
    char own[CRASH_LABEL_BYTES];

    stratum(label, own);
    return strcmp(own, key) == 0;
}

/* One of all that are in the same stratum, by its name: not always the first
 * node's. */
static size_t pick(const struct crash_labels *labels, const char *key)
{
    size_t n = 0, k, i;

    for (i = 0; i < labels->n; i++)
        n += is_in(labels->list[i], key);
    k = n > 0 ? crash_hash(key) % n : 0;
    for (i = 0; i + 1 < labels->n && (k > 0 || !is_in(labels->list[i], key));
         i++)
        k -= is_in(labels->list[i], key);
    return i;
}

void crash_labels_sample(struct crash_labels *labels)
{
    struct crash_labels sample = {0};
    char key[CRASH_LABEL_BYTES];

    for (size_t i = 0; i < labels->n; i++) {
        bool had = false;

        stratum(labels->list[i], key);
        for (size_t k = 0; k < sample.n && !had; k++)
            had = is_in(sample.list[k], key);
        if (!had)
            add(&sample, labels->list[pick(labels, key)]);
    }
    crash_labels_release(labels);
    *labels = sample;
}
