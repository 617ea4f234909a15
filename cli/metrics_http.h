/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/metrics_http.h - answers GET /metrics on a loop of ours.  HTTP itself is
 * libmicrohttpd's (docs/adr/0018-metrics-http.md); it starts no thread here.
 *
 * Whoever asks is not trusted: few connections at a time, little memory and
 * little time each, one path, no body that is read.  A text is made at most
 * every few seconds, however often it is asked for.
 */
#ifndef CERTFLEET_CLI_METRICS_HTTP_H
#define CERTFLEET_CLI_METRICS_HTTP_H

#include <uv.h>

#include "core/base/err.h"
#include "core/base/str.h"

enum {
    METRICS_HTTP_CLIENTS = 16,
    METRICS_HTTP_SILENCE_S = 5, /* of a client; then it is cut off */
    METRICS_HTTP_KEEP_MS = 5000 /* how long a text serves */
};

struct metrics_http;
/* False: it cannot be made now, and the asker is told so (503). */
typedef bool metrics_text_f(void *user, struct str *out);

/* `where`: PORT (of this machine alone), ADDRESS:PORT or [ADDRESS]:PORT, in
 * numbers.  Port 0: any that is free.  CAUSE_INPUT. */
struct metrics_http *metrics_http_new(uv_loop_t *loop, const char *where,
                                      metrics_text_f *text, void *user,
                                      struct err *err);
unsigned metrics_http_port(const struct metrics_http *http);
/* Its handles close on the loop's next turns. */
void metrics_http_free(struct metrics_http *http);

#endif
