/* SPDX-License-Identifier: Apache-2.0
 *
 * The pki commands (facts/cms.md 4): look at uploaded files, never at what
 * the database copied.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/mmp.h"
#include "tests/lab/service.h"

static bool has_ending(const char *name, const char *const *endings)
{
    const char *dot = strrchr(name, '.');

    for (; dot && *endings; endings++)
        if (strcmp(dot, *endings) == 0)
            return true;
    return false;
}

static void usage_of_files(struct mmp_run *run)
{
    struct lab_node *node = run->node;

    mmp_print(run, "PKI usage:\n");
    for (int i = 0; i < CERTSET_FILES; i++)
        if (node->db.certs.part[i].name)
            mmp_print(run, "  database cluster %-18s : %s\n",
                      certset_label((enum certset_file)i),
                      node->db.certs.part[i].name);
    for (size_t i = 0; i < node->n_services; i++)
        for (int f = 0; f < SERVICE_FILES; f++)
            if (node->services[i].file[f])
                mmp_print(run, "  %-35s : %s\n", node->services[i].kind->name,
                          node->services[i].file[f]);
    mmp_end(run, "ok");
}

static void list(struct mmp_run *run)
{
    static const char *const ours[] = {".key", ".pem", ".der", ".cer",
                                       ".crt", ".csr", NULL};
    static const char *const ssh[] = {".pub", NULL};
    bool any = false;

    mmp_print(run, "User supplied certificates and keys:\n");
    for (struct lab_file *f = run->node->files; f; f = f->next)
        if (has_ending(f->name, ours))
            mmp_print(run, "%s\n", f->name);
    for (struct lab_file *f = run->node->files; f; f = f->next)
        if (has_ending(f->name, ssh)) {
            mmp_print(run, "%s%s\n", any ? "" : "User supplied ssh keys:\n",
                      f->name);
            any = true;
        }
    mmp_end(run, "ok");
}

static void inspect(struct mmp_run *run)
{
    struct lab_file *f = lab_file(run->node, run->args[0]);
    const char *what;
    struct str text;

    mmp_print(run, "Checking ssh public keys...not found\n");
    mmp_print(run, "Checking user configured certificates and keys...%s\n",
              f ? "found" : "not found");
    if (!f) {
        mmp_end(run, "failure");
        return;
    }
    str_init(&text, 1 << 20);
    what = certset_describe(f->data ? f->data : (void *)"", f->len, &text);
    if (what && strcmp(what, "certificate") == 0)
        mmp_print(run, "File contains a PEM encoded certificate\n");
    else if (what && strcmp(what, "key") == 0)
        mmp_print(run, "File contains a PEM encoded private key\n");
    else if (what)
        mmp_print(run, "File contains a PEM encoded CSR\n");
    else
        mmp_print(run, "File type unknown\n");
    str_addn(&run->out, str_text(&text), text.len);
    str_release(&text);
    mmp_end(run, what ? "ok" : "failure");
}

static struct lab_file *need(struct mmp_run *run, int arg)
{
    struct lab_file *f = lab_file(run->node, run->args[arg]);

    if (!f)
        mmp_fail(run, "File %s not found", run->args[arg]);
    return f;
}

static const void *bytes(const struct lab_file *f)
{
    return f->data ? f->data : (const void *)"";
}

static void match(struct mmp_run *run)
{
    struct lab_file *key = need(run, 0);
    struct lab_file *cert = key ? need(run, 1) : NULL;
    struct err err;

    if (!cert)
        return;
    if (certset_match(bytes(key), key->len, bytes(cert), cert->len, &err) < 0)
        mmp_fail(run, "Key and certificate problem: %s", err.text);
    else
        mmp_ok(run, "Key and certificate pair match");
}

/* pki verify <cert> <bundle|CA> [<CA>]: every further file is trusted. */
static void verify(struct mmp_run *run)
{
    struct lab_file *cert = need(run, 0);
    struct str bundle;
    struct err err;
    int rc;

    if (!cert)
        return;
    str_init(&bundle, 1 << 20);
    for (int i = 1; i < run->n_args; i++) {
        struct lab_file *f = need(run, i);
        if (!f) {
            str_release(&bundle);
            return;
        }
        str_addn(&bundle, bytes(f), f->len);
    }
    rc = certset_verify(bytes(cert), cert->len, str_text(&bundle), bundle.len,
                        lab_node_now(run->node), &err);
    str_release(&bundle);
    if (rc < 0)
        mmp_fail(run, "%s", err.text);
    else
        mmp_ok(run, "server certificate is valid");
}

/* clang-format off */
const struct mmp_command mmp_pki_commands[] = {
    { "pki", usage_of_files, 0, 0, "", false },
    { "pki list", list, 0, 0, "", false },
    { "pki inspect", inspect, 1, 1, "<filename>", false },
    { "pki match", match, 2, 2, "<key> <certificate>", false },
    { "pki verify", verify, 2, 3,
      "<cert> <cert bundle/CA cert> [<CA cert>]", false },
    { NULL, NULL, 0, 0, NULL, false },
};
/* clang-format on */
