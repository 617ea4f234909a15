/* SPDX-License-Identifier: Apache-2.0
 *
 * The SFTP codec against a small server model: whole conversations with the
 * bytes cut at every place, the n-th request refused for every n, silence.
 */
#include "tests/unit/slow.h"
#include "tests/unit/test_transport_sftp_talk.h"

/* ------------------------------------------------------------ one by one */

static void puts_are_written_and_measured(void **state)
{
    struct talk t;
    struct seen s[3] = {{0}};

    (void)state;
    talk_init(&t, 0, 0);
    put(&t, "/a.key", "hello", 5, &s[0]);
    put(&t, "/big", big, BIG, &s[1]);
    put(&t, "/empty", NULL, 0, &s[2]);
    assert_int_equal(s[0].times, 0);
    run(&t);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s[i].times, 1);
        assert_int_equal(s[i].end, FILES_OK);
        assert_true(s[i].size_told && s[i].created && s[i].sent);
    }
    assert_int_equal(s[1].size, BIG);
    assert_int_equal(model_find(&t.m, "/big")->len, BIG);
    assert_memory_equal(model_find(&t.m, "/big")->data, big, BIG);
    assert_int_equal(model_find(&t.m, "/empty")->len, 0);
    assert_int_equal(t.m.open_now, 0);
    assert_int_equal(t.m.types[10], 0); /* never FSETSTAT */
    assert_int_equal(t.m.types[9], 0);  /* never SETSTAT */
    assert_true(files_is_idle(t.f));
    talk_release(&t);
}

static void an_exclusive_put_spares_what_is_there(void **state)
{
    struct talk t;
    struct seen s = {0}, over = {0};

    (void)state;
    talk_init(&t, 4, 0);
    model_make(&t.m, "/a", "old and long", 12);
    put(&t, "/a", "new", 3, &s);
    run(&t);
    assert_int_equal(s.end, FILES_STATUS);
    assert_int_equal(s.status, FILES_FX_FAILURE);
    assert_false(s.created);
    assert_non_null(strstr(s.text, "put /a: failure (SFTP status 4)"));
    assert_non_null(strstr(s.text, "\\x1b")); /* no escape gets through */
    assert_int_equal(model_find(&t.m, "/a")->len, 12);
    files_put(t.f, &(struct link_put){.name = "/a", .data = "new", .len = 3},
              on_done, &over);
    run(&t);
    assert_int_equal(over.end, FILES_OK);
    assert_int_equal(model_find(&t.m, "/a")->len, 3);
    talk_release(&t);
}

static void a_file_that_lost_bytes_is_short(void **state)
{
    struct talk t;
    struct seen s = {0}, blind = {0}, silent = {0};

    (void)state;
    talk_init(&t, 0, 0);
    t.m.lose = 1;
    put(&t, "/a", big, 70000, &s);
    run(&t);
    assert_int_equal(s.end, FILES_SHORT);
    assert_non_null(strstr(s.text, "70000 bytes written, 69999 there"));
    t.m.no_stat = true; /* nothing to compare with: the STATUSes count */
    put(&t, "/b", "x", 1, &blind);
    run(&t);
    assert_int_equal(blind.end, FILES_OK);
    assert_false(blind.size_told);
    t.m.no_stat = false;
    t.m.no_size = true;
    put(&t, "/c", "x", 1, &silent);
    run(&t);
    assert_int_equal(silent.end, FILES_OK);
    assert_false(silent.size_told);
    talk_release(&t);
}

static void check_get(size_t len, unsigned depth, unsigned short_by,
                      bool reverse)
{
    struct talk t;
    struct seen s = {0};

    talk_init(&t, depth, 0);
    t.m.short_by = short_by;
    t.m.reverse = reverse;
    model_make(&t.m, "/f", big, len);
    files_get(t.f, "/f", BIG, on_done, &s);
    run(&t);
    assert_int_equal(s.times, 1);
    assert_int_equal(s.end, FILES_OK);
    assert_int_equal(s.len, len);
    assert_memory_equal(s.data, big, len);
    assert_int_equal(t.m.open_now, 0);
    assert_true(t.m.most_at_once <= depth);
    free(s.data);
    talk_release(&t);
}

static void gets_are_whole_at_every_length(void **state)
{
    static const size_t lens[] = {0,     1,     32767, 32768,   32769,
                                  65535, 65536, 65537, BIG - 1, BIG};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
        for (unsigned depth = 1; depth <= 64; depth *= 4)
            for (int reverse = 0; reverse < 2; reverse++) {
                check_get(lens[i], depth, 0, reverse);
                check_get(lens[i], depth, 1000, reverse);
                check_get(lens[i], depth, 32767, reverse);
            }
}

