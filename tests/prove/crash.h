/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/prove/crash.h - between the files of the crash matrix.
 *
 * A job is one death and what comes after it, with a lab of its own: a run is
 * killed at a point (point.h), then somebody types `resume' or `rollback', and
 * the lab says what has become of the cluster.  Jobs are children of the
 * driver, several at a time; what they find is in memory that all share.
 */
#ifndef CERTFLEET_PROVE_CRASH_H
#define CERTFLEET_PROVE_CRASH_H

#include <stdbool.h>
#include <stddef.h>

enum crash_way { /* what is killed */
    CRASH_FORWARD,
    CRASH_BACK, /* the way back of a run that was done */
    CRASH_CUCM, /* a rotation that cannot be taken back (cucm/rotate) */
    CRASH_CCE,  /* one on Windows (cce/rotate); not in a sample */
    CRASH_WAYS
};
enum crash_pass { /* what is typed afterwards */
    CRASH_RESUME,
    CRASH_ROLLBACK,
    CRASH_PASSES
};
enum crash_end {
    CRASH_NONE, /* the job has not come to its end */
    CRASH_NEW,
    CRASH_OLD,
    CRASH_NEXT, /* incomplete, and what it said to type worked */
};

enum {
    CRASH_LABEL_BYTES = 256
};

struct crash_job {
    enum crash_way way;
    enum crash_pass pass;
    bool power; /* what was not synced is lost */
    char label[CRASH_LABEL_BYTES];
    size_t again; /* killed again at this point of what comes after; 0: no */
    /* the child's findings */
    enum crash_end end;
    size_t points;                /* of what came after */
    char died[CRASH_LABEL_BYTES]; /* where, the second time; "": it lived */
};

/* -- crash_job.c: in the child -------------------------------------------- */

/* Of this word; CRASH_WAYS: there is none. */
enum crash_way crash_way_of(const char *word);
/* The whole job; 0, or 1 with all that was wrong on standard error. */
int crash_job(struct crash_job *job);
/* Lists the points of a run that nobody kills; 0, or 1. */
int crash_list(enum crash_way way, bool power, const char *path);
const char *crash_pass_word(enum crash_pass pass);
/* "forth", "back", "cucm", "cce": what --way takes. */
const char *crash_way_word(enum crash_way way);

/* -- crash_crew.c: the driver's children ---------------------------------- */

/* Memory that the children share; never freed. */
void *crash_shared(size_t bytes);
/* Runs all of them, `at_once' at a time; prints what those that fail have
 * said.  How many failed. */
size_t crash_crew(struct crash_job *jobs, size_t n, size_t at_once);

/* -- crash_labels.c: which points there are -------------------------------- */

struct crash_labels {
    char **list; /* sorted, each once */
    size_t n;
};

/* Counts them twice, the second time on the disk that forgets; -1: the two
 * disagree (what differs is printed). */
int crash_labels_count(enum crash_way way, struct crash_labels *labels);
/* Keeps one of every kind of point in every row. */
void crash_labels_sample(struct crash_labels *labels);
void crash_labels_release(struct crash_labels *labels);
/* Of any text, the same on every machine. */
size_t crash_hash(const char *text);

#endif
