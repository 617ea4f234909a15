/* SPDX-License-Identifier: Apache-2.0
 *
 * SFTP operations on a flat root in memory (facts/cms.md 1.4, 1.5): folders
 * cannot be made, attributes cannot be set, names have rules.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lab/filer_priv.h"
#include "tests/lab/record.h"

/* -- replies --------------------------------------------------------------- */

static void begin(struct request *r, unsigned type)
{
    str_reset(&r->reply);
    wire_u32(&r->reply, 0);
    wire_u8(&r->reply, type);
    wire_u32(&r->reply, r->id);
}

void filer_status(struct request *r, uint32_t code, const char *text)
{
    begin(r, FXP_STATUS);
    wire_u32(&r->reply, code);
    wire_text(&r->reply, text);
    wire_text(&r->reply, "en");
}

static void fail(struct request *r, const char *text)
{
    filer_status(r, FX_FAILURE, text);
}

static void no_file(struct request *r)
{
    filer_status(r, FX_NO_SUCH_FILE, "No such file");
}

static void attrs(struct str *out, const struct lab_file *f)
{
    wire_u32(out, ATTR_SIZE | ATTR_PERMISSIONS | ATTR_ACMODTIME);
    wire_u64(out, f ? f->len : 4096);
    wire_u32(out, f ? 0100644 : 040755);
    wire_u32(out, f ? (uint32_t)f->mtime : 0);
    wire_u32(out, f ? (uint32_t)f->mtime : 0);
}

/* -- names ----------------------------------------------------------------- */

char *filer_take_path(struct request *r)
{
    char *path = wire_take_text(&r->in), *name = path;

    if (!path)
        return NULL;
    while (*name == '/' || (name[0] == '.' && (name[1] == '/' || !name[1])))
        name++;
    if (strchr(name, '/') || strcmp(name, "..") == 0) {
        free(path);
        return NULL;
    }
    name = lab_strdup(name);
    free(path);
    return name;
}

/* Letters, digits and hyphens, one dot before a known extension; Windows does
 * not mind. */
static bool is_good_name(const struct lab_node *node, const char *name)
{
    static const char *const known[] = {".pem", ".der", ".cer", ".crt",
                                        ".key", ".csr", ".pub", ".lic",
                                        ".bak", ".json"};
    const char *dot = strchr(name, '.');
    size_t base = dot ? (size_t)(dot - name) : 0;

    if (!node->set.strict_names || node->win)
        return *name != '\0';
    if (base == 0 || strlen(name) > 128)
        return false;
    for (size_t i = 0; i < base; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789-",
                    name[i]))
            return false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(dot, known[i]) == 0)
            return true;
    return false;
}

/* -- handles --------------------------------------------------------------- */

static int new_handle(struct filer *f, const char *name)
{
    for (int i = 0; i < FILER_HANDLES; i++)
        if (!f->handles[i].used) {
            memset(&f->handles[i], 0, sizeof(f->handles[i]));
            f->handles[i].used = true;
            f->handles[i].name = lab_strdup(name);
            return i;
        }
    return -1;
}

static void give_handle(struct request *r, int h)
{
    if (h < 0) {
        fail(r, "Too many open files");
        return;
    }
    begin(r, FXP_HANDLE);
    wire_u32(&r->reply, 4);
    wire_u32(&r->reply, (uint32_t)h);
}

struct open_file *filer_take_handle(struct request *r)
{
    uint32_t len = wire_take_u32(&r->in);
    uint32_t h = wire_take_u32(&r->in);

    if (r->in.bad || len != 4 || h >= FILER_HANDLES ||
        !r->filer->handles[h].used)
        return NULL;
    return &r->filer->handles[h];
}

static void free_handle(struct open_file *o)
{
    free(o->name);
    memset(o, 0, sizeof(*o));
}

/* -- operations ------------------------------------------------------------ */

