/* SPDX-License-Identifier: Apache-2.0
 *
 * Each peer is run as its manual says that it costs least: 64 at a time, no
 * output folded, no facts gathered, OpenSSH's connections kept where more
 * than one is wanted of a node.  Ours and the peer take turns.
 */
#include "tests/bench/peers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/child.h"
#include "tests/bench/peers_bed.h"
#include "tests/bench/server.h"
#include "tests/bench/sshd.h"
#include "tests/bench/tree.h"
#include "tests/bench/worker.h"

enum {
    ROUNDS_MAX = 99,
    COMMANDS = 20,
    WORDS_MAX = 16
};

#define ANSWER "3.9" /* of WORK_COMMAND in the lab */

/* {dir}: the bed's folder; {hosts}: all addresses, by commas. */
struct peer {
    const char *name;
    const char *program, *package; /* Debian's */
    double goal;                   /* times our cost, at least; 0: none */
    const char *argv[WORDS_MAX];
};

static const char ansible_keeps[] =
    "ANSIBLE_SSH_ARGS=-F {dir}/ssh.cfg -o ControlMaster=auto "
    "-o ControlPersist=60s";

static const char pdsh_20[] = "for i in $(seq 20); do pdsh -S -R ssh -f 64 "
                              "-w {hosts} version || exit; done";

/* clang-format off */
static const struct peer execs[] = {
    { "pdsh -R ssh -f 64", "pdsh", "pdsh", 10,
      { "pdsh", "-S", "-R", "ssh", "-f", "64", "-w", "{hosts}", "version" } },
    { "clush -f 64", "clush", "clustershell", 10,
      { "clush", "-S", "-f", "64", "-w", "{hosts}", "-o", "-F {dir}/ssh.cfg",
        "version" } },
    { "parallel-ssh -p 64", "parallel-ssh", "pssh", 0,
      { "parallel-ssh", "-i", "-h", "{dir}/hosts", "-p", "64", "-x",
        "-F {dir}/ssh.cfg", "version" } },
    { "xargs -P 64 ssh", "ssh", "openssh-client", 0,
      { "xargs", "-a", "{dir}/hosts", "-P", "64", "-I", "@", "ssh", "-F",
        "{dir}/ssh.cfg", "@", "version" } },
    { "ansible -f 64 -m raw", "ansible", "ansible-core", 100,
      { "ansible", "all", "-m", "raw", "-a", "version" } },
};

static const struct peer pushes[] = {
    { "xargs -P 64 sftp -b", "sftp", "openssh-client", 0,
      { "xargs", "-a", "{dir}/hosts", "-P", "64", "-I", "@", "sftp", "-q",
        "-F", "{dir}/ssh.cfg", "-b", "{dir}/batch", "@" } },
    { "clush -f 64 --copy", "clush", "clustershell", 0,
      { "clush", "-S", "-f", "64", "-w", "{hosts}", "-o", "-F {dir}/ssh.cfg",
        "--copy", "{dir}/five", "--dest", "{dir}/files" } },
    { "parallel-scp -p 64 -r", "parallel-scp", "pssh", 0,
      { "parallel-scp", "-h", "{dir}/hosts", "-p", "64", "-x",
        "-F {dir}/ssh.cfg", "-r", "{dir}/five", "{dir}/files" } },
    { "ansible -f 64 -m copy, a folder of five", "ansible", "ansible-core",
      200,
      { "env", ansible_keeps, "ansible", "all", "-m", "copy", "-a",
        "src={dir}/five/ dest={dir}/copies/{{inventory_hostname}}/" } },
    { "ansible -f 64 that starts sftp -b here", "ansible", "ansible-core", 0,
      { "ansible", "all", "-c", "local", "-m", "raw", "-a",
        "sftp -q -F {dir}/ssh.cfg -b {dir}/batch {{inventory_hostname}}" } },
};

static const struct peer runs[] = {
    { "20 runs of pdsh -R ssh -f 64", "pdsh", "pdsh", 100,
      { "sh", "-c", pdsh_20 } },
    { "... over connections that OpenSSH keeps", "pdsh", "pdsh", 0,
      { "env", "PDSH_SSH_ARGS_APPEND=-F {dir}/kept.cfg", "sh", "-c",
        pdsh_20 } },
};
/* clang-format on */

struct measure { /* where both work, and what is told */
    struct bed bed;
    const struct peers *peers;
    struct figures *figures;
};

/* -- one measurement --------------------------------------------------------
 */

/* How often a word of the output is the answer. */
static unsigned count_answers(const struct bed *bed)
{
    char *path = text_of("%s/said", bed->dir), word[256];
    FILE *file = fopen(path, "re");
    unsigned n = 0;

    while (file && fscanf(file, "%255s", word) == 1)
        n += strcmp(word, ANSWER) == 0;
    if (file)
        fclose(file);
    free(path);
    return n;
}

