/* SPDX-License-Identifier: Apache-2.0
 *
 * SSH signatures, by ssh-keygen -Y.  Our own reading of SSHSIG is for the
 * fingerprint alone: it says whose a signature is, never that it holds.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/child.h"
#include "core/base/file.h"
#include "core/fleet/approvers.h"
#include "core/run/approval.h"

enum {
    SIGN_S = 300, /* a person looks for the key and touches it */
    CHECK_S = 30,
    PRINCIPALS_MAX = 16,
    BLOB_CAP = 1 << 14
};

static const char *const asks[] = {/* for the agent, FIDO keys, a person */
                                   "PATH",
                                   "HOME",
                                   "USER",
                                   "LOGNAME",
                                   "LANG",
                                   "LC_ALL",
                                   "TERM",
                                   "TMPDIR",
                                   "SSH_AUTH_SOCK",
                                   "SSH_ASKPASS",
                                   "SSH_ASKPASS_REQUIRE",
                                   "SSH_SK_PROVIDER",
                                   "SSH_SK_HELPER",
                                   "DISPLAY",
                                   "WAYLAND_DISPLAY",
                                   "XAUTHORITY",
                                   "XDG_RUNTIME_DIR",
                                   "DBUS_SESSION_BUS_ADDRESS",
                                   NULL};
static const char *const judges[] = {"PATH", "HOME", NULL};

/* -- the key in a signature ----------------------------------------------- */

static const char begin[] = "-----BEGIN SSH SIGNATURE-----\n";
static const char end[] = "\n-----END SSH SIGNATURE-----";

/* The base64 between the two lines, without its newlines. */
static bool take_armour(const char *text, struct str *out)
{
    const char *stop;

    if (strncmp(text, begin, sizeof(begin) - 1) != 0)
        return false;
    text += sizeof(begin) - 1;
    stop = strstr(text, end);
    for (; stop && text < stop; text++)
        if (*text != '\n' && *text != '\r')
            str_addc(out, *text);
    return stop && !out->cut && out->len % 4 == 0 && out->len > 0;
}