static void a_get_past_its_cap_fails(void **state)
{
    static const size_t caps[] = {0, 9, 32767, 32768, 100000, BIG - 1};
    struct talk t;

    (void)state;
    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
        struct seen s = {0}, fits = {0};
        talk_init(&t, 8, 0);
        model_make(&t.m, "/f", big, caps[i] + 1);
        model_make(&t.m, "/g", big, caps[i]);
        files_get(t.f, "/f", caps[i], on_done, &s);
        files_get(t.f, "/g", caps[i], on_done, &fits);
        run(&t);
        assert_int_equal(s.end, FILES_TOO_LARGE);
        assert_null(s.data);
        assert_int_equal(fits.end, FILES_OK);
        assert_int_equal(fits.len, caps[i]);
        assert_int_equal(t.m.open_now, 0);
        free(fits.data);
        talk_release(&t);
    }
}

static void lists_hold_plain_files_only(void **state)
{
    struct talk t;
    struct seen s = {0}, no_modes = {0}, endless = {0};

    (void)state;
    talk_init(&t, 8, 0);
    model_make(&t.m, "a.key", "1", 1);
    model_make(&t.m, "b.cer", "22", 2);
    model_make(&t.m, "c.bak", "333", 3);
    files_list(t.f, "/", on_done, &s);
    run(&t);
    assert_int_equal(s.end, FILES_OK);
    assert_string_equal(s.names, "bad\\x1b]0;name a.key b.cer c.bak ");
    t.m.no_modes = true; /* then the line tells which are folders */
    files_list(t.f, "/", on_done, &no_modes);
    run(&t);
    assert_string_equal(no_modes.names, s.names);
    t.m.endless = true;
    files_list(t.f, "/", on_done, &endless);
    run(&t);
    assert_int_equal(endless.end, FILES_TOO_LARGE);
    assert_int_equal(endless.n_entries, 0);
    assert_int_equal(t.m.open_now, 0);
    talk_release(&t);
}

static void stat_remove_rename(void **state)
{
    struct talk t;
    struct seen s[6] = {{0}};

    (void)state;
    talk_init(&t, 8, 0);
    model_make(&t.m, "/a", "12345", 5);
    model_make(&t.m, "/b", "1", 1);
    files_stat(t.f, "/a", on_done, &s[0]);
    files_rename(t.f, "/a", "/b", on_done, &s[1]); /* is there */
    files_rename(t.f, "/a", "/c", on_done, &s[2]);
    files_stat(t.f, "/a", on_done, &s[3]);
    files_remove(t.f, "/c", on_done, &s[4]);
    files_remove(t.f, "/c", on_done, &s[5]);
    run(&t);
    assert_int_equal(s[0].end, FILES_OK);
    assert_int_equal(s[0].size, 5);
    assert_int_equal(s[0].mtime, 2000);
    assert_int_equal(s[1].status, FILES_FX_FAILURE);
    assert_int_equal(s[2].end, FILES_OK);
    assert_int_equal(s[3].status, FILES_FX_NO_SUCH_FILE);
    assert_int_equal(s[3].mtime, -1);
    assert_int_equal(s[4].end, FILES_OK);
    assert_int_equal(s[5].status, FILES_FX_NO_SUCH_FILE);
    talk_release(&t);
}

/* ----------------------------------------------------------- many at once */

static void order_holds_at_every_depth(void **state)
{
    struct seen s[MIX];
    struct talk t;

    (void)state;
    for (unsigned depth = 1; depth <= 64; depth++) {
        talk_init(&t, depth, 0);
        t.m.reverse = depth % 2;
        start_mix(&t, s);
        run(&t);
        check_mix(&t, s);
        assert_true(t.m.most_at_once <= depth);
        free_mix(s);
        talk_release(&t);
    }
}

static void files_of_one_put_go_in_few_turns(void **state)
{
    struct talk t;
    struct seen s[5] = {{0}};
    char name[8];

    (void)state;
    talk_init(&t, 16, 0);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "/%d", i);
        put(&t, name, big, 4096, &s[i]);
    }
    run(&t);
    assert_int_equal(t.m.most_at_once, 10); /* 5 x WRITE and CLOSE */
    assert_int_equal(t.m.requests, 20);
    talk_release(&t);
}

static void bytes_may_be_cut_anywhere(void **state)
{
    struct seen s[MIX];
    struct talk t;

    size_t step = is_slow() ? 29 : 1;

    (void)state;
    for (size_t cut = step; cut <= 64; cut += step) {
        talk_init(&t, 8, cut);
        start_mix(&t, s);
        run(&t);
        check_mix(&t, s);
        free_mix(s);
        talk_release(&t);
    }
}

