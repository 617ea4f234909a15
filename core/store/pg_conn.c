/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to PostgreSQL: opening it, one statement there and back, what
 * its failures mean.  libpq is only used without blocking: each step has a
 * deadline, so that a server that is gone costs seconds, not minutes.  What
 * waits here is a thread of the pool, or a command without a loop.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/store/pg_priv.h"

/* -- what went wrong --------------------------------------------------------
 */

/* libpq's texts have several lines, and end in one. */
static void one_line(const char *text, char line[PG_TEXT])
{
    size_t n = 0;

    for (; *text && n + 1 < PG_TEXT; text++)
        if (*text != '\n' && *text != '\t')
            line[n++] = *text;
        else if (n > 0 && line[n - 1] != ' ' && text[1])
            line[n++] = ' ';
    line[n] = '\0';
}

/* Nothing can be said over it any more: the next turn makes a new one. */
int pg_lost(struct db *db, const char *why, struct err *err)
{
    char line[PG_TEXT];

    one_line(why && *why ? why : pq.errorMessage(db->pg), line);
    pq.finish(db->pg);
    db->pg = NULL;
    return err_set(err, CAUSE_SYSTEM,
                   "%s cannot be reached: %s (does `psql' reach it from here? "
                   "A run that is cut off is gone on with by `certfleet "
                   "resume')",
                   db->store->title, line);
}

static int fail_busy(struct db *db, const char *text, struct err *err)
{
    (void)text;
    return err_set(err, CAUSE_SYSTEM,
                   "%s: another controller has been writing for over %d s",
                   db->store->title, STORE_BUSY_MS / 1000);
}

static int fail_room(struct db *db, const char *text, struct err *err)
{
    return err_set(err, CAUSE_SYSTEM, "%s: no room left to write: %s",
                   db->store->title, text);
}

static int fail_rights(struct db *db, const char *text, struct err *err)
{
    return err_set(err, CAUSE_SYSTEM,
                   "%s: %s (its user needs a schema of his own: CREATE SCHEMA "
                   "... AUTHORIZATION ...)",
                   db->store->title, text);
}

static int fail_default(struct db *db, const char *text, struct err *err)
{
    return err_set(err, CAUSE_SYSTEM, "%s: %s", db->store->title, text);
}

int pg_fail(struct db *db, const struct pg_result *result, struct err *err)
{
    static const struct {
        const char *state;
        int (*fail)(struct db *, const char *, struct err *);
    } rows[] = {
        {"53100", fail_room},   {"55P03", fail_busy},   {"57014", fail_busy},
        {"42501", fail_rights}, {"3F000", fail_rights}, {NULL, fail_default},
    };
    const char *state = pq.resultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char line[PG_TEXT];
    size_t i = 0;

    one_line(text ? text : pq.resultErrorMessage(result), line);
    while (rows[i].state && (!state || strcmp(state, rows[i].state) != 0))
        i++;
    return rows[i].fail(db, line, err);
}

/* -- waiting ----------------------------------------------------------------
 */

/* 1: something is to be done, 0: the time is over, -1. */
static int wait_for(struct pg_conn *conn, int events, uint64_t until)
{
    struct pollfd p = {pq.socket(conn), (short)events, 0};
    int rc;

    do {
        uint64_t now = clock_mono_ms();
        if (now >= until)
            return 0;
        rc = poll(&p, 1, (int)(until - now));
    } while (rc < 0 && errno == EINTR);
    return rc;
}

static int await(struct db *db, int events, uint64_t until, struct err *err)
{
    int rc = wait_for(db->pg, events, until);

    if (rc > 0)
        return 0;
    return pg_lost(db, rc == 0 ? "no answer in time" : strerror(errno), err);
}

/* -- connecting -------------------------------------------------------------
 */

static void on_notice(void *arg, const char *message)
{
    char line[PG_TEXT];

    (void)arg;
    one_line(message, line);
    log_debug("store: %s", line);
}

