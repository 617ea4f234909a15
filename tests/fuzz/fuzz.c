/* SPDX-License-Identifier: Apache-2.0
 *
 * The fuzzers' own small tools; see the header.  What is visible is judged
 * here on its own grounds, not by core/base/str.c, which is under test.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/log.h"

_Noreturn void fuzz_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

/* -- text ------------------------------------------------------------------ */

/* Code point of the sequence at p, -1: none; *n: its bytes. */
static long decode(const unsigned char *p, size_t left, size_t *n)
{
    static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
    long code;

    *n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if ((p[0] >= 0x80 && p[0] < 0xc0) || p[0] > 0xf7 || *n > left)
        return -1;
    code = *n == 1 ? p[0] : p[0] & (0xff >> (*n + 1));
    for (size_t i = 1; i < *n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return -1;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < least[*n] || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff))
        return -1;
    return code;
}

static bool steers(long code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c ||
           code == 0x180e || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
           (code >= 0xfff9 && code <= 0xfffb) ||
           (code >= 0xe0000 && code <= 0xe007f);
}

void must_be_visible(const char *text, size_t len, bool lines)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n;

    for (size_t i = 0; i < len; i += n) {
        long code = decode(p + i, len - i, &n);

        if (lines && (code == '\n' || code == '\t'))
            continue;
        if (code < 0 || steers(code)) {
            fprintf(stderr, "at byte %zu: \\x%02x\n", i, p[i]);
            fuzz_failed("the text is visible", __FILE__, __LINE__);
        }
    }
}

static void look_at_line(void *user, const char *line)
{
    (void)user;
    must_be_visible(line, strlen(line), true);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_set_level(LOG_DEBUG_LEVEL);
    log_set_writer(look_at_line, NULL);
    return 0;
}

/* -- input ----------------------------------------------------------------- */

uint8_t input_byte(struct input *in)
{
    struct input one = input_take(in, 1);

    return one.left ? *one.p : 0;
}

struct input input_take(struct input *in, size_t n)
{
    struct input part = {in->p, n < in->left ? n : in->left};

    in->left -= part.left;
    if (in->left > 0 || part.left > 0)
        in->p += part.left;
    return part;
}

/* Up to `end`, which is dropped; without one: all. */
static struct input take_until(struct input *in, const char *end)
{
    size_t n = strlen(end);
    const uint8_t *at = in->left ? memmem(in->p, in->left, end, n) : NULL;
    struct input part = input_take(in, at ? (size_t)(at - in->p) : in->left);

    if (at)
        input_take(in, n);
    return part;
}

struct input input_part(struct input *in)
{
    return take_until(in, "%%\n");
}

struct input input_line(struct input *in)
{
    return take_until(in, "\n");
}

char *input_text(struct input in)
{
    char *text = malloc(in.left + 1);

    if (!text)
        abort();
    if (in.left)
        memcpy(text, in.p, in.left);
    text[in.left] = '\0';
    return text;
}

const char *fuzz_file(struct input in)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        must(fd >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    must(ftruncate(fd, 0) == 0);
    must(pwrite(fd, in.left ? (const void *)in.p : "", in.left, 0) ==
         (ssize_t)in.left);
    return path;
}
