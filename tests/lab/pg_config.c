/* SPDX-License-Identifier: Apache-2.0
 *
 * What is written for PostgreSQL to read: its configuration, certificates,
 * libpq's connection words.  Starts nothing.
 *
 * All of it lies beside the data folder, not in it: a base backup would carry
 * one node's address to another.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/pg_priv.h"

enum {
    TEXT_CAP = 1 << 16
};

static const char *const cert_files[CERTSET_FILES] = {
    "server.key", "server.crt", "client.key", "client.crt", "root.crt"};

static bool verifies(const struct lab_node *node)
{
    return strcmp(node->set.verify_at, "never") != 0;
}

/* -- connections ----------------------------------------------------------- */

void pg_conninfo(struct str *out, struct lab_node *from, struct lab_node *to)
{
    const char *folder = pg_node(from)->folder;

    str_addf(out,
             "host=%s hostaddr=%s port=%u user=postgres gssencmode=disable "
             "connect_timeout=5 application_name=%s ",
             from->set.verify_host ? to->db_address : to->address, to->address,
             to->db_port, from->name);
    if (!verifies(from) || !verifies(to))
        str_add(out, "sslmode=require");
    else
        str_addf(out,
                 "sslmode=%s sslrootcert=%s/certs/root.crt "
                 "sslcert=%s/certs/client.crt sslkey=%s/certs/client.key",
                 from->set.verify_host ? "verify-full" : "verify-ca", folder,
                 folder, folder);
}

void pg_conninfo_local(struct str *out, struct pg_node *pn)
{
    str_addf(out, "host=%s port=%u user=postgres dbname=postgres", pn->folder,
             pn->node->db_port);
}

/* -- files ----------------------------------------------------------------- */

static int put(struct pg_node *pn, const char *name, struct str *text,
               struct err *err)
{
    char path[PG_PATH];
    int rc;

    pg_path(path, pn->folder, name);
    rc = pg_place_write(&pn->engine->place, path, str_text(text), text->len,
                        err);
    str_release(text);
    return rc;
}

int pg_write_certs(struct pg_node *pn, struct err *err)
{
    char folder[PG_PATH], path[PG_PATH];

    pg_path(folder, pn->folder, "certs");
    if (pg_place_folder(&pn->engine->place, folder, err) < 0)
        return -1;
    for (int i = 0; i < CERTSET_FILES; i++) {
        const struct certset_part *part = &pn->node->db.certs.part[i];
        pg_path(path, folder, cert_files[i]);
        unlink(path);
        if (part->name && pg_place_write(&pn->engine->place, path, part->data,
                                         part->len, err) < 0)
            return -1;
    }
    return 0;
}

/* Speed before safety, except that an acknowledged row is in the file: a
 * killed server must not lose it. */
static const char fixed_settings[] =
    "ssl = on\nssl_min_protocol_version = 'TLSv1.2'\n"
    "fsync = off\nfull_page_writes = off\nsynchronous_commit = local\n"
    "wal_level = replica\nwal_keep_size = 64MB\nmin_wal_size = 8MB\n"
    "max_wal_size = 64MB\nshared_buffers = 4MB\nhuge_pages = off\n"
    "jit = off\nautovacuum = off\nhot_standby = on\n"
    "max_logical_replication_workers = 0\n"
    "wal_retrieve_retry_interval = 200ms\nlc_messages = 'C'\n"
    "log_line_prefix = '%m [%p] '\nlog_checkpoints = off\n";

static int write_main(struct pg_node *pn, struct err *err)
{
    struct lab_node *n = pn->node;
    struct str text;

    str_init(&text, TEXT_CAP);
    str_addf(&text,
             "listen_addresses = '%s'\nport = %u\ncluster_name = '%s'\n"
             "unix_socket_directories = '%s'\nhba_file = '%s/pg_hba.conf'\n"
             "ident_file = '%s/pg_ident.conf'\n%s",
             n->address, n->db_port, n->name, pn->folder, pn->folder,
             pn->folder, fixed_settings);
    str_addf(&text,
             "ssl_cert_file = '%s/certs/server.crt'\n"
             "ssl_key_file = '%s/certs/server.key'\n"
             "ssl_ca_file = '%s/certs/root.crt'\n",
             pn->folder, pn->folder, pn->folder);
    if (pn->followed) {
        str_add(&text, "primary_conninfo = '");
        pg_conninfo(&text, n, pn->followed);
        str_add(&text, "'\n");
    }
    return put(pn, "postgresql.conf", &text, err);
}

int pg_write_config(struct pg_node *pn, struct err *err)
{
    const char *how =
        verifies(pn->node) ? "cert clientcert=verify-full map=cms" : "trust";
    struct str text;

    if (write_main(pn, err) < 0)
        return -1;
    str_init(&text, TEXT_CAP);
    str_addf(&text,
             "local all all trust\n"
             "hostssl all postgres 127.0.0.0/8 %s\n"
             "hostssl replication postgres 127.0.0.0/8 %s\n",
             how, how);
    if (put(pn, "pg_hba.conf", &text, err) < 0)
        return -1;
    str_init(&text, TEXT_CAP);
    str_add(&text, "cms postgres postgres\n");
    return put(pn, "pg_ident.conf", &text, err);
}
