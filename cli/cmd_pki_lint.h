/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/cmd_pki_lint.h - findings of files for people and as objects, and the
 * table of checks as a page.
 */
#ifndef CERTFLEET_CLI_CMD_PKI_LINT_H
#define CERTFLEET_CLI_CMD_PKI_LINT_H

#include "cli/app.h"
#include "core/pki/pki.h"

/* One line, or one `finding' object. */
void pki_finding_tell(struct app *app, const char *path,
                      const struct pki_finding *finding);
/* The table of checks as docs/preflight.md has it; a test compares. */
void pki_checks_page(struct str *out);
/* The rules that have a date, likewise. */
void pki_dated_page(struct str *out);

#endif
