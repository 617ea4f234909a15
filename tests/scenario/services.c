/* SPDX-License-Identifier: Apache-2.0
 *
 * Beds with services, and what is asked of the lab about them.
 */
#include "tests/scenario/services.h"

#include <signal.h>
#include <string.h>

const char *const services_nodes[SERVICES_NODES] = {"core1", "core2", "core3"};

void services_issuer(struct bed *bed)
{
    bed_inventory(bed, "cluster lab", "service_issuer = svc");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "%s\n[issuer svc]\nkind = internal\n"
                           "ca_cert = svc.crt\nca_key = svc.key\n"
                           "key = ec:P-256\n", /* made in no time */
                           bed_read(bed, "certfleet.ini")));
}

struct bed *services_bed(void **state, const char *list)
{
    const char *const args[] = {"--services", list, NULL};
    struct bed *bed = bed_start(state, "3+0", args);

    services_issuer(bed);
    return bed;
}

json_t *services_of(struct bed *bed, const char *node, const char *name)
{
    return json_object_get(
        json_object_get(bed_lab(bed, "node %s", node), "services"), name);
}

void services_state(struct bed *bed, const char *name, const char *state)
{
    for (size_t i = 0; i < SERVICES_NODES; i++)
        assert_string_equal(
            bed_text(services_of(bed, services_nodes[i], name), "state"),
            state);
}

void services_are(struct bed *bed, const char *name, const char *state,
                  unsigned drops)
{
    services_state(bed, name, state);
    for (size_t i = 0; i < SERVICES_NODES; i++)
        assert_int_equal(
            json_integer_value(json_object_get(
                services_of(bed, services_nodes[i], name), "drops")),
            drops);
}

void services_were_orderly(struct bed *bed)
{
    json_t *c = bed_lab(bed, "cluster lab");

    assert_true(json_integer_value(json_object_get(c, "most_dropping")) <= 1);
    assert_int_equal(bed_count(bed, "*", "database cluster [!s]*"), 0);
    bed_is_safe(bed);
}

void services_trusted(struct bed *bed)
{
    json_t *list = json_object_get(bed_lab(bed, "cluster lab"), "refused");

    assert_non_null(list);
    if (json_array_size(list))
        fail_msg("%s", json_string_value(json_array_get(list, 0)));
}

void services_killed(struct bed *bed, const char *words, const char *command)
{
    int id = bed_id(bed_lab(bed, "hold core2 after '%s'", command));
    struct bed_run *run = bed_begin(bed, BED_PLAIN, "%s", words);

    bed_lab(bed, "wait held %d", id);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    run->plain = true;
    assert_int_equal(bed_finish(run), 128 + SIGKILL);
    bed_lab(bed, "release %d", id);
}
