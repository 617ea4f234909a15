/* SPDX-License-Identifier: Apache-2.0
 *
 * A node that means harm: endless output, no prompt, control characters, 2 GB
 * of file, forged prompts, SFTP that lies.  It harms neither the memory nor
 * the terminal of who looks at it, takes no more than its time, and no other
 * node pays for it.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/scenario/crew.h"

#define STATUS "'database cluster status'"
#define REMOVE "'database cluster remove'"

/* The sanitizer keeps what was freed, and takes its time. */
#if defined(__SANITIZE_ADDRESS__)
enum {
    PEAK_KB = 1 << 20,
    BOUND_MS = 60000
};
#else
enum {
    PEAK_KB = 64 << 10,
    BOUND_MS = 45000
};
#endif

enum {
    HUGE_READS = 64 /* five files of at most 256 KB, and one packet more */
};

enum end {
    UNTOUCHED, /* the old set, and not one command that changes a cluster */
    OLD,       /* the old set, whole */
    NEW
};

struct harm {
    const char *name;
    const char *fault; /* of the inject command */
    const char *words; /* what is run */
    int code;
    const char *outcome;
    const char *says; /* one of these, parted by |, is printed; or NULL */
    enum end end;
};

#define APPLY "apply cms/db-rotate lab --yes"

/* clang-format off */
static const struct harm harms[] = {
    { "endless output on exec", "core2 endless " STATUS " always",
      APPLY, 5, "refused", "printed more than 4194304 bytes|no whole answer to", UNTOUCHED },
    { "endless output for check", "core2 endless " STATUS " always",
      "check", 3, "due", "printed more than 4194304 bytes|no whole answer to", UNTOUCHED },
    { "endless output on the shell, at its login", "core2 endless login always",
      APPLY, 1, "rolled-back", "no prompt that we know|no channel to", OLD },
    { "endless output on the shell, of a command", "core2 endless " REMOVE " always",
      APPLY, 1, "rolled-back", "prints more than is taken|no whole answer to", OLD },
    { "no prompt ever", "core2 no-prompt * always",
      APPLY, 1, "rolled-back", "no prompt that we know|no channel to", OLD },
    { "a status that steers", "core2 steer " STATUS " always",
      APPLY, 5, "refused", NULL, UNTOUCHED },
    { "a status that steers, for check", "core2 steer " STATUS " always",
      "check", 3, "due", NULL, UNTOUCHED },
    { "a FAILURE that steers, while staging", "core2 steer 'pki match*' always",
      APPLY, 1, "rolled-back", "\\x1b]0;owned\\x07", UNTOUCHED },
    { "a FAILURE that steers, on the shell", "core2 steer " REMOVE " always",
      APPLY, 1, "rolled-back", NULL, OLD },
    { "a forged answer and prompt, once", "core2 forge " REMOVE " once",
      APPLY, 0, "done", NULL, NEW },
    { "a forged answer and prompt, always", "core2 forge " REMOVE " always",
      APPLY, 1, "rolled-back", NULL, OLD },
    { "2 GB for a certificate", "core2 sftp-huge 'read *.crt' always",
      APPLY, 1, "rolled-back", "more than 262144 bytes", UNTOUCHED },
    { "2 GB for a certificate, for check", "core2 sftp-huge 'read *' always",
      "check", 3, "due", NULL, UNTOUCHED },
    { "2 GB for a backup of a few KB", "core2 sftp-huge 'read cf-*' always",
      APPLY, 1, "rolled-back", ".bak: more than ", UNTOUCHED },
    { "a backup that is said to have 2 GB", "core2 sftp-huge 'stat cf-*' always",
      APPLY, 1, "rolled-back", "it has 2147483647 bytes, more than", UNTOUCHED },
    { "an answer of 4 GB", "core2 sftp-long 'read *' always",
      APPLY, 5, "refused", "longer than 256 KB", UNTOUCHED },
    { "an answer to another question", "core2 sftp-wrong-id 'read *' always",
      APPLY, 5, "refused", "an answer to nothing that was asked", UNTOUCHED },
    { "4 billion attributes", "core2 sftp-attrs 'stat *' always",
      APPLY, 1, "rolled-back", NULL, UNTOUCHED },
    { "a list without an end", "core2 sftp-endless 'readdir*' always",
      APPLY, 5, "refused", "more than 10000 entries", UNTOUCHED },
    { "a list of names that nobody has", "core2 sftp-names 'readdir*' nth=1",
      APPLY, 5, "refused", NULL, UNTOUCHED },
    { "a file status that steers", "core2 sftp-words 'open *' always",
      APPLY, 1, "rolled-back", NULL, UNTOUCHED },
};
/* clang-format on */

