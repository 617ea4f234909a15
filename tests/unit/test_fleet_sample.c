/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of keys, the sample made from it, 5,000 nodes, and damaged files:
 * whatever stands in a file, reading ends with an answer.
 */
#include <sys/mman.h>

#include "core/base/clock.h"
#include "tests/unit/fleet_fixture.h"

static char *sample(size_t *len)
{
    struct str text;

    str_init(&text, 256 * 1024);
    inventory_sample(&text);
    assert_false(text.cut);
    *len = text.len;
    return str_take(&text);
}

static void test_sample_has_no_fault(void **state)
{
    size_t len;
    char *text = sample(&len);
    struct inventory *inv = fixture_read_bytes(text, len);

    (void)state;
    expect_faults(inv, 0, 0);
    assert_int_equal(inv->n_clusters, 1);
    assert_int_equal(inv->n_nodes, 4);
    assert_int_equal(inventory_node(inv, "edge1")->roles, CONNECT | CALLBRIDGE);
    inventory_free(inv);
    free(text);
}

/* With every disabled key enabled only what is a picture of a value, or a
 * file that is not there, may be refused: no key is unknown or misplaced. */
static void test_sample_enabled(void **state)
{
    size_t len;
    char *text = sample(&len);
    struct inventory *inv;

    (void)state;
    for (size_t i = 1; i < len; i++)
        if (text[i] == ';' && text[i - 1] == '\n')
            text[i] = ' ';
    inv = fixture_read_bytes(text, len);
    for (size_t i = 0; i < inv->n_faults; i++) {
        if (inv->faults[i].level == FAULT_WARNING)
            continue; /* ssh_config is not there */
        if (strstr(inv->faults[i].text, "is for kind = command") ||
            strstr(inv->faults[i].text, "is for kind = adcs") ||
            strstr(inv->faults[i].text, "names node `ca1'"))
            continue; /* it shows the keys of every kind */
        if (strncmp(inv->faults[i].text, "bad identity", 12) != 0 &&
            strncmp(inv->faults[i].text, "bad approver", 12) != 0 &&
            strncmp(inv->faults[i].text, "bad host_key", 12) != 0) {
            fixture_print(inv);
            fail_msg("only a pin's picture and a missing identity");
        }
    }
    assert_string_equal(inventory_node(inv, "core1")->names[0],
                        "db1.example.com");
    inventory_free(inv);
    free(text);
}

static bool has_line(const char *text, const char *key)
{
    size_t len = strlen(key);

    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        p += *p == ';';
        if (strncmp(p, key, len) == 0 && strspn(p + len, " =") > 1)
            return true;
    }
    return false;
}

/* Words only, so that wrapping does not matter. */
static char *words_of(const char *text)
{
    struct str out;

    str_init(&out, 256 * 1024);
    for (; *text; text++) {
        if (strchr(" \n#", *text)) {
            if (out.len && out.data[out.len - 1] != ' ')
                str_addc(&out, ' ');
        } else {
            str_addc(&out, *text);
        }
    }
    return str_take(&out);
}

static void test_sample_has_every_key(void **state)
{
    size_t n, len;
    const struct inventory_key *keys = inventory_keys(&n);
    char *text = sample(&len), *words = words_of(text);

    (void)state;
    assert_true(n >= 40);
    for (size_t i = 0; i < n; i++) {
        if (!has_line(text, keys[i].name))
            fail_msg("the sample lacks %s", keys[i].name);
        if (!strstr(words, keys[i].help))
            fail_msg("the sample lacks the help of %s", keys[i].name);
    }
    for (const char *p = text, *end; *p; p = end + 1) {
        end = strchr(p, '\n');
        assert_non_null(end);
        assert_true(end - p <= 80);
    }
    free(words);
    free(text);
}

static void test_keys_are_whole(void **state)
{
    size_t n;
    const struct inventory_key *keys = inventory_keys(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_non_null(keys[i].name);
        assert_non_null(keys[i].sections);
        assert_non_null(keys[i].value);
        assert_true(strlen(keys[i].help) > 5);
        assert_int_equal(strspn(keys[i].name, "abcdefghijklmnopqrstuvwxyz_"),
                         strlen(keys[i].name));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(keys[i].name, keys[j].name);
    }
}

