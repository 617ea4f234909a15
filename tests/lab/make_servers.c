/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a lab of Windows servers: one cluster of them, as they are after
 * installation, and the client's inventory beside it.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/lab/config.h"
#include "tests/lab/server.h"
#include "tests/lab/win.h"

/* facts/uc.md 5: real ones are full of what shells take for theirs. */
#define SECRET "592(!aT@Hbt{[c)b7n6{Mj6J[0P4C~X2?4!zv~5(@2*12Dm97"

struct maker {
    const struct make_options *o;
    struct str lab, fleet, known;
    char *host_key;
    struct err *err;
};

static int put(struct maker *m, const char *name, const char *text,
               unsigned mode)
{
    char *path = NULL;
    int rc;

    if (asprintf(&path, "%s/%s", m->o->dir, name) < 0)
        abort();
    rc = make_write(path, text, strlen(text), mode, m->err);
    free(path);
    return rc;
}

static char *key_of(struct maker *m, const char *name)
{
    char *path = NULL, *key = NULL;

    if (asprintf(&path, "%s/%s", m->o->dir, name) < 0)
        abort();
    if (server_make_key(path, m->err) == 0)
        key = server_public_key(path, m->err);
    free(path);
    return key;
}

static void add_heads(struct maker *m)
{
    str_addf(&m->lab, "[lab]\nport = %u\nengine = sim\nexec_cr = 1\n",
             m->o->port);
    for (const char *const *s = m->o->settings; s && *s; s++)
        str_addf(&m->lab, "%.*s = %s\n", (int)strcspn(*s, "="), *s,
                 strchr(*s, '=') + 1);
    str_add(&m->lab, "\n[user admin]\npassword_file = password\n"
                     "key_file = id_ed25519.pub\n\n[cluster lab]\n"
                     "primary = none\n");
    str_add(&m->fleet,
            "[fleet]\nstate_dir = state\nknown_hosts = known_hosts\n"
            "ssh_config = none\nuser = admin\nidentity = id_ed25519\n"
            "\n[issuer dbca]\nkind = internal\nca_cert = dbca-{cluster}.crt\n"
            "ca_key = dbca-{cluster}.key\nkey = ec:P-256\n");
}

/* "cvp-server" is node server1 of product cvp. */
static int add_server(struct maker *m, const char *word, unsigned number)
{
    const char *kind = strchr(word, '-');
    unsigned bit;
    const struct win_product *product = win_product_of(word, &bit);
    struct in_addr a;
    char address[INET_ADDRSTRLEN];

    if (!product || inet_pton(AF_INET, m->o->base, &a) != 1)
        return err_set(m->err, CAUSE_INPUT, "no such server: %s", word);
    a.s_addr = htonl(ntohl(a.s_addr) + number - 1);
    inet_ntop(AF_INET, &a, address, sizeof(address));
    if (number == 1)
        str_addf(&m->fleet, "\n[cluster lab]\nproduct = %.*s\nissuer = dbca\n",
                 (int)(kind - word), word);
    str_addf(&m->lab,
             "\n[node %s%u]\ncluster = lab\naddress = %s\n"
             "personality = %s\n",
             kind + 1, number, address, word);
    str_addf(&m->fleet,
             "\n[node %s%u]\ncluster = lab\naddress = %s\nport = %u\n"
             "names = %s%u.lab.example localhost\nroles = %s\n",
             kind + 1, number, address, m->o->port, kind + 1, number, kind + 1);
    product->inventory(&m->fleet);
    str_addf(&m->known, "[%s]:%u %s\n", address, m->o->port, m->host_key);
    return 0;
}

static int add_servers(struct maker *m)
{
    char *all = lab_strdup(m->o->servers), *rest = all, *word;
    unsigned number = 0;
    int rc = 0;

    while (rc == 0 && (word = strsep(&rest, ",")))
        rc = add_server(m, word, ++number);
    free(all);
    return rc;
}

static int write_all(struct maker *m, const char *key)
{
    if (put(m, "id_ed25519.pub", key, 0644) < 0 ||
        put(m, "password", "lab-password-of-servers", 0600) < 0 ||
        put(m, "keystore.pass", SECRET, 0600) < 0 ||
        put(m, "lab.ini", str_text(&m->lab), 0644) < 0 ||
        put(m, "certfleet.ini", str_text(&m->fleet), 0644) < 0)
        return -1;
    return put(m, "known_hosts", str_text(&m->known), 0644);
}

int make_servers(const struct make_options *options, struct err *err)
{
    struct maker m = {.o = options, .err = err};
    int rc = file_make_folders(options->dir, err);
    char *key = rc == 0 ? key_of(&m, "id_ed25519") : NULL;

    str_init(&m.lab, 1 << 20);
    str_init(&m.fleet, 1 << 20);
    str_init(&m.known, 1 << 20);
    m.host_key = key ? key_of(&m, "host_ed25519") : NULL;
    add_heads(&m);
    rc = m.host_key && add_servers(&m) == 0 ? write_all(&m, key) : -1;
    free(m.host_key);
    free(key);
    str_release(&m.lab);
    str_release(&m.fleet);
    str_release(&m.known);
    return rc;
}
