/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing list of findings.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/run/product.h"

static struct finding *grow(struct findings *findings)
{
    struct finding *grown =
        realloc(findings->list, (findings->n + 1) * sizeof(*grown));

    if (!grown)
        abort();
    findings->list = grown;
    memset(&grown[findings->n], 0, sizeof(*grown));
    return &grown[findings->n++];
}

void findings_add(/* lint: allow params, printf's own shape */
                  struct findings *findings, enum severity severity,
                  const char *id, const char *node, const char *fmt, ...)
{
    struct finding *f = grow(findings);
    va_list ap;

    f->severity = severity;
    snprintf(f->id, sizeof(f->id), "%s", id);
    f->node = node;
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof(f->text), fmt, ap);
    va_end(ap);
}

void findings_release(struct findings *findings)
{
    free(findings->list);
    findings->list = NULL;
    findings->n = 0;
}
