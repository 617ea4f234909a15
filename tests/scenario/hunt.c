/* SPDX-License-Identifier: Apache-2.0
 *
 * The forms of a secret, and the places where one could be.
 */
#include "tests/scenario/hunt.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_FORMS = 160,
    FORM_BYTES = 200,
    PART = 12,  /* bytes: 96 bits are nobody else's */
    STRIDE = 16 /* so that a line's end cuts one part of two */
};

static struct form {
    char name[64];
    char bytes[FORM_BYTES];
    size_t len;
} forms[MAX_FORMS];
static size_t n_forms;

struct hunt_looks hunt_looks;

/* -- forms ----------------------------------------------------------------- */

static void add_form(const char *form, const char *what, const void *bytes,
                     size_t len)
{
    struct form *f = &forms[n_forms];

    assert_true(n_forms < MAX_FORMS && len > 0 && len <= FORM_BYTES);
    snprintf(f->name, sizeof(f->name), "%s of %s", form, what);
    memcpy(f->bytes, bytes, len);
    f->len = len;
    n_forms++;
}

static void add_each(const char *what, const unsigned char *part, size_t len,
                     const char *format)
{
    char text[FORM_BYTES] = "";

    for (size_t i = 0; i < len; i++)
        snprintf(text + strlen(text), 8, format, part[i]);
    add_form(format, what, text, strlen(text));
}

/* What stands before it shifts it: only whole groups of three are sure. */
static void add_base64(const char *what, const unsigned char *part, size_t len)
{
    unsigned char text[FORM_BYTES];

    for (size_t skip = 0; skip < 3; skip++) {
        size_t whole = (len - skip) / 3 * 3;
        int n = EVP_EncodeBlock(text, part + skip, (int)whole);

        add_form("base64", what, text, (size_t)n);
    }
}

static void add_json(const char *what, const unsigned char *part, size_t len)
{
    json_t *json = json_stringn((const char *)part, len); /* NULL: no text */
    size_t flags[] = {JSON_ENCODE_ANY, JSON_ENCODE_ANY | JSON_ENSURE_ASCII,
                      JSON_ENCODE_ANY | JSON_ESCAPE_SLASH};

    for (size_t i = 0; json && i < 3; i++) {
        char *text = json_dumps(json, flags[i]);

        add_form("JSON", what, text + 1, strlen(text) - 2);
        free(text);
    }
    json_decref(json);
}

static void add_percent(const char *what, const unsigned char *part, size_t len)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    char text[FORM_BYTES] = "";

    for (size_t i = 0; i < len; i++)
        snprintf(text + strlen(text), 4,
                 part[i] && strchr(plain, part[i]) ? "%c" : "%%%02X", part[i]);
    add_form("percent", what, text, strlen(text));
}

static void add_forms(const char *what, const void *bytes, size_t len)
{
    add_form("itself", what, bytes, len);
    add_each(what, bytes, len, "%02x");
    add_each(what, bytes, len, "%02X");
    add_each(what, bytes, len, "%%%02x");
    add_base64(what, bytes, len);
    add_json(what, bytes, len);
    add_percent(what, bytes, len);
}

/* The first bytes: what a cap or a cut would leave of it. */
void hunt_keep(const char *what, const void *bytes, size_t len)
{
    assert_true(len >= 8);
    add_forms(what, bytes, len < PART ? len : PART);
}

void hunt_keep_word(const char *what, const char *word)
{
    hunt_keep(what, word, strlen(word));
}

void hunt_start(struct bed *bed)
{
    n_forms = 0;
    memset(&hunt_looks, 0, sizeof(hunt_looks));
    hunt_keep_word("the password", bed_read(bed, "password"));
    add_form("itself", "a private key's head", "PRIVATE KEY", 11);
}

/* -- keys ------------------------------------------------------------------ */

static void keep_parts(const char *what, const unsigned char *bytes, size_t len)
{
    assert_true(len >= STRIDE + PART);
    hunt_keep(what, bytes, PART);
    hunt_keep(what, bytes + STRIDE, PART);
}

static int give_password(char *room, int size, int writing, void *user)
{
    (void)writing;
    return user ? snprintf(room, (size_t)size, "%s", (char *)user) : -1;
}

static FILE *open_in(struct bed *bed, const char *name)
{
    FILE *f = fopen(arena_printf(&bed->arena, "%s/%s", bed->dir, name), "re");

    if (!f)
        fail_msg("%s cannot be opened", name);
    return f;
}

/* Of an elliptic curve its number, of RSA the exponent. */
void hunt_keep_key(struct bed *bed, const char *name, const char *password)
{
    FILE *f = open_in(bed, name);
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, give_password,
                                        (void *)(uintptr_t)password);
    unsigned char bytes[1024];
    BIGNUM *number = NULL;
    int len;

    fclose(f);
    if (!key)
        fail_msg("%s is no private key, or of another password", name);
    assert_int_equal(EVP_PKEY_get_bn_param(key,
                                           EVP_PKEY_is_a(key, "RSA")
                                               ? OSSL_PKEY_PARAM_RSA_D
                                               : OSSL_PKEY_PARAM_PRIV_KEY,
                                           &number),
                     1);
    len = BN_bn2bin(number, bytes);
    keep_parts(strrchr(name, '/') ? strrchr(name, '/') + 1 : name, bytes,
               (size_t)len);
    BN_clear_free(number);
    EVP_PKEY_free(key);
}

/* openssh-key-v1: the 64 bytes of the secret key follow their length and the
 * public key, of which they hold the seed before it. */