/* Before `dbname`: presets; behind it: what the URL does not change. */
static struct pg_conn *connect_start(const struct store *store)
{
    char name[64];
    const char *const keys[] = {
        "target_session_attrs", "tcp_user_timeout", "dbname", "client_encoding",
        "application_name",     "password",         NULL,
    };
    const char *const values[] = {
        "read-write", "10000",
        store->url,   "UTF8",
        name,         store->password ? secret_text(store->password) : NULL,
        NULL,
    };

    snprintf(name, sizeof(name), "certfleet %.40s", store->owner);
    return pq.connectStartParams(keys, values, 1);
}

static int connect_poll(struct db *db, struct err *err)
{
    uint64_t until = clock_mono_ms() + STORE_BUSY_MS;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    for (;;) {
        int events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (await(db, events, until, err) < 0)
            return -1;
        status = pq.connectPoll(db->pg);
        if (status == PGRES_POLLING_OK)
            return 0;
        if (status == PGRES_POLLING_FAILED)
            return pg_lost(db, NULL, err);
    }
}

/* A database that forgives lost commits would forgive a lost intent.  A
 * controller that stands still in mid-turn must not hold up the others. */
static const char settings[] =
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off';"
    "SET statement_timeout = 10000;"
    "SET lock_timeout = 10000;"
    "SET idle_in_transaction_session_timeout = 10000;"
    "SET client_min_messages = warning";

int pg_connect(struct db *db, struct err *err)
{
    if (pq_load(err) < 0)
        return -1;
    db->pg = connect_start(db->store);
    if (!db->pg)
        abort(); /* out of memory */
    pq.setNoticeProcessor(db->pg, on_notice, NULL);
    if (pq.status(db->pg) == CONNECTION_BAD)
        return pg_lost(db, NULL, err);
    if (connect_poll(db, err) < 0)
        return -1;
    if (pq.setnonblocking(db->pg, 1) < 0)
        return pg_lost(db, NULL, err);
    return pg_script(db, settings, err);
}

/* -- one statement ----------------------------------------------------------
 */

static int flush(struct db *db, uint64_t until, struct err *err)
{
    int rc;

    while ((rc = pq.flush(db->pg)) > 0) {
        if (await(db, POLLIN | POLLOUT, until, err) < 0)
            return -1;
        if (!pq.consumeInput(db->pg))
            return pg_lost(db, NULL, err);
    }
    return rc < 0 ? pg_lost(db, NULL, err) : 0;
}

/* The next result; NULL with 0: there is none any more. */
static int take(struct db *db, uint64_t until, struct pg_result **result,
                struct err *err)
{
    while (pq.isBusy(db->pg)) {
        if (await(db, POLLIN, until, err) < 0)
            return -1;
        if (!pq.consumeInput(db->pg))
            return pg_lost(db, NULL, err);
    }
    *result = pq.getResult(db->pg);
    return 0;
}

static bool is_well(const struct pg_result *result)
{
    ExecStatusType status = pq.resultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* Of several the first bad one, else the last. */
int pg_finish(struct db *db, struct pg_result **result, struct err *err)
{
    uint64_t until = clock_mono_ms() + STORE_BUSY_MS + 2000;
    struct pg_result *one = NULL;

    *result = NULL;
    if (flush(db, until, err) < 0)
        return -1;
    while (take(db, until, &one, err) == 0 && one) {
        if (*result && !is_well(*result)) {
            pq.clear(one);
            continue;
        }
        pq.clear(*result);
        *result = one;
    }
    if (!db->pg || pq.status(db->pg) == CONNECTION_BAD) {
        int rc = db->pg ? pg_lost(db, NULL, err) : -1;

        pq.clear(*result);
        *result = NULL;
        return rc;
    }
    if (*result && is_well(*result))
        return 0;
    pg_fail(db, *result, err);
    pq.clear(*result);
    *result = NULL;
    return -1;
}

int pg_script(struct db *db, const char *sql, struct err *err)
{
    struct pg_result *result;

    if (!pq.sendQuery(db->pg, sql))
        return pg_lost(db, NULL, err);
    if (pg_finish(db, &result, err) < 0)
        return -1;
    pq.clear(result);
    return 0;
}
