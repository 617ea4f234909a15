/* SPDX-License-Identifier: Apache-2.0
 *
 * From a line of an exec channel to a program: the login's shell (cmd.exe, or
 * PowerShell), cmd /c "...", %VARIABLES%, words, cmd's own commands.
 */
#include "tests/lab/win.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "tests/lab/record.h"

enum {
    LINE_CAP = 8191 /* cmd.exe's own */
};

static const struct win_product *const products[] = {&win_cvp, &win_adcs, NULL};

/* -- the node -------------------------------------------------------------- */

static unsigned kind_of(const struct win_product *p, const char *word)
{
    for (const struct win_kind_row *k = p->kinds; k->word; k++)
        if (strcmp(k->word, word) == 0)
            return k->bit;
    return 0;
}

const struct win_product *win_product_of(const char *personality,
                                         unsigned *kind)
{
    for (const struct win_product *const *p = products; *p; p++) {
        size_t n = strlen((*p)->name);

        if (strncmp(personality, (*p)->name, n) != 0 || personality[n] != '-')
            continue;
        *kind = kind_of(*p, personality + n + 1);
        if (*kind)
            return *p;
    }
    return NULL;
}

int win_new(struct lab_node *node, const char *personality)
{
    unsigned kind = 0;
    const struct win_product *product = win_product_of(personality, &kind);
    struct win *win;

    if (!product || node->win)
        return 0;
    win = lab_calloc(1, sizeof(*win));
    win->product = product;
    win->kind = kind;
    for (const struct win_service_row *r = product->services; r->name; r++)
        if (r->kinds & kind)
            win->service[win->n_services++].row = r;
    node->win = win;
    node->spare = true; /* of databases it knows nothing */
    return 1;
}

int win_begin(struct lab_node *node, struct err *err)
{
    if (node->win->product->begin(node, err) < 0)
        return -1;
    for (size_t i = 0; i < node->win->n_services; i++) {
        struct win_service *s = &node->win->service[i];

        if (!win_start(node, s))
            return err_set(err, CAUSE_SYSTEM, "%s: %s does not start",
                           node->name, s->row->name);
        memcpy(s->first, s->shown, sizeof(s->first));
        s->drops = 0;
    }
    return 0;
}

void win_power(struct lab_node *node, bool up)
{
    for (size_t i = 0; i < node->win->n_services; i++)
        if (up)
            (void)win_start(node, &node->win->service[i]);
        else
            win_stop(node, &node->win->service[i]);
}

void win_free(struct lab_node *node)
{
    if (!node->win)
        return;
    if (node->win->product->end)
        node->win->product->end(node);
    free(node->win->secret);
    free(node->win);
    node->win = NULL;
}

/* -- paths ----------------------------------------------------------------- */

const char *win_file_name(const struct win *win, const char *path, char *name,
                          size_t room)
{
    for (const struct win_folder *f = win->product->folders; f->path; f++) {
        size_t n = strlen(f->path);

        if (strncasecmp(path, f->path, n) == 0 && !strchr(path + n, '\\')) {
            snprintf(name, room, "%s%s", f->word, path + n);
            return name;
        }
    }
    snprintf(name, room, "%s", path);
    return strchr(path, '\\') || strchr(path, '/') ? NULL : name;
}

/* -- what programs print --------------------------------------------------- */

static void write_wide(struct lab_node *node, const char *name,
                       const struct str *text)
{
    struct str wide;

    str_init(&wide, 2 * text->len + 2);
    str_addn(&wide, "\xff\xfe", 2);
    for (size_t i = 0; i < text->len; i++) {
        str_addc(&wide, text->data[i]);
        str_addc(&wide, '\0');
    }
    lab_file_set(node, name, wide.data, wide.len);
    str_release(&wide);
}

void win_say(struct mmp_run *run, const char *into, const struct str *text)
{
    if (!into)
        mmp_print(run, "%s", str_text(text));
    else if (strcmp(run->node->set.win_shell, "powershell") == 0)
        write_wide(run->node, into, text);
    else
        lab_file_set(run->node, into, str_text(text), text->len);
}

/* -- cmd's own commands ---------------------------------------------------- */

static void echo(struct mmp_run *run, char **words, int n)
{
    for (int i = 1; i < n; i++)
        mmp_print(run, "%s%s", i > 1 ? " " : "", words[i]);
    mmp_print(run, "\n");
    mmp_end(run, "ok");
}

static void no_file(struct mmp_run *run)
{
    mmp_print(run, "The system cannot find the file specified.\n");
    mmp_end(run, "failure");
}

/* Behind options as /y and /b: from and to. */
static int two_names(const struct win *win, char **words, int n, char from[256],
                     char to[256])
{
    int at = 1;

    while (at < n && words[at][0] == '/')
        at++;
    if (n - at != 2 || !win_file_name(win, words[at], from, 256) ||
        !win_file_name(win, words[at + 1], to, 256))
        return -1;
    return 0;
}

static void copy(struct mmp_run *run, char **words, int n)
{
    char from[256], to[256];
    struct lab_file *f = two_names(run->node->win, words, n, from, to) == 0
                             ? lab_file(run->node, from)
                             : NULL;

    if (!f) {
        no_file(run);
        return;
    }
    lab_file_set(run->node, to, f->data, f->len);
    mmp_print(run, "        1 file(s) copied.\n");
    mmp_end(run, "ok");
}

