/* SPDX-License-Identifier: Apache-2.0
 *
 * Every case of x509-limbo through our own checker of chains, the one that
 * each new set passes before it is pushed.  Twice: by the rules that the case
 * is about (RFC 5280: private; CA/Browser: public), and by those of a database
 * set, which lets pass, with a warning, what the vendor's recipe makes.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/pki/pki.h"
#include "tests/limbo/known.h"

enum {
    EXIT_SKIP = 77,
    NOW = 1701475200, /* 2023-12-02, the day of the file */
    TEXT_CAP = 1 << 20
};

struct tally {
    const char *title;
    const struct known *known, *also;
    size_t cases, agreed, faults;
};

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text ? text : "";
}

/* -- one case -------------------------------------------------------------- */

/* Why a case is none of ours; NULL: it is. */
static const char *not_ours(const json_t *test)
{
    if (strcmp(text_of(test, "validation_kind"), "SERVER") != 0)
        return "no server's chain";
    if (json_array_size(json_object_get(test, "crls")) > 0)
        return "revocation: no database asks for it";
    return NULL;
}

static enum pki_profile profile_of(const char *id)
{
    return strncmp(id, "webpki::", 8) == 0 || strncmp(id, "online::", 8) == 0
               ? PKI_PUBLIC
               : PKI_PRIVATE;
}

static int64_t time_of(const json_t *test)
{
    const char *text = text_of(test, "validation_time");
    struct tm tm = {.tm_isdst = 0};

    return *text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? timegm(&tm)
                                                             : NOW;
}

static void add_all(struct str *pem, const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        str_add(pem, json_string_value(one));
    }
}

static void judge(const json_t *test, enum pki_profile profile,
                  struct pki_findings *findings)
{
    const json_t *depth = json_object_get(test, "max_chain_depth");
    const char *const hosts[] = {
        text_of(json_object_get(test, "expected_peer_name"), "value"), NULL};
    struct str shown, trust;

    str_init(&shown, TEXT_CAP);
    str_init(&trust, TEXT_CAP);
    str_add(&shown, text_of(test, "peer_certificate"));
    add_all(&shown, json_object_get(test, "untrusted_intermediates"));
    add_all(&trust, json_object_get(test, "trusted_certs"));
    pki_lint_chain(
        &(struct pki_chain){
            .what = "server",
            .cert = str_text(&shown),
            .cert_len = shown.len,
            .trust = str_text(&trust),
            .trust_len = trust.len,
            .purpose = PKI_SERVER,
            .profile = profile,
            .hosts = hosts,
            .at = time_of(test),
            .depth = json_is_integer(depth)
                         ? (unsigned)json_integer_value(depth) + 1
                         : 0,
        },
        findings);
    str_release(&shown);
    str_release(&trust);
}

/* -- against what is known ------------------------------------------------- */

static const struct known *find(const struct known *list, const char *id)
{
    for (; list && list->id; list++)
        if (strcmp(list->id, id) == 0)
            return list;
    return NULL;
}

static bool is_said(const struct pki_findings *findings, const char *id)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->list[i].id, id) == 0)
            return true;
    return false;
}

static void complain(struct tally *t, const char *id, const char *what,
                     const struct pki_findings *findings)
{
    t->faults++;
    printf("FAIL %s: %s\n", id, what);
    for (size_t i = 0; i < findings->n; i++)
        printf("     %s %d %s\n", findings->list[i].id,
               (int)findings->list[i].severity, findings->list[i].text);
}

static void compare(struct tally *t, const json_t *test,
                    const struct pki_findings *findings)
{
    const char *id = text_of(test, "id");
    bool wanted = strcmp(text_of(test, "expected_result"), "SUCCESS") == 0;
    bool given = !pki_findings_has_error(findings);
    const struct known *known = find(t->known, id);

    if (!known)
        known = find(t->also, id);
    t->cases++;
    t->agreed += wanted == given;
    if (wanted == given && known)
        complain(t, id, "decided as limbo does, and the table says not",
                 findings);
    else if (wanted != given && !known)
        complain(t, id,
                 given ? "accepted, and limbo refuses it"
                       : "refused, and limbo accepts it",
                 findings);
    else if (known && known->finding && !is_said(findings, known->finding))
        complain(t, id, "the finding of the table is missing", findings);
    if (wanted == given || !known)
        return;
    printf("  %-8s  %-4s  %s\n            %s\n", given ? "accepted" : "refused",
           known->finding ? known->finding : "-", id, known->why);
}

static bool occurs(const json_t *tests, const char *id)
{
    const json_t *test;
    size_t i;

    json_array_foreach(tests, i, test)
    {
        if (strcmp(text_of(test, "id"), id) == 0)
            return true;
    }
    return false;
}

static void check_table(struct tally *t, const json_t *tests)
{
    const struct pki_findings none = {.n = 0};

    for (const struct known *k = t->known; k->id; k++)
        if (!occurs(tests, k->id))
            complain(t, k->id, "in the table, and no case", &none);
}

static bool run_all(struct tally *t, const json_t *tests, bool database)
{
    const json_t *test;
    size_t i;

    printf("\n%s\n", t->title);
    json_array_foreach(tests, i, test)
    {
        const char *why = not_ours(test), *id = text_of(test, "id");
        struct pki_findings findings = {.n = 0};

        if (why) {
            printf("  not ours        %s: %s\n", id, why);
            continue;
        }
        judge(test, database ? PKI_DATABASE : profile_of(id), &findings);
        compare(t, test, &findings);
        pki_findings_release(&findings);
    }
    check_table(t, tests);
    printf("agree %zu of %zu; %zu parted, %zu not as known\n", t->agreed,
           t->cases, t->cases - t->agreed, t->faults);
    return t->faults == 0 && t->cases > 0;
}

int main(void)
{
    const char *path = getenv("CERTFLEET_LIMBO");
    struct tally strict = {
        .title = "By the rules of the case: RFC 5280 as private, webpki and "
                 "online as public",
        .known = known_strict,
    };
    struct tally database = {
        .title = "As a database set, before it is pushed",
        .known = known_database,
        .also = known_strict,
    };
    json_error_t error;
    json_t *suite = json_load_file(path ? path : LIMBO_FILE, 0, &error);
    const json_t *tests = json_object_get(suite, "testcases");
    bool good;

    if (!suite && json_error_code(&error) == json_error_cannot_open_file) {
        printf("skipped: %s\n", error.text);
        return EXIT_SKIP;
    }
    if (!json_is_array(tests))
        return EXIT_FAILURE;
    good = run_all(&strict, tests, false);
    good = run_all(&database, tests, true) && good;
    json_decref(suite);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
