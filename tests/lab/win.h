/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/win.h - a Windows server behind OpenSSH (facts/uc.md 7): its
 * login's shell, cmd.exe's own commands, Windows services with TLS listeners.
 *
 * Files: the login's folder is the node's flat root; what stands in another
 * folder is a file whose name begins with that folder's word and a backslash
 * ("conf\.keystore"), which SFTP does not show.  What a product's programs do
 * is in files of their own (cvp.c); they are found through win_products.
 */
#ifndef CERTFLEET_LAB_WIN_H
#define CERTFLEET_LAB_WIN_H

#include <jansson.h>
#include <openssl/ssl.h>

#include "tests/lab/mmp.h"

struct tlsport;

enum {
    WIN_WORDS = 32,
    WIN_SERVICES = 8
};

struct win_service_row { /* {NULL} ends the table */
    const char *name;    /* as net and sc take it */
    const char *title;
    unsigned port;     /* 0: it listens nowhere */
    const char *alias; /* the product's word for what it shows */
    unsigned kinds;    /* of servers that have it: bits by win_kind_row */
};
struct win_program {  /* {NULL} ends the table */
    const char *name; /* the command line's first word, as expanded */
    void (*run)(struct mmp_run *run, char **words, int n);
};
struct win_variable {
    const char *name, *value; /* {NULL} ends the table */
};
struct win_folder { /* "C:\Cisco\CVP\conf\security\" is "conf\" */
    const char *path, *word;
};
struct win_kind_row {
    const char *word; /* "server" */
    unsigned bit;
};
struct win_product {
    const char *name;                 /* "cvp" */
    const struct win_kind_row *kinds; /* {NULL} ends the table */
    const struct win_variable *variables;
    const struct win_folder *folders; /* {NULL} ends the table */
    const struct win_program *programs;
    const struct win_service_row *services;
    /* Blocking, when the lab begins: the node's first files. */
    int (*begin)(struct lab_node *node, struct err *err);
    void (*end)(struct lab_node *node); /* what `begin' made; NULL: nothing */
    /* What a service shows, as it starts; NULL: it does not start. */
    SSL_CTX *(*load)(struct lab_node *node, const struct win_service_row *row,
                     struct err *err);
    void (*tell)(struct lab_node *node, json_t *node_json); /* verdict */
    /* What the inventory has for such a node. */
    void (*inventory)(struct str *out);
};
extern const struct win_product win_cvp, win_adcs;
/* That of "cvp-server"; NULL: there is none. */
const struct win_product *win_product_of(const char *personality,
                                         unsigned *kind);

struct win_service {
    const struct win_service_row *row;
    bool running;
    struct tlsport *port;
    unsigned drops;
    char shown[65]; /* SHA-256 of the certificate that it loaded last */
    char first[65];
};
struct win {
    const struct win_product *product;
    unsigned kind;
    char *secret; /* what must be on no command line */
    struct win_service service[WIN_SERVICES];
    size_t n_services;
    char first_sha256[65]; /* the product's own, for its `tell' */
    void *own;             /* and whatever else it keeps */
};

/* `personality = cvp-server`; 1: done, 0: no such. */
int win_new(struct lab_node *node, const char *personality);
/* Before the node listens: first files, services start.  Blocking. */
int win_begin(struct lab_node *node, struct err *err);
void win_free(struct lab_node *node);
void win_power(struct lab_node *node, bool up);
/* A line of an exec channel; ends the run. */
void win_run(struct mmp_run *run);
void win_verdict(struct lab_node *node, json_t *json);

/* -- for programs ---------------------------------------------------------- */

/* The name of a file, wherever it stands: "conf\.keystore", "a.csr". */
const char *win_file_name(const struct win *win, const char *path, char *name,
                          size_t room);

/* Prints a text, or writes it into a file for a command line's `>FILE' (NULL:
 * there was none): PowerShell, whose own that is, writes UTF-16. */
void win_say(struct mmp_run *run, const char *into, const struct str *text);

/* win_service.c */
void win_sc(struct mmp_run *run, char **words, int n);
void win_net(struct mmp_run *run, char **words, int n);
bool win_start(struct lab_node *node, struct win_service *s);
void win_stop(struct lab_node *node, struct win_service *s);

#endif