static void the_nth_request_refused_fails_one(void **state)
{
    struct seen s[MIX];
    struct talk t;
    unsigned n, total = 1;

    (void)state;
    for (unsigned depth = 1; depth <= 16; depth += 15)
        for (n = 1, total = 1; n <= total; n++) {
            unsigned refused = 0;
            talk_init(&t, depth, 0);
            t.m.fail_at = n;
            start_mix(&t, s);
            run(&t);
            for (int i = 0; i < MIX; i++) {
                assert_int_equal(s[i].times, 1);
                assert_true(s[i].end == FILES_OK || s[i].end == FILES_STATUS);
                refused += strstr(s[i].text, "injected") != NULL;
                if (s[i].data && s[i].end == FILES_OK)
                    assert_memory_equal(s[i].data, big, s[i].len);
            }
            /* a refused CLOSE after reading harms nobody */
            assert_true(refused <= 1);
            if (s[0].end == FILES_STATUS && n > 1)
                assert_true(s[0].created || depth > 1);
            assert_true(files_is_idle(t.f) && !files_is_broken(t.f));
            assert_int_equal(files_in_flight(t.f), 0);
            total = t.m.requests;
            free_mix(s);
            talk_release(&t);
        }
    assert_true(total > 30);
}

static void a_dead_channel_ends_all_once(void **state)
{
    struct seen s[MIX];
    struct talk t;
    struct err why;

    (void)state;
    err_reset(&why);
    err_set(&why, CAUSE_LOST, "connection reset");
    for (unsigned n = 1; n <= 45; n++) {
        talk_init(&t, 4, 0);
        t.m.mute_at = n;
        start_mix(&t, s);
        run(&t);
        files_fail_all(t.f, &why);
        for (int i = 0; i < MIX; i++) {
            assert_int_equal(s[i].times, 1);
            if (s[i].end != FILES_LOST)
                continue;
            assert_non_null(strstr(s[i].text, "connection reset"));
            assert_int_equal(s[i].created && !s[i].sent, 0);
        }
        if (n == 1) {
            assert_true(s[0].sent); /* it may have acted */
            assert_false(s[8].sent);
        }
        free_mix(s);
        talk_release(&t);
    }
}

struct asker {
    struct files *f;
    unsigned again, times;
};

static void on_done_ask_again(void *user, const struct files_result *r)
{
    struct asker *a = user;

    (void)r;
    a->times++;
    if (a->again == 0)
        return;
    a->again--;
    files_stat(a->f, "/x", on_done_ask_again, a);
}

static void a_completion_may_ask_again(void **state)
{
    struct asker a = {.f = files_new(NULL), .again = 2};
    struct err why;

    (void)state;
    err_reset(&why);
    files_stat(a.f, "/x", on_done_ask_again, &a);
    files_fail_all(a.f, &why);
    assert_int_equal(a.times, 1); /* the new one waits for the next call */
    assert_false(files_is_idle(a.f));
    files_fail_all(a.f, &why);
    assert_int_equal(a.times, 2);
    files_free(a.f);
    assert_int_equal(a.times, 3);
    files_free(NULL);
}

static uint64_t fake_now = 1000;

static uint64_t read_fake_now(void)
{
    return fake_now;
}

static void on_took(void *user, const struct files_result *r)
{
    *(uint64_t *)user = r->took_ms;
}

static void time_is_told_from_the_first_byte_taken(void **state)
{
    struct files_options options = {.now_ms = read_fake_now};
    uint64_t took = 0;
    struct talk t;

    (void)state;
    talk_init(&t, 0, 0);
    files_free(t.f);
    t.f = files_new(&options);
    run(&t);
    files_stat(t.f, "/x", on_took, &took);
    fake_now += 100; /* not sent yet */
    {
        size_t n;
        const void *p = files_output(t.f, &n);
        model_feed(&t.m, p, n);
        files_sent(t.f, n);
    }
    fake_now += 42;
    run(&t);
    assert_int_equal(took, 42);
    talk_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_are_written_and_measured),
        cmocka_unit_test(an_exclusive_put_spares_what_is_there),
        cmocka_unit_test(a_file_that_lost_bytes_is_short),
        cmocka_unit_test(gets_are_whole_at_every_length),
        cmocka_unit_test(a_get_past_its_cap_fails),
        cmocka_unit_test(lists_hold_plain_files_only),
        cmocka_unit_test(stat_remove_rename),
        cmocka_unit_test(order_holds_at_every_depth),
        cmocka_unit_test(files_of_one_put_go_in_few_turns),
        cmocka_unit_test(bytes_may_be_cut_anywhere),
        cmocka_unit_test(the_nth_request_refused_fails_one),
        cmocka_unit_test(a_dead_channel_ends_all_once),
        cmocka_unit_test(a_completion_may_ask_again),
        cmocka_unit_test(time_is_told_from_the_first_byte_taken),
    };

    return cmocka_run_group_tests_name("transport/sftp", tests, fill_big, NULL);
}
