/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder of notices, and a program that takes them.
 */
#include "core/run/notify.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/run/issue_env.h"
#include "core/run/program.h"

enum {
    NOTICE_CAP = 64 * 1024,
    MARK_CAP = 16,
    OUTPUT_CAP = 64 * 1024 /* of the program; nobody reads it */
};

struct notify {
    uv_loop_t *loop;
    const char *const *argv;
    struct arena arena;
    const char *folder, *marks;
    unsigned count; /* of notices made in this millisecond and process */
    /* a delivery */
    struct dirent **list;
    int n, at;
    const char *path; /* of the one that is out */
    struct err err;
    notify_f *done;
    void *user;
    uv_timer_t timer;
    bool closing;
};

/* -- the folder ------------------------------------------------------------ */

struct notify *notify_new(uv_loop_t *loop, const char *state_dir,
                          const char *const *argv)
{
    struct notify *notify = calloc(1, sizeof(*notify));

    if (!notify)
        abort();
    arena_init(&notify->arena);
    notify->loop = loop;
    notify->argv = argv;
    notify->folder = arena_printf(&notify->arena, "%s/notify", state_dir);
    notify->marks = arena_printf(&notify->arena, "%s/told", notify->folder);
    uv_timer_init(loop, &notify->timer);
    notify->timer.data = notify;
    return notify;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct notify *notify = handle->data;

    arena_release(&notify->arena);
    free(notify);
}

void notify_free(struct notify *notify)
{
    if (notify)
        uv_close((uv_handle_t *)&notify->timer, on_timer_closed);
}

/* Sortable: the time, the process, a count. */
int notify_put(struct notify *notify, json_t *notice, struct err *err)
{
    char *text = json_dumps(notice, JSON_COMPACT), *path;
    int rc;

    json_decref(notice);
    if (!text)
        abort();
    rc = file_make_folders(notify->folder, err);
    path = arena_printf(&notify->arena, "%s/%013lld-%07d-%04u.json",
                        notify->folder, (long long)clock_wall_ms(),
                        (int)getpid(), notify->count++ % 10000);
    if (rc == 0)
        rc = file_write(path, text, strlen(text), 0600, true, err);
    free(text);
    return rc < 0 ? err_context(err, "a notice") : 0;
}

/* -- marks ----------------------------------------------------------------- */

static int mark_of(long long days)
{
    static const int marks[] = {-1, 1, 3, 7, 14, 28};

    if (days < 0)
        return marks[0];
    for (size_t i = 1; i < sizeof(marks) / sizeof(*marks); i++)
        if (days <= marks[i])
            return marks[i];
    return 0; /* none */
}

static int told_mark(const char *path)
{
    struct err err = {.cause = CAUSE_NONE};
    struct secret *text = file_read(path, MARK_CAP, &err);
    char digits[MARK_CAP + 1] = "";
    int mark;

    if (!text)
        return 0;
    memcpy(digits, text->data, text->len);
    mark = (int)strtol(digits, NULL, 10);
    secret_free(text);
    return mark;
}

int notify_mark(struct notify *notify, const char *sha256, long long days,
                bool *due, int *mark, struct err *err)
{
    const char *path =
        arena_printf(&notify->arena, "%s/%.64s", notify->marks, sha256);
    int told = told_mark(path);
    char text[MARK_CAP];

    *mark = mark_of(days);
    *due = *mark != 0 && (told == 0 || *mark < told);
    if (!*due)
        return 0;
    snprintf(text, sizeof(text), "%d\n", *mark);
    if (file_make_folders(notify->marks, err) < 0)
        return -1;
    return file_write(path, text, strlen(text), 0600, false, err);
}

/* -- delivery -------------------------------------------------------------- */

static int is_notice(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 5 &&
           strcmp(entry->d_name + len - 5, ".json") == 0;
}

static void tell_end(uv_timer_t *timer)
{
    struct notify *notify = timer->data;
    size_t left = (size_t)(notify->n - notify->at);
    notify_f *done = notify->done;

    for (int i = 0; i < notify->n; i++)
        free(notify->list[i]);
    free(notify->list);
    notify->list = NULL;
    notify->n = notify->at = 0;
    notify->done = NULL;
    done(notify->user, left, left ? &notify->err : NULL);
}

static void end(struct notify *notify)
{
    uv_timer_start(&notify->timer, tell_end, 0, 0);
}

static const char *const *environment(struct notify *notify)
{
    const char **list, *value;
    size_t n = 0;

    while (issue_env_passed[n])
        n++;
    list = arena_alloc(&notify->arena, (n + 1) * sizeof(*list));
    n = 0;
    for (const char *const *name = issue_env_passed; *name; name++)
        if ((value = getenv(*name)) != NULL)
            list[n++] = arena_printf(&notify->arena, "%s=%s", *name, value);
    return list;
}

static void give_next(struct notify *notify);

static void on_given(void *user, const struct str *output,
                     const struct err *err)
{
    struct notify *notify = user;

    (void)output;
    if (err) {
        notify->err = *err;
        end(notify);
        return;
    }
    if (unlink(notify->path) < 0 && errno != ENOENT) {
        err_set(&notify->err, CAUSE_SYSTEM, "%s: %s", notify->path,
                strerror(errno));
        end(notify);
        return;
    }
    notify->at++;
    give_next(notify);
}

static void give_next(struct notify *notify)
{
    struct program_request request = {
        .argv = notify->argv,
        .env = environment(notify),
        .folder = notify->folder,
        .output_cap = OUTPUT_CAP,
        .deadline_ms = NOTIFY_DEADLINE_MS,
    };
    struct secret *text;

    if (notify->at == notify->n) {
        end(notify);
        return;
    }
    notify->path = arena_printf(&notify->arena, "%s/%s", notify->folder,
                                notify->list[notify->at]->d_name);
    text = file_read(notify->path, NOTICE_CAP, &notify->err);
    if (!text) {
        end(notify);
        return;
    }
    request.input = (const char *)text->data;
    request.input_len = text->len;
    program_start(notify->loop, &request, on_given, notify);
    secret_free(text);
}

void notify_deliver(struct notify *notify, notify_f *done, void *user)
{
    notify->done = done;
    notify->user = user;
    notify->at = 0;
    notify->err = (struct err){.cause = CAUSE_NONE};
    notify->n = scandir(notify->folder, &notify->list, is_notice, alphasort);
    if (notify->n < 0)
        notify->n = 0; /* nobody has put one */
    give_next(notify);
}
