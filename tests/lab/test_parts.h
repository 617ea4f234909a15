/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/test_parts.h - what the tests of the lab share: questions to it,
 * its end, another set of certificates.
 */
#ifndef CERTFLEET_LAB_TEST_PARTS_H
#define CERTFLEET_LAB_TEST_PARTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/lab/rig.h"

#define NEW_5                                                                  \
    "newserver.key newserver.cer newclient.key newclient.cer newca.cer"
#define NEW_3 "newclient.key newclient.cer newca.cer"

static inline struct rig *start(const char *shape, const char *setting)
{
    const char *args[8] = {"--make", shape, NULL};

    if (setting) {
        args[2] = "--set";
        args[3] = setting;
    }
    return rig_start(LAB_PROGRAM, args);
}

/* -- small questions ---------------------------------------------------------
 */

static inline bool prints(struct rig *rig, unsigned node, const char *command,
                          const char *wanted)
{
    char *text = rig_ssh(rig, node, command, NULL);
    bool found = strstr(text, wanted) != NULL;

    if (!found)
        fprintf(stderr, "%s: wanted '%s' in:\n%s\n", command, wanted, text);
    free(text);
    return found;
}

static inline int code_of(struct rig *rig, unsigned node, const char *command)
{
    int code;

    free(rig_ssh(rig, node, command, &code));
    return code;
}

static inline char *field(struct rig *rig, const char *what, const char *name)
{
    json_t *o = rig_ask(rig, "%s", what), *v = json_object_get(o, name);
    char *text = json_is_string(v) ? strdup(json_string_value(v))
                                   : json_dumps(v, JSON_ENCODE_ANY);

    json_decref(o);
    return text ? text : strdup("null");
}

static inline bool is(struct rig *rig, const char *what, const char *name,
                      const char *wanted)
{
    char *text = field(rig, what, name);
    bool same = strcmp(text, wanted) == 0;

    if (!same)
        fprintf(stderr, "%s %s: %s, wanted %s\n", what, name, text, wanted);
    free(text);
    return same;
}

static inline unsigned violations(const json_t *verdict, const char *rule)
{
    json_t *list = json_object_get(verdict, "violations"), *v;
    unsigned n = 0;
    size_t i;

    json_array_foreach(list, i, v)
    {
        const char *r = json_string_value(json_object_get(v, "rule"));
        if (!rule || strcmp(r, rule) == 0)
            n++;
        if (!rule)
            fprintf(stderr, "violation %s: %s\n", r,
                    json_string_value(json_object_get(v, "text")));
    }
    return n;
}

/* Stops the lab; asserts that it saw exactly `n` violations of the rule. */
static inline void stop(struct rig *rig, const char *rule, unsigned n)
{
    json_t *verdict = NULL;

    assert_int_equal(rig_stop(rig, &verdict), 0);
    assert_non_null(verdict);
    assert_int_equal(violations(verdict, rule), n);
    json_decref(verdict);
}

static inline void say_yes(struct rig *rig, unsigned node, const char *command,
                           const char *started)
{
    char *text = rig_dialog(rig, node, command, "Y");

    if (!strstr(text, started))
        fprintf(stderr, "%s:\n%s\n", command, text);
    assert_non_null(strstr(text, started));
    free(text);
}

/* -- another set -------------------------------------------------------------
 */

struct other_set {
    char dir[64];
};

static inline void make_other_set(struct rig *rig, struct other_set *set,
                                  const char *days)
{
    const char *const argv[] = {LAB_PROGRAM, "--make", "3+2",    "--only-make",
                                "--days",    days,     "--base", rig->base,
                                "--dir",     set->dir, NULL};

    snprintf(set->dir, sizeof(set->dir), "%s/other", rig->dir);
    assert_int_equal(rig_run(argv), 0);
}

static inline void push_set(struct rig *rig, const struct other_set *set,
                            unsigned node)
{
    static const char *const names[] = {"server.key", "server.cer",
                                        "client.key", "client.cer", "ca.cer"};
    char batch[2048] = "";

    for (size_t i = 0; i < 5; i++) {
        size_t at = strlen(batch);
        snprintf(batch + at, sizeof(batch) - at,
                 "put %s/certs/lab/dbcluster%s new%s\n", set->dir, names[i],
                 names[i]);
    }
    assert_int_equal(rig_sftp(rig, node, batch), 0);
}

static inline void wait_done(struct rig *rig, const char *node,
                             const char *verb)
{
    assert_true(rig_do(rig, "wait %s command 'database cluster %s*' success",
                       node, verb));
}

#endif
