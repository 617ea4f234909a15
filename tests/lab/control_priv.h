/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/control_priv.h - shared by the files of control commands:
 * control_cmds.c (the table, looking, faults) and control_nodes.c (what is
 * done to a node).
 */
#ifndef CERTFLEET_LAB_CONTROL_PRIV_H
#define CERTFLEET_LAB_CONTROL_PRIV_H

#include "tests/lab/control.h"

typedef void command_f(struct ask *ask, char **w, int n);

unsigned control_number(const char *text);
/* NULL after having answered. */
struct lab_node *control_node(struct ask *ask, const char *name);
void control_done(struct ask *ask);
json_t *control_with(const char *key, json_t *value); /* takes value */

/* control_nodes.c */
command_f c_down, c_up, c_reboot, c_cut, c_clock, c_set, c_sync, c_password,
    c_host_key, c_calls, c_move, c_foreign, c_quit;

#endif