static void do_open(struct request *r)
{
    struct lab_node *node = r->filer->node;
    uint32_t flags;
    struct lab_file *f;
    int h;

    flags = wire_take_u32(&r->in);
    f = r->name ? lab_file(node, r->name) : NULL;
    if (r->in.bad || !r->name || (!f && !(flags & OPEN_CREAT))) {
        no_file(r);
        return;
    }
    if (flags & OPEN_WRITE) {
        if (!is_good_name(node, r->name)) {
            filer_status(r, FX_PERMISSION_DENIED, "Permission denied");
            return;
        }
        if (f && (flags & OPEN_CREAT) && (flags & OPEN_EXCL)) {
            fail(r, "File exists");
            return;
        }
        if (f)
            rule_file(node, r->name, "overwrite");
        f = lab_file_make(node, r->name);
        if (flags & OPEN_TRUNC)
            f->len = 0;
    }
    h = new_handle(r->filer, r->name);
    if (h >= 0)
        r->filer->handles[h].flags = flags;
    give_handle(r, h);
}

static void do_close(struct request *r)
{
    struct open_file *o = filer_take_handle(r);

    if (!o) {
        fail(r, "Bad handle");
        return;
    }
    if (o->written)
        r->filer->node->uploads++;
    free_handle(o);
    filer_status(r, FX_OK, "Success");
    lab_changed(r->filer->node->lab);
}

static void do_read(struct request *r)
{
    struct open_file *o = filer_take_handle(r);
    uint64_t offset = wire_take_u64(&r->in);
    uint32_t len = wire_take_u32(&r->in);
    struct lab_file *f = o ? lab_file(r->filer->node, o->name) : NULL;

    r->asked = len;
    if (r->in.bad || !f || o->listing) {
        fail(r, "Bad handle");
        return;
    }
    if (offset >= f->len) {
        filer_status(r, FX_EOF, "End of file");
        return;
    }
    if (len > FILER_READ)
        len = FILER_READ;
    if (len > f->len - offset)
        len = (uint32_t)(f->len - offset);
    begin(r, FXP_DATA);
    wire_bytes(&r->reply, f->data + offset, len);
}

static void do_write(struct request *r)
{
    struct open_file *o = filer_take_handle(r);
    uint64_t offset = wire_take_u64(&r->in);
    size_t len;
    const unsigned char *data = wire_take_bytes(&r->in, &len);
    struct lab_file *f = o ? lab_file(r->filer->node, o->name) : NULL;

    if (r->in.bad || !f || !(o->flags & OPEN_WRITE)) {
        fail(r, "Bad handle");
        return;
    }
    if (r->full || lab_file_write(r->filer->node, f, offset, data,
                                  r->shorten ? len / 2 : len) < 0) {
        fail(r, "No space left on device");
        return;
    }
    if (r->corrupt && len > 1 && !r->shorten)
        f->data[offset + len / 2] ^= 1;
    o->written = true;
    filer_status(r, FX_OK, "Success");
}

static void do_stat(struct request *r)
{
    struct lab_file *f =
        r->name && *r->name ? lab_file(r->filer->node, r->name) : NULL;

    if (!r->name || (*r->name && !f)) {
        no_file(r);
        return;
    }
    begin(r, FXP_ATTRS);
    attrs(&r->reply, f);
}

static void do_fstat(struct request *r)
{
    struct open_file *o = filer_take_handle(r);
    struct lab_file *f = o ? lab_file(r->filer->node, o->name) : NULL;

    if (!f) {
        fail(r, "Bad handle");
        return;
    }
    begin(r, FXP_ATTRS);
    attrs(&r->reply, f);
}

static void do_opendir(struct request *r)
{
    int h;

    if (!r->name || *r->name) {
        no_file(r);
        return;
    }
    h = new_handle(r->filer, "");
    if (h >= 0)
        r->filer->handles[h].listing = true;
    give_handle(r, h);
}

