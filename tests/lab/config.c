/* SPDX-License-Identifier: Apache-2.0
 *
 * From an INI file to nouns.
 */
#include "tests/lab/config.h"

#include <dirent.h>
#include <ini.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/lab/cluster.h"
#include "tests/lab/service.h"
#include "tests/lab/ucm.h"
#include "tests/lab/win.h"

enum {
    FILE_CAP = 16 << 20,
    MAX_USERS = 16
};

struct reader {
    struct lab *lab;
    char *folder;
    char **engine;
    struct err *err;
    bool failed;
    char section[256];
    unsigned port;
    /* templates, given to every node */
    struct lab_user users[MAX_USERS];
    size_t n_users;
    struct lab_cluster *cluster;
    struct lab_settings set; /* of the present cluster */
    struct lab_node *node;
    struct str wishes;   /* "cluster primary\n" */
    struct str settings; /* "cluster\tkey\tvalue\n" */
};

static int bad(struct reader *r, const char *key, const char *value)
{
    if (!r->failed)
        err_set(r->err, CAUSE_INPUT, "[%s] %s = %s: not understood", r->section,
                key, value);
    r->failed = true;
    return 0;
}

static char *beside(struct reader *r, const char *path)
{
    char *full = NULL;

    if (asprintf(&full, "%s%s%s", *path == '/' ? "" : r->folder,
                 *path == '/' ? "" : "/", path) < 0)
        abort();
    return full;
}

static struct secret *read_beside(struct reader *r, const char *path)
{
    char *full = beside(r, path);
    struct secret *s = file_read(full, FILE_CAP, r->err);

    free(full);
    if (!s)
        r->failed = true;
    return s;
}

/* 1: done, 0: no such setting; a bad value fails the reader. */
static int try_setting(struct reader *r, struct lab_settings *set,
                       const char *key, const char *value)
{
    int rc = settings_set(set, key, value, r->err);

    if (rc < 0)
        r->failed = true;
    return rc != 0;
}

static unsigned number(struct reader *r, const char *value)
{
    if (!*value || value[strspn(value, "0123456789")] != '\0')
        bad(r, "a number", value);
    return (unsigned)strtoul(value, NULL, 10);
}

/* -- [lab], [user] --------------------------------------------------------- */

static int lab_key(struct reader *r, const char *key, const char *value)
{
    if (strcmp(key, "port") == 0)
        r->port = number(r, value);
    else if (strcmp(key, "engine") == 0)
        lab_replace(r->engine, value);
    else if (!try_setting(r, &r->lab->defaults, key, value))
        return bad(r, key, value);
    return !r->failed;
}

static void first_line(char **where, struct secret *s)
{
    char *text = lab_strdup(s ? secret_text(s) : "");

    text[strcspn(text, "\r\n")] = '\0';
    free(*where);
    *where = text;
    secret_free(s);
}

static int user_key(struct reader *r, const char *key, const char *value)
{
    struct lab_user *u = &r->users[r->n_users - 1];

    if (strcmp(key, "password") == 0)
        lab_replace(&u->password, value);
    else if (strcmp(key, "password_file") == 0)
        first_line(&u->password, read_beside(r, value));
    else if (strcmp(key, "key_file") == 0)
        first_line(&u->keys, read_beside(r, value));
    else if (strcmp(key, "role") == 0)
        lab_replace(&u->role, value);
    else if (strcmp(key, "expiry") == 0)
        lab_replace(&u->expiry, value);
    else if (strcmp(key, "must_change") == 0)
        u->must_change = number(r, value) != 0;
    else
        return bad(r, key, value);
    return !r->failed;
}

static void add_users(struct reader *r, struct lab_node *node)
{
    for (size_t i = r->n_users; i-- > 0;) {
        const struct lab_user *from = &r->users[i];
        struct lab_user *u = lab_add_user(node, from->name);
        lab_replace(&u->password, from->password);
        lab_replace(&u->keys, from->keys);
        lab_replace(&u->role, from->role);
        lab_replace(&u->expiry, from->expiry);
        u->must_change = from->must_change;
    }
}

/* -- [cluster] ------------------------------------------------------------- */

static int cluster_key(struct reader *r, const char *key, const char *value)
{
    if (strcmp(key, "primary") == 0)
        str_addf(&r->wishes, "%s %s\n", r->cluster->name, value);
    else if (!try_setting(r, &r->set, key, value))
        return bad(r, key, value);
    else
        str_addf(&r->settings, "%s\t%s\t%s\n", r->cluster->name, key, value);
    return !r->failed;
}

