/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of families: a row for each, with what fills it.
 */
#include "cli/fleet_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>

#include "cli/metrics.h"
#include "core/base/file.h"

struct sources {
    const struct fleet_facts *facts;
    const struct run_history *history;
};

/* -- certificates --------------------------------------------------------- */

/* As the exporter has it: in decimal. */
static void decimal(const char *hex, char *text, size_t room)
{
    BIGNUM *number = NULL;
    char *digits = NULL;

    if (BN_hex2bn(&number, hex) > 0)
        digits = BN_bn2dec(number);
    snprintf(text, room, "%s", digits ? digits : "");
    OPENSSL_free(digits);
    BN_free(number);
}

/* Where the value ends: RFC 2253, a backslash keeps what follows. */
static const char *value_end(const char *p)
{
    for (; *p && *p != ',' && *p != '+'; p++)
        if (*p == '\\' && p[1])
            p++;
    return p;
}

/* The first common name of "O=b,CN=a". */
static void name_in(const char *subject, char *text, size_t room)
{
    const char *end, *p = subject;
    size_t n = 0;

    while (*p && strncmp(p, "CN=", 3) != 0) {
        p = value_end(p);
        p += *p != '\0';
    }
    end = value_end(p);
    for (p += *p ? 3 : 0; p < end && n + 1 < room; p++) {
        if (*p == '\\' && strchr(",+\"\\<>;", p[1]))
            p++;
        text[n++] = *p;
    }
    text[n] = '\0';
}

typedef int64_t cert_value_f(const struct fleet_facts *,
                             const struct fleet_cert *);

static int64_t not_before(const struct fleet_facts *facts,
                          const struct fleet_cert *c)
{
    (void)facts;
    return c->row.info.not_before;
}

static int64_t not_after(const struct fleet_facts *facts,
                         const struct fleet_cert *c)
{
    (void)facts;
    return c->row.info.not_after;
}

static int64_t expired(const struct fleet_facts *facts,
                       const struct fleet_cert *c)
{
    return facts->now > c->row.info.not_after;
}

static int64_t found(const struct fleet_facts *facts,
                     const struct fleet_cert *c)
{
    (void)facts;
    return *c->row.findings != '\0';
}

static void add_certs(struct metrics *m, const struct fleet_facts *facts,
                      cert_value_f *value)
{
    for (size_t i = 0; i < facts->n_certs; i++) {
        const struct fleet_cert *c = &facts->certs[i];
        char serial[160], issuer[256];

        decimal(c->row.info.serial, serial, sizeof(serial));
        name_in(c->row.info.issuer, issuer, sizeof(issuer));
        metrics_add(m,
                    (const struct metrics_label[]){
                        {"cluster", c->cluster},
                        {"node", c->node},
                        {"service", c->service},
                        {"filename", c->file},
                        {"serial_number", serial},
                        {"subject_CN", c->row.info.common_name},
                        {"issuer_CN", issuer},
                        {NULL, NULL}},
                    value(facts, c));
    }
}

static void fill_not_before(struct metrics *m, const struct sources *from)
{
    add_certs(m, from->facts, not_before);
}

static void fill_not_after(struct metrics *m, const struct sources *from)
{
    add_certs(m, from->facts, not_after);
}

static void fill_expired(struct metrics *m, const struct sources *from)
{
    add_certs(m, from->facts, expired);
}

static void fill_found(struct metrics *m, const struct sources *from)
{
    add_certs(m, from->facts, found);
}

/* -- nodes ---------------------------------------------------------------- */

static void add_node(struct metrics *m, const struct fleet_node *n, bool value)
{
    metrics_add(m,
                (const struct metrics_label[]){
                    {"cluster", n->cluster}, {"node", n->node}, {NULL, NULL}},
                value);
}

static void fill_source(struct metrics *m, const struct sources *from)
{
    for (size_t i = 0; i < from->facts->n_nodes; i++) {
        const struct fleet_node *n = &from->facts->nodes[i];

        metrics_add(m,
                    (const struct metrics_label[]){{"source_kind", "certfleet"},
                                                   {"source_name", n->node},
                                                   {NULL, NULL}},
                    n->up);
    }
}

static void fill_up(struct metrics *m, const struct sources *from)
{
    for (size_t i = 0; i < from->facts->n_nodes; i++)
        add_node(m, &from->facts->nodes[i], from->facts->nodes[i].up);
}

/* Of one that was not read nobody knows. */
static void fill_healthy(struct metrics *m, const struct sources *from)
{
    for (size_t i = 0; i < from->facts->n_nodes; i++)
        if (from->facts->nodes[i].up)
            add_node(m, &from->facts->nodes[i], from->facts->nodes[i].healthy);
}

static void fill_time(struct metrics *m, const struct sources *from)
{
    const struct fleet_facts *f = from->facts;

    if (!f->kept || f->read_at)
        metrics_add(m, NULL, f->kept ? f->read_at : f->now);
}

static void fill_warn(struct metrics *m, const struct sources *from)
{
    metrics_add(m, NULL, (int64_t)from->facts->warn_days * 86400);
}