static void add_entry(struct str *out, const struct lab_file *f)
{
    time_t mtime = (time_t)f->mtime;
    char line[300], when[32];
    struct tm tm;

    gmtime_r(&mtime, &tm);
    strftime(when, sizeof(when), "%b %e %H:%M", &tm);
    snprintf(line, sizeof(line), "-rw-r--r--    1 admin    admin %12zu %s %s",
             f->len, when, f->name);
    wire_text(out, f->name);
    wire_text(out, line);
    attrs(out, f);
}

static void do_readdir(struct request *r)
{
    struct open_file *o = filer_take_handle(r);
    uint32_t n = 0;

    if (!o || !o->listing) {
        fail(r, "Bad handle");
        return;
    }
    if (o->listed || !r->filer->node->files) {
        filer_status(r, FX_EOF, "End of file");
        return;
    }
    o->listed = true;
    for (struct lab_file *f = r->filer->node->files; f; f = f->next)
        n++;
    begin(r, FXP_NAME);
    wire_u32(&r->reply, n);
    for (struct lab_file *f = r->filer->node->files; f; f = f->next)
        add_entry(&r->reply, f);
}

static void do_remove(struct request *r)
{
    if (!r->name || !lab_file(r->filer->node, r->name)) {
        no_file(r);
        return;
    }
    rule_file(r->filer->node, r->name, "remove");
    lab_file_remove(r->filer->node, r->name);
    filer_status(r, FX_OK, "Success");
}

static void do_rename(struct request *r)
{
    struct lab_node *node = r->filer->node;
    char *to = filer_take_path(r);
    struct lab_file *f = r->name ? lab_file(node, r->name) : NULL;

    if (!f || !to) {
        no_file(r);
    } else if (lab_file(node, to)) {
        fail(r, "File exists");
    } else if (!is_good_name(node, to)) {
        filer_status(r, FX_PERMISSION_DENIED, "Permission denied");
    } else {
        rule_file(node, r->name, "rename");
        lab_replace(&f->name, to);
        filer_status(r, FX_OK, "Success");
    }
    free(to);
}

static void do_realpath(struct request *r)
{
    char path[300];

    if (!r->name) {
        no_file(r);
        return;
    }
    snprintf(path, sizeof(path), "/%.*s", 250, r->name);
    begin(r, FXP_NAME);
    wire_u32(&r->reply, 1);
    wire_text(&r->reply, path);
    wire_text(&r->reply, path);
    wire_u32(&r->reply, 0);
}

static void do_setstat(struct request *r)
{
    if (r->filer->node->set.allow_setstat)
        filer_status(r, FX_OK, "Success");
    else
        filer_status(r, FX_OP_UNSUPPORTED, "Operation unsupported");
}

static void do_refuse(struct request *r)
{
    filer_status(r, FX_PERMISSION_DENIED, "Permission denied");
}

/* clang-format off */
static const struct filer_operation operations[] = {
    { FXP_OPEN, "open", 1, do_open },
    { FXP_CLOSE, "close", 2, do_close },
    { FXP_READ, "read", 2, do_read },
    { FXP_WRITE, "write", 2, do_write },
    { FXP_LSTAT, "stat", 1, do_stat },
    { FXP_STAT, "stat", 1, do_stat },
    { FXP_FSTAT, "stat", 2, do_fstat },
    { FXP_SETSTAT, "setstat", 1, do_setstat },
    { FXP_FSETSTAT, "setstat", 2, do_setstat },
    { FXP_OPENDIR, "list", 1, do_opendir },
    { FXP_READDIR, "readdir", 2, do_readdir },
    { FXP_REMOVE, "remove", 1, do_remove },
    { FXP_MKDIR, "mkdir", 1, do_refuse },
    { FXP_RMDIR, "rmdir", 1, do_refuse },
    { FXP_REALPATH, "realpath", 1, do_realpath },
    { FXP_RENAME, "rename", 1, do_rename },
};
/* clang-format on */

const struct filer_operation *filer_find(unsigned type)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (operations[i].type == type)
            return &operations[i];
    return NULL;
}
