/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports and metrics of what really happened: the page tells what the run
 * said of itself and `show' tells of its certificates; a node that is silent
 * is in the metrics; Prometheus' own tool has nothing to say against them.
 */
#include "tests/scenario/crew.h"

#include <string.h>
#include <sys/stat.h>

#include "tests/unit/html_check.h"

static struct bed_run *plain(struct bed *bed, int code, const char *words)
{
    struct bed_run *run = bed_begin(bed, BED_PLAIN, "%s", words);

    if (bed_finish(run) != code)
        fail_msg("%s: exit code %d, not %d: %s", words, run->code, code,
                 str_text(&run->err_text));
    return run;
}

static const char *page_of(struct bed *bed, const char *name)
{
    const char *page = bed_read(bed, name);

    html_is_well_formed(page);
    return page;
}

static void holds(const char *text, const char *word)
{
    if (!strstr(text, word))
        fail_msg("\"%s\" is not in it", word);
}

/* Both fingerprints of every certificate that `show' tells of. */
static unsigned holds_fingerprints(struct bed *bed, const char *page)
{
    struct bed_run *show = bed_do(bed, "show last");
    unsigned n = 0;
    json_t *e;
    size_t i;

    json_array_foreach(show->events, i, e)
    {
        if (strcmp(bed_text(e, "event"), "fingerprints") != 0)
            continue;
        holds(page, bed_text(json_object_get(e, "old"), "sha256"));
        holds(page, bed_text(json_object_get(e, "new"), "sha256"));
        assert_int_equal(strlen(bed_text(json_object_get(e, "new"), "sha256")),
                         64);
        n++;
    }
    return n;
}

/* As the cell of the table has it. */
static void holds_time(struct bed *bed, const char *page,
                       const struct bed_run *run, const char *key)
{
    json_int_t ms =
        json_integer_value(json_object_get(bed_cluster(run, "lab"), key));

    assert_true(ms > 0 && ms < 60000);
    holds(page,
          arena_printf(&bed->arena, "<td class=\"num\">%lld.%03lld s</td>",
                       (long long)(ms / 1000), (long long)(ms % 1000)));
}

static void test_a_run(void **state)
{
    static const char *const names[] = {"core1", "core2", "core3", "edge1",
                                        "edge2"};
    static const char *const late[] = {"--set", "clock_offset_s=-40", NULL};
    struct bed *bed = bed_start(state, "3+2", late);
    struct bed_run *run;
    const char *page;

    bed_lab(bed, "inject core2 fail 'database cluster join*'");
    run = bed_apply(bed, "");
    bed_ends(run, 0, "done");
    assert_int_equal(bed_events(run, "retry", "core2", "join"), 1);
    plain(bed, 0, "report last -o r.html");
    page = page_of(bed, "r.html");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        holds(page, arena_printf(&bed->arena, "<td class=\"name\">%s</td>",
                                 names[i]));
    holds(page, bed_run_id(run));
    holds_time(bed, page, run, "outage_ms");
    holds_time(bed, page, run, "degraded_ms");
    assert_int_equal(holds_fingerprints(bed, page), 13);
    holds(page, "join: a try failed: ");
    holds(page, "<td>clock-skew</td><td class=\"warn\">warning</td>");
    holds(page, "verifies</span>: ");

    run = bed_do(bed, "rollback last --yes");
    bed_ends(run, 0, "rolled-back");
    plain(bed, 0, "report last -o r.html");
    page = page_of(bed, "r.html");
    holds(page, "rollback, cluster lab: time since");
    holds(page, "The run was taken back");
    holds_time(bed, page, run, "outage_ms");
    assert_int_equal(holds_fingerprints(bed, page), 13);
}

/* -- the fleet, with a node that is silent -------------------------------- */

/* Where Prometheus is installed, it judges. */
static void prometheus_takes(struct bed *bed, const char *name)
{
    const char *argv[] = {
        "sh", "-c",
        arena_printf(&bed->arena,
                     "command -v promtool >/dev/null || exit 0;"
                     " test -z \"$(promtool check metrics <%s/%s 2>&1)\"",
                     bed->dir, name),
        NULL};

    if (rig_run(argv) != 0)
        fail_msg("promtool does not take %s", bed_read(bed, name));
}

static void test_a_fleet(void **state)
{
    struct bed *bed = bed_start(state, "2+1", NULL);
    const char *metrics, *page;
    struct stat st;

    bed_ends(bed_apply(bed, ""), 0, "done");
    plain(bed, 0, "check --metrics m.prom");
    bed_lab(bed, "down core2");
    plain(bed, 3, "check --metrics m.prom");
    metrics = bed_read(bed, "m.prom");
    prometheus_takes(bed, "m.prom");
    holds(metrics, "certfleet_node_up{cluster=\"lab\",node=\"core1\"} 1\n");
    holds(metrics, "certfleet_node_up{cluster=\"lab\",node=\"core2\"} 0\n");
    holds(metrics, "x509_source_up{source_kind=\"certfleet\","
                   "source_name=\"core2\"} 0\n");
    holds(metrics, "certfleet_runs{outcome=\"done\"} 1\n");
    holds(metrics, "certfleet_cluster_last_outage_seconds{cluster=\"lab\"} 0.");
    holds(metrics, "x509_cert_not_after{cluster=\"lab\",node=\"core1\","
                   "service=\"database server\"");
    assert_null(strstr(metrics, "node=\"core2\",service="));
    assert_int_equal(
        stat(arena_printf(&bed->arena, "%s/m.prom", bed->dir), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);

    plain(bed, 3, "report --fleet lab -o f.html");
    page = page_of(bed, "f.html");
    holds(page, "Certificates of lab");
    holds(page, "<td class=\"bad\">unreachable</td>");
    holds(page, "<td class=\"name\">core2</td>");
    holds(page, "database server");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_run, bed_stop),
        cmocka_unit_test_teardown(test_a_fleet, bed_stop),
    };

    return crew_tests(tests);
}
