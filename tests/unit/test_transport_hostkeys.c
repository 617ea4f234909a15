/* SPDX-License-Identifier: Apache-2.0
 *
 * known_hosts: every kind of line, bad lines, files of ssh-keygen -H, pins,
 * and accepting new keys while another program appends to the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/log.h"
#include "tests/unit/slow.h"
#include "transport/hostkeys.h"

struct key {
    unsigned char blob[128];
    size_t len;
    char line[256]; /* "type base64" */
};

static char folder[] = "/tmp/certfleet-hostkeys-XXXXXX";
static char path[64];
static struct key ed, ed2, ecdsa, rsa;

/* A blob of the right shape; the key in it is only numbered. */
static void make_key(struct key *k, const char *type, unsigned char number)
{
    size_t n = strlen(type);
    char text[200];

    memset(k, 0, sizeof(*k));
    k->blob[3] = (unsigned char)n;
    memcpy(k->blob + 4, type, n);
    k->blob[4 + n + 3] = 32;
    memset(k->blob + 8 + n, number, 32);
    k->len = 8 + n + 32;
    EVP_EncodeBlock((unsigned char *)text, k->blob, (int)k->len);
    snprintf(k->line, sizeof(k->line), "%s %s", type, text);
}

static int setup(void **state)
{
    (void)state;
    log_set_level(LOG_QUIET);
    make_key(&ed, "ssh-ed25519", 1);
    make_key(&ed2, "ssh-ed25519", 2);
    make_key(&ecdsa, "ecdsa-sha2-nistp256", 3);
    make_key(&rsa, "ssh-rsa", 4);
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/known_hosts", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void append_text(const char *text)
{
    FILE *f = fopen(path, "a");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static struct hostkeys *load(const char *text)
{
    struct hostkeys *h;

    unlink(path);
    append_text(text);
    h = hostkeys_load(path, NULL);
    assert_non_null(h);
    return h;
}

static struct hostkeys *load_lines(const char *fmt, ...)
{
    struct hostkeys *h;
    char *text;
    va_list ap;

    va_start(ap, fmt);
    assert_true(vasprintf(&text, fmt, ap) >= 0);
    va_end(ap);
    h = load(text);
    free(text);
    return h;
}

static enum hostkeys_answer ask(struct hostkeys *h, const char *host,
                                unsigned port, const struct key *k)
{
    struct hostkeys_offer offer = {host, port, k->blob, k->len};

    return hostkeys_lookup(h, &offer);
}

static int accept_key(struct hostkeys *h, const char *host, unsigned port,
                      const struct key *k, bool hashed, struct err *err)
{
    struct hostkeys_offer offer = {host, port, k->blob, k->len};

    return hostkeys_accept(h, &offer, hashed, err);
}

static void plain_names(void **state)
{
    struct hostkeys *h = load_lines("# a comment\n\n"
                                    "core1,10.0.0.1,Core2 %s comment here\n"
                                    "[core1]:2222\t%s\r\n"
                                    "  core3   %s\n"
                                    "core3 %s",
                                    ed.line, ed2.line, ecdsa.line, rsa.line);

    (void)state;
    assert_int_equal(hostkeys_skipped(h), 0);
    assert_int_equal(ask(h, "core1", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "core1", 0, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "10.0.0.1", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "CORE2", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "core1", 22, &ed2), HOSTKEYS_CHANGED);
    assert_int_equal(ask(h, "core1", 22, &rsa), HOSTKEYS_OTHER);
    assert_int_equal(ask(h, "core4", 22, &ed), HOSTKEYS_UNKNOWN);
    assert_int_equal(ask(h, "core3", 22, &rsa), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "core3", 22, &ecdsa), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "core3", 22, &ed), HOSTKEYS_OTHER);
    hostkeys_free(h);
}

static void ports_have_names_of_their_own(void **state)
{
    struct hostkeys *h =
        load_lines("core1 %s\n[core1]:2222 %s\n", ed.line, ed2.line);

    (void)state;
    assert_int_equal(ask(h, "core1", 2222, &ed2), HOSTKEYS_KNOWN);
    /* another port's key says nothing of port 22 */
    assert_int_equal(ask(h, "core1", 22, &ed2), HOSTKEYS_CHANGED);
    /* the plain name never overrules the exact one */
    assert_int_equal(ask(h, "core1", 2222, &ed), HOSTKEYS_CHANGED);
    /* and for other ports it can only say yes */
    assert_int_equal(ask(h, "core1", 99, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "core1", 99, &ed2), HOSTKEYS_UNKNOWN);
    hostkeys_free(h);
}

