/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows services: sc query, net stop, net start.  A service reads its
 * certificate when it starts, never before the next start.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/lab/faults.h"
#include "tests/lab/record.h"
#include "tests/lab/tlsport.h"
#include "tests/lab/win.h"

static struct win_service *find(struct lab_node *node, const char *name)
{
    for (size_t i = 0; i < node->win->n_services; i++)
        if (strcasecmp(node->win->service[i].row->name, name) == 0)
            return &node->win->service[i];
    return NULL;
}

static void note_shown(struct win_service *s, SSL_CTX *ctx)
{
    X509 *cert = SSL_CTX_get0_certificate(ctx);
    unsigned char *der = NULL;
    int len = cert ? i2d_X509(cert, &der) : 0;

    if (len > 0)
        lab_digest(der, (size_t)len, s->shown);
    OPENSSL_free(der);
}

bool win_start(struct lab_node *node, struct win_service *s)
{
    struct err err = {0};
    SSL_CTX *ctx;

    if (s->running)
        return true;
    if (s->row->alias) {
        ctx = node->win->product->load(node, s->row, &err);
        if (!ctx)
            return false;
        note_shown(s, ctx);
        if (s->row->port) {
            s->port = tlsport_serve(node, s->row->port, ctx, &err);
            if (!s->port)
                return false;
        } else {
            SSL_CTX_free(ctx);
        }
    }
    s->running = true;
    lab_changed(node->lab);
    return true;
}

void win_stop(struct lab_node *node, struct win_service *s)
{
    if (!s->running)
        return;
    tlsport_close(s->port);
    s->port = NULL;
    s->running = false;
    s->drops++;
    lab_changed(node->lab);
}

void win_reload(struct lab_node *node, struct win_service *s)
{
    struct err err = {0};
    SSL_CTX *ctx;

    if (!s->running)
        return;
    tlsport_close(s->port);
    s->port = NULL;
    ctx = node->win->product->load(node, s->row, &err);
    if (ctx) {
        note_shown(s, ctx);
        s->port = tlsport_serve(node, s->row->port, ctx, &err);
    }
    lab_changed(node->lab);
}

static bool is_needed(const struct win_service *s, const struct win_service *by)
{
    return by->row->needs && strcmp(by->row->needs, s->row->name) == 0;
}

void win_sc(struct mmp_run *run, char **words, int n)
{
    const struct win_service *s = n == 3 && strcasecmp(words[1], "query") == 0
                                      ? find(run->node, words[2])
                                      : NULL;

    if (!s) {
        mmp_print(run, "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\n"
                       "\n");
        mmp_end(run, "failure");
        return;
    }
    mmp_print(run,
              "\nSERVICE_NAME: %s\n"
              "        TYPE               : 10  WIN32_OWN_PROCESS\n"
              "        STATE              : %s\n"
              "        WIN32_EXIT_CODE    : 0  (0x0)\n",
              s->row->name, s->running ? "4  RUNNING" : "1  STOPPED");
    mmp_end(run, "ok");
}

static void stop(struct mmp_run *run, struct win_service *s)
{
    struct win *win = run->node->win;

    if (!s->running) {
        mmp_print(run,
                  "The %s service is not started.\n\nMore help is "
                  "available by typing NET HELPMSG 3521.\n",
                  s->row->title);
        mmp_end(run, "failure");
        return;
    }
    for (size_t i = 0; i < win->n_services; i++)
        if (is_needed(s, &win->service[i]))
            win_stop(run->node, &win->service[i]);
    win_stop(run->node, s);
    mmp_print(run,
              "The %s service is stopping.\nThe %s service was stopped "
              "successfully.\n",
              s->row->title, s->row->title);
    mmp_end(run, "ok");
}

static void start(struct mmp_run *run, struct win_service *s)
{
    bool fails = faults_match(run->node, F_FAIL_ASYNC, run->text) != NULL;

    if (!fails && win_start(run->node, s)) {
        mmp_print(run,
                  "The %s service is starting.\nThe %s service was "
                  "started successfully.\n",
                  s->row->title, s->row->title);
        mmp_end(run, "ok");
        return;
    }
    mmp_print(run,
              "The %s service could not be started.\n\nThe service did "
              "not report an error.\n",
              s->row->title);
    mmp_end(run, "failure");
}

void win_net(struct mmp_run *run, char **words, int n)
{
    bool yes = n == 4 && strcasecmp(words[3], "/y") == 0;
    struct win_service *s = n == 3 || yes ? find(run->node, words[2]) : NULL;

    if (!s) {
        mmp_print(run, "The service name is invalid.\n\nMore help is available "
                       "by typing NET HELPMSG 2185.\n");
        mmp_end(run, "failure");
    } else if (strcasecmp(words[1], "stop") == 0) {
        stop(run, s);
    } else if (strcasecmp(words[1], "start") == 0) {
        start(run, s);
    } else {
        mmp_end(run, "usage");
    }
}