static char *big_text(unsigned nodes, size_t *len)
{
    struct str text;

    str_init(&text, 16 * 1024 * 1024);
    str_add(&text, "[fleet]\nuser = admin\npassword = env:P\n"
                   "[issuer i]\nca_cert = {cluster}.c\nca_key = {cluster}.k\n");
    for (unsigned i = 0; i < nodes; i++) {
        if (i % 5 == 0)
            str_addf(&text,
                     "[cluster c%u]\nproduct = cms\nissuer = i\n"
                     "subject = O=Example Inc.,C=GB\n",
                     i / 5);
        str_addf(&text,
                 "[node n%u]\ncluster = c%u\naddress = n%u.example.com\n"
                 "roles = database callbridge\ndb_address = 10.%u.%u.%u\n"
                 "names = x%u.example.com y%u.example.com\n",
                 i, i / 5, i, i >> 16, i >> 8 & 255, i & 255, i, i);
    }
    assert_false(text.cut);
    *len = text.len;
    return str_take(&text);
}

/* The time is printed, not judged: machines and sanitizers differ. */
static void test_many_nodes(void **state)
{
    size_t len;
    char *text = big_text(5000, &len);
    uint64_t before = clock_mono_ms(), took;
    struct inventory *inv = fixture_read_bytes(text, len);

    (void)state;
    took = clock_mono_ms() - before;
    print_message("5000 nodes, %zu bytes: %llu ms\n", len,
                  (unsigned long long)took);
    expect_faults(inv, 0, 0);
    assert_int_equal(inv->n_nodes, 5000);
    assert_int_equal(inv->n_clusters, 1000);
    assert_string_equal(inventory_node(inv, "n4999")->cluster->name, "c999");
    inventory_free(inv);
    free(text);
}

/* Thousands of them: in memory, not on the disk. */
static struct inventory *read_in_memory(const char *text, size_t len)
{
    struct inventory_options options = {.products = fixture_products};
    int fd = memfd_create("inventory", MFD_CLOEXEC);
    struct inventory *inv;
    char path[40];

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    options.path = path;
    inv = inventory_read(&options, NULL);
    close(fd);
    assert_non_null(inv);
    return inv;
}

static void read_and_forget(const char *text, size_t len)
{
    struct inventory *inv = read_in_memory(text, len);
    struct str out;
    size_t errors = 0;

    str_init(&out, 1024 * 1024);
    inventory_faults(inv, &out);
    for (size_t i = 0; i < inv->n_faults; i++) {
        errors += inv->faults[i].level == FAULT_ERROR;
        assert_true(i == 0 || inv->faults[i - 1].line <= inv->faults[i].line);
    }
    assert_int_equal(errors, inv->n_errors);
    for (size_t i = 0; i < inv->n_nodes; i++)
        assert_non_null(inv->nodes[i]->address);
    assert_non_null(inv->state_dir);
    str_release(&out);
    inventory_free(inv);
}

static void test_truncations(void **state)
{
    size_t len;
    char *text = sample(&len);

    (void)state;
    for (size_t cut = 0; cut < len; cut += 1 + cut % 5)
        read_and_forget(text, cut);
    free(text);
}

/* Numbers that are the same on every run. */
static unsigned next_number(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void test_damage(void **state)
{
    static const char nasty[] = "[]=;#:\n\r\0\x80\xff\" {}~,";
    size_t len;
    char *text = sample(&len), *copy = malloc(len);
    unsigned seed = 1;

    (void)state;
    assert_non_null(copy);
    for (unsigned round = 0; round < 2000; round++) {
        unsigned hits = 1 + next_number(&seed) % 8;
        memcpy(copy, text, len);
        while (hits-- > 0) {
            size_t at = next_number(&seed) % len;
            unsigned what = next_number(&seed);
            if (what % 2)
                copy[at] =
                    (char)((unsigned char)copy[at] ^ (1u << what / 2 % 8));
            else
                copy[at] = nasty[what / 2 % sizeof(nasty)];
        }
        read_and_forget(copy, len);
    }
    free(copy);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_has_no_fault),
        cmocka_unit_test(test_sample_enabled),
        cmocka_unit_test(test_sample_has_every_key),
        cmocka_unit_test(test_keys_are_whole),
        cmocka_unit_test(test_many_nodes),
        cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
