/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole program inside a test: argv in, both outputs and the exit code
 * out, in a folder of its own that is $HOME too.
 */
#ifndef CERTFLEET_TESTS_CLI_CAPTURE_H
#define CERTFLEET_TESTS_CLI_CAPTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/app.h"
#include "tests/unit/remove_tree.h"

struct capture {
    int code;
    char out[1 << 18], err[1 << 18];
};
static struct capture capture;
static char capture_folder[] = "/tmp/certfleet-cli-XXXXXX";

static inline int capture_setup(void **state)
{
    (void)state;
    if (!mkdtemp(capture_folder))
        return -1;
    setenv("HOME", capture_folder, 1);
    setenv("NO_COLOR", "1", 1);
    unsetenv("XDG_STATE_HOME");
    unsetenv("CERTFLEET_INVENTORY");
    return chdir(capture_folder);
}

static inline int capture_teardown(void **state)
{
    (void)state;
    if (chdir("/") < 0)
        return -1;
    return remove_tree(capture_folder);
}

static inline void capture_read(const char *path, char *text, size_t room)
{
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, room - 1, f);
    text[n] = '\0';
    fclose(f);
}

/* Standard input is empty, so that nobody can be asked.  The password is there
 * each time: the program takes it out of the environment. */
static inline int capture_run(const char *const *words)
{
    char *argv[32] = {(char *)(uintptr_t) "certfleet"};
    int argc = 1, saved[3];
    const char *paths[3] = {"/dev/null", "stdout.txt", "stderr.txt"};

    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    setenv("CERTFLEET_TEST_PASSWORD", "hunter2-secret", 1);
    fflush(NULL);
    for (int fd = 0; fd < 3; fd++) {
        int to =
            open(paths[fd], fd ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0600);
        assert_true(to >= 0);
        saved[fd] = dup(fd);
        dup2(to, fd);
        close(to);
    }
    capture.code = app_main(argc, argv);
    for (int fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    capture_read("stdout.txt", capture.out, sizeof(capture.out));
    capture_read("stderr.txt", capture.err, sizeof(capture.err));
    return capture.code;
}

#define CERTFLEET(...) capture_run((const char *const[]){__VA_ARGS__, NULL})

#define assert_says(text, part)                                                \
    do {                                                                       \
        if (!strstr((text), (part)))                                           \
            fail_msg("`%s' is not in:\n%s", (part), (text));                   \
    } while (0)

/* Every line is an object; the last is the result and is returned (the caller
 * drops it), and says the exit code. */
static inline json_t *capture_result(void)
{
    const char *p = capture.out;
    json_t *line = NULL;

    assert_true(*p != '\0');
    while (*p) {
        size_t len = strcspn(p, "\n");

        json_decref(line);
        line = json_loadb(p, len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(line))
            fail_msg("no JSON object: %.*s", (int)len, p);
        assert_true(json_is_string(json_object_get(line, "event")));
        assert_int_equal(p[len], '\n');
        p += len + 1;
    }
    assert_string_equal(json_string_value(json_object_get(line, "event")),
                        "result");
    assert_int_equal(json_integer_value(json_object_get(line, "exit")),
                     capture.code);
    assert_true(json_is_string(json_object_get(line, "outcome")));
    assert_true(json_is_array(json_object_get(line, "clusters")));
    return line;
}

static inline void capture_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

#endif
