/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a whole lab: its own configuration, and the client's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/lab/config.h"
#include "tests/lab/server.h"
#include "tests/lab/service.h"

enum {
    MAX_HOSTS = 2 * LAB_MAX_MEMBERS + 1,
    TEXT_CAP = 64 << 20
};

struct maker {
    const struct make_options *o;
    struct str lab, fleet, known;
    char *host_key; /* "ssh-ed25519 AAAA..." of the shared key */
    uint32_t next;  /* address, host order */
    char password[33];
    struct err *err;
};

int make_write(const char *path, const void *data, size_t len, unsigned mode,
               struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    ssize_t n;

    if (fd < 0)
        return err_errno(err, CAUSE_SYSTEM, "write %s", path);
    n = write(fd, data, len);
    close(fd);
    if (n != (ssize_t)len)
        return err_errno(err, CAUSE_SYSTEM, "write %s", path);
    return 0;
}

static char *in_dir(const struct maker *m, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", m->o->dir, name) < 0)
        abort();
    return path;
}

static int put(struct maker *m, const char *name, const char *text,
               unsigned mode)
{
    char *path = in_dir(m, name);
    int rc = make_write(path, text, strlen(text), mode, m->err);

    free(path);
    return rc;
}

/* -- nodes ----------------------------------------------------------------- */

/* Skips .0 and .255. */
static void next_address(struct maker *m, char text[INET_ADDRSTRLEN])
{
    struct in_addr a;

    while ((m->next & 255) == 0 || (m->next & 255) == 255)
        m->next++;
    a.s_addr = htonl(m->next++);
    inet_ntop(AF_INET, &a, text, INET_ADDRSTRLEN);
}

static void add_known_host(struct maker *m, const char *address,
                           const char *key)
{
    if (m->o->port == 22)
        str_addf(&m->known, "%s %s\n", address, key);
    else
        str_addf(&m->known, "[%s]:%u %s\n", address, m->o->port, key);
}

static int add_host_key(struct maker *m, const char *name, const char *address)
{
    char file[300], *path, *key;
    int rc = -1;

    if (!m->o->own_host_keys) {
        add_known_host(m, address, m->host_key);
        return 0;
    }
    snprintf(file, sizeof(file), "host_%s", name);
    path = in_dir(m, file);
    key = server_make_key(path, m->err) == 0 ? server_public_key(path, m->err)
                                             : NULL;
    if (key) {
        add_known_host(m, address, key);
        str_addf(&m->lab, "host_key = %s\n", file);
        rc = 0;
    }
    free(key);
    free(path);
    return rc;
}

struct place {
    char name[64], cluster[32], address[INET_ADDRSTRLEN];
    bool database, spare;
};

static void add_roles(struct maker *m, const struct place *p)
{
    str_addf(&m->fleet, "roles = %s", p->database ? "database" : "connect");
    if (m->o->services)
        service_add_roles(m->o->services, &m->fleet);
    else
        str_add(&m->fleet, " callbridge");
    str_add(&m->fleet, "\n");
}

static int add_node(struct maker *m, const struct place *p)
{
    str_addf(&m->lab,
             "\n[node %s]\ncluster = %s\naddress = %s\ndb_port = %u\n"
             "roles = %s\n",
             p->name, p->cluster, p->address, m->o->db_port,
             p->database ? "database" : "connect");
    if (p->spare)
        str_add(&m->lab, "spare = 1\n");
    else
        str_addf(&m->lab,
                 "files = certs/%s\nuse = %sdbclusterclient.key "
                 "dbclusterclient.cer dbclusterca.cer\n",
                 p->cluster,
                 p->database ? "dbclusterserver.key dbclusterserver.cer " : "");
    if (p->database && !p->spare)
        str_add(&m->lab, "interface = a\n");
    if (m->o->services) {
        str_addf(&m->lab, "files = certs/%s-services/%s\n", p->cluster,
                 p->name);
        service_add_config(m->o->services, &m->lab);
    }
    str_addf(&m->fleet, "\n[node %s]\ncluster = %s\naddress = %s\nport = %u\n",
             p->name, p->cluster, p->address, m->o->port);
    add_roles(m, p);
    if (p->database && m->o->db_port != 5432)
        str_addf(&m->fleet, "db_port = %u\n", m->o->db_port);
    return add_host_key(m, p->name, p->address);
}

/* -- a CUCM cluster: its first node leads, and so does the first of IM&P ----
 */

static const char *ucm_role(const struct place *p, bool first)
{
    if (p->database)
        return first ? "publisher" : "subscriber";
    return first ? "imp-publisher" : "imp";
}

