/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fuzz/fuzz.h - what the fuzzers share.
 *
 * A target is one fuzz_X.c with LLVMFuzzerTestOneInput(); libFuzzer calls it
 * with bytes that it makes up, replay.c with those of tests/fuzz/corpus/X.  It
 * must not keep anything from one call to the next that changes what the
 * next one does.  What must hold is said with must(), in every build.
 *
 * A target that takes several texts parts them by a line of `%%`, so that a
 * corpus can be read and written by hand.
 */
#ifndef CERTFLEET_FUZZ_FUZZ_H
#define CERTFLEET_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Before the first input: log lines are looked at, not printed. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Ends the program when it does not hold; libFuzzer keeps the input then. */
#define must(holds)                                                            \
    do {                                                                       \
        if (!(holds))                                                          \
            fuzz_failed(#holds, __FILE__, __LINE__);                           \
    } while (0)
_Noreturn void fuzz_failed(const char *what, const char *file, int line);

/* Nothing in it can steer a terminal or change the order of what is read on
 * it: well-formed UTF-8 without C0, DEL, C1, without the marks of direction
 * and those that have no width.  `lines`: newlines and tabs may be. */
void must_be_visible(const char *text, size_t len, bool lines);

struct input { /* what is left of it */
    const uint8_t *p;
    size_t left;
};

/* 0 when nothing is left. */
uint8_t input_byte(struct input *in);
/* At most n bytes. */
struct input input_take(struct input *in, size_t n);
/* Up to the next line of `%%`, which is dropped. */
struct input input_part(struct input *in);
/* Up to the next newline, which is dropped. */
struct input input_line(struct input *in);
/* A copy that ends at the first NUL, as C sees it; the caller frees. */
char *input_text(struct input in);

/* A file that holds just this, until the next call; its path. */
const char *fuzz_file(struct input in);

#endif