/* The settings that the node's cluster has, over the lab's. */
static void take_cluster_settings(struct reader *r, struct lab_node *node)
{
    char *all = lab_strdup(str_text(&r->settings)), *rest = all, *line;

    while ((line = strsep(&rest, "\n")) && *line) {
        char *name = strsep(&line, "\t"), *key = strsep(&line, "\t");
        if (strcmp(name, node->cluster->name) == 0)
            try_setting(r, &node->set, key, line);
    }
    free(all);
}

/* -- [node] ---------------------------------------------------------------- */

static int load_folder(struct reader *r, const char *value)
{
    char *folder = beside(r, value);
    DIR *dir = opendir(folder);
    struct dirent *d;

    if (!dir) {
        err_errno(r->err, CAUSE_INPUT, "open %s", folder);
        r->failed = true;
    }
    while (dir && !r->failed && (d = readdir(dir))) {
        struct secret *s;
        char *path;
        if (d->d_name[0] == '.')
            continue;
        if (asprintf(&path, "%s/%s", folder, d->d_name) < 0)
            abort();
        s = file_read(path, FILE_CAP, r->err);
        if (s)
            lab_file_set(r->node, d->d_name, s->data, s->len);
        else
            r->failed = true;
        secret_free(s);
        free(path);
    }
    if (dir)
        closedir(dir);
    free(folder);
    return !r->failed;
}

/* "key crt key crt ca" or "key crt ca": what `certs` was given long ago. */
static int use_certs(struct reader *r, const char *value)
{
    char *copy = lab_strdup(value), *rest = copy, *word;
    char *names[CERTSET_FILES];
    int n = 0, first;

    while ((word = strsep(&rest, " ")) && n < CERTSET_FILES)
        if (*word)
            names[n++] = word;
    first = n == CERTSET_FILES ? CERTSET_SERVER_KEY : CERTSET_CLIENT_KEY;
    if (n != 5 && n != 3)
        bad(r, "use", value);
    for (int i = 0; i < n && !r->failed; i++) {
        struct lab_file *f = lab_file(r->node, names[i]);
        if (!f) {
            bad(r, "use", names[i]);
            break;
        }
        certset_put(&r->node->db.certs, (enum certset_file)(first + i),
                    names[i], f->data, f->len);
        str_addf(&r->node->used_names, "%s\n", names[i]);
    }
    free(copy);
    return !r->failed;
}

static int node_words(struct reader *r, const char *key, const char *value)
{
    struct lab_node *n = r->node;

    if (strcmp(key, "personality") == 0)
        return win_new(n, value);
    if (strcmp(key, "address") == 0)
        lab_replace(&n->address, value);
    else if (strcmp(key, "hostname") == 0)
        lab_replace(&n->hostname, value);
    else if (strcmp(key, "version") == 0)
        lab_replace(&n->version, value);
    else if (strcmp(key, "db_address") == 0)
        lab_replace(&n->db_address, value);
    else if (strcmp(key, "interface") == 0)
        lab_replace(&n->db.iface, value);
    else if (strcmp(key, "last_command") == 0)
        lab_replace(&n->db.last_command, value);
    else if (strcmp(key, "host_key") == 0) {
        free(n->host_key_path);
        n->host_key_path = beside(r, value);
    } else
        return 0;
    return 1;
}

static int node_numbers(struct reader *r, const char *key, const char *value)
{
    struct lab_node *n = r->node;

    if (strcmp(key, "port") == 0)
        n->port = number(r, value);
    else if (strcmp(key, "db_port") == 0)
        n->db_port = number(r, value);
    else if (strcmp(key, "out_of_sync") == 0)
        n->db.sync_frozen = number(r, value) != 0;
    else if (strcmp(key, "spare") == 0)
        n->spare = number(r, value) != 0;
    else if (strcmp(key, "down") == 0)
        n->up = number(r, value) == 0;
    else if (strcmp(key, "roles") == 0)
        n->roles = strcmp(value, "connect") == 0 ? LAB_CONNECT : LAB_DATABASE;
    else if (strcmp(key, "error") == 0) {
        n->db.error = true;
        lab_replace(&n->db.error_text, value);
    } else
        return 0;
    return 1;
}

static int try_service(struct reader *r, const char *key, const char *value)
{
    int rc = ucm_config(r->node, key, value, r->err);

    if (rc == 0)
        rc = service_config(r->node, key, value, r->err);

    if (rc < 0)
        r->failed = true;
    return rc != 0;
}

static int node_key(struct reader *r, const char *key, const char *value)
{
    struct lab_cluster *c;

    if (strcmp(key, "cluster") == 0) {
        c = lab_cluster(r->lab, value);
        if (!c || r->node->cluster)
            return bad(r, key, value);
        lab_place(c, r->node);
        take_cluster_settings(r, r->node);
    } else if (strcmp(key, "files") == 0) {
        return load_folder(r, value);
    } else if (strcmp(key, "use") == 0) {
        return use_certs(r, value);
    } else if (!node_words(r, key, value) && !node_numbers(r, key, value) &&
               !try_setting(r, &r->node->set, key, value) &&
               !try_service(r, key, value)) {
        return bad(r, key, value);
    }
    return !r->failed;
}

