/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fault/sheet.h - the table: rows down, faults across, a letter for the
 * fault that strikes once and one for the fault that stays.
 */
#ifndef CERTFLEET_FAULT_SHEET_H
#define CERTFLEET_FAULT_SHEET_H

#include "tests/fault/play.h"

/* `cells` are all of them, in the order of sheet_index. */
size_t sheet_index(const struct cell *cell);
void sheet_print(const struct cell *cells, const enum mark *marks, size_t n);

#endif
