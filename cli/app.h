/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/app.h - one call of the program: its arguments, its outputs, its
 * inventory, and what its last line will say.
 *
 * A command returns its exit code; what the `result' event and the last line
 * say besides it puts into `final'.  Nothing prints that line but app_main.
 */
#ifndef CERTFLEET_CLI_APP_H
#define CERTFLEET_CLI_APP_H

#include <jansson.h>
#include <stdint.h>

#include "cli/args.h"
#include "cli/out.h"
#include "core/fleet/inventory.h"
#include "core/store/store.h"

struct app_final {
    const char *outcome; /* NULL: by the exit code */
    char run[STORE_ID_BYTES];
    char next[2048];        /* command line, or "" */
    char other[2048];       /* what may be typed instead of next, or "" */
    int64_t way_back_until; /* seconds; 0: none */
    json_t *clusters;       /* array, or NULL */
    char detail[1024];      /* the error, or "" */
    /* of a run: the loop's longest turn, in microseconds; 0: there was none */
    uint64_t longest_turn_cpu_us, longest_turn_wall_us;
};

struct app {
    int argc;
    char *const *argv;
    struct args args;
    struct out out;
    struct inventory *inventory; /* app_inventory */
    struct app_final final;
};

/* The whole program: reads argv, runs the command, prints the last line.
 * Returns the exit code. */
int app_main(int argc, char *const *argv);

/* Reads the inventory once and prints its faults; NULL with errors in it, and
 * final.detail is set: return EXIT_INPUT then. */
struct inventory *app_inventory(struct app *app);
/* Reads it once more, and says nothing: a faulty one leaves the old (false). */
bool app_inventory_anew(struct app *app);
/* Opens the store of the inventory's state_dir; NULL: app_fail was called. */
struct store *app_store(struct app *app, struct uv_loop_s *loop);
/* The work of a command that needs both, with the store open; its exit code. */
int app_with_store(struct app *app,
                   int (*work)(struct app *app, struct store *store));

/* Prints the error and returns the exit code of its cause. */
int app_fail(struct app *app, const struct err *err);
int app_failf(struct app *app, enum cause cause, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int app_exit_of(enum cause cause);
/* Tells the end and is gone, with whatever is under way left as it is: as after
 * a SIGKILL, which a run survives. */
_Noreturn void app_leave(struct app *app, int code);

/* What to type next: "certfleet ..."; -i and --state-dir are put in. */
void app_next(struct app *app, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same call once more, with `extra` behind it. */
void app_next_again(struct app *app, const char *extra);
/* "certfleet -i FILE": how this call names inventory and store. */
void app_self(const struct app *app, struct str *out);

/* A new object {"t","event"}. */
json_t *app_event(const char *event);
/* A JSON string of any bytes, made visible; NULL gives null. */
json_t *app_text(const char *text);
/* RFC 3339 of seconds; 0 gives null. */
json_t *app_time(int64_t seconds);

/* Adds a word as a shell takes it. */
void app_quote(struct str *out, const char *word);

#endif
