/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of settings.
 */
#include "tests/lab/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/lab.h"

enum {
    K_WORD,
    K_NUMBER,
    K_LONG
};

#define W(n, preset, words)                                                    \
    {                                                                          \
#n, K_WORD, offsetof(struct lab_settings, n), preset, words            \
    }
#define N(n, preset)                                                           \
    {                                                                          \
#n, K_NUMBER, offsetof(struct lab_settings, n), preset, NULL           \
    }

/* clang-format off */
static const struct settings_key keys[] = {
    W(vocabulary, "primary", "primary|master"),
    W(status_word, "", NULL),
    W(down_word, "Disconnected", NULL),
    N(expired_suffix, "1"),
    N(extra_lines, "0"),
    N(empty_lists, "0"),
    N(client_lines, "0"),
    N(refuse_clear_error, "0"),
    N(refuse_error_remove, "0"),
    W(verify_at, "start", "certs|start|never"),
    N(verify_host, "0"),
    N(expiry_demotes, "0"),
    W(banner, "Welcome to the CMS VM\n", NULL),
    W(prompt, "", NULL),
    W(confirm, "line", "line|key"),
    N(exec_cr, "0"),
    N(channel_gap_ms, "0"),
    N(prompt_split, "0"),
    N(trickle, "0"),
    N(auth_password, "1"),
    N(auth_publickey, "1"),
    N(auth_keyboard, "0"),
    N(max_failed, "0"),
    N(max_sessions, "0"),
    N(max_startups, "0"),
    N(webadmin_port, "8443"),
    N(callbridge_port, "5061"),
    N(webbridge3_port, "8444"),
    N(c2w_port, "9999"),
    N(turn_port, "5349"),
    N(recorder_port, "8889"),
    N(streamer_port, "8891"),
    N(meetingapps_port, "8445"),
    N(scheduler_port, "9443"),
    N(webbridge_port, "8446"),
    W(turn_password, "lab-turn-password", NULL),
    W(turn_secret, "lab-turn-secret", NULL),
    W(api_answer, "status", "status|nothing|odd|cut|twice|endless|elsewhere"),
    W(win_shell, "cmd", "cmd|powershell"),
    W(keytool, "keytool", NULL),
    W(adcs_policy, "issue", "issue|pending|deny"),
    W(adcs_words, "english", "english|japanese"),
    N(strict_names, "1"),
    N(allow_setstat, "0"),
    N(disk_bytes, "67108864"),
    { "clock_offset_s", K_LONG,
      offsetof(struct lab_settings, clock_offset_s), "0", NULL },
    N(pki_backdate_s, "0"),
    N(certs_ms, "5"),
    N(localnode_ms, "5"),
    N(remove_ms, "150"),
    N(initialize_ms, "200"),
    N(join_ms, "300"),
    N(connect_ms, "150"),
    N(snapshot_ms, "50"),
    N(command_ms, "0"),
    N(resync_ms, "200"),
    N(failover_ms, "50"),
    N(service_ms, "100"),
    N(service_late_ms, "0"),
    N(service_words, "0"),
    N(ucm_tomcat_port, "8443"),
    N(ucm_callmanager_port, "5061"),
    N(ucm_xmpp_port, "5222"),
    N(ucm_s2s_port, "5269"),
    N(ucm_days, "10"),
    N(ucm_replication, "2"),
    N(ucm_sso, "0"),
    N(ucm_mixed, "0"),
    N(ucm_phones, "0"),
    N(ucm_phones_ms, "200"),
    N(ucm_misses, "0"),
    N(ucm_not_named, "0"),
    N(ucm_asks_ou, "0"),
    N(ucm_shape, "0"),
    N(ucm_boot_ms, "300"),
    N(ucm_start_ms, "200"),
    N(ucm_nudged, "0"),
    N(ucm_page, "24"),
    N(ucm_twice, "0"),
    N(rows_per_s, "20"),
};
/* clang-format on */

enum {
    N_KEYS = sizeof(keys) / sizeof(keys[0])
};

const struct settings_key *settings_keys(size_t *n)
{
    *n = N_KEYS;
    return keys;
}

static char **word_at(const struct lab_settings *set,
                      const struct settings_key *key)
{
    return (char **)((char *)(uintptr_t)set + key->offset);
}

/* "a|b|c" holds the whole word */
static int is_one_of(const char *words, const char *value)
{
    size_t len = strlen(value);

    while (words) {
        const char *bar = strchr(words, '|');
        size_t n = bar ? (size_t)(bar - words) : strlen(words);

        if (n == len && memcmp(words, value, n) == 0)
            return 1;
        words = bar ? bar + 1 : NULL;
    }
    return 0;
}

/* Backslash n is a line end, so that a banner fits in one line of INI. */
static char *unescape(const char *text)
{
    char *copy = lab_strdup(text), *to = copy;

    for (const char *p = copy; *p; p++)
        if (p[0] == '\\' && p[1] == 'n') {
            *to++ = '\n';
            p++;
        } else {
            *to++ = *p;
        }
    *to = '\0';
    return copy;
}

static int set_number(struct lab_settings *set, const struct settings_key *key,
                      const char *value, struct err *err)
{
    void *at = (char *)set + key->offset;
    char *end;
    long n;

    errno = 0;
    n = strtol(value, &end, 10);
    if (end == value || *end || errno || n > UINT_MAX ||
        (n < 0 && key->kind == K_NUMBER))
        return err_set(err, CAUSE_INPUT, "%s: not a number: %s", key->name,
                       value);
    if (key->kind == K_LONG)
        *(long *)at = n;
    else
        *(unsigned *)at = (unsigned)n;
    return 1;
}

static int set_key(struct lab_settings *set, const struct settings_key *key,
                   const char *value, struct err *err)
{
    char **word;

    if (key->kind != K_WORD)
        return set_number(set, key, value, err);
    if (key->words && !is_one_of(key->words, value))
        return err_set(err, CAUSE_INPUT, "%s: one of %s", key->name,
                       key->words);
    word = word_at(set, key);
    free(*word);
    *word = unescape(value);
    return 1;
}

int settings_set(struct lab_settings *set, const char *key, const char *value,
                 struct err *err)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].name, key) == 0)
            return set_key(set, &keys[i], value, err);
    return 0;
}

void settings_init(struct lab_settings *set)
{
    memset(set, 0, sizeof(*set));
    for (size_t i = 0; i < N_KEYS; i++)
        if (set_key(set, &keys[i], keys[i].preset, NULL) < 0)
            abort();
}

void settings_release(struct lab_settings *set)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (keys[i].kind == K_WORD)
            free(*word_at(set, &keys[i]));
    memset(set, 0, sizeof(*set));
}

void settings_copy(struct lab_settings *to, const struct lab_settings *from)
{
    settings_release(to);
    *to = *from;
    for (size_t i = 0; i < N_KEYS; i++)
        if (keys[i].kind == K_WORD)
            *word_at(to, &keys[i]) = lab_strdup(*word_at(from, &keys[i]));
}
