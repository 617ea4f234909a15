/* SPDX-License-Identifier: Apache-2.0
 *
 * ssh_config: a set of files, hosts and users whose answers are compared with
 * `ssh -G` of the installed client (skipped where there is none).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/str.h"
#include "tests/unit/slow.h"
#include "transport/sshconfig.h"

static char folder[] = "/tmp/certfleet-sshconfig-XXXXXX";
static char config[64], other[64], other2[64];
static const char *me;

/* What ssh uses when a file says nothing, asked from it once. */
static char *ssh_defaults[5];
static const char *const list_keys[5] = {"kexalgorithms", "ciphers", "macs",
                                         "hostkeyalgorithms",
                                         "pubkeyacceptedalgorithms"};

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* The value of `key` in the output of ssh -G; empty when it has none.  Lines
 * of the same key are joined by blanks. */
static char *value_of(const char *output, const char *key)
{
    struct str value;
    size_t len = strlen(key), line;
    char *text;

    str_init(&value, 65536);
    for (const char *p = output; *p; p += strspn(p, "\n")) {
        line = strcspn(p, "\n");
        if (strncmp(p, key, len) == 0 && p[len] == ' ') {
            if (value.len)
                str_addc(&value, ' ');
            str_addn(&value, p + len + 1, line - len - 1);
        }
        p += line;
    }
    text = strdup(str_text(&value));
    str_release(&value);
    return text;
}

