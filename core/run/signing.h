/* SPDX-License-Identifier: Apache-2.0
 *
 * core/run/signing.h - an issuer that is a node is asked for a set's
 * certificates, over its link, one wish after the other.
 *
 *     look      is there what an earlier try has printed?
 *     give in   put the request, submit it
 *     note      the request's id, on disk and in the journal
 *     fetch     the certificate, if it is there; else why is it not?
 *     tidy      take the files off again
 *
 * A wish that has an id already is asked for by it, never given in again; so
 * is one whose command was heard by nobody, as long as what it printed is
 * there.  Answers are kept beside their requests at once.  They are looked at
 * by whoever makes the set of them: nothing that the node says is believed.
 */
#ifndef CERTFLEET_RUN_SIGNING_H
#define CERTFLEET_RUN_SIGNING_H

#include "core/run/send.h"

struct signing;

/* `done' comes exactly once, later, on the loop.  SENT_OK: each wish has its
 * answer.  SENT_WAITING: somebody there must agree first, or the CA that has
 * the requests could not be reached now; a later run goes on.  The job is
 * touched by nobody else meanwhile; course->signer is its link. */
struct signing *signing_start(struct course *course, struct issue_job *job,
                              sent_f *done, void *user);
/* `done' comes all the same; what was given in is found again. */
void signing_cancel(struct signing *signing);

#endif