static int add_ucm_node(struct maker *m, const struct place *p, bool first)
{
    const char *role = ucm_role(p, first);

    str_addf(&m->lab,
             "\n[node %s]\ncluster = %s\naddress = %s\nucm = %s\n"
             "prompt = admin:\n"
             "banner = Command Line Interface is starting up, please wait "
             "...\\n\\n   Welcome to the Platform Command Line "
             "Interface\\n\\n\n",
             p->name, p->cluster, p->address, role);
    str_addf(&m->fleet,
             "\n[node %s]\ncluster = %s\naddress = %s\nport = %u\n"
             "names = %s.example.com\nroles = %s\napi_user = admin\n"
             "api_password = file:password\napi_ca = ucm-ca.crt\n"
             "api_port = 8443\n",
             p->name, p->cluster, p->address, m->o->port, p->name, role);
    return add_host_key(m, p->name, p->address);
}

static bool makes_vos(const struct maker *m)
{
    return m->o->ucm && strncmp(m->o->ucm, "vos:", 4) == 0;
}

static int add_vos_node(struct maker *m, const struct place *p, bool first)
{
    str_addf(&m->lab,
             "\n[node %s]\ncluster = %s\naddress = %s\nucm = appliance\n"
             "prompt = admin:\n"
             "banner = Command Line Interface is starting up, please wait "
             "...\\n\\n   Welcome to the Platform Command Line "
             "Interface\\n\\n\n",
             p->name, p->cluster, p->address);
    str_addf(&m->fleet,
             "\n[node %s]\ncluster = %s\naddress = %s\nport = %u\n"
             "names = %s.example.com\nroles = %s\n",
             p->name, p->cluster, p->address, m->o->port, p->name,
             first ? "primary" : "secondary");
    return add_host_key(m, p->name, p->address);
}

static int add_ucm_cluster(struct maker *m, const struct place *places,
                           unsigned n)
{
    int rc = 0;

    str_addf(&m->lab, "\n[cluster %s]\nprimary = none\n", places[0].cluster);
    str_addf(&m->fleet, "\n[cluster %s]\nproduct = %s\nissuer = dbca\n",
             places[0].cluster, makes_vos(m) ? "vos" : "cucm");
    for (unsigned i = 0; i < n && rc == 0; i++)
        rc = makes_vos(m) ? add_vos_node(m, &places[i], i == 0)
                          : add_ucm_node(m, &places[i],
                                         i == 0 || (places[i - 1].database &&
                                                    !places[i].database));
    return rc;
}

static void name_place(const struct maker *m, unsigned c, unsigned n,
                       struct place *p)
{
    const struct make_options *o = m->o;
    bool many = o->clusters > 1;
    unsigned formed = o->databases + o->connects, index;

    /* those that form the cluster first: core1... edge1..., then spare ones */
    p->spare = n >= formed;
    p->database =
        n < o->databases || (p->spare && n - formed < o->spare_databases);
    index = p->spare && p->database ? n - formed + o->databases
            : p->spare    ? n - formed - o->spare_databases + o->connects
            : p->database ? n
                          : n - o->databases;
    if (many)
        snprintf(p->cluster, sizeof(p->cluster), "lab%u", c + 1);
    else
        snprintf(p->cluster, sizeof(p->cluster), "lab");
    snprintf(p->name, sizeof(p->name), "%s%s%s%u", many ? p->cluster : "",
             many ? "-" : "",
             makes_vos(m)  ? "vos"
             : o->ucm      ? p->database ? "ucm" : "imp"
             : p->database ? "core"
                           : "edge",
             index + 1);
}

static int make_set(struct maker *m, const struct place *places, unsigned n)
{
    const char *hosts[MAX_HOSTS];
    char folder[64], *path;
    size_t k = 0;
    int rc;

    for (unsigned i = 0; i < n; i++)
        if (places[i].database && !places[i].spare) {
            hosts[k++] = places[i].name;
            hosts[k++] = places[i].address;
        }
    hosts[k] = NULL;
    snprintf(folder, sizeof(folder), "certs/%s", places[0].cluster);
    path = in_dir(m, folder);
    rc = file_make_folders(path, m->err);
    if (rc == 0)
        rc = issue_set(path, places[0].cluster, hosts, m->o, m->err);
    free(path);
    return rc;
}

/* Spare nodes too: only of databases they know nothing. */
static int make_services(struct maker *m, const struct place *places,
                         unsigned n)
{
    struct issuer *issuer = issuer_new(places[0].cluster, m->o, m->err);
    int rc = issuer ? 0 : -1;

    for (unsigned i = 0; i < n && rc == 0; i++) {
        const char *const hosts[] = {places[i].name, places[i].address, NULL};
        char folder[128], *path;
        snprintf(folder, sizeof(folder), "certs/%s-services/%s",
                 places[i].cluster, places[i].name);
        path = in_dir(m, folder);
        rc = file_make_folders(path, m->err);
        if (rc == 0)
            rc = issuer_add(issuer, path, hosts, m->err);
        free(path);
    }
    issuer_free(issuer);
    return rc;
}

