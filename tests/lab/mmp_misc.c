/* SPDX-License-Identifier: Apache-2.0
 *
 * The other commands: what preflight reads, backups, and those that a driver
 * must never send (facts/cms.md 6).
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "tests/lab/cluster.h"
#include "tests/lab/mmp.h"

static void version(struct mmp_run *run)
{
    mmp_print(run, "%s\n", run->node->version);
    mmp_end(run, "ok");
}

static void hostname(struct mmp_run *run)
{
    if (run->n_args == 0) {
        mmp_print(run, "%s\n", run->node->hostname);
        mmp_end(run, "ok");
        return;
    }
    mmp_print(run, "A reboot is required for the change to take effect\n");
    mmp_end(run, "ok");
}

static void date(struct mmp_run *run)
{
    time_t now = (time_t)lab_node_now(run->node);
    struct tm tm;
    char text[64];

    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%a %b %e %H:%M:%S UTC %Y", &tm);
    mmp_print(run, "%s\n", text);
    mmp_end(run, "ok");
}

static void df(struct mmp_run *run)
{
    size_t used = lab_files_bytes(run->node) / 1024;
    size_t size = run->node->set.disk_bytes / 1024;

    mmp_print(run, "Filesystem                Size      Used Available Use%% "
                   "Mounted on\n");
    mmp_print(run, "/dev/sda2            %9zuK %8zuK %8zuK %3zu%% /mnt/mmp\n",
              size, used, size > used ? size - used : 0,
              size ? used * 100 / size : 100);
    mmp_print(run, "Filesystem              Inodes      Used Available Use%% "
                   "Mounted on\n");
    mmp_print(run, "/dev/sda2                65536       812     64724   1%% "
                   "/mnt/mmp\n");
    mmp_end(run, "ok");
}

static void uptime(struct mmp_run *run)
{
    uint64_t s = (clock_mono_ms() - run->node->started_ms) / 1000;

    mmp_print(run, "System up %llu days, %02llu:%02llu:%02llu\n",
              (unsigned long long)(s / 86400),
              (unsigned long long)(s / 3600 % 24),
              (unsigned long long)(s / 60 % 60), (unsigned long long)(s % 60));
    mmp_end(run, "ok");
}

static void users(struct mmp_run *run)
{
    mmp_print(run, "USERNAME                ROLE        EXPIRY       "
                   "LOGGED IN\n");
    for (struct lab_user *u = run->node->users; u; u = u->next)
        mmp_print(run, "%-23s %-11s %-12s yes\n", u->name, u->role, u->expiry);
    mmp_end(run, "ok");
}

static void license(struct mmp_run *run)
{
    mmp_print(run, "Feature: callbridge status: Activated expiry: "
                   "2030-Apr-28 (690 days remain)\n");
    mmp_end(run, "ok");
}

static void ipv4(struct mmp_run *run)
{
    const char *ip = run->node->address;

    if (strcmp(run->args[0], "a") != 0) {
        mmp_fail(run, "Interface %s not found", run->args[0]);
        return;
    }
    mmp_print(run,
              "IPv4 configuration:\n"
              "    address         %s\n"
              "    default         true\n"
              "    dhcp            false\n"
              "    enabled         true\n"
              "    gateway         127.0.0.1\n"
              "    macaddress      00:50:56:BC:FC:7D\n"
              "    prefixlen       24\n"
              "IPv4 observed values\n"
              "Addresses:\n"
              "%s/24\n",
              ip, ip);
    mmp_end(run, "ok");
}

static void help(struct mmp_run *run)
{
    for (int t = 0; mmp_table(t); t++)
        for (const struct mmp_command *c = mmp_table(t); c->name; c++)
            mmp_print(run, "    %s\n", c->name);
    mmp_end(run, "ok");
}

/* -- backups --------------------------------------------------------------- */

/* The data as it is in this node's copy, so that a test can tell which. */
static void on_snapshot(struct mmp_run *run)
{
    struct lab_node *node = run->node;
    struct str name, data;

    str_init(&name, 1024);
    str_init(&data, 1 << 16);
    str_addf(&data, "{\"node\":\"%s\",\"generation\":%u,\"rows\":%llu}\n",
             node->name, node->db.copy.generation,
             (unsigned long long)node->db.copy.rows);
    str_addf(&name, "%s.json", run->args[0]);
    lab_file_set(node, str_text(&name), str_text(&data), data.len);
    str_reset(&name);
    str_addf(&name, "%s.bak", run->args[0]);
    for (int i = 0; i < 512; i++)
        str_addf(&data, "%08x backup of %s\n", (unsigned)i * 2654435761u,
                 node->name);
    lab_file_set(node, str_text(&name), str_text(&data), data.len);
    str_release(&name);
    str_release(&data);
    mmp_print(run, "%s.bak ready for download\n", run->args[0]);
    mmp_end(run, "ok");
}

static void snapshot(struct mmp_run *run)
{
    if (strchr(run->args[0], '/') || strlen(run->args[0]) > 200) {
        mmp_fail(run, "Invalid name");
        return;
    }
    if (lab_files_bytes(run->node) + (1 << 16) > run->node->set.disk_bytes) {
        mmp_fail(run, "No space left on device");
        return;
    }
    mmp_later(run, run->node->set.snapshot_ms, on_snapshot);
}

static void backups(struct mmp_run *run)
{
    for (struct lab_file *f = run->node->files; f; f = f->next) {
        size_t len = strlen(f->name);
        if (len > 4 && strcmp(f->name + len - 4, ".bak") == 0)
            mmp_print(run, "%.*s\n", (int)(len - 4), f->name);
    }
    mmp_end(run, "ok");
}

/* -- never to be sent ------------------------------------------------------ */

static void reboot_yes(struct mmp_run *run)
{
    struct lab_node *node = run->node;

    mmp_print(run, "Rebooting\n");
    mmp_end(run, "started");
    lab_node_reboot(node, 500);
}

static void reboot(struct mmp_run *run)
{
    mmp_ask(run, "Are you sure you wish to reboot? (Y/n)\n", reboot_yes);
}

static void noted(struct mmp_run *run)
{
    mmp_print(run, "WARNING: recorded, nothing was done\n");
    mmp_end(run, "ok");
}

/* clang-format off */
const struct mmp_command mmp_misc_commands[] = {
    { "version", version, 0, 0, "", false },
    { "hostname", hostname, 0, 1, "[<name>]", false },
    { "date", date, 0, 0, "", false },
    { "df", df, 0, 0, "", false },
    { "uptime", uptime, 0, 0, "", false },
    { "help", help, 0, 3, "[<command>]", false },
    { "user list", users, 0, 0, "", false },
    { "license", license, 0, 0, "", false },
    { "ipv4", ipv4, 1, 1, "<interface>", false },
    { "backup snapshot", snapshot, 1, 1, "<name>", false },
    { "backup list", backups, 0, 0, "", false },
    { "backup rollback", noted, 1, 1, "<name>", true },
    { "reboot", reboot, 0, 0, "", true },
    { "shutdown", noted, 0, 1, "", true },
    { "factory_reset", noted, 0, 1, "(app|full)", true },
    { "upgrade", noted, 0, 1, "[<file>]", true },
    { NULL, NULL, 0, 0, NULL, false },
};
/* clang-format on */