static void patterns(void **state)
{
    struct hostkeys *h = load_lines("*.lab,!bad.lab,10.0.?.1 %s\n"
                                    "[fw*]:22?? %s\n"
                                    "!only.neg %s\n",
                                    ed.line, ed2.line, rsa.line);

    (void)state;
    assert_int_equal(ask(h, "a.lab", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "A.LAB", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "bad.lab", 22, &ed), HOSTKEYS_UNKNOWN);
    assert_int_equal(ask(h, "10.0.7.1", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "10.0.77.1", 22, &ed), HOSTKEYS_UNKNOWN);
    assert_int_equal(ask(h, "fw1", 2201, &ed2), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "fw1", 22, &ed2), HOSTKEYS_UNKNOWN);
    assert_int_equal(ask(h, "only.neg", 22, &rsa), HOSTKEYS_UNKNOWN);
    hostkeys_free(h);
}

static void markers(void **state)
{
    struct hostkeys *h =
        load_lines("@revoked * %s\n"
                   "core1 %s\n"
                   "core1 %s\n"
                   "@cert-authority *.lab %s\n"
                   "@future core1 %s\n",
                   ed2.line, ed.line, ed2.line, rsa.line, rsa.line);
    const char *types[4];

    (void)state;
    assert_int_equal(hostkeys_skipped(h), 1); /* @future */
    assert_int_equal(ask(h, "core1", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "core1", 22, &ed2), HOSTKEYS_REVOKED);
    assert_int_equal(ask(h, "core1", 2222, &ed2), HOSTKEYS_REVOKED);
    assert_int_equal(ask(h, "other", 22, &ed2), HOSTKEYS_REVOKED);
    /* a revoked key is no knowledge of a host */
    assert_int_equal(ask(h, "other", 22, &ed), HOSTKEYS_UNKNOWN);
    assert_int_equal(hostkeys_types(h, "other", 22, types, 4), 0);
    assert_int_equal(ask(h, "a.lab", 22, &rsa), HOSTKEYS_UNKNOWN);
    hostkeys_free(h);
}

static void bad_lines_are_skipped(void **state)
{
    struct hostkeys *h;
    FILE *f;

    (void)state;
    h = load_lines("core1\n"                  /* no key */
                   "core1 ssh-ed25519\n"      /* no blob */
                   "core1 ssh-ed25519 %%%%\n" /* not base64 */
                   "core1 ssh-ed25519 AAAA\n" /* no type in the blob */
                   "core1 ssh-rsa %s\n"       /* another type */
                   "core1 2048 35 1234567\n"  /* SSH-1 */
                   "|1|abc|def %s\n"          /* no salt */
                   "|2|%s %s\n"               /* an unknown hash */
                   "@revoked\n"               /* nothing */
                   "core1 %s trailing words\n" /* good */,
                   strchr(ed.line, ' ') + 1, ed.line, "x", ed.line, ed.line);
    assert_int_equal(hostkeys_skipped(h), 9);
    assert_int_equal(ask(h, "core1", 22, &ed), HOSTKEYS_KNOWN);
    hostkeys_free(h);
    f = fopen(path, "w");
    fprintf(f, "core1 %s%c", ed.line, 0);
    fclose(f);
    h = hostkeys_load(path, NULL);
    assert_int_equal(hostkeys_skipped(h), 1);
    hostkeys_free(h);
}

/* Every prefix and many damaged copies: no crash, no false KNOWN. */
static void damaged_files_say_no_false_yes(void **state)
{
    char text[600];
    struct hostkeys *h;
    size_t len;

    (void)state;
    len =
        (size_t)snprintf(text, sizeof(text), "core1,*.lab %s\n@revoked x %s\n",
                         ed.line, ed2.line);
    for (size_t at = 0; at < len; at++) {
        char copy[600];
        memcpy(copy, text, len + 1);
        copy[at] = (char)(copy[at] ^ 0x15);
        h = load(copy);
        assert_int_not_equal(ask(h, "core9", 22, &ed), HOSTKEYS_KNOWN);
        hostkeys_free(h);
        copy[at] = '\0';
        h = load(copy);
        hostkeys_free(h);
    }
}

