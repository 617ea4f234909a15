/* SPDX-License-Identifier: Apache-2.0
 *
 * The weights of checks, and their ids where gates have ids of their own.
 */
#include "core/run/preflight.h"

#include <assert.h>
#include <string.h>

enum {
    MAX_CHECKS = 128
};

static const enum check_grade grade_of[] = {
    [PKI_INFO] = CHECK_NOTE,
    [PKI_WARNING] = CHECK_WARNING,
    [PKI_BLOCK] = CHECK_BLOCK,
    [PKI_ERROR] = CHECK_ERROR,
};

const struct check_word *preflight_words(void)
{
    static struct check_word words[MAX_CHECKS];
    size_t n = 0;

    for (const struct pki_check *c = pki_checks; c->id; c++) {
        assert(n + 1 < MAX_CHECKS);
        words[n++] = (struct check_word){
            .id = c->id, .grade = grade_of[c->severity], .keep = c->keep};
    }
    return words;
}

/* -- weights --------------------------------------------------------------- */

static enum check_grade weigh(const struct check_setting *settings,
                              const char *id, enum check_grade grade)
{
    const struct pki_check *check = pki_check_find(id);
    bool aside = check && grade == CHECK_NOTE && check->severity != PKI_INFO;

    for (; check && !aside && settings && settings->id; settings++)
        if (strcmp(settings->id, check->id) == 0)
            return check->keep && settings->grade < grade ? grade
                                                          : settings->grade;
    return grade;
}

void preflight_grade_files(const struct check_setting *settings,
                           struct pki_findings *findings)
{
    static const enum pki_severity as[] = {
        [CHECK_NOTE] = PKI_INFO,
        [CHECK_WARNING] = PKI_WARNING,
        [CHECK_BLOCK] = PKI_BLOCK,
        [CHECK_ERROR] = PKI_ERROR,
    };
    size_t kept = 0;

    for (size_t i = 0; i < findings->n; i++) {
        struct pki_finding f = findings->list[i];
        enum check_grade grade = weigh(settings, f.id, grade_of[f.severity]);
        if (grade == CHECK_OFF)
            continue;
        f.severity = as[grade];
        findings->list[kept++] = f;
    }
    findings->n = kept;
}

void preflight_grade(const struct check_setting *settings,
                     struct findings *findings)
{
    static const enum check_grade from[] = {
        [SEVERITY_INFO] = CHECK_NOTE,
        [SEVERITY_WARNING] = CHECK_WARNING,
        [SEVERITY_BLOCK] = CHECK_BLOCK,
        [SEVERITY_ERROR] = CHECK_ERROR,
    };
    static const enum severity as[] = {
        [CHECK_NOTE] = SEVERITY_INFO,
        [CHECK_WARNING] = SEVERITY_WARNING,
        [CHECK_BLOCK] = SEVERITY_BLOCK,
        [CHECK_ERROR] = SEVERITY_ERROR,
    };
    size_t kept = 0;

    for (size_t i = 0; i < findings->n; i++) {
        struct finding f = findings->list[i];
        enum check_grade grade = weigh(settings, f.id, from[f.severity]);
        if (grade == CHECK_OFF)
            continue;
        f.severity = as[grade];
        findings->list[kept++] = f;
    }
    findings->n = kept;
}

void preflight_take(const struct pki_findings *files, const char *node,
                    struct findings *findings)
{
    static const enum severity as[] = {
        [PKI_INFO] = SEVERITY_INFO,
        [PKI_WARNING] = SEVERITY_WARNING,
        [PKI_BLOCK] = SEVERITY_BLOCK,
        [PKI_ERROR] = SEVERITY_ERROR,
    };

    for (size_t i = 0; i < files->n; i++)
        findings_add(findings, as[files->list[i].severity], files->list[i].id,
                     node, "%s", files->list[i].text);
}

/* -- ids ------------------------------------------------------------------- */

const char *preflight_check(const char *id)
{
    const struct pki_check *check = pki_check_find(id);

    return check ? check->id : NULL;
}

void preflight_add_ids(struct str *out, const char *id)
{
    const char *check = preflight_check(id);

    str_add(out, id);
    if (check && strcmp(check, id) != 0)
        str_addf(out, ", %s", check);
}

/* Not those on which data depends: what a person may answer there has a word
 * of its own (data-loss). */
bool preflight_acceptable(const char *id)
{
    const struct pki_check *check = pki_check_find(id);

    return check && !check->keep;
}
