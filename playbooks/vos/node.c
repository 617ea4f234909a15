/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of every product's facts, and what follows from the platform alone.
 */
#include "playbooks/vos/node.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"

const struct vos_node *vos_node_at(const struct plan_cluster *pc, size_t i)
{
    return (const struct vos_node *)pc->nodes[i].facts;
}

void vos_node_release(struct vos_node *node)
{
    secret_free(node->shown.bytes);
}

int vos_services_take(struct facts *facts, const struct read_file *about,
                      const struct link_result *result, struct err *err)
{
    struct vos_node *node = (struct vos_node *)facts;

    (void)about;
    return vos_services_parse(result->data, result->len, &node->services, err);
}

int vos_shown_take(struct facts *facts, const struct read_file *about,
                   const struct link_result *result, struct err *err)
{
    struct vos_node *node = (struct vos_node *)facts;

    (void)about;
    (void)err;
    secret_free(node->shown.bytes);
    node->shown.bytes = secret_from(result->data, result->len);
    node->shown.at_ms = clock_mono_ms();
    return 0;
}

void vos_shown_describe(struct facts *facts)
{
    struct vos_node *node = (struct vos_node *)facts;
    const struct secret *bytes = node->shown.bytes;

    if (bytes &&
        pki_describe(bytes->data, bytes->len, &node->shown.info, NULL) < 0)
        memset(&node->shown.info, 0, sizeof(node->shown.info));
    secret_free(node->shown.bytes);
    node->shown.bytes = NULL;
}

void vos_shown_forget(struct facts *facts)
{
    struct vos_node *node = (struct vos_node *)facts;

    node->shown.at_ms = 0;
    memset(&node->shown.info, 0, sizeof(node->shown.info));
}

void vos_no_way_back(struct plan_cluster *pc, struct findings *findings)
{
    pc->way_back = false;
    snprintf(pc->no_way_back, sizeof(pc->no_way_back),
             "the platform keeps no old key, and takes no certificate without "
             "a new request: what fails is finished, not taken back");
    findings_add(findings, SEVERITY_INFO, "backup", NULL,
                 "take a DRS backup before, and another one afterwards: it is "
                 "the only other way back");
}

int vos_recognise(struct plan_cluster *pc, struct err *err)
{
    for (size_t i = 0; i < pc->n_nodes; i++)
        if (vos_node_at(pc, i)->services.n == 0)
            return err_set(err, CAUSE_REFUSED,
                           "node %s: its services cannot be read",
                           pc->nodes[i].node->name);
    return 0;
}