static struct tree_use run_peer(const struct bed *bed, const struct peer *peer,
                                unsigned answers, bool watch)
{
    char *words[WORDS_MAX] = {NULL};
    struct tree_use use;

    for (size_t i = 0; i + 1 < WORDS_MAX && peer->argv[i]; i++)
        words[i] = bed_filled(bed, peer->argv[i]);
    bed_renew_copies(bed);
    use = tree_run((const char *const *)words, bed->dir, watch);
    for (size_t i = 0; i < WORDS_MAX; i++)
        free(words[i]);
    if (use.code != 0 || (answers && count_answers(bed) != answers)) {
        tree_show_said(bed->dir);
        die("%s ended with %d, %u of %u answers", peer->name, use.code,
            count_answers(bed), answers);
    }
    return use;
}

static struct tree_use run_ours(const struct bed *bed, enum work_kind kind,
                                bool watch)
{
    const struct work work = {.kind = kind,
                              .dir = bed->dir,
                              .base = bed->base,
                              .user = bed->user,
                              .nodes = bed->nodes,
                              .sessions = bed->nodes,
                              .commands = COMMANDS};
    struct worker_words words = {.argv = {NULL}};
    struct tree_use use;

    worker_words(&words, false, &work);
    use = tree_run(words.argv, bed->dir, watch);
    if (use.code != 0) {
        tree_show_said(bed->dir);
        die("the certfleet client ended with %d", use.code);
    }
    return use;
}

static bool is_here(const char *program)
{
    char *path = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    bool found = false;

    for (char *save, *dir = strtok_r(path, ":", &save); dir && !found;
         dir = strtok_r(NULL, ":", &save)) {
        char *file = text_of("%s/%s", dir, program);

        found = access(file, X_OK) == 0;
        free(file);
    }
    free(path);
    return found;
}

static bool is_wanted(const struct peer *peer, bool quick)
{
    if (quick && strcmp(peer->package, "ansible-core") == 0)
        return false;
    if (is_here(peer->program))
        return true;
    fprintf(stderr, "skipped: %s, not here (Debian: %s)\n", peer->name,
            peer->package);
    return false;
}

/* -- a peer beside ours -----------------------------------------------------
 */

enum sheet {
    SHEET_CPU,
    SHEET_TIME,
    SHEET_RATE,
    SHEET_MEMORY,
    SHEETS
};

static const char *const units[SHEETS] = {"ms", "s", "1/s", "KiB"};

struct task { /* what both do */
    enum work_kind kind;
    unsigned answers; /* a node; 0: they are not counted */
    const struct peer *list;
    size_t n;
    const char *parts[SHEETS]; /* NULL: no such sheet */
    enum sheet judged;
};

struct series {
    double values[SHEETS][ROUNDS_MAX];
};

static void keep(const struct bed *bed, struct series *s, unsigned i,
                 const struct tree_use *use)
{
    s->values[SHEET_CPU][i] = use->cpu_ms / bed->nodes;
    s->values[SHEET_TIME][i] = use->wall_ms / 1000;
    s->values[SHEET_RATE][i] = bed->nodes * 1000 / use->wall_ms;
    s->values[SHEET_MEMORY][i] = (double)use->peak_kb / bed->nodes;
}

static void run_pair(const struct bed *bed, const struct task *task,
                     const struct peer *peer, struct series s[2], unsigned i)
{
    for (unsigned k = 0; k < 2; k++) {
        bool is_peer = (i + k) % 2 == 1; /* A B B A A B */
        struct tree_use use =
            is_peer ? run_peer(bed, peer, task->answers * bed->nodes, false)
                    : run_ours(bed, task->kind, false);

        keep(bed, &s[is_peer], i, &use);
    }
}

static void tell(const struct measure *m, const struct task *task,
                 const struct peer *peer, const struct series s[2],
                 struct figures *sheets)
{
    unsigned n = m->peers->rounds;

    for (size_t i = 0; i < SHEETS; i++) {
        const double *a = s[0].values[i], *b = s[1].values[i];
        bool rate = i == SHEET_RATE; /* more of it is better */
        bool judged = i == task->judged && peer->goal > 0;
        unsigned rounds = i == SHEET_MEMORY ? !m->peers->quick : n;

        if (!task->parts[i] || rounds == 0)
            continue;
        figures_add(
            &sheets[i],
            (struct figure){.part = task->parts[i],
                            .name = peer->name,
                            .unit = units[i],
                            .beside = "peer",
                            .ours = median(a, rounds),
                            .bare = median(b, rounds),
                            .ratio = rate ? median_ratio(a, b, rounds)
                                          : median_ratio(b, a, rounds),
                            .judged = judged ? JUDGED_RATIO : JUDGED_NOT,
                            .goal = peer->goal,
                            .at_least = true});
    }
}