static void move(struct mmp_run *run, char **words, int n)
{
    char from[256], to[256];
    struct lab_file *f = two_names(run->node->win, words, n, from, to) == 0
                             ? lab_file(run->node, from)
                             : NULL;

    if (!f) {
        no_file(run);
        return;
    }
    lab_file_set(run->node, to, f->data, f->len);
    lab_file_remove(run->node, from);
    mmp_print(run, "        1 file(s) moved.\n");
    mmp_end(run, "ok");
}

static void certutil(struct mmp_run *run, char **words, int n)
{
    char name[256], hex[65];
    struct lab_file *f = NULL;

    if (n == 4 && strcasecmp(words[1], "-hashfile") == 0 &&
        strcasecmp(words[3], "SHA256") == 0 &&
        win_file_name(run->node->win, words[2], name, sizeof(name)))
        f = lab_file(run->node, name);
    if (!f) {
        mmp_print(run, "CertUtil: -hashfile command FAILED: 0x80070002\n"
                       "CertUtil: The system cannot find the file "
                       "specified.\n");
        mmp_end(run, "failure");
        return;
    }
    lab_digest(f->data, f->len, hex);
    mmp_print(run, "SHA256 hash of %s:\n%s\n", words[2], hex);
    mmp_print(run, "CertUtil: -hashfile command completed successfully.\n");
    mmp_end(run, "ok");
}

/* In Tokyo. */
static void wmic(struct mmp_run *run, char **words, int n)
{
    time_t now = (time_t)(lab_node_now(run->node) + 9 * 3600);
    char stamp[32];
    struct tm tm;

    (void)words, (void)n;
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
    mmp_print(run, "LocalDateTime\n%s.000000+540\n\n", stamp);
    mmp_end(run, "ok");
}

static const struct win_program builtin[] = {
    {"echo", echo},         {"copy", copy}, {"move", move},   {"wmic", wmic},
    {"certutil", certutil}, {"sc", win_sc}, {"net", win_net}, {NULL, NULL},
};

/* -- a line ---------------------------------------------------------------- */

static const char *value_of(const struct win *win, const char *name, size_t len)
{
    for (const struct win_variable *v = win->product->variables; v->name; v++)
        if (strlen(v->name) == len && strncasecmp(v->name, name, len) == 0)
            return v->value;
    return NULL;
}

static void expand(const struct win *win, const char *text, struct str *out)
{
    while (*text) {
        const char *end = *text == '%' ? strchr(text + 1, '%') : NULL;
        const char *value =
            end ? value_of(win, text + 1, (size_t)(end - text - 1)) : NULL;

        if (value) {
            str_add(out, value);
            text = end + 1;
        } else {
            str_addc(out, *text++);
        }
    }
}

static const struct win_program *find(const struct win_program *table,
                                      const char *name)
{
    for (; table->name; table++)
        if (strcasecmp(table->name, name) == 0)
            return table;
    return NULL;
}

static void run_words(struct mmp_run *run, char *line)
{
    char *words[WIN_WORDS], *rest = line, *word;
    const struct win_program *p;
    int n = 0;

    while ((word = strsep(&rest, " ")) && n < WIN_WORDS)
        if (*word)
            words[n++] = word;
    p = n ? find(run->node->win->product->programs, words[0]) : NULL;
    if (n && !p)
        p = find(builtin, words[0]);
    if (p) {
        p->run(run, words, n);
        return;
    }
    mmp_print(run,
              "'%s' is not recognized as an internal or external command,\n"
              "operable program or batch file.\n",
              n ? words[0] : "");
    mmp_end(run, "unknown");
}

/* `cmd /d /s /c "REST"`: /s takes the first quote and the last one away. */
static const char *unwrap(const char *text, struct str *inner)
{
    static const char head[] = "cmd /d /s /c \"";
    size_t len = strlen(text);

    if (strncmp(text, head, strlen(head)) != 0 || text[len - 1] != '"')
        return NULL;
    str_addn(inner, text + strlen(head), len - strlen(head) - 1);
    return str_text(inner);
}

/* PowerShell knows neither %NAME% nor cmd's own commands; a bare cmd line is
 * what a client gets wrong when it thinks that it speaks to cmd.exe. */
void win_run(struct mmp_run *run)
{
    bool powershell = strcmp(run->node->set.win_shell, "powershell") == 0;
    struct str inner, line;
    const char *text;

    str_init(&inner, LINE_CAP);
    str_init(&line, LINE_CAP);
    text = unwrap(run->text, &inner);
    if (!text && powershell) {
        mmp_print(run,
                  "%s : The term '%s' is not recognized as the name of a "
                  "cmdlet\n",
                  run->text, run->text);
        mmp_end(run, "unknown");
    } else {
        expand(run->node->win, text ? text : run->text, &line);
        run_words(run, line.data);
    }
    str_release(&inner);
    str_release(&line);
}

void win_verdict(struct lab_node *node, json_t *json)
{
    json_t *services = json_object();

    for (size_t i = 0; i < node->win->n_services; i++) {
        const struct win_service *s = &node->win->service[i];
        const char *state = !s->running                       ? "down"
                            : strcmp(s->shown, s->first) == 0 ? "old"
                                                              : "new";

        json_object_set_new(services, s->row->name,
                            json_pack("{s:s, s:i, s:s}", "state", state,
                                      "drops", (int)s->drops, "shown",
                                      s->shown));
    }
    json_object_set_new(json, "services", services);
    node->win->product->tell(node, json);
}
