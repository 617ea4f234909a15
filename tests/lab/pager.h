/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/pager.h - the pages of the platform's shell, on until a session
 * turns them off (facts/uc.md 1.1).
 */
#ifndef CERTFLEET_LAB_PAGER_H
#define CERTFLEET_LAB_PAGER_H

#include <stdbool.h>

#include "core/base/str.h"

typedef void pager_put_f(void *user, const char *text, size_t len);
struct pager {
    unsigned lines; /* of a page; 0: everything goes out at once */
    struct str held;
    pager_put_f *put;
    void *user;
};
void pager_init(struct pager *pager, unsigned lines, pager_put_f *put,
                void *user);
void pager_release(struct pager *pager);
void pager_write(struct pager *pager, const char *text, size_t len);
void pager_flush(struct pager *pager);
/* The command has ended: false, it waits for a key. */
bool pager_end(struct pager *pager);
/* A key while it waits: <enter>, <space>, q; true: that was all. */
bool pager_key(struct pager *pager, char key);

#endif
