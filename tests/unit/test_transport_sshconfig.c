/* SPDX-License-Identifier: Apache-2.0
 *
 * ssh_config: what only we do: expansions, errors with their line, Match exec
 * that is not run.  That the rest is as ssh does it, see
 * test_transport_sshconfig_client.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/str.h"
#include "transport/sshconfig.h"

static char folder[] = "/tmp/certfleet-sshconfig-XXXXXX";
static char config[64];
static const char *me = "me";

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
    (void)state;
    log_set_level(LOG_QUIET);
    if (!mkdtemp(folder))
        return -1;
    snprintf(config, sizeof(config), "%s/config", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(config);
    return rmdir(folder);
}

static struct sshconfig *load(const char *text)
{
    struct sshconfig *c;
    struct err err;

    write_file(config, text);
    c = sshconfig_load(config, "/home/x", &err);
    if (!c)
        print_message("%s\n", err.text);
    assert_non_null(c);
    return c;
}

static void resolve(struct sshconfig *c, const char *host, const char *user,
                    unsigned port, struct sshconfig_host *out)
{
    struct sshconfig_query q = {host, user, port, me, NULL};
    struct err err;

    if (sshconfig_resolve(c, &q, out, &err) != 0)
        fail_msg("%s", err.text);
}

static void no_file_says_nothing(void **state)
{
    struct sshconfig *c = sshconfig_load(NULL, "/home/x", NULL);
    struct sshconfig_host h;
    struct err err;

    (void)state;
    resolve(c, "Core1", NULL, 0, &h);
    assert_string_equal(h.host, "core1");
    assert_int_equal(h.port, 0);
    assert_null(h.user);
    assert_null(h.kex);
    sshconfig_host_release(&h);
    resolve(c, "core1", "admin", 7, &h);
    assert_string_equal(h.user, "admin");
    assert_int_equal(h.port, 7);
    sshconfig_host_release(&h);
    sshconfig_free(c);
    sshconfig_free(NULL);
    assert_null(sshconfig_load("/nonexistent/config", "/home/x", &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
    assert_null(sshconfig_load(folder, "/home/x", &err));
    assert_int_equal(err.cause, CAUSE_INPUT);
}

static void tokens_are_replaced(void **state)
{
    struct sshconfig *c = load("HostName %h.lab%%\nUser admin\nPort 2022\n"
                               "IdentityFile ~/.ssh/%n-%h-%p-%r\n"
                               "IdentityFile %d/%u/%k/%%\n"
                               "IdentityFile ${CF_TEST}/id\n"
                               "IdentityFile none\n"
                               "IdentityAgent ~/agent.%r\n"
                               "ProxyCommand nc '%h' %p %n \"%r\" %%h\n");
    struct sshconfig_host h;
    char text[128];

    (void)state;
    setenv("CF_TEST", "/env%r", 1); /* not expanded twice */
    resolve(c, "Core1", NULL, 0, &h);
    assert_string_equal(h.host, "core1.lab%");
    assert_int_equal(h.n_identities, 3);
    assert_true(h.identities_none);
    assert_string_equal(h.identities[0],
                        "/home/x/.ssh/Core1-core1.lab%-2022-admin");
    snprintf(text, sizeof(text), "/home/x/%s/Core1/%%", me);
    assert_string_equal(h.identities[1], text);
    assert_string_equal(h.identities[2], "/env%r/id");
    assert_string_equal(h.agent, "/home/x/agent.admin");
    assert_string_equal(h.proxy_command,
                        "nc 'core1.lab%' 2022 Core1 \"admin\" %h");
    sshconfig_host_release(&h);
    resolve(c, "a", "bob", 9, &h);
    assert_string_equal(h.identities[0], "/home/x/.ssh/a-a.lab%-9-bob");
    sshconfig_host_release(&h);
    unsetenv("CF_TEST");
    {
        struct sshconfig_query q = {.host = "a"};
        struct err err;
        assert_int_equal(sshconfig_resolve(c, &q, &h, &err), -1);
        assert_int_equal(err.cause, CAUSE_INPUT);
        assert_non_null(strstr(err.text, "line 6: ${CF_TEST} is not set"));
    }
    sshconfig_free(c);
}

static void agents(void **state)
{
    static const char *const cases[][2] = {
        {"IdentityAgent none\n", "none"},
        {"IdentityAgent SSH_AUTH_SOCK\n", "SSH_AUTH_SOCK"},
        {"IdentityAgent $CF_TEST_AGENT\n", "/run/agent"},
        {"IdentityAgent ${CF_TEST_AGENT}.2\n", "/run/agent.2"},
        {"IdentityAgent $CF_TEST_NO_AGENT\n", "none"},
    };
    struct sshconfig_host h;

    (void)state;
    setenv("CF_TEST_AGENT", "/run/agent", 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sshconfig *c = load(cases[i][0]);
        resolve(c, "a", NULL, 0, &h);
        assert_string_equal(h.agent, cases[i][1]);
        sshconfig_host_release(&h);
        sshconfig_free(c);
    }
}

