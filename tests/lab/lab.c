/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab's nouns come and go; power of a node.
 */
#include "tests/lab/lab.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/lab/cluster.h"
#include "tests/lab/control.h"
#include "tests/lab/engine.h"
#include "tests/lab/faults.h"
#include "tests/lab/record.h"
#include "tests/lab/server.h"
#include "tests/lab/service.h"
#include "tests/lab/ucm.h"
#include "tests/lab/win.h"

struct lab *lab_new(uv_loop_t *loop, const char *dir)
{
    struct lab *lab = lab_calloc(1, sizeof(*lab));

    lab->loop = loop;
    lab->dir = lab_strdup(dir);
    lab->started_ms = clock_mono_ms();
    settings_init(&lab->defaults);
    lab->record = record_new(lab);
    lab->faults = faults_new(lab);
    return lab;
}

struct lab_cluster *lab_add_cluster(struct lab *lab, const char *name)
{
    struct lab_cluster *c = lab_calloc(1, sizeof(*c));

    c->name = lab_strdup(name);
    str_init(&c->refused, 1 << 20);
    lab->clusters = lab_grow(lab->clusters, lab->n_clusters, sizeof(c));
    lab->clusters[lab->n_clusters++] = c;
    return c;
}

struct lab_node *lab_add_node(struct lab *lab, const char *name)
{
    struct lab_node *n = lab_calloc(1, sizeof(*n));

    n->lab = lab;
    n->name = lab_strdup(name);
    n->port = 22;
    n->db_port = 5432;
    n->roles = LAB_DATABASE;
    n->started_ms = clock_mono_ms();
    str_init(&n->used_names, 1 << 20);
    settings_copy(&n->set, &lab->defaults);
    service_new(n);
    lab->nodes = lab_grow(lab->nodes, lab->n_nodes, sizeof(n));
    lab->nodes[lab->n_nodes++] = n;
    return n;
}

void lab_place(struct lab_cluster *cluster, struct lab_node *node)
{
    node->cluster = cluster;
    cluster->nodes = lab_grow(cluster->nodes, cluster->n_nodes, sizeof(node));
    cluster->nodes[cluster->n_nodes++] = node;
}

struct lab_user *lab_add_user(struct lab_node *node, const char *name)
{
    struct lab_user *u = lab_calloc(1, sizeof(*u));

    u->name = lab_strdup(name);
    u->role = lab_strdup("admin");
    u->expiry = lab_strdup("never");
    u->next = node->users;
    node->users = u;
    return u;
}

struct lab_node *lab_node(struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->n_nodes; i++)
        if (strcmp(lab->nodes[i]->name, name) == 0)
            return lab->nodes[i];
    return NULL;
}

struct lab_cluster *lab_cluster(struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->n_clusters; i++)
        if (strcmp(lab->clusters[i]->name, name) == 0)
            return lab->clusters[i];
    return NULL;
}

struct lab_node *lab_node_at(struct lab *lab, const char *text)
{
    for (size_t i = 0; i < lab->n_nodes; i++) {
        struct lab_node *n = lab->nodes[i];
        if (strcmp(n->db_address, text) == 0 || strcmp(n->address, text) == 0 ||
            strcmp(n->hostname, text) == 0 || strcmp(n->name, text) == 0)
            return n;
    }
    return NULL;
}

struct lab_user *lab_user(struct lab_node *node, const char *name)
{
    struct lab_user *u = node->users;

    while (u && strcmp(u->name, name) != 0)
        u = u->next;
    return u;
}

int64_t lab_node_now(const struct lab_node *node)
{
    return clock_wall_ms() / 1000 + node->set.clock_offset_s;
}

uint64_t lab_age_ms(const struct lab *lab)
{
    return clock_mono_ms() - lab->started_ms;
}

/* -- power ----------------------------------------------------------------- */

void lab_node_services(struct lab_node *node, bool up)
{
    service_power(node, up);
    if (node->win)
        win_power(node, up);
}

