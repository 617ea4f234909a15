/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/lab/test_services.h - what the tests of the lab's services share:
 * questions about a service and its port, files of another root.
 */
#ifndef CERTFLEET_LAB_TEST_SERVICES_H
#define CERTFLEET_LAB_TEST_SERVICES_H

#include "tests/lab/test_parts.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICES_DIR "certs/lab-services/core1"

static inline struct rig *start_services(const char *list)
{
    const char *const args[] = {"--make", "3+0", "--services", list, NULL};

    return rig_start(LAB_PROGRAM, args);
}

/* -- questions ----------------------------------------------------------------
 */

static inline void says(struct rig *rig, unsigned node, const char *command,
                        const char *wanted)
{
    char *text = rig_ssh(rig, node, command, NULL);

    assert_string_equal(text, wanted);
    free(text);
}

/* The text or number of a service's field, as JSON has it; free it. */
static inline char *service_field(struct rig *rig, const char *node,
                                  const char *service, const char *name)
{
    json_t *o = rig_ask(rig, "node %s", node);
    json_t *s = json_object_get(json_object_get(o, "services"), service);
    char *text = json_dumps(json_object_get(s, name), JSON_ENCODE_ANY);

    json_decref(o);
    return text ? text : strdup("null");
}

static inline bool is_state(struct rig *rig, const char *node,
                            const char *service, const char *wanted)
{
    char *text = service_field(rig, node, service, "state");
    bool same = strlen(text) == strlen(wanted) + 2 &&
                strncmp(text + 1, wanted, strlen(wanted)) == 0;

    if (!same)
        fprintf(stderr, "%s %s: %s, wanted %s\n", node, service, text, wanted);
    free(text);
    return same;
}

static inline long service_number(struct rig *rig, const char *node,
                                  const char *service, const char *name)
{
    char *text = service_field(rig, node, service, name);
    long n = strtol(text, NULL, 10);

    free(text);
    return n;
}

static inline bool listens(struct rig *rig, unsigned node, unsigned port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;
    char address[16];

    rig_address(rig, node, address);
    assert_int_equal(inet_pton(AF_INET, address, &sa.sin_addr), 1);
    rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
    close(fd);
    return rc == 0;
}

/* The port shows a certificate of this root, with the node's address. */
static inline bool serves(struct rig *rig, unsigned node, unsigned port,
                          const char *root)
{
    char where[64], address[16];
    const char *const argv[] = {
        "openssl",    "s_client", "-connect",
        where,        "-CAfile",  root,
        "-verify_ip", address,    "-verify_return_error",
        NULL};

    rig_address(rig, node, address);
    snprintf(where, sizeof(where), "%s:%u", address, port);
    return rig_run(argv) == 0;
}

static inline bool holds(struct rig *rig, const char *name, const char *wanted)
{
    char path[200], text[65536];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
    f = fopen(path, "r");
    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    fclose(f);
    return strstr(text, wanted) != NULL;
}

/* -- other files -------------------------------------------------------------
 */

struct roots {
    char old[200], new[200], folder[150];
};

/* Another lab's services: the same names, of another root. */
static inline void make_other(struct rig *rig, struct roots *roots)
{
    char dir[100];
    const char *const argv[] = {
        LAB_PROGRAM, "--make",  "3+0",   "--services", "all", "--only-make",
        "--base",    rig->base, "--dir", dir,          NULL};

    snprintf(dir, sizeof(dir), "%s/other", rig->dir);
    assert_int_equal(rig_run(argv), 0);
    snprintf(roots->folder, sizeof(roots->folder), "%s/" SERVICES_DIR, dir);
    snprintf(roots->new, sizeof(roots->new), "%s/root.cer", roots->folder);
    snprintf(roots->old, sizeof(roots->old), "%s/" SERVICES_DIR "/root.cer",
             rig->dir);
}

static inline void push(struct rig *rig, const struct roots *roots,
                        const char *from, const char *to)
{
    char batch[400];

    snprintf(batch, sizeof(batch), "put %s/%s %s\n", roots->folder, from, to);
    assert_int_equal(rig_sftp(rig, 1, batch), 0);
}

static inline void push_new(struct rig *rig, const struct roots *roots)
{
    push(rig, roots, "webadmin.key", "new.key");
    push(rig, roots, "webadmin.cer", "new.cer");
    push(rig, roots, "web.key", "web-new.key");
    push(rig, roots, "web-chain.cer", "web-new-chain.cer");
    push(rig, roots, "root.cer", "new-root.cer");
}

#endif
