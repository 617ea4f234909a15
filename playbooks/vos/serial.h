/* SPDX-License-Identifier: Apache-2.0
 *
 * playbooks/vos/serial.h - a serial number in a text of unknown shape.
 */
#ifndef CERTFLEET_VOS_SERIAL_H
#define CERTFLEET_VOS_SERIAL_H

#include <stdbool.h>
#include <stddef.h>

/* `show ctl', `show cert own': do they hold this serial number (hex, as
 * pki_describe gives it)?  Their form is not documented, or is several
 * (facts/uc.md 1.2): it is looked for in hex, colons, blanks and case aside,
 * and in decimal; a number of under 8 digits is never found. */
bool vos_holds_serial(const char *text, size_t len, const char *serial);

/* Is it what stands behind "Serial Number" or "SerialNumber", to the end of the
 * line, in hex?  A number of any length, leading zeros aside. */
bool vos_states_serial(const char *text, size_t len, const char *serial);

#endif
