/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/scenario/cce.h - beds of CCE servers, and what is asked of them.
 */
#ifndef CERTFLEET_SCENARIO_CCE_H
#define CERTFLEET_SCENARIO_CCE_H

#include <string.h>

#include "tests/scenario/bed.h"

#define CCE_ROTATE "apply cce/rotate lab --yes "

/* "cce-aw,cce-pg": nodes aw1 and pg2. */
static inline struct bed *cce_bed(void **state, const char *servers)
{
    const char *const args[] = {"--servers", servers, NULL};

    return bed_start(state, "1+0", args);
}

/* Both bindings, both trust stores, both ports. */
static inline void cce_is(struct bed *bed, const char *name, const char *age)
{
    static const char *const facts[] = {"iis", "portico", "icm_store",
                                        "java_store"};
    static const char *const ports[] = {"W3SVC", "DiagFwSvc"};
    json_t *node = bed_lab(bed, "node %s", name);
    json_t *services = json_object_get(node, "services");

    for (size_t i = 0; i < 4; i++)
        assert_string_equal(bed_text(node, facts[i]), age);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(
            bed_text(json_object_get(services, ports[i]), "state"), age);
    assert_string_equal(
        bed_text(json_object_get(services, "IISADMIN"), "state"), "old");
}

/* The trust stores' password is on no command line. */
static inline void cce_is_safe(struct bed *bed)
{
    assert_int_equal(bed_count(bed, "*", "*changeit*"), 0);
    assert_int_equal(bed_count(bed, "*", "*storepass*"), 0);
}

#endif