void hunt_keep_identity(struct bed *bed, const char *name)
{
    static const unsigned char length[] = {0, 0, 0, 64};
    const char *text = strchr(bed_read(bed, name), '\n');
    unsigned char raw[1024];
    unsigned char line[1024];
    const unsigned char *at;
    int n = 0;

    for (const char *p = text; *p && *p != '-' && n < 1024; p++)
        if (*p != '\n')
            line[n++] = (unsigned char)*p;
    n = EVP_DecodeBlock(raw, line, n);
    assert_true(n > 0);
    at = memmem(raw, (size_t)n, length, sizeof(length));
    assert_non_null(at);
    keep_parts(name, at + sizeof(length), 32);
}

/* -- looking --------------------------------------------------------------- */

const char *hunt_found(const void *bytes, size_t len)
{
    for (size_t i = 0; i < n_forms; i++)
        if (memmem(bytes, len, forms[i].bytes, forms[i].len))
            return forms[i].name;
    return NULL;
}

/* A file as it is; gone meanwhile, or not ours to read: nothing. */
static bool look_at(const char *path)
{
    static char bytes[1 << 23];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t len = 0;
    ssize_t n;

    if (fd < 0)
        return false;
    while (len < sizeof(bytes) &&
           (n = read(fd, bytes + len, sizeof(bytes) - len)) > 0)
        len += (size_t)n;
    close(fd);
    if (len == sizeof(bytes))
        fail_msg("%s is larger than what is looked at", path);
    if (hunt_found(bytes, len))
        fail_msg("%s holds: %s", path, hunt_found(bytes, len));
    return len > 0;
}

/* -- processes ------------------------------------------------------------- */

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512] = "";
    const char *end;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    if (!fgets(text, sizeof(text), f))
        *text = '\0';
    fclose(f);
    end = strrchr(text, ')'); /* the name may hold anything */
    return end ? (pid_t)strtol(end + 3, NULL, 10) : 0;
}

static bool is_of(pid_t pid, pid_t ancestor)
{
    while (pid > 1 && pid != ancestor)
        pid = parent_of(pid);
    return pid == ancestor;
}

void hunt_processes(pid_t run)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    char path[300];

    assert_non_null(proc);
    while ((entry = readdir(proc))) {
        if (!is_of((pid_t)strtol(entry->d_name, NULL, 10), run))
            continue;
        snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
        hunt_looks.command_lines += look_at(path);
        snprintf(path, sizeof(path), "/proc/%s/environ", entry->d_name);
        hunt_looks.environments += look_at(path);
    }
    closedir(proc);
}

/* -- files ----------------------------------------------------------------- */

static bool ends_with(const char *path, const char *end)
{
    size_t len = strlen(path), tail = strlen(end);

    return len >= tail && strcmp(path + len - tail, end) == 0;
}

/* With "/" around it for a folder, before it for a file. */
static bool is_secret_itself(const char *path)
{
    static const char *const files[] = {
        ".key", ".pass", "/password", "/id_ed25519", "/host_ed25519",
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        if (ends_with(path, files[i]))
            return true;
    return strstr(path, "/backups/") || strstr(path, "/certs/");
}

static int look_at_kept(const char *path, const struct stat *st, int kind,
                        struct FTW *ftw)
{
    mode_t mode = st->st_mode & 07777;

    (void)ftw;
    if (kind == FTW_NS) /* gone meanwhile */
        return 0;
    if (mode != (kind == FTW_D ? 0700 : 0600))
        fail_msg("%s has mode %04o", path, (unsigned)mode);
    if (kind == FTW_F && !is_secret_itself(path))
        hunt_looks.files += look_at(path);
    return 0;
}

static int look_at_any(const char *path, const struct stat *st, int kind,
                       struct FTW *ftw)
{
    (void)ftw;
    if (kind == FTW_F && S_ISREG(st->st_mode) && !is_secret_itself(path))
        hunt_looks.files += look_at(path);
    return 0;
}

void hunt_state(struct bed *bed)
{
    const char *path = arena_printf(&bed->arena, "%s/state", bed->dir);

    assert_int_equal(nftw(path, look_at_kept, 16, FTW_PHYS), 0);
}

void hunt_file(struct bed *bed, const char *name)
{
    if (!look_at(arena_printf(&bed->arena, "%s/%s", bed->dir, name)))
        fail_msg("%s is empty, or not there", name);
}

void hunt_folder(struct bed *bed)
{
    assert_int_equal(nftw(bed->dir, look_at_any, 16, FTW_PHYS), 0);
}

/* -- words ----------------------------------------------------------------- */

void hunt_outputs(struct bed *bed)
{
    const char *found;

    for (struct bed_run *run = bed->runs; run; run = run->next) {
        found = hunt_found(str_text(&run->out_text), run->out_text.len);
        if (!found)
            found = hunt_found(str_text(&run->err_text), run->err_text.len);
        if (found)
            fail_msg("certfleet %s has said: %s", run->line, found);
    }
}

static void look_at_answer(struct bed *bed, const char *question)
{
    char *text = json_dumps(bed_lab(bed, "%s", question), 0);
    const char *found = hunt_found(text, strlen(text));

    if (found)
        fail_msg("the lab's %s holds: %s", question, found);
    free(text);
}

void hunt_lab(struct bed *bed)
{
    json_t *nodes = bed_lab(bed, "nodes");
    const json_t *node;
    size_t i;

    look_at_answer(bed, "verdict");
    look_at_answer(bed, "history *");
    json_array_foreach(json_object_get(nodes, "nodes"), i, node)
    {
        look_at_answer(
            bed, arena_printf(&bed->arena, "node %s", bed_text(node, "node")));
    }
}

void hunt_everywhere(struct bed *bed)
{
    hunt_state(bed);
    hunt_folder(bed);
    hunt_outputs(bed);
    hunt_lab(bed);
}