static void missing_and_odd_files(void **state)
{
    struct hostkeys *h;
    struct err err;

    (void)state;
    unlink(path);
    h = hostkeys_load(path, &err);
    assert_non_null(h);
    assert_int_equal(ask(h, "core1", 22, &ed), HOSTKEYS_UNKNOWN);
    hostkeys_free(h);
    h = hostkeys_load("/dev/null", &err);
    assert_non_null(h);
    assert_int_equal(accept_key(h, "core1", 22, &ed, false, &err), 0);
    assert_int_equal(ask(h, "core1", 22, &ed), HOSTKEYS_KNOWN);
    hostkeys_free(h);
    h = hostkeys_load(NULL, &err);
    assert_int_equal(accept_key(h, "core1", 22, &ed, true, &err), 0);
    assert_int_equal(ask(h, "core1", 22, &ed), HOSTKEYS_KNOWN);
    hostkeys_free(h);
    assert_null(hostkeys_load(folder, &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
}

static void run_keygen(const char *const *argv)
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open("/dev/null", O_RDWR);
        dup2(fd, 1);
        dup2(fd, 2);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip();
    assert_int_equal(status, 0);
}

static void lines_hashed_by_openssh(void **state)
{
    const char *argv[] = {"ssh-keygen", "-H", "-f", path, NULL};
    char old[80];
    struct hostkeys *h;
    FILE *f;

    (void)state;
    h = load_lines("core1,10.0.0.1 %s\n[core2]:2222 %s\n", ed.line, rsa.line);
    hostkeys_free(h);
    run_keygen(argv);
    snprintf(old, sizeof(old), "%s.old", path);
    unlink(old);
    f = fopen(path, "r");
    assert_int_equal(fgetc(f), '|'); /* they are hashed */
    fclose(f);
    h = hostkeys_load(path, NULL);
    assert_int_equal(hostkeys_skipped(h), 0);
    assert_int_equal(ask(h, "Core1", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "10.0.0.1", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "core1", 22, &ed2), HOSTKEYS_CHANGED);
    assert_int_equal(ask(h, "core2", 2222, &rsa), HOSTKEYS_KNOWN);
    assert_int_equal(ask(h, "core2", 22, &rsa), HOSTKEYS_UNKNOWN);
    hostkeys_free(h);
}

static void accepted_keys_are_found_by_openssh(void **state)
{
    const char *argv[] = {"ssh-keygen", "-F", "[core1]:2222", "-f", path, NULL};
    struct hostkeys *h;
    struct stat st;

    (void)state;
    for (int hashed = 0; hashed < 2; hashed++) {
        unlink(path);
        h = hostkeys_load(path, NULL);
        assert_int_equal(accept_key(h, "core1", 2222, &ed, hashed, NULL), 0);
        assert_int_equal(accept_key(h, "core1", 2222, &ed, hashed, NULL), 0);
        assert_int_equal(accept_key(h, "Core2", 22, &rsa, hashed, NULL), 0);
        assert_int_equal(ask(h, "core1", 2222, &ed), HOSTKEYS_KNOWN);
        hostkeys_free(h);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        run_keygen(argv);
        h = hostkeys_load(path, NULL);
        assert_int_equal(hostkeys_skipped(h), 0);
        assert_int_equal(ask(h, "core1", 2222, &ed), HOSTKEYS_KNOWN);
        assert_int_equal(ask(h, "core2", 22, &rsa), HOSTKEYS_KNOWN);
        hostkeys_free(h);
    }
}

static void accepting_sees_what_others_appended(void **state)
{
    struct hostkeys *a = load("# no newline at the end"), *b;
    char text[300];
    struct err err;

    (void)state;
    b = hostkeys_load(path, NULL);
    assert_int_equal(accept_key(a, "core1", 22, &ed, false, &err), 0);
    /* b has not read that: the same key is fine, another is refused */
    assert_int_equal(ask(b, "core1", 22, &ed2), HOSTKEYS_UNKNOWN);
    assert_int_equal(accept_key(b, "core1", 22, &ed2, false, &err), -1);
    assert_int_equal(err.cause, CAUSE_REFUSED);
    assert_int_equal(accept_key(b, "core1", 22, &rsa, false, &err), -1);
    assert_int_equal(accept_key(b, "core1", 22, &ed, false, &err), 0);
    /* a line cut by its writer's death does not take ours with it */
    append_text("core7 ssh-ed25");
    assert_int_equal(accept_key(b, "core2", 22, &ed, true, &err), 0);
    hostkeys_free(a);
    hostkeys_free(b);
    a = hostkeys_load(path, NULL);
    assert_int_equal(hostkeys_skipped(a), 1);
    assert_int_equal(ask(a, "core1", 22, &ed), HOSTKEYS_KNOWN);
    assert_int_equal(ask(a, "core2", 22, &ed), HOSTKEYS_KNOWN);
    /* replaced by ssh-keygen -R or an editor: the new one is read whole */
    unlink(path);
    snprintf(text, sizeof(text), "core5 %s\n", ed.line);
    append_text(text);
    assert_int_equal(accept_key(a, "core5", 22, &ed2, false, &err), -1);
    hostkeys_free(a);
}

static void names_that_would_spoil_the_file_are_refused(void **state)
{
    static const char *const names[] = {"",     "a b",     "a,b",   "*",
                                        "a\nb", "!a",      "@a",    "#a",
                                        "|1|",  "caf\xe9", "a[b]c", "a/b"};
    struct hostkeys *h = load("");
    struct key broken = ed;
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(accept_key(h, names[i], 22, &ed, false, NULL), -1);
    broken.blob[0] = 1;
    assert_int_equal(accept_key(h, "a", 22, &broken, false, NULL), -1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(accept_key(h, "fe80::1%eth0", 22, &ed, false, NULL), 0);
    hostkeys_free(h);
}

static void known_types_come_first(void **state)
{
    struct hostkeys *h = load_lines("core1 %s\ncore2 %s\ncore2 %s\n", rsa.line,
                                    ecdsa.line, ed.line);
    static const char defaults[] =
        "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
    const char *types[4];
    struct str out;

    (void)state;
    assert_int_equal(hostkeys_types(h, "core2", 22, types, 4), 2);
    assert_int_equal(hostkeys_types(h, "core2", 22, types, 1), 1);
    assert_int_equal(hostkeys_types(h, "core2", 99, types, 4), 2);
    assert_int_equal(hostkeys_types(h, "core9", 22, types, 4), 0);
    str_init(&out, 1024);
    assert_int_equal(hostkeys_algorithms(h, "core1", 22, defaults, &out), 0);
    assert_string_equal(str_text(&out), "rsa-sha2-512,rsa-sha2-256,"
                                        "ssh-ed25519,ecdsa-sha2-nistp256");
    str_reset(&out);
    assert_int_equal(hostkeys_algorithms(h, "new", 22, defaults, &out), 0);
    assert_string_equal(str_text(&out), defaults);
    str_release(&out);
    hostkeys_free(h);
}

static void pins(void **state)
{
    char text[HOSTKEYS_FINGERPRINT_BYTES], padded[60];

    (void)state;
    hostkeys_fingerprint("abc", 3, text);
    assert_string_equal(text,
                        "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
    hostkeys_fingerprint(ed.blob, ed.len, text);
    assert_true(hostkeys_pin_is_valid(text));
    assert_true(hostkeys_pin_matches(text, ed.blob, ed.len));
    assert_false(hostkeys_pin_matches(text, ed2.blob, ed2.len));
    snprintf(padded, sizeof(padded), "%s=", text);
    assert_true(hostkeys_pin_matches(padded, ed.blob, ed.len));
    assert_false(hostkeys_pin_is_valid("SHA256:"));
    assert_false(hostkeys_pin_is_valid("MD5:aa"));
    assert_false(hostkeys_pin_is_valid(text + 7));
    text[49] = '\0';
    assert_false(hostkeys_pin_is_valid(text));
    assert_false(hostkeys_pin_matches(text, ed.blob, ed.len));
}

static void one_of_many_hashed_lines(void **state)
{
    struct hostkeys *h;
    char name[32];
    int many = is_slow() ? 50 : 500;

    (void)state;
    unlink(path);
    h = hostkeys_load(path, NULL);
    for (int i = 0; i < many; i++) {
        snprintf(name, sizeof(name), "core%d", i);
        assert_int_equal(accept_key(h, name, 22, &ed, true, NULL), 0);
    }
    hostkeys_free(h);
    h = hostkeys_load(path, NULL);
    for (int i = 0; i < many; i++) {
        snprintf(name, sizeof(name), "core%d", i);
        assert_int_equal(ask(h, name, 22, &ed), HOSTKEYS_KNOWN);
    }
    assert_int_equal(ask(h, "core500", 22, &ed), HOSTKEYS_UNKNOWN);
    hostkeys_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names),
        cmocka_unit_test(ports_have_names_of_their_own),
        cmocka_unit_test(patterns),
        cmocka_unit_test(markers),
        cmocka_unit_test(bad_lines_are_skipped),
        cmocka_unit_test(damaged_files_say_no_false_yes),
        cmocka_unit_test(missing_and_odd_files),
        cmocka_unit_test(lines_hashed_by_openssh),
        cmocka_unit_test(accepted_keys_are_found_by_openssh),
        cmocka_unit_test(accepting_sees_what_others_appended),
        cmocka_unit_test(names_that_would_spoil_the_file_are_refused),
        cmocka_unit_test(known_types_come_first),
        cmocka_unit_test(pins),
        cmocka_unit_test(one_of_many_hashed_lines),
    };

    return cmocka_run_group_tests_name("transport/hostkeys", tests, setup,
                                       teardown);
}