static void match_exec_is_not_run(void **state)
{
    char text[512], mark[80];
    struct sshconfig_host h;
    struct sshconfig *c;

    (void)state;
    snprintf(mark, sizeof(mark), "%s/ran", folder);
    snprintf(text, sizeof(text),
             "Match exec \"touch %s\"\n Port 1\n"
             "Match !exec \"touch %s\"\n Port 2\n"
             "Match host a exec true\n Port 3\nHost *\n Port 4\n",
             mark, mark);
    c = load(text);
    resolve(c, "a", NULL, 0, &h);
    assert_int_equal(h.port, 4);
    assert_int_not_equal(access(mark, F_OK), 0);
    sshconfig_host_release(&h);
    sshconfig_free(c);
}

static void includes_are_relative_to_the_home(void **state)
{
    char path[128];
    struct sshconfig_host h;
    struct sshconfig *c;
    struct err err;

    (void)state;
    snprintf(path, sizeof(path), "%s/.ssh", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/.ssh/b.conf", folder);
    write_file(path, "Port 5\n");
    write_file(config, "Include \"?.conf\"\nInclude ~/.ssh/none\nPort 6\n");
    c = sshconfig_load(config, folder, &err);
    assert_non_null(c);
    resolve(c, "a", NULL, 0, &h);
    assert_int_equal(h.port, 5);
    sshconfig_host_release(&h);
    sshconfig_free(c);
    /* without end: told, not followed */
    write_file(path, "Include b.conf\n");
    assert_null(sshconfig_load(config, folder, &err));
    assert_non_null(strstr(err.text, "b.conf line 1: Include is nested"));
    write_file(path, "Include b.conf\nInclude b.conf\n");
    assert_null(sshconfig_load(config, folder, &err));
    unlink(path);
    snprintf(path, sizeof(path), "%s/.ssh", folder);
    rmdir(path);
}

static void bad_lines_name_file_and_line(void **state)
{
    static const char *const bad[] = {
        "Port x",
        "Port 0",
        "Port 65536",
        "Port 99999999999999999999",
        "Port -1",
        "Port",
        "Port 1 2",
        "User \"open",
        "User 'open\\'",
        "IdentitiesOnly maybe",
        "IdentityFile ~bob/id",
        "IdentityFile %Z",
        "IdentityFile x%",
        "HostName %n",
        "ProxyCommand nc %C",
        "ProxyCommand",
        "ProxyJump a,,b",
        "ProxyJump -oProxyCommand=x",
        "ProxyJump u@",
        "Ciphers +",
        "Ciphers aes128-ctr aes256-ctr",
        "Host",
        "Match",
        "Match host",
        "Match nonsense x",
        "Match all host x",
        "Match host x all",
        "Match !all",
        "Include ~bob/x",
    };
    char text[128], where[96];
    struct err err;

    (void)state;
    snprintf(where, sizeof(where), "%s line 3: ", config);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "User a\n\n%s\nPort 1\n", bad[i]);
        write_file(config, text);
        err_reset(&err);
        if (sshconfig_load(config, "/home/x", &err))
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.cause, CAUSE_INPUT);
        if (strncmp(err.text, where, strlen(where)) != 0)
            fail_msg("%s: \"%s\"", bad[i], err.text);
    }
}

static void other_keywords_are_ignored(void **state)
{
    struct sshconfig *c = load("ConnectTimeout x y z\nNonsense \"open\n"
                               "SendEnv LANG LC_*\nPortx 5\nPort 6\n");
    struct sshconfig_host h;

    (void)state;
    resolve(c, "a", NULL, 0, &h);
    assert_int_equal(h.port, 6);
    sshconfig_host_release(&h);
    sshconfig_free(c);
}

static void lists_are_assembled(void **state)
{
    static const char *const cases[][3] = {
        // clang-format off
        {"a,b",     "c,d",   "a,b"},
        {"+a,d",    "c,d",   "c,d,a"},
        {"-c*,x",   "c,d,cc", "d"},
        {"^d,e",    "c,d",   "d,e,c"},
        {"a,a,,b,", "",      "a,b"},
        {"-*",      "c,d",   ""},
        {"+a",      "",      "a"},
        // clang-format on
    };
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text = sshconfig_assemble(cases[i][0], cases[i][1]);
        assert_string_equal(text, cases[i][2]);
        free(text);
    }
    text = sshconfig_assemble("+a", NULL);
    assert_string_equal(text, "a");
    free(text);
}

static void thousands_of_hosts(void **state)
{
    struct sshconfig_host h;
    struct sshconfig *c;
    struct str text;
    char name[32];

    (void)state;
    str_init(&text, 1 << 20);
    for (int i = 0; i < 1000; i++)
        str_addf(&text, "Host core%d.lab\n User u%d\n HostName %%h.x\n", i, i);
    c = load(str_text(&text));
    str_release(&text);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "core%d.lab", i);
        resolve(c, name, NULL, 0, &h);
        assert_int_equal(h.user != NULL, i < 1000);
        sshconfig_host_release(&h);
    }
    sshconfig_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_file_says_nothing),
        cmocka_unit_test(tokens_are_replaced),
        cmocka_unit_test(agents),
        cmocka_unit_test(match_exec_is_not_run),
        cmocka_unit_test(includes_are_relative_to_the_home),
        cmocka_unit_test(bad_lines_name_file_and_line),
        cmocka_unit_test(other_keywords_are_ignored),
        cmocka_unit_test(lists_are_assembled),
        cmocka_unit_test(thousands_of_hosts),
    };

    return cmocka_run_group_tests_name("transport/sshconfig", tests, setup,
                                       teardown);
}