/* -- sections -------------------------------------------------------------- */

static void enter_section(struct reader *r, const char *section)
{
    const char *name = strchr(section, ' ');

    snprintf(r->section, sizeof(r->section), "%s", section);
    name = name ? name + 1 : "";
    if (strncmp(section, "cluster ", 8) == 0) {
        r->cluster = lab_add_cluster(r->lab, name);
    } else if (strncmp(section, "node ", 5) == 0) {
        r->node = lab_add_node(r->lab, name);
        r->node->up = true;
        r->node->port = r->port;
        add_users(r, r->node);
    } else if (strncmp(section, "user ", 5) == 0 && r->n_users < MAX_USERS) {
        struct lab_user *u = &r->users[r->n_users++];
        u->name = lab_strdup(name);
        u->role = lab_strdup("admin");
        u->expiry = lab_strdup("never");
    }
}

static int on_key(void *user, const char *section, const char *key,
                  const char *value)
{
    struct reader *r = user;

    if (r->failed)
        return 0;
    if (strcmp(section, r->section) != 0)
        enter_section(r, section);
    if (strcmp(section, "lab") == 0)
        return lab_key(r, key, value);
    if (strncmp(section, "user ", 5) == 0)
        return user_key(r, key, value);
    if (strncmp(section, "cluster ", 8) == 0)
        return cluster_key(r, key, value);
    if (strncmp(section, "node ", 5) == 0)
        return node_key(r, key, value);
    return bad(r, key, value);
}

/* -- what was left open ---------------------------------------------------- */

static int complete(struct reader *r)
{
    struct lab *lab = r->lab;

    for (size_t i = 0; i < lab->n_nodes; i++) {
        struct lab_node *n = lab->nodes[i];
        if (!n->cluster || !n->address)
            return err_set(r->err, CAUSE_INPUT,
                           "[node %s]: cluster and address are needed",
                           n->name);
        if (!n->hostname)
            n->hostname = lab_strdup(n->name);
        if (!n->version)
            n->version = lab_strdup("3.9");
        if (!n->db_address)
            n->db_address = lab_strdup(n->address);
        if (n->win && win_begin(n, r->err) < 0)
            return -1;
        n->initial_digests = lab_calloc(CERTSET_FILES, sizeof(char *));
        for (int f = 0; f < CERTSET_FILES; f++) {
            struct certset_part *p = &n->db.certs.part[f];
            n->initial_names[f] = lab_strdup(p->name);
            n->initial_digests[f] = p->name ? lab_strdup(p->digest) : NULL;
        }
    }
    return 0;
}

static int form_clusters(struct reader *r)
{
    char *all = lab_strdup(str_text(&r->wishes)), *rest = all, *line;
    int rc = 0;

    while (rc == 0 && (line = strsep(&rest, "\n")) && *line) {
        struct lab_cluster *c = lab_cluster(r->lab, strsep(&line, " "));
        struct lab_node *p = lab_node(r->lab, line);
        if (strcmp(line, "none") != 0 && (!p || p->cluster != c))
            rc = err_set(r->err, CAUSE_INPUT, "[cluster %s] primary = %s",
                         c->name, line);
        else if (c->n_nodes)
            lab_form(c, p);
    }
    free(all);
    return rc;
}

static void release(struct reader *r)
{
    for (size_t i = 0; i < r->n_users; i++) {
        free(r->users[i].name);
        free(r->users[i].password);
        free(r->users[i].role);
        free(r->users[i].keys);
        free(r->users[i].expiry);
    }
    settings_release(&r->set);
    str_release(&r->wishes);
    str_release(&r->settings);
    free(r->folder);
}

int config_read(struct lab *lab, const char *path, char **engine,
                struct err *err)
{
    struct reader r = {.lab = lab, .engine = engine, .err = err, .port = 22};
    char *copy = lab_strdup(path);
    int rc;

    err_reset(err);
    r.folder = lab_strdup(dirname(copy));
    free(copy);
    settings_init(&r.set);
    str_init(&r.wishes, 1 << 20);
    str_init(&r.settings, 1 << 20);
    rc = ini_parse(path, on_key, &r);
    if (rc < 0)
        err_errno(err, CAUSE_INPUT, "open %s", path);
    else if (rc > 0) {
        if (err->cause == CAUSE_NONE)
            err_set(err, CAUSE_INPUT, "not understood");
        err_context(err, "%s:%d", path, rc);
    } else
        rc = complete(&r) == 0 ? form_clusters(&r) : -1;
    release(&r);
    return rc == 0 ? 0 : -1;
}
