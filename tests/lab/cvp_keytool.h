/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/cvp_keytool.h - keytool as a child that talks through a client's
 * channel.
 */
#ifndef CERTFLEET_LAB_CVP_KEYTOOL_H
#define CERTFLEET_LAB_CVP_KEYTOOL_H

#include "tests/lab/mmp.h"

#define CVP_LIVE "conf\\.keystore"
#define CVP_EXPORT "lab-export"
/* A small JVM: it lives for a third of a second. */
#define CVP_QUICK "-J-XX:TieredStopAtLevel=1"

/* "DIR/win-NODE": where keytool finds the node's files; the caller frees. */
char *cvp_folder(const struct lab_node *node);
void cvp_keytool(struct mmp_run *run, char **words, int n);

#endif
