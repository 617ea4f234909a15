/* SPDX-License-Identifier: Apache-2.0
 *
 * Theirs is an intermediate below a root of its own, made and used by the
 * openssl program.
 */
#include "tests/scenario/theirs.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/scenario/hunt.h"

/* clang-format off */
static const char ca_cnf[] =
    "[ca]\ndefault_ca = theirs\n"
    "[theirs]\ndatabase = index\nserial = serial\nnew_certs_dir = .\n"
    "default_md = sha256\npolicy = any\nunique_subject = no\n"
    "copy_extensions = copy\n"
    "[any]\ncommonName = supplied\norganizationName = optional\n"
    "[authority]\nbasicConstraints = critical,CA:TRUE\n"
    "keyUsage = critical,keyCertSign,cRLSign\nsubjectKeyIdentifier = hash\n"
    "[leaf]\nbasicConstraints = critical,CA:FALSE\n"
    "keyUsage = critical,digitalSignature\nsubjectKeyIdentifier = hash\n"
    "authorityKeyIdentifier = keyid\n";

static const char make_ca[] =
    "set -e\n: >index\necho 01 >serial\n"
    "ask() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256"
    " -nodes -keyout \"$1\" -subj \"/CN=$2\"; }\n"
    "ask their.key 'Their root' >their.csr\n"
    "ask inter.key 'Their intermediate' >inter.csr\n"
    CA AGO " -selfsign -keyfile their.key -in their.csr -out their.crt"
    " -days 3650 -extensions authority\n"
    CA AGO " -cert their.crt -keyfile their.key -in inter.csr -out inter.crt"
    " -days 3000 -extensions authority\n";

const char their_sign[] =
    "#!/bin/sh\n"
    "set -e\n"
    "echo \"$CERTFLEET_CLUSTER $CERTFLEET_PURPOSE\" >>asked\n"
    "env >env-$CERTFLEET_PURPOSE\n"
    SIGN "\n"
    "cat inter.crt\n";
/* clang-format on */

const char *their_path(struct bed *bed, const char *name)
{
    return arena_printf(&bed->arena, "%s/%s", bed->dir, name);
}

void their_script(struct bed *bed, const char *name, const char *text)
{
    bed_write(bed, name, text);
    assert_int_equal(chmod(their_path(bed, name), 0755), 0);
}

/* Runs it in the bed's folder, with a word. */
void their_run(struct bed *bed, const char *name, const char *word)
{
    const char *path = their_path(bed, name);
    pid_t child = fork();
    int status;

    if (child == 0) {
        int null = open("/dev/null", O_RDWR);

        if (chdir(bed->dir) == 0 && dup2(null, STDERR_FILENO) >= 0)
            execl("/bin/sh", "sh", path, word, (char *)NULL);
        _exit(126);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

struct bed *their_start(void **state, const char *shape, const char *keys,
                        const char *const *args)
{
    struct bed *bed = bed_start(state, shape, args);

    bed_write(bed, "ca.cnf", ca_cnf);
    their_script(bed, "make-ca", make_ca);
    their_run(bed, "make-ca", NULL);
    their_script(bed, "sign", their_sign);
    bed_inventory_drop(bed, "issuer dbca");
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena,
                           "%s\n[issuer dbca]\nca_cert = their.crt\n"
                           "key = ec:P-256\n%s",
                           bed_read(bed, "certfleet.ini"), keys));
    hunt_start(bed);
    return bed;
}

/* Below the bed's folder; NULL: there is none. */
const char *their_find(struct bed *bed, const char *cluster,
                       const char *pattern)
{
    const char *copy = NULL;
    glob_t found;

    if (glob(their_path(bed, arena_printf(&bed->arena, "state/clusters/%s/*/%s",
                                          cluster, pattern)),
             0, NULL, &found) == 0) {
        assert_int_equal(found.gl_pathc, 1);
        copy =
            arena_strdup(&bed->arena, found.gl_pathv[0] + strlen(bed->dir) + 1);
    }
    globfree(&found);
    return copy;
}

/* The private keys that were made are nowhere but in their files. */
void their_hunt(struct bed *bed)
{
    hunt_keep_key(bed, their_find(bed, "lab", "dbserver-*.key"), NULL);
    hunt_keep_key(bed, their_find(bed, "lab", "dbclient-*.key"), NULL);
    hunt_state(bed);
    hunt_outputs(bed);
    hunt_lab(bed);
}
