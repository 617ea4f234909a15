/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a journal holds: a report that is well-formed, whose every text
 * stays text.
 *
 * A line a record: T_MS KIND CLUSTER NODE STEP DATA, "-" for none.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/html.h"
#include "cli/report_page.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/html_check.h"

static const char *word(char **save, bool first, char *copy)
{
    const char *w = strtok_r(first ? copy : NULL, " ", save);

    return w && strcmp(w, "-") != 0 ? w : NULL;
}

static void take_record(struct report *report, struct input line)
{
    char *copy = input_text(line), *save = NULL;
    const char *t = strtok_r(copy, " ", &save);
    struct store_entry entry = {.t_ms = t ? strtoll(t, NULL, 10) : 0};

    entry.record.kind = word(&save, false, NULL);
    entry.record.cluster = word(&save, false, NULL);
    entry.record.node = word(&save, false, NULL);
    entry.record.step = word(&save, false, NULL);
    entry.record.data = save;
    if (entry.record.kind)
        report_take(report, &entry);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    const char *where;
    struct report report;
    struct str page;

    report_init(&report);
    report.playbook = "cms/db-rotate";
    report.target = report.inputs = report.by = report.id = "lab";
    report.state = "done";
    report.ended_ms = 1;
    while (in.left > 0)
        take_record(&report, input_line(&in));
    report_close(&report);
    str_init(&page, HTML_CAP);
    report_page(&report, "certfleet", &page);
    must(strlen(str_text(&page)) == page.len);
    must(html_fault(str_text(&page), &where) == NULL);
    str_release(&page);
    report_release(&report);
    return 0;
}