/* -- runs ----------------------------------------------------------------- */

static void fill_runs(struct metrics *m, const struct sources *from)
{
    for (size_t i = 0; i < from->history->n_counts; i++) {
        const struct history_count *c = &from->history->counts[i];

        metrics_add(m,
                    (const struct metrics_label[]){{"outcome", c->outcome},
                                                   {NULL, NULL}},
                    (int64_t)c->n);
    }
}

static void fill_outage(struct metrics *m, const struct sources *from)
{
    for (size_t i = 0; i < from->history->n_outages; i++) {
        const struct history_outage *o = &from->history->outages[i];

        metrics_add_ms(m,
                       (const struct metrics_label[]){{"cluster", o->cluster},
                                                      {NULL, NULL}},
                       o->ms);
    }
}

static void fill_outage_time(struct metrics *m, const struct sources *from)
{
    for (size_t i = 0; i < from->history->n_outages; i++) {
        const struct history_outage *o = &from->history->outages[i];

        metrics_add_ms(m,
                       (const struct metrics_label[]){{"cluster", o->cluster},
                                                      {NULL, NULL}},
                       o->t_ms);
    }
}

/* -- the table ------------------------------------------------------------ */

struct family_row {
    struct metrics_family family;
    void (*fill)(struct metrics *, const struct sources *);
    bool of_runs;
};

/* clang-format off */
static const struct family_row rows[] = {
    {{"x509_cert_not_before", "gauge",
      "Unix time of the certificate's NotBefore."}, fill_not_before, false},
    {{"x509_cert_not_after", "gauge",
      "Unix time of the certificate's NotAfter."}, fill_not_after, false},
    {{"x509_cert_expired", "gauge",
      "1 when the certificate has expired."}, fill_expired, false},
    {{"x509_source_up", "gauge",
      "1 when the node's certificates could be read."}, fill_source, false},
    {{"certfleet_cert_finding", "gauge",
      "1 when the certificate has a finding; check says which."},
      fill_found, false},
    {{"certfleet_node_up", "gauge",
      "1 when the node answered and could be read."}, fill_up, false},
    {{"certfleet_node_healthy", "gauge",
      "1 when nothing is wrong with the node; absent when it is not up."},
      fill_healthy, false},
    {{"certfleet_check_timestamp_seconds", "gauge",
      "Unix time at which the nodes were read."}, fill_time, false},
    {{"certfleet_warn_seconds", "gauge",
      "The inventory's warn_days: with less left a certificate is due."},
      fill_warn, false},
    {{"certfleet_runs", "gauge",
      "Runs in the store by outcome; it falls when a stopped run is resumed."},
      fill_runs, true},
    {{"certfleet_cluster_last_outage_seconds", "gauge",
      "How long the cluster's database did not serve in the last run that "
      "stopped it."}, fill_outage, true},
    {{"certfleet_cluster_last_outage_timestamp_seconds", "gauge",
      "Unix time at which that run was through with the cluster."},
      fill_outage_time, true},
};
/* clang-format on */

void fleet_metrics(const struct fleet_facts *facts,
                   const struct run_history *history, struct str *out)
{
    const struct sources from = {facts, history};
    struct metrics m;

    metrics_init(&m, out);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].of_runs && !history)
            continue;
        metrics_open(&m, &rows[i].family);
        rows[i].fill(&m, &from);
    }
    metrics_release(&m);
}

/* -- the file ------------------------------------------------------------- */

int metrics_file_check(struct app *app, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str folder;
    int rc;

    str_init(&folder, 4096);
    if (slash)
        str_addn(&folder, path, (size_t)(slash - path) + 1);
    else
        str_add(&folder, ".");
    rc = access(str_text(&folder), W_OK | X_OK);
    if (rc < 0)
        app_failf(app, CAUSE_INPUT,
                  "--metrics %.200s: its folder cannot be written to", path);
    str_release(&folder);
    return rc;
}

/* What monitoring is for is told also when the store is of no use. */
static bool read_history(struct app *app, struct arena *arena,
                         struct run_history *history)
{
    struct err err = {.cause = CAUSE_NONE};

    if (run_history_read(app->inventory, arena, history, &err) == 0)
        return true;
    out_warn(&app->out, "the metrics say nothing of runs: %s\n", err.text);
    return false;
}

int metrics_file_write(struct app *app, const char *path,
                       const struct fleet_facts *facts)
{
    struct err err = {.cause = CAUSE_NONE};
    struct run_history history;
    struct arena arena;
    struct str text;
    bool known;
    int rc;

    arena_init(&arena);
    str_init(&text, METRICS_CAP);
    known = read_history(app, &arena, &history);
    fleet_metrics(facts, known ? &history : NULL, &text);
    if (text.cut)
        rc = err_set(&err, CAUSE_SYSTEM, "%s: more than %d MB of metrics", path,
                     METRICS_CAP >> 20);
    else
        rc = file_write(path, str_text(&text), text.len, 0644, false, &err);
    if (rc < 0)
        app_fail(app, &err);
    str_release(&text);
    arena_release(&arena);
    return rc;
}