/* In the child: ssh -G, its answer into `out`. */
static void run_ssh(int out, const char *user, const char *port,
                    const char *host)
{
    const char *argv[] = {"ssh", "-G", "-F", config, host,
                          "-l",  user, "-p", port,   NULL};
    int null = open("/dev/null", O_RDWR);

    if (!user)
        argv[5] = NULL;
    dup2(null, 0);
    dup2(out, 1);
    dup2(null, 2);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* What ssh says of `config`; NULL: it does not take it, or is not there. */
static char *ask_ssh(const char *user, const char *port, const char *host)
{
    char buffer[4096];
    struct str out;
    ssize_t n;
    pid_t pid;
    int fds[2], status;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_ssh(fds[1], user, port, host);
    close(fds[1]);
    str_init(&out, 1 << 20);
    while ((n = read(fds[0], buffer, sizeof(buffer))) > 0)
        str_addn(&out, buffer, (size_t)n);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        str_release(&out);
    return status == 0 ? str_take(&out) : NULL;
}

static int setup(void **state)
{
    struct passwd *pw = getpwuid(getuid());
    char *output;

    (void)state;
    log_set_level(LOG_QUIET);
    if (!mkdtemp(folder) || !pw)
        return -1;
    me = pw->pw_name;
    snprintf(config, sizeof(config), "%s/config", folder);
    snprintf(other, sizeof(other), "%s/other.conf", folder);
    snprintf(other2, sizeof(other2), "%s/other2.conf", folder);
    write_file(config, "");
    output = ask_ssh(NULL, NULL, "x");
    for (int i = 0; output && i < 5; i++)
        ssh_defaults[i] = value_of(output, list_keys[i]);
    free(output);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(config);
    unlink(other);
    unlink(other2);
    for (int i = 0; i < 5; i++)
        free(ssh_defaults[i]);
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
    struct sshconfig_defaults d = {ssh_defaults[0], ssh_defaults[1],
                                   ssh_defaults[2], ssh_defaults[3],
                                   ssh_defaults[4]};
    struct sshconfig_query q = {host, user, port, me, &d};
    struct err err;

    if (sshconfig_resolve(c, &q, out, &err) != 0)
        fail_msg("%s", err.text);
}

/* ----------------------------------------------- compared with the client */

static const char *const files[] = {
    "",
    "# comment\n\n   \t\nUser root2\nPort 2022\n",
    "Host core*\n  HostName %h.lab\n  User admin\nHost *\n  User other\n"
    "  Port 99\n",
    "Host core1 !core2 c*\n  Port 7\nHost !core1\n Port 8\nHost * !core1\n"
    " Port 9\n",
    "host=core1\nHOSTNAME = 10.0.0.1\n\tport=\t2200   \n  user \"a b\"\n",
    "Host core? cor*\n HostName BIG.Example\nMatch host big.example\n"
    " User matched\nMatch originalhost core1,x*\n Port 4\n",
    "Match host core*,!core2\n User u1\nMatch user u1\n Port 5\n"
    "Match !host core1\n Port 6\nMatch all\n User last\n",
    "Match user admin host core1\n Port 11\nMatch user root,admin\n Port 12\n"
    "Match !user admin\n Port 13\n",
    "Match host=core1 user = admin\n Port 21\nMatch host= core2\n Port 22\n"
    "Match originalhost =x1\n Port 23\n",
    "IdentityFile /a/one\nHost core1\n IdentityFile \"/b/t w\\\"o\"\n"
    " IdentitiesOnly yes\nHost *\n IdentityFile /a/one\n IdentitiesOnly no\n"
    " IdentityFile /c\n",
    "Host core1\n ProxyJump u@j1:22,j2\n ProxyCommand x %h\nHost core2\n"
    " ProxyCommand nc -X 'a b' %h %p # no comment\n ProxyJump j3\n"
    "Host x1\n ProxyJump none\nHost *\n ProxyJump last\n",
    "ProxyCommand none\nProxyJump j\n",
    "KexAlgorithms +diffie-hellman-group14-sha1\nCiphers -*cbc*,aes128*\n"
    "MACs ^hmac-sha1,umac-64@openssh.com\nHostKeyAlgorithms +ssh-rsa\n"
    "PubkeyAcceptedKeyTypes -rsa*\n",
    "Host core1\n Ciphers aes128-ctr,aes256-ctr\n KexAlgorithms "
    "^ecdh-sha2-nistp384,ecdh-sha2-nistp384\nHost *\n Ciphers +3des-cbc\n"
    " PubkeyAcceptedAlgorithms ssh-ed25519\n HostKeyAlgorithms "
    "-ssh-*,ecdsa*\n",
    "Include %1$s\nHost core1\n Include %1$s\n Port 3\nHost *\n Port 44\n",
    "Host core2\n Include %1$s\nHost core1\n User b4\n Include %2$s\n"
    " HostName after\nMatch all\n User end\n",
    "Host x1\n Include %2$s %1$s\nInclude /nonexistent/*.conf\n Port 5\n",
    "Match final\n Port 77\nMatch canonical\n Port 78\nHost *\n Port 79\n",
    "Host core1 # a comment\n Port 31 # another\nHost core2#x\n Port 32\n",
    "Host CORE1\n Port 41\nMatch host CORE1\n Port 42\n",
};

static const char include_1[] = "User from-include\nHost core*\n Port 1001\n"
                                "Host x1\n Port 1002\n HostName inc.host\n";
static char include_2[256];

static void check_value(const char *output, const char *key, const char *ours,
                        const char *where)
{
    char *theirs = value_of(output, key);

    if (strcmp(theirs, ours ? ours : "") != 0)
        fail_msg("%s: %s: ssh says \"%s\", we \"%s\"", where, key, theirs,
                 ours ? ours : "");
    free(theirs);
}

static void check_identities(const char *output, const struct sshconfig_host *h,
                             const char *where)
{
    struct str joined;

    if (h->n_identities == 0)
        return; /* ssh shows its defaults */
    str_init(&joined, 4096);
    for (size_t i = 0; i < h->n_identities; i++)
        str_addf(&joined, "%s%s", i ? " " : "", h->identities[i]);
    check_value(output, "identityfile", str_text(&joined), where);
    str_release(&joined);
}

/* ssh -G prints ProxyCommand without its tokens replaced. */
static void check_proxies(const char *output, const struct sshconfig_host *h,
                          const char *where)
{
    char *theirs = value_of(output, "proxycommand");

    check_value(output, "proxyjump", h->proxy_jump, where);
    if (strcmp(theirs, "none") == 0)
        theirs[0] = '\0';
    if ((theirs[0] != '\0') != (h->proxy_command != NULL))
        fail_msg("%s: proxycommand: ssh says \"%s\"", where, theirs);
    free(theirs);
}

static void check_host(const char *output, const struct sshconfig_host *h,
                       const char *where)
{
    const char *const lists[5] = {h->kex, h->ciphers, h->macs, h->hostkeys,
                                  h->pubkeys};
    char port[16];

    snprintf(port, sizeof(port), "%u", h->port ? h->port : 22);
    check_value(output, "hostname", h->host, where);
    check_value(output, "user", h->user ? h->user : me, where);
    check_value(output, "port", port, where);
    check_value(output, "identitiesonly", h->identities_only ? "yes" : "no",
                where);
    check_identities(output, h, where);
    check_proxies(output, h, where);
    for (int i = 0; i < 5; i++)
        check_value(output, list_keys[i], lists[i] ? lists[i] : ssh_defaults[i],
                    where);
}

static void compare(struct sshconfig *c, size_t number, const char *host,
                    const char *user, unsigned port)
{
    struct sshconfig_host h;
    char digits[16], where[128], *output;

    snprintf(digits, sizeof(digits), "%u", port);
    snprintf(where, sizeof(where), "file %zu, host %s, user %s", number, host,
             user ? user : "-");
    output = ask_ssh(user, digits, host);
    if (!output) {
        fail_msg("%s: ssh refuses it", where);
        return;
    }
    resolve(c, host, user, port, &h);
    check_host(output, &h, where);
    sshconfig_host_release(&h);
    free(output);
}

static void the_same_as_ssh(void **state)
{
    static const char *const hosts[] = {"core1", "core2", "x1", "CORE1",
                                        "10.0.0.9"};
    char text[2048];

    (void)state;
    if (!ssh_defaults[0])
        skip();
    snprintf(include_2, sizeof(include_2),
             "User deep\nHost *\n Include %s\n Port 2001\n", other);
    write_file(other, include_1);
    write_file(other2, include_2);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct sshconfig *c;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        if (strstr(files[i], "$s"))
            snprintf(text, sizeof(text), files[i], other, other2);
        else
            snprintf(text, sizeof(text), "%s", files[i]);
#pragma GCC diagnostic pop
        c = load(text);
        for (size_t k = is_slow() ? 4 : 0; k < sizeof(hosts) / sizeof(hosts[0]);
             k++) {
            compare(c, i, hosts[k], NULL, 0);
            compare(c, i, hosts[k], "admin", 1022);
        }
        sshconfig_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_as_ssh),
    };

    return cmocka_run_group_tests_name("transport/sshconfig client", tests,
                                       setup, teardown);
}