static int add_cluster(struct maker *m, unsigned c)
{
    unsigned n = m->o->databases + m->o->connects + m->o->spare_databases +
                 m->o->spare_connects;
    struct place *places = lab_calloc(n, sizeof(*places));
    int rc;

    for (unsigned i = 0; i < n; i++) {
        name_place(m, c, i, &places[i]);
        next_address(m, places[i].address);
    }
    if (m->o->ucm) {
        rc = add_ucm_cluster(m, places, n);
        free(places);
        return rc;
    }
    str_addf(&m->lab, "\n[cluster %s]\nprimary = %s\n", places[0].cluster,
             places[0].name);
    str_addf(&m->fleet, "\n[cluster %s]\nproduct = cms\nissuer = dbca\n",
             places[0].cluster);
    rc = make_set(m, places, n);
    if (rc == 0 && m->o->services)
        rc = make_services(m, places, n);
    for (unsigned i = 0; i < n && rc == 0; i++)
        rc = add_node(m, &places[i]);
    free(places);
    return rc;
}

/* -- the heads of the files ------------------------------------------------ */

static int make_access(struct maker *m)
{
    char *path = in_dir(m, "id_ed25519"), *key = NULL;
    unsigned char random[12];
    int rc = -1;

    if (RAND_bytes(random, sizeof(random)) != 1)
        abort();
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(m->password + 2 * i, 3, "%02x", random[i]);
    if (server_make_key(path, m->err) == 0)
        key = server_public_key(path, m->err);
    if (key && put(m, "id_ed25519.pub", key, 0644) == 0)
        rc = put(m, "password", m->password, 0600);
    free(key);
    free(path);
    if (rc < 0)
        return -1;
    path = in_dir(m, "host_ed25519");
    if (server_make_key(path, m->err) == 0)
        m->host_key = server_public_key(path, m->err);
    free(path);
    return m->host_key ? 0 : -1;
}

static void write_heads(struct maker *m)
{
    bool by_key = strcmp(m->o->auth, "key") == 0;

    str_addf(&m->lab, "[lab]\nport = %u\nengine = %s\n", m->o->port,
             m->o->engine);
    for (const char *const *s = m->o->settings; s && *s; s++) {
        const char *eq = strchr(*s, '=');
        str_addf(&m->lab, "%.*s = %s\n", (int)(eq - *s), *s, eq + 1);
    }
    str_add(&m->lab, "\n[user admin]\npassword_file = password\n"
                     "key_file = id_ed25519.pub\n");
    str_addf(&m->fleet,
             "[fleet]\nstate_dir = state\nknown_hosts = known_hosts\n"
             "ssh_config = none\nuser = admin\n%s\n"
             "\n[issuer dbca]\nkind = internal\nca_cert = dbca-{cluster}.crt\n"
             "ca_key = dbca-{cluster}.key\nkey = %s\n",
             by_key ? "identity = id_ed25519" : "password = file:password",
             strcmp(m->o->key, "ec") == 0 ? "ec:P-256" : m->o->key);
}

static int write_all(struct maker *m)
{
    if (put(m, "lab.ini", str_text(&m->lab), 0644) < 0 ||
        put(m, "certfleet.ini", str_text(&m->fleet), 0644) < 0)
        return -1;
    return put(m, "known_hosts", str_text(&m->known), 0644);
}

int make_lab(const struct make_options *options, struct err *err)
{
    struct maker m = {.o = options, .err = err};
    struct in_addr base;
    int rc;

    if (options->servers)
        return make_servers(options, err);
    if (inet_pton(AF_INET, options->base, &base) != 1)
        return err_set(err, CAUSE_INPUT, "%s: not an address", options->base);
    if (options->databases + options->connects == 0 ||
        options->databases + options->spare_databases > LAB_MAX_MEMBERS ||
        options->clusters == 0)
        return err_set(err, CAUSE_INPUT, "no such shape of a cluster");
    if (options->services && service_check_list(options->services, err) < 0)
        return -1;
    m.next = ntohl(base.s_addr);
    str_init(&m.lab, TEXT_CAP);
    str_init(&m.fleet, TEXT_CAP);
    str_init(&m.known, TEXT_CAP);
    rc = file_make_folders(options->dir, err);
    if (rc == 0)
        rc = make_access(&m);
    if (rc == 0)
        write_heads(&m);
    for (unsigned c = 0; c < options->clusters && rc == 0; c++)
        rc = add_cluster(&m, c);
    if (rc == 0)
        rc = write_all(&m);
    free(m.host_key);
    str_release(&m.lab);
    str_release(&m.fleet);
    str_release(&m.known);
    return rc;
}
