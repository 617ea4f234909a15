/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/report_page_priv.h - the parts of a run's page, and their words.
 */
#ifndef CERTFLEET_CLI_REPORT_PAGE_PRIV_H
#define CERTFLEET_CLI_REPORT_PAGE_PRIV_H

#include "cli/report_page.h"

/* How an outcome or a cell's state looks, and what it is called. */
struct report_tone { /* .word NULL: nobody here knows it */
    const char *word, *class, *says;
};
const struct report_tone *report_tone(const char *word);
const char *report_says(const char *word); /* the word itself when unknown */
/* A text of a journal's object, or NULL. */
const char *report_member(const json_t *object, const char *key);

/* What figures of a run have in common: SVG's units (a figure is as wide as
 * the page lets it), and time from left to right. */
enum {
    FIGURE_WIDTH = 1000,
    FIGURE_LEFT = 128, /* names */
    FIGURE_PLOT = 860,
    FIGURE_TOP = 26 /* axis */
};
struct figure {
    const struct report *report;
    const struct report_cluster *cluster;
    size_t part;
    int64_t from_ms, to_ms;
    struct str *out;
};
int64_t figure_x(const struct figure *f, int64_t t_ms);
void figure_axis(const struct figure *f, int64_t bottom);
void figure_name(const struct figure *f, const char *name, int64_t y);

/* Sections, each with its heading. */
void report_clusters(const struct report *r, struct str *out);
void report_certificates(const struct report *r, struct str *out);
void report_notes(const struct report *r, struct str *out);
void report_deeds(const struct report *r, struct str *out);
void report_steps(const struct report *r, struct str *out);

#endif
