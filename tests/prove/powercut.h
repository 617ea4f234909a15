/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/prove/powercut.h - a disk that loses what was not synced.
 *
 * The worst that a power cut may do, and POSIX promises no better: nothing
 * that was not synced is there afterwards.
 *
 * SQLite's files (powercut_sqlite.c): what is written stays in memory until
 * its xSync, so that SIGKILL throws it away by itself.  The program's own files
 * (powercut_files.c): a folder, link or name that was made, and the bytes of a
 * new file, are undone unless an fsync of that folder, of that file came.
 * Unlinked files are not brought back.  Other processes see the real disk.
 */
#ifndef CERTFLEET_PROVE_POWERCUT_H
#define CERTFLEET_PROVE_POWERCUT_H

#include <stdbool.h>

/* From now on. */
void powercut_set_up(void);
/* Undoes what was not synced; from here on nothing more is written.  Nothing
 * happens when it was not set up. */
void powercut_strike(void);
/* The end of a process without a cut: all of it gets to the disk one day. */
void powercut_flush(void);

/* Between the two files: whoever holds it is alone on the disk. */
void powercut_lock(void);
void powercut_unlock(void);
void powercut_sqlite_set_up(void);
void powercut_sqlite_flush(void);

#endif
