/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/login_shell.h - which of a dialect's shells has answered.  Pure.
 */
#ifndef CERTFLEET_TRANSPORT_LOGIN_SHELL_H
#define CERTFLEET_TRANSPORT_LOGIN_SHELL_H

#include "core/link.h"

/* NULL: none of them answers like that. */
const struct link_shell *login_shell_find(const struct link_shell *shells,
                                          const char *answer, size_t len);

#endif
