/* SPDX-License-Identifier: Apache-2.0
 *
 * core/store/pq_load.h - libpq, loaded when a store is on a server
 * (core/base/library.h).  Only pg*.c know libpq.
 */
#ifndef CERTFLEET_STORE_PQ_LOAD_H
#define CERTFLEET_STORE_PQ_LOAD_H

#include <libpq-fe.h>

#include "core/base/err.h"

/* What we call of it: PQclear is pq.clear ... */
/* clang-format off */
#define PQ_CALLS(call) \
    call(clear) call(cmdStatus) call(connectPoll) call(connectStartParams) \
    call(conninfoFree) call(conninfoParse) call(consumeInput) \
    call(errorMessage) call(finish) call(flush) call(ftype) call(getResult) \
    call(getisnull) call(getlength) call(getvalue) call(isBusy) \
    call(ntuples) call(parameterStatus) call(resultErrorField) \
    call(resultErrorMessage) call(resultStatus) call(sendQuery) \
    call(sendQueryParams) call(setNoticeProcessor) call(setnonblocking) \
    call(socket) call(status)
/* clang-format on */

#define PQ_MEMBER(name) __typeof__(PQ##name) *(name);
extern struct pq_calls {
    PQ_CALLS(PQ_MEMBER)
} pq;
#undef PQ_MEMBER

/* Before any of them, from any thread.  -1: libpq is not here. */
int pq_load(struct err *err);

#endif
