/* SPDX-License-Identifier: Apache-2.0
 *
 * main() of a fuzzer in builds without libFuzzer: runs files and folders that
 * are named on its command line, each file once, and nothing at all once.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "tests/fuzz/fuzz.h"

enum {
    FILE_CAP = 1 << 20
};

static unsigned ran;

/* In memory of just its size, so that a byte too far is seen. */
static void run_file(const char *path)
{
    struct err err;
    struct secret *file = file_read(path, FILE_CAP, &err);
    uint8_t *copy;

    if (!file) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    fprintf(stderr, "%s\n", path);
    copy = malloc(file->len ? file->len : 1);
    if (!copy)
        abort();
    memcpy(copy, file->data, file->len);
    LLVMFuzzerTestOneInput(copy, file->len);
    ran++;
    free(copy);
    secret_free(file);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_folder(const char *path)
{
    struct dirent **list;
    int n = scandir(path, &list, is_shown, alphasort);

    if (n < 0) {
        perror(path);
        exit(2);
    }
    for (int i = 0; i < n; i++) {
        char file[1024];

        snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);
        run_file(file);
        free(list[i]);
    }
    free(list);
}

int main(int argc, char **argv)
{
    struct stat st;

    LLVMFuzzerInitialize(&argc, &argv);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            run_folder(argv[i]);
        else
            run_file(argv[i]);
    }
    printf("%u files\n", ran);
    return argc > 1 && ran == 0 ? 1 : 0;
}