static void compare(const struct measure *m, const struct task *task,
                    const struct peer *peer, struct figures *sheets)
{
    const struct bed *bed = &m->bed;
    static struct series s[2];
    unsigned answers = task->answers * bed->nodes;

    for (unsigned i = 0; i < m->peers->rounds; i++)
        run_pair(bed, task, peer, s, i);
    if (task->parts[SHEET_MEMORY] &&
        !m->peers->quick) { /* runs of their own: looking takes time */
        struct tree_use ours = run_ours(bed, task->kind, true);
        struct tree_use theirs = run_peer(bed, peer, answers, true);

        s[0].values[SHEET_MEMORY][0] = (double)ours.peak_kb / bed->nodes;
        s[1].values[SHEET_MEMORY][0] = (double)theirs.peak_kb / bed->nodes;
    }
    tell(m, task, peer, s, sheets);
}

static void compare_all(const struct measure *m, const struct task *task)
{
    static struct figures sheets[SHEETS];

    memset(sheets, 0, sizeof(sheets));
    for (size_t i = 0; i < task->n; i++)
        if (is_wanted(&task->list[i], m->peers->quick))
            compare(m, task, &task->list[i], sheets);
    for (size_t i = 0; i < SHEETS; i++)
        for (size_t k = 0; k < sheets[i].n; k++)
            figures_add(m->figures, sheets[i].list[k]);
}

/* -- the three tasks --------------------------------------------------------
 */

#define N_OF(list) (sizeof(list) / sizeof((list)[0]))

static const struct task exec_task = {
    .kind = WORK_EXEC,
    .answers = 1,
    .list = execs,
    .n = N_OF(execs),
    .parts = {"one command, client CPU a node", NULL,
              "one command, nodes a second", "one command, peak memory a node"},
    .judged = SHEET_CPU,
};

static const struct task push_task = {
    .kind = WORK_PUSH,
    .list = pushes,
    .n = N_OF(pushes),
    .parts = {"five 4 KB files to sshd, client CPU a node", NULL,
              "five 4 KB files to sshd, nodes a second",
              "five 4 KB files to sshd, peak memory a node"},
    .judged = SHEET_CPU,
};

static const struct task run_task = {
    .kind = WORK_EXECS,
    .answers = COMMANDS,
    .list = runs,
    .n = N_OF(runs),
    .parts = {"20 commands a node, client CPU a node",
              "20 commands a node, time of all, logins too"},
    .judged = SHEET_TIME,
};

/* What a user runs, and it does more: every file and printout of a node that
 * its health and its certificates are told from. */
static void tell_check(const struct measure *m)
{
    const struct bed *bed = &m->bed;
    const char *const argv[] = {m->peers->program, "-i", "certfleet.ini",
                                "check", NULL};
    struct tree_use use = tree_run(argv, bed->dir, false);

    if (use.code != 0 && use.code != 3) { /* 3: something expires */
        tree_show_said(bed->dir);
        die("certfleet check ended with %d", use.code);
    }
    figures_note(m->figures, "certfleet check, every node and certificate",
                 "client CPU a node", "ms", use.cpu_ms / bed->nodes);
    figures_note(m->figures, "certfleet check, every node and certificate",
                 "nodes a second", "1/s", bed->nodes * 1000 / use.wall_ms);
}

static void on_lab(const struct peers *peers, struct figures *figures)
{
    char *clusters = text_of("%u", (peers->nodes + 4) / 5);
    const char *const args[] = {
        "--make", "3+2",          "--clusters", clusters,       "--key", "ec",
        "--set",  "command_ms=0", "--set",      "rows_per_s=0", NULL};
    struct server *server = server_start(args);
    struct measure m = {.bed = {.dir = server->dir,
                                .base = server->base,
                                .user = "admin",
                                .nodes = peers->nodes},
                        .peers = peers,
                        .figures = figures};

    bed_init(&m.bed);
    if (peers->execs) {
        compare_all(&m, &exec_task);
        tell_check(&m);
    }
    if (peers->commands) {
        bed_take(&m.bed, peers->nodes < 2 ? 1 : peers->nodes / 2);
        compare_all(&m, &run_task);
    }
    bed_release(&m.bed);
    server_stop(server, NULL);
    free(clusters);
}

static void on_sshd(const struct peers *peers, struct figures *figures)
{
    const char *why;
    struct sshd *sshd = sshd_start((peers->nodes + 4) / 5, &why);
    struct measure m = {.peers = peers, .figures = figures};

    if (!sshd) {
        fprintf(stderr, "skipped: the five files, %s\n", why);
        return;
    }
    m.bed = (struct bed){.dir = sshd->dir,
                         .base = sshd->base,
                         .user = sshd->user,
                         .nodes = sshd->nodes};
    bed_init(&m.bed);
    compare_all(&m, &push_task);
    bed_release(&m.bed);
    sshd_stop(sshd);
}

void peers_run(const struct peers *peers, struct figures *figures)
{
    if (peers->execs || peers->commands)
        on_lab(peers, figures);
    if (peers->files)
        on_sshd(peers, figures);
}
