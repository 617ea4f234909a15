/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/help.h - help texts and the manual page, made from the tables.
 */
#ifndef CERTFLEET_CLI_HELP_H
#define CERTFLEET_CLI_HELP_H

#include "cli/command.h"
#include "core/base/str.h"

void help_overview(struct str *out);
/* `group` is NULL for a command of its own. */
void help_command(const struct command *group, const struct command *command,
                  struct str *out);
void help_manpage(struct str *out); /* man(7) source */

/* Fills `text` to 79 columns, each line `indent` blanks in; a line that begins
 * with a blank and a newline stay. */
void help_fill(struct str *out, const char *text, size_t indent);

#endif
