/* SPDX-License-Identifier: Apache-2.0
 *
 * The bed's beginning and end, and the files in its folder.  Knows neither
 * the program (bed_run.c) nor what a run should come to (bed_ask.c).
 */
#include "tests/scenario/bed_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_ARGS = 48
};

/* -- beginning and end ----------------------------------------------------- */

/* clang-format off */
static const char *const short_times[] = {
    "--db-port", "15432",
    "--set", "remove_ms=40",   "--set", "initialize_ms=60",
    "--set", "join_ms=80",     "--set", "connect_ms=40",
    "--set", "snapshot_ms=10", "--set", "resync_ms=100",
    "--set", "rows_per_s=100",
};
/* clang-format on */

struct bed *bed_start(void **state, const char *shape, const char *const *args)
{
    struct bed *bed = calloc(1, sizeof(*bed));
    const char *lab = getenv("CERTFLEET_LAB");
    const char *list[MAX_ARGS];
    size_t n = 0;

    if (!bed)
        abort();
    list[n++] = "--make";
    list[n++] = shape;
    for (size_t i = 0; i < sizeof(short_times) / sizeof(*short_times); i++)
        list[n++] = short_times[i];
    while (args && *args && n < MAX_ARGS - 1)
        list[n++] = *args++;
    list[n] = NULL;
    arena_init(&bed->arena);
    bed->kept = json_array();
    bed->rig = rig_start(lab ? lab : LAB_PROGRAM, list);
    bed->dir = bed->rig->dir;
    *state = bed;
    return bed;
}

static void end_run(struct bed_run *run)
{
    if (run->pid > 0) {
        kill(run->pid, SIGKILL);
        while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    bed_close(&run->out);
    bed_close(&run->err);
    str_release(&run->out_text);
    str_release(&run->err_text);
    json_decref(run->events);
    free(run);
}

int bed_stop(void **state)
{
    struct bed *bed = *state;
    int code;

    *state = NULL;
    if (!bed)
        return 0;
    while (bed->runs) {
        struct bed_run *next = bed->runs->next;
        end_run(bed->runs);
        bed->runs = next;
    }
    code = rig_stop(bed->rig, NULL);
    json_decref(bed->kept);
    arena_release(&bed->arena);
    free(bed);
    return code; /* the sanitizers' word on the lab, too */
}

/* -- files beside the inventory -------------------------------------------- */

static const char *path_of(struct bed *bed, const char *name)
{
    return arena_printf(&bed->arena, "%s/%s", bed->dir, name);
}

void bed_write(struct bed *bed, const char *name, const char *text)
{
    int fd = open(path_of(bed, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                  0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

const char *bed_read(struct bed *bed, const char *name)
{
    FILE *f = fopen(path_of(bed, name), "re");
    const char *copy;
    char buf[4096];
    struct str text;
    size_t n;

    if (!f)
        fail_msg("%s: %s", name, strerror(errno));
    str_init(&text, BED_TEXT_CAP);
    while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
        str_addn(&text, buf, n);
    if (f)
        fclose(f);
    copy = arena_strdup(&bed->arena, str_text(&text));
    str_release(&text);
    return copy;
}

/* Where "[section]\n" begins. */
static const char *find_section(struct bed *bed, const char *text,
                                const char *section)
{
    const char *at = strstr(text, arena_printf(&bed->arena, "[%s]\n", section));

    if (!at)
        fail_msg("the inventory has no [%s]", section);
    return at;
}

void bed_inventory(struct bed *bed, const char *section, const char *line)
{
    const char *text = bed_read(bed, "certfleet.ini");
    const char *rest = strchr(find_section(bed, text, section), '\n') + 1;

    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%.*s%s\n%s", (int)(rest - text), text,
                           line, rest));
}

void bed_inventory_drop(struct bed *bed, const char *section)
{
    const char *text = bed_read(bed, "certfleet.ini");
    const char *from = find_section(bed, text, section);
    const char *to = strstr(from + 1, "\n[");

    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%.*s%s", (int)(from - text), text,
                           to ? to + 1 : ""));
}
