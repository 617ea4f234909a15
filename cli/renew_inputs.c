/* SPDX-License-Identifier: Apache-2.0
 *
 * The inputs of `fleet/renew'.
 */
#include "cli/renew.h"

#include <stdlib.h>
#include <string.h>

#include "core/fleet/suggest.h"

/* clang-format off */
const char renew_help[] =
    "Reads every node, finds the certificates that are due, and gives each "
    "cluster to the playbooks that renew them: canaries first, then the others "
    "in batches, those that end first before the rest.  Each cluster is a run "
    "of its own, with its own way back.  A cluster begins inside its window "
    "only, and only if it could finish and go back before that closes.";

const struct input_row renew_inputs[] = {
    { "due", "DAYS|N%",
      "A certificate is due with so many days left, or with so much of its "
      "lifetime left.  Preset: the inventory's warn_days.", NULL },
    { "canary", "CLUSTER,...",
      "These begin first; the others begin when all of them are done.", NULL },
    { "settle", "MINUTES",
      "After the last canary the others wait so long (90s and 2h are possible, "
      "too), and the canaries are read once more.  Preset: 0.", NULL },
    { "batch", "N|N%",
      "So many clusters a batch; one begins when the one before is through.  "
      "Preset: all in one.", NULL },
    { "max_clusters", "N",
      "So many side by side; 0: any number.  Preset: 10.", NULL },
    { "max_failures", "N|N%",
      "When more than so many failed, unreachable ones with them, nothing "
      "begins any more.  Preset: 0.  A canary that fails ends it at once.",
      NULL },
    { "window", "ignore",
      "Begins outside the windows of the inventory, too.", NULL },
    { NULL, NULL, NULL, NULL },
};
/* clang-format on */

enum {
    NUMBER_MAX = 100000
};

static int read_number(const char *text, unsigned *n, struct err *err)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value > NUMBER_MAX)
        return err_set(err, CAUSE_INPUT, "`%s' is no number up to %d", text,
                       NUMBER_MAX);
    *n = (unsigned)value;
    return 0;
}

static int read_due(struct renew_settings *s, const char *text, struct err *err)
{
    size_t share;

    if (!strchr(text, '%'))
        return read_number(text, &s->due_days, err);
    if (pace_share(text, 100, &share, err) < 0)
        return -1;
    s->due_share = (unsigned)share;
    return 0;
}

/* Minutes, unless it says s or h. */
static int read_settle(struct renew_settings *s, const char *text,
                       struct err *err)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    unsigned unit = *end == 's' ? 1 : *end == 'h' ? 3600 : 60;

    end += *end == 's' || *end == 'h' || *end == 'm';
    if (*text < '0' || *text > '9' || *end || value > NUMBER_MAX)
        return err_set(err, CAUSE_INPUT, "`%s' is no time: 15, 90s or 2h",
                       text);
    s->settle_s = (unsigned)value * unit;
    return 0;
}

static int read_share(const char **slot, const char *text, struct err *err)
{
    size_t n;

    *slot = text;
    return pace_share(text, 1, &n, err);
}

static int read_window(struct renew_settings *s, const char *text,
                       struct err *err)
{
    if (strcmp(text, "ignore") != 0)
        return err_set(err, CAUSE_INPUT, "`%s': only `ignore' is possible",
                       text);
    s->ignore_windows = true;
    return 0;
}

static int take(struct renew_settings *s, const char *key, const char *value,
                struct err *err)
{
    if (strcmp(key, "due") == 0)
        return read_due(s, value, err);
    if (strcmp(key, "canary") == 0)
        s->canary = value;
    else if (strcmp(key, "settle") == 0)
        return read_settle(s, value, err);
    else if (strcmp(key, "batch") == 0)
        return read_share(&s->batch, value, err);
    else if (strcmp(key, "max_clusters") == 0)
        return read_number(value, &s->max_clusters, err);
    else if (strcmp(key, "max_failures") == 0)
        return read_share(&s->max_failures, value, err);
    else
        return read_window(s, value, err);
    return 0;
}

static const struct input_row *find_row(const char *key, size_t len)
{
    for (const struct input_row *row = renew_inputs; row->key; row++)
        if (strlen(row->key) == len && strncmp(row->key, key, len) == 0)
            return row;
    return NULL;
}

static int fail_unknown(const char *word, size_t len, struct err *err)
{
    struct suggest near;
    struct str key;

    str_init(&key, 256);
    str_addn(&key, word, len);
    suggest_start(&near, str_text(&key));
    for (const struct input_row *row = renew_inputs; row->key; row++)
        suggest_offer(&near, row->key);
    suggest_fail(&near, RENEW_ID " has no input", err);
    str_release(&key);
    return -1;
}

int renew_read_inputs(struct renew_settings *settings,
                      const struct inventory *inventory,
                      const char *const *inputs, struct err *err)
{
    unsigned seen = 0;

    *settings = (struct renew_settings){
        .due_days = inventory->warn_days,
        .batch = "0",
        .max_failures = "0",
        .max_clusters = 10,
    };
    for (; *inputs; inputs++) {
        size_t len = strcspn(*inputs, "=");
        const struct input_row *row = find_row(*inputs, len);

        if (!row)
            return fail_unknown(*inputs, len, err);
        if (seen & (1U << (row - renew_inputs)))
            return err_set(err, CAUSE_INPUT, "%s= stands there twice",
                           row->key);
        seen |= 1U << (row - renew_inputs);
        if (take(settings, row->key, *inputs + len + 1, err) < 0)
            return err_context(err, "%s", row->key);
    }
    return 0;
}
