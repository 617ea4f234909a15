/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/dialog_priv.h - for dialog.c and dialog_scan.c only.
 */
#ifndef CERTFLEET_TRANSPORT_DIALOG_PRIV_H
#define CERTFLEET_TRANSPORT_DIALOG_PRIV_H

#include "transport/dialog.h"

/* Adds what a terminal would show of `data` to d->text. */
void dialog_scan(struct dialog *d, const unsigned char *data, size_t len);

#endif
