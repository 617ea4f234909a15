/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/vos/pem.h - PEM blocks out of what a node printed or answered.
 */
#ifndef CERTFLEET_VOS_PEM_H
#define CERTFLEET_VOS_PEM_H

#include "core/base/str.h"

/* The first PEM block of this label, in lines of 64 and nothing else: the same
 * bytes are the same text.  -1: there is none, or it holds what no base64
 * does.  The other gives what comes behind it; NULL: the same. */
int vos_pem(const char *text, const char *label, struct str *out);
const char *vos_pem_next(const char *text, const char *label, struct str *out);

#endif
