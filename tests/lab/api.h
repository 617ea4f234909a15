/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/api.h - the REST interface of an appliance, as far as a rotation
 * asks it: GET /api/v1/system/status behind the webadmin's certificate, with
 * HTTP Basic (facts/cms.md 7).
 */
#ifndef CERTFLEET_LAB_API_H
#define CERTFLEET_LAB_API_H

#include "tests/lab/lab.h"

/* By HTTP Basic, a user of the node's; counted as a login. */
bool api_may_ask(struct lab_node *node, const char *request);
/* `request` is one whole head; the answer, head and body, is added. */
void api_reply(struct lab_node *node, const char *request, struct str *reply);

#endif