/* The lab's own words are ASCII; so what is not came from the node, and in it
 * nothing is left that steers. */
static void must_be_clean(const struct bed_run *run, const struct str *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];

        if ((c < 0x20 && c != '\n' && c != '\t') || c > 0x7e)
            fail_msg("certfleet %s: byte %zu of what it prints is \\x%02x",
                     run->line, i, c);
    }
    /* a line of the node's that begins as one of ours */
    assert_null(strstr(str_text(text), "\ncertfleet: error: forged"));
    assert_null(strstr(str_text(text), "\nnext: rm"));
}

static void must_have_been_cheap(const struct bed_run *run, uint64_t took_ms)
{
    print_message("%-45s exit %d, %6.1f s, peak %5ld KB\n", run->line,
                  run->code, (double)took_ms / 1000, run->peak_kb);
    if (getenv("CERTFLEET_SLOW") || getenv("CERTFLEET_WRAP"))
        return;
    if (run->peak_kb > PEAK_KB)
        fail_msg("certfleet %s: took %ld KB", run->line, run->peak_kb);
    if (took_ms > BOUND_MS)
        fail_msg("certfleet %s: took %d ms", run->line, (int)took_ms);
}

/* Of 2 GB no more than a few packets of 32 KB were taken. */
static void must_have_taken_little(struct bed *bed)
{
    json_t *list = json_object_get(bed_lab(bed, "faults"), "faults"), *fault;
    size_t i;

    json_array_foreach(list, i, fault)
    {
        json_int_t hits = json_integer_value(json_object_get(fault, "hits"));

        assert_true(hits > 0);
        if (strcmp(bed_text(fault, "kind"), "sftp-huge") == 0)
            assert_true(hits <= HUGE_READS);
    }
}

static bool says_one_of(const struct bed_run *run, const char *words)
{
    while (*words) {
        size_t n = strcspn(words, "|");

        if (bed_said(run, arena_strndup(&run->bed->arena, words, n)))
            return true;
        words += n + (words[n] == '|');
    }
    return false;
}

static struct bed *start(void **state, const struct harm *h)
{
    struct bed *bed;

    *state = NULL; /* the row is not one for the teardown */
    bed = bed_start(state, "3+1", NULL);
    bed_inventory(bed, "fleet",
                  "retries = 0\ncommand_timeout = 10\ntimeout_leave = 12");
    bed_lab(bed, "inject %s", h->fault);
    return bed;
}

static void test_harm(void **state)
{
    const struct harm *h = *state;
    struct bed *bed = start(state, h);
    uint64_t began = clock_mono_ms();
    struct bed_run *run = bed_do(bed, "%s", h->words);

    must_have_been_cheap(run, clock_mono_ms() - began);
    must_have_taken_little(bed);
    must_be_clean(run, &run->out_text);
    must_be_clean(run, &run->err_text);
    bed_ends(run, h->code, h->outcome);
    if (h->says && !says_one_of(run, h->says))
        fail_msg("it does not say `%s':\n%s\n%s", h->says,
                 str_text(&run->out_text), str_text(&run->err_text));
    if (h->end == UNTOUCHED)
        bed_is_untouched(bed, "lab", "core1");
    else if (h->end == OLD)
        bed_is_old(bed, "lab", "core1");
    else
        bed_is_new(bed, "lab", "core1");
}

/* For people, with all that the log has. */
static void test_plain_text_is_clean(void **state)
{
    static const char *const calls[] = {
        "-vv check",
        "-vv plan cms/db-rotate lab",
        "-vv apply cms/db-rotate lab --yes",
        "show last",
    };
    struct bed *bed = bed_start(state, "2+1", NULL);

    bed_lab(bed, "inject core2 steer 'pki match*' always");
    bed_lab(bed, "inject core1 steer version always");
    bed_lab(bed, "inject edge1 sftp-words 'open *' always");
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        struct bed_run *run = bed_begin(bed, BED_PLAIN, "%s", calls[i]);

        bed_finish(run);
        must_be_clean(run, &run->out_text);
        must_be_clean(run, &run->err_text);
        assert_true(run->out_text.len + run->err_text.len > 100);
    }
    bed_is_untouched(bed, "lab", "core1");
}

enum {
    HARMS = sizeof(harms) / sizeof(*harms)
};

int main(void)
{
    struct CMUnitTest tests[HARMS + 1] = {
        cmocka_unit_test_teardown(test_plain_text_is_clean, bed_stop),
    };

    for (size_t i = 0; i < HARMS; i++)
        tests[i + 1] = (struct CMUnitTest){
            .name = harms[i].name,
            .test_func = test_harm,
            .teardown_func = bed_stop,
            .initial_state = (void *)(uintptr_t)&harms[i],
        };
    return crew_tests(tests);
}