static size_t length_at(const unsigned char *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* "SSHSIG", a version, then the public key behind its length. */
static const unsigned char *key_of(const unsigned char *blob, size_t len,
                                   size_t *key_len)
{
    if (len < 14 || memcmp(blob, "SSHSIG", 6) != 0)
        return NULL;
    *key_len = length_at(blob + 10);
    return *key_len > 0 && *key_len <= len - 14 ? blob + 14 : NULL;
}

static unsigned char *decode(const char *signature, size_t *len)
{
    struct str text;
    unsigned char *blob = NULL;
    int n;

    str_init(&text, BLOB_CAP);
    if (take_armour(signature, &text)) {
        blob = malloc(text.len);
        if (!blob)
            abort();
        n = EVP_DecodeBlock(blob, (const unsigned char *)str_text(&text),
                            (int)text.len);
        *len = n > 0 ? (size_t)n : 0;
    }
    str_release(&text);
    return blob;
}

const char *approval_ssh_key(const char *signature, struct arena *arena)
{
    unsigned char digest[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
    unsigned char *blob;
    const unsigned char *key = NULL;
    size_t len = 0, key_len = 0;
    unsigned size = 0;
    char *end_of;

    blob = decode(signature, &len);
    if (blob)
        key = key_of(blob, len, &key_len);
    if (!key ||
        EVP_Digest(key, key_len, digest, &size, EVP_sha256(), NULL) != 1)
        size = 0;
    free(blob);
    if (size == 0)
        return NULL;
    EVP_EncodeBlock(text, digest, (int)size);
    end_of = strchr((char *)text, '=');
    if (end_of)
        *end_of = '\0';
    return arena_printf(arena, "SHA256:%s", (char *)text);
}

/* -- judging -------------------------------------------------------------- */

static const char *temporary(void)
{
    const char *folder = getenv("TMPDIR");

    return folder && *folder ? folder : "/tmp";
}

/* It wants a file, and under a name that nobody else can take. */
static int put_aside(const char *text, char *path, size_t room, struct err *err)
{
    size_t len = strlen(text);
    int fd;

    snprintf(path, room, "%s/certfleet-sig.XXXXXX", temporary());
    fd = mkstemp(path);
    if (fd < 0)
        return err_errno(err, CAUSE_SYSTEM, "a temporary file %s", path);
    if (write(fd, text, len) == (ssize_t)len) {
        close(fd);
        return 0;
    }
    err_errno(err, CAUSE_SYSTEM, "write %s", path);
    close(fd);
    unlink(path);
    return -1;
}

/* Its first words, on one line. */
static const char *words_of(struct arena *arena, const struct child *child)
{
    const char *text = str_text(&child->words);

    return arena_strndup(arena, text, strcspn(text, "\r\n"));
}

static const char *const *take_names(struct arena *arena, const char *text)
{
    const char **list =
        arena_alloc(arena, (PRINCIPALS_MAX + 1) * sizeof(*list));
    size_t n = 0;

    while (*text && n < PRINCIPALS_MAX) {
        size_t len = strcspn(text, "\n");

        if (len > 0)
            list[n++] = arena_strndup(arena, text, len);
        text += len + (text[len] == '\n');
    }
    return list;
}

/* Whose key it is, and whether the key's time is now. */
static int find_names(const struct approval_case *of, const char *file,
                      struct approval *a, struct err *err)
{
    const char *const argv[] = {
        "ssh-keygen", "-Y", "find-principals",      "-s",
        file,         "-f", of->cluster->approvers, NULL};
    struct child child = {
        .argv = argv, .passed = judges, .deadline_s = CHECK_S};
    int rc = child_run(&child, err);

    if (rc == 0 && child.code == 0)
        a->principals = take_names(of->arena, str_text(&child.output));
    else if (rc == 0)
        a->why =
            arena_printf(of->arena, "its key is nobody's in %s, or not now: %s",
                         of->cluster->approvers, words_of(of->arena, &child));
    child_release(&child);
    return rc;
}

static int verify(const struct approval_case *of, const char *file,
                  const struct str *statement, struct approval *a,
                  struct err *err)
{
    const char *const argv[] = {"ssh-keygen",
                                "-Y",
                                "verify",
                                "-n",
                                APPROVAL_NAMESPACE,
                                "-s",
                                file,
                                "-f",
                                of->cluster->approvers,
                                "-I",
                                a->principals[0],
                                NULL};
    struct child child = {.argv = argv,
                          .passed = judges,
                          .input = str_text(statement),
                          .input_len = statement->len,
                          .deadline_s = CHECK_S};
    int rc = child_run(&child, err);

    if (rc == 0 && child.code != 0)
        a->why = arena_printf(of->arena,
                              "the signature does not hold for this plan file "
                              "and time: %s",
                              words_of(of->arena, &child));
    child_release(&child);
    return rc;
}

int approval_judge_ssh(const struct approval_case *of,
                       const struct str *statement, struct approval *a,
                       struct err *err)
{
    char file[4096];
    int rc;

    a->key = approval_ssh_key(a->signature, of->arena);
    if (!a->key)
        a->key = "", a->why = "it is no SSH signature";
    else if (!of->cluster->approvers)
        a->why = "the inventory has no approvers";
    if (a->why)
        return 0;
    if (put_aside(a->signature, file, sizeof(file), err) < 0)
        return -1;
    rc = find_names(of, file, a, err);
    if (rc == 0 && !a->why && a->principals[0])
        rc = verify(of, file, statement, a, err);
    unlink(file);
    return rc;
}

/* -- signing -------------------------------------------------------------- */

/* Its own input stays the user's: where that is no terminal it would take what
 * it is to sign for the passphrase.  So it is given a file, and makes another,
 * in a folder that nobody else can name. */
static int sign_file(const char *key, const char *path, struct err *err)
{
    const char *const argv[] = {
        "ssh-keygen", "-Y", "sign", "-n", APPROVAL_NAMESPACE,
        "-f",         key,  path,   NULL};
    struct child child = {
        .argv = argv, .passed = asks, .deadline_s = SIGN_S, .talks = true};
    int rc = child_run(&child, err);

    if (rc == 0 && child.code != 0)
        rc = err_set(err, CAUSE_INPUT, "ssh-keygen did not sign with %s", key);
    child_release(&child);
    return rc;
}

static int take_signature(const char *path, struct str *signature,
                          struct err *err)
{
    struct secret *text = file_read(path, BLOB_CAP, err);

    if (!text)
        return -1;
    str_addn(signature, text->data, text->len);
    secret_free(text);
    return 0;
}

int approval_sign_ssh(const char *key, const struct str *statement,
                      struct str *signature, struct err *err)
{
    char folder[4000], path[4096], made[4104];
    int rc = -1;

    snprintf(folder, sizeof(folder), "%s/certfleet-approve.XXXXXX",
             temporary());
    if (!mkdtemp(folder))
        return err_errno(err, CAUSE_SYSTEM, "a temporary folder %s", folder);
    snprintf(path, sizeof(path), "%s/statement", folder);
    snprintf(made, sizeof(made), "%s.sig", path);
    if (file_write(path, str_text(statement), statement->len, 0600, true,
                   err) == 0 &&
        sign_file(key, path, err) == 0)
        rc = take_signature(made, signature, err);
    unlink(made);
    unlink(path);
    rmdir(folder);
    return rc;
}
