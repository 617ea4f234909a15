/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/out_pipe.h - one output descriptor, written at once or by a thread.
 *
 * Started, a write only queues.  The queue is bounded: when the reader stands
 * still, text that may be lost (`must` false) is dropped past OUT_PIPE_SOFT
 * bytes, everything past OUT_PIPE_HARD; the number of dropped pieces is told
 * when writing goes on.  After an error the output is dead and swallows all.
 */
#ifndef CERTFLEET_CLI_OUT_PIPE_H
#define CERTFLEET_CLI_OUT_PIPE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    OUT_PIPE_SOFT = 1 << 20,
    OUT_PIPE_HARD = 1 << 26
};

struct out_pipe;
struct out_pipe *out_pipe_new(int fd); /* the descriptor stays the caller's */
void out_pipe_free(struct out_pipe *pipe);
void out_pipe_start(struct out_pipe *pipe);
void out_pipe_stop(struct out_pipe *pipe); /* waits until all is written */
void out_pipe_write(struct out_pipe *pipe, const void *data, size_t len,
                    bool must);
size_t out_pipe_waiting(struct out_pipe *pipe); /* bytes */
bool out_pipe_is_dead(struct out_pipe *pipe);
int out_pipe_fd(const struct out_pipe *pipe);

#endif
