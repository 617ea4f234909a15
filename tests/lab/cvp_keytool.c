/* SPDX-License-Identifier: Apache-2.0
 *
 * One keytool of a client: the files that it names are laid out in a folder, it
 * runs there with its own prompts and our pipes, and what it wrote is taken
 * back into the node.
 */
#include "tests/lab/cvp_keytool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/lab/config.h"
#include "tests/lab/win.h"

enum {
    NAMES = 2,
    READ_BYTES = 16 * 1024
};

struct job {
    struct mmp_run *run;
    char *folder;
    char *names[NAMES]; /* files of the node: keystore, -file */
    uv_process_t process;
    uv_pipe_t in, out, err;
    int open; /* handles that are not closed */
    int left; /* outputs and the process that have not ended */
    struct write *writes;
    char room[READ_BYTES];
};

/* -- files ----------------------------------------------------------------- */

static char *in_folder(const struct job *job, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", job->folder, name) < 0)
        abort();
    return path;
}

static void lay_out(const struct job *job)
{
    for (int i = 0; i < NAMES; i++) {
        struct lab_file *f =
            job->names[i] ? lab_file(job->run->node, job->names[i]) : NULL;
        char *path = job->names[i] ? in_folder(job, job->names[i]) : NULL;

        if (path)
            unlink(path);
        if (f)
            make_write(path, f->data, f->len, 0600, NULL);
        free(path);
    }
}

static void take_back(const struct job *job)
{
    for (int i = 0; i < NAMES; i++) {
        char *path = job->names[i] ? in_folder(job, job->names[i]) : NULL;
        struct secret *bytes = path ? file_read(path, 1 << 20, NULL) : NULL;

        if (bytes)
            lab_file_set(job->run->node, job->names[i], bytes->data,
                         bytes->len);
        secret_free(bytes);
        free(path);
    }
}

/* -- the end --------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct job *job = handle->data;

    if (--job->open > 0)
        return;
    for (int i = 0; i < NAMES; i++)
        free(job->names[i]);
    free(job->folder);
    free(job);
}

static void close_one(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void one_ended(struct job *job)
{
    struct mmp_run *run = job->run;

    if (--job->left > 0)
        return;
    take_back(job);
    run->on_input = NULL;
    run->on_detach = NULL;
    run->child = NULL;
    close_one((uv_handle_t *)&job->in);
    close_one((uv_handle_t *)&job->process);
    mmp_end(run, "ok");
}

static void on_exit_(uv_process_t *process, int64_t code, int signal)
{
    (void)code, (void)signal;
    one_ended(process->data);
}

/* -- what it says, what it is told ----------------------------------------- */

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct job *job = handle->data;

    (void)size;
    *buf = uv_buf_init(job->room, sizeof(job->room));
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct job *job = stream->data;

    if (n > 0) {
        str_addn(&job->run->out, buf->base, (size_t)n);
        mmp_flush(job->run);
    } else if (n < 0) {
        close_one((uv_handle_t *)stream);
        one_ended(job);
    }
}

struct write {
    uv_write_t request;
    char bytes[];
};

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
}

static void on_input(struct mmp_run *run, const char *data, size_t len)
{
    struct job *job = run->child;
    struct write *w = lab_calloc(1, sizeof(*w) + len);
    uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)len);

    memcpy(w->bytes, data, len);
    w->request.data = w;
    if (uv_is_closing((uv_handle_t *)&job->in) ||
        uv_write(&w->request, (uv_stream_t *)&job->in, &buf, 1, on_written) < 0)
        free(w);
}

/* The channel is gone, and with it whoever could answer. */
static void on_detach(struct mmp_run *run)
{
    struct job *job = run->child;

    close_one((uv_handle_t *)&job->in);
}

/* -- the beginning --------------------------------------------------------- */

static void take_names(struct job *job, char **words, int n)
{
    static const char *const options[NAMES] = {"-keystore", "-file"};
    char name[256];

    for (int i = 1; i + 1 < n; i++)
        for (int k = 0; k < NAMES; k++)
            if (strcmp(words[i], options[k]) == 0 && !job->names[k] &&
                win_file_name(job->run->node->win, words[i + 1], name,
                              sizeof(name))) {
                job->names[k] = lab_strdup(name);
                words[i + 1] = job->names[k];
            }
}

static void init_pipe(struct job *job, uv_pipe_t *pipe)
{
    uv_pipe_init(job->run->node->lab->loop, pipe, 0);
    pipe->data = job;
    job->open++;
}

static int start(struct job *job, char **argv)
{
    uv_loop_t *loop = job->run->node->lab->loop;
    uv_stdio_container_t stdio[3];
    uv_process_options_t options = {
        .exit_cb = on_exit_,
        .file = argv[0],
        .args = argv,
        .cwd = job->folder,
        .stdio_count = 3,
        .stdio = stdio,
    };

    init_pipe(job, &job->in);
    init_pipe(job, &job->out);
    init_pipe(job, &job->err);
    stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
    stdio[0].data.stream = (uv_stream_t *)&job->in;
    stdio[1].flags = stdio[2].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *)&job->out;
    stdio[2].data.stream = (uv_stream_t *)&job->err;
    job->process.data = job;
    job->open++;
    return uv_spawn(loop, &job->process, &options);
}

void cvp_keytool(struct mmp_run *run, char **words, int n)
{
    struct job *job = lab_calloc(1, sizeof(*job));
    char *argv[WIN_WORDS + 3];
    int k = 0;

    job->run = run;
    job->folder = cvp_folder(run->node);
    take_names(job, words, n);
    lay_out(job);
    argv[k++] = run->node->set.keytool;
    argv[k++] = (char *)(uintptr_t)CVP_QUICK;
    for (int i = 1; i < n; i++)
        argv[k++] = words[i];
    argv[k] = NULL;
    run->child = job;
    run->on_input = on_input;
    run->on_detach = on_detach;
    if (start(job, argv) < 0) {
        job->left = 1;
        close_one((uv_handle_t *)&job->out);
        close_one((uv_handle_t *)&job->err);
        mmp_print(run, "keytool cannot be started\n");
        one_ended(job);
        return;
    }
    job->left = 3;
    uv_read_start((uv_stream_t *)&job->out, on_room, on_output);
    uv_read_start((uv_stream_t *)&job->err, on_room, on_output);
}