void lab_node_down(struct lab_node *node)
{
    if (!node->up)
        return;
    node->up = false;
    node->boots++;
    server_node_down(node);
    lab_node_services(node, false);
    db_power_lost(node);
    lab_changed(node->lab);
}

void lab_node_up(struct lab_node *node)
{
    struct err err;

    later_cancel(node->boot);
    node->boot = NULL;
    if (node->up || node->lab->stopping)
        return;
    node->up = true;
    node->started_ms = clock_mono_ms();
    if (server_node_up(node, &err) < 0)
        record_violation(node, "lab", false, "%s", err.text);
    lab_node_services(node, true);
    db_power_back(node);
    lab_changed(node->lab);
}

static void on_booted(void *user)
{
    struct lab_node *node = user;

    node->boot = NULL;
    lab_node_up(node);
}

void lab_node_reboot(struct lab_node *node, unsigned ms)
{
    lab_node_down(node);
    later_cancel(node->boot);
    node->boot = later_start(node->lab->loop, ms, on_booted, node);
}

/* -- the first state ------------------------------------------------------- */

/* What would have been typed to get there, unless the file says otherwise. */
static void note_past(struct lab_node *n, const struct lab_node *primary)
{
    char text[256];

    if (n->db.last_command)
        return;
    if (n == primary)
        snprintf(text, sizeof(text), "database cluster initialize");
    else
        snprintf(text, sizeof(text), "database cluster %s %s",
                 n->roles & LAB_DATABASE ? "join" : "connect",
                 primary->db_address);
    lab_replace(&n->db.last_command, text);
}

void lab_form(struct lab_cluster *cluster, struct lab_node *primary)
{
    struct lab_group *g = primary ? group_new(cluster) : NULL;

    for (size_t i = 0; primary && i < cluster->n_nodes; i++) {
        struct lab_node *n = cluster->nodes[i];
        if (n->spare)
            continue;
        if (n->roles & LAB_DATABASE) {
            group_add(g, n);
            n->db.role = n == primary ? DB_PRIMARY : DB_REPLICA;
            n->db.in_sync = !n->db.sync_frozen;
        } else {
            n->db.group = g;
            n->db.role = DB_CONNECTED;
        }
        note_past(n, primary);
    }
    if (g) {
        g->primary = primary;
        cluster->last_primary = primary;
    }
    cluster->generation = 1;
}

/* -- the end --------------------------------------------------------------- */

static void free_node(struct lab_node *n)
{
    while (n->users) {
        struct lab_user *next = n->users->next;
        free(n->users->name);
        free(n->users->password);
        free(n->users->role);
        free(n->users->keys);
        free(n->users->expiry);
        free(n->users);
        n->users = next;
    }
    lab_files_free(n);
    service_free(n);
    ucm_free(n);
    win_free(n);
    certset_release(&n->db.certs);
    settings_release(&n->set);
    str_release(&n->used_names);
    for (int i = 0; i < CERTSET_FILES; i++) {
        free(n->initial_names[i]);
        if (n->initial_digests)
            free(n->initial_digests[i]);
    }
    free(n->initial_digests);
    free(n->db.iface);
    free(n->db.error_text);
    free(n->db.last_command);
    free(n->db.pending_text);
    free(n->name);
    free(n->hostname);
    free(n->version);
    free(n->address);
    free(n->db_address);
    free(n->host_key_path);
    free(n);
}

void lab_free(struct lab *lab)
{
    for (size_t i = 0; i < lab->n_nodes; i++)
        free_node(lab->nodes[i]);
    free(lab->nodes);
    for (size_t i = 0; i < lab->n_clusters; i++) {
        free(lab->clusters[i]->name);
        str_release(&lab->clusters[i]->refused);
        free(lab->clusters[i]->nodes);
        free(lab->clusters[i]);
    }
    free(lab->clusters);
    while (lab->groups) {
        struct lab_group *next = lab->groups->next;
        free(lab->groups);
        lab->groups = next;
    }
    faults_free(lab->faults);
    record_free(lab->record);
    settings_release(&lab->defaults);
    free(lab->dir);
    free(lab);
}
