/* SPDX-License-Identifier: Apache-2.0
 *
 * Written once for a bed: hosts, ssh.cfg, kept.cfg, ansible.cfg, five, batch.
 */
#include "tests/bench/peers_bed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/server.h"
#include "tests/bench/worker.h"

static void write_file(const char *dir, const char *name, const char *text)
{
    char *path = text_of("%s/%s", dir, name);
    FILE *file = fopen(path, "we");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        die("%s: %s", path, strerror(errno));
    free(path);
}

static void write_hosts(struct bed *bed)
{
    char *lines = NULL, address[16];
    size_t len = 0;
    FILE *file = open_memstream(&lines, &len);

    for (unsigned i = 0; i < bed->nodes; i++) {
        server_address(bed->base, i, address);
        fprintf(file, "%s\n", address);
    }
    fclose(file);
    write_file(bed->dir, "hosts", lines);
    for (char *p = lines; (p = strchr(p, '\n')); p++)
        *p = p[1] ? ',' : '\0';
    bed->hosts = lines;
}

/* The algorithms that ours and the lab agree upon, so that both compute the
 * same. */
static void write_ssh(const struct bed *bed)
{
    char *config =
        text_of("Host *\n"
                "  Port %d\n  User %s\n  IdentityFile %s/id_ed25519\n"
                "  IdentitiesOnly yes\n  UserKnownHostsFile %s/known_hosts\n"
                "  GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n"
                "  CheckHostIP no\n  UpdateHostKeys no\n  BatchMode yes\n"
                "  PreferredAuthentications publickey\n  LogLevel ERROR\n"
                "  KexAlgorithms curve25519-sha256\n"
                "  HostKeyAlgorithms ssh-ed25519\n",
                SERVER_PORT, bed->user, bed->dir, bed->dir);
    char *kept = text_of("%s  ControlMaster auto\n  ControlPersist 60\n"
                         "  ControlPath %s/%%C\n",
                         config, bed->dir);

    write_file(bed->dir, "ssh.cfg", config);
    write_file(bed->dir, "kept.cfg", kept);
    free(config);
    free(kept);
}

static void write_ansible(const struct bed *bed)
{
    char *config =
        text_of("[defaults]\nforks = 64\ninventory = %s/hosts\n"
                "gathering = explicit\ninternal_poll_interval = 0.02\n"
                "stdout_callback = minimal\ninterpreter_python = %s\n"
                "remote_tmp = %s/tmp\n"
                "[ssh_connection]\npipelining = True\nusetty = False\n"
                "ssh_args = -F %s/ssh.cfg\n",
                bed->dir, "/usr/bin/python3", bed->dir, bed->dir);

    write_file(bed->dir, "ansible.cfg", config);
    free(config);
}

static void write_payload(const struct bed *bed)
{
    char *five = text_of("%s/five", bed->dir), *batch = NULL;
    char text[WORK_FILE_BYTES + 1], name[16];
    size_t len = 0;
    FILE *file = open_memstream(&batch, &len);

    memset(text, 'x', WORK_FILE_BYTES);
    text[WORK_FILE_BYTES] = '\0';
    if (mkdir(five, 0700) < 0)
        die("%s: %s", five, strerror(errno));
    for (unsigned i = 0; i < WORK_FILE_COUNT; i++) {
        work_file_name(i, name);
        write_file(five, name, text);
        fprintf(file, "put %s/%s\n", five, name);
    }
    fclose(file);
    write_file(bed->dir, "batch", batch);
    free(batch);
    free(five);
}

static void set_environment(const struct bed *bed)
{
    char *pdsh = text_of("-F %s/ssh.cfg", bed->dir);
    char *ansible = text_of("%s/ansible.cfg", bed->dir);

    setenv("HOME", bed->dir, 1);
    setenv("LC_ALL", "C.UTF-8", 1); /* ansible wants UTF-8 */
    setenv("PDSH_SSH_ARGS_APPEND", pdsh, 1);
    setenv("ANSIBLE_CONFIG", ansible, 1);
    unsetenv("SSH_AUTH_SOCK");
    free(pdsh);
    free(ansible);
}

void bed_init(struct bed *bed)
{
    write_hosts(bed);
    write_ssh(bed);
    write_ansible(bed);
    write_payload(bed);
    set_environment(bed);
}

void bed_renew_copies(const struct bed *bed)
{
    char *copies = text_of("%s/copies", bed->dir), address[16];

    server_remove(copies);
    if (mkdir(copies, 0700) < 0)
        die("%s: %s", copies, strerror(errno));
    for (unsigned i = 0; i < bed->nodes; i++) {
        char *one;

        server_address(bed->base, i, address);
        one = text_of("%s/%s", copies, address);
        if (mkdir(one, 0700) < 0)
            die("%s: %s", one, strerror(errno));
        free(one);
    }
    free(copies);
}

void bed_take(struct bed *bed, unsigned nodes)
{
    bed->nodes = nodes;
    free(bed->hosts);
    write_hosts(bed);
}

void bed_release(struct bed *bed)
{
    free(bed->hosts);
    bed->hosts = NULL;
}

char *bed_filled(const struct bed *bed, const char *word)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);

    while (*word) {
        if (strncmp(word, "{dir}", 5) == 0) {
            fputs(bed->dir, file);
            word += 5;
        } else if (strncmp(word, "{hosts}", 7) == 0) {
            fputs(bed->hosts, file);
            word += 7;
        } else {
            fputc(*word++, file);
        }
    }
    fclose(file);
    return text;
}
