/* SPDX-License-Identifier: Apache-2.0
 *
 * One request, one answer.
 */
#include "tests/lab/api.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/base/clock.h"
#include "tests/lab/service.h"

enum {
    BODY_CAP = 1 << 16,
    LOGIN_ROOM = 512
};

static void answer(struct str *reply, const char *status, const char *more,
                   const char *body)
{
    str_addf(reply,
             "HTTP/1.1 %s\r\nServer: Apache\r\n%s"
             "Content-Type: text/xml\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n%s",
             status, more, strlen(body), body);
}

/* -- who asks -------------------------------------------------------------- */

/* The value of a header line; its end is a line's end. */
static const char *header(const char *request, const char *name)
{
    size_t len = strlen(name);
    const char *p = request;

    while ((p = strstr(p, "\r\n"))) {
        p += 2;
        if (strncasecmp(p, name, len) == 0 && p[len] == ':')
            return p + len + 1 + strspn(p + len + 1, " ");
    }
    return NULL;
}

/* "USER:PASSWORD" of an Authorization line; false: there is none. */
static bool take_login(const char *request, char login[LOGIN_ROOM])
{
    static const char scheme[] = "Basic ";
    const char *p = header(request, "Authorization");
    size_t len;
    int n;

    if (!p || strncasecmp(p, scheme, strlen(scheme)) != 0)
        return false;
    p += strlen(scheme);
    len = strcspn(p, "\r ");
    if (len / 4 * 3 >= LOGIN_ROOM)
        return false;
    n = EVP_DecodeBlock((unsigned char *)login, (const unsigned char *)p,
                        (int)len);
    if (n < 0)
        return false;
    login[n] = '\0'; /* padding decodes to NULs */
    return true;
}

/* Roles api and admin may (facts/cms.md 1.1). */
bool api_may_ask(struct lab_node *node, const char *request)
{
    char login[LOGIN_ROOM], *colon;
    struct lab_user *u;
    bool good;

    if (!take_login(request, login) || !(colon = strchr(login, ':')))
        return false;
    *colon++ = '\0';
    u = lab_user(node, login);
    good = u && u->password && strcmp(u->password, colon) == 0 &&
           (strcmp(u->role, "admin") == 0 || strcmp(u->role, "api") == 0);
    if (u && good)
        u->login_ok++;
    else if (u)
        u->login_failed++;
    return good;
}

/* -- what is asked --------------------------------------------------------- */

static void status(const struct lab_node *node, struct str *body)
{
    time_t now = (time_t)lab_node_now(node);
    uint64_t up_s = (clock_mono_ms() - node->started_ms) / 1000;
    char text[64];
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    str_addf(body,
             "<?xml version=\"1.0\"?><status><softwareVersion>%s"
             "</softwareVersion><uptimeSeconds>%llu</uptimeSeconds>"
             "<cdrTime>%s</cdrTime><activated>true</activated>"
             "<clusterEnabled>%s</clusterEnabled>"
             "<callLegsActive>%u</callLegsActive>"
             "<callLegsMaxActive>%u</callLegsMaxActive></status>",
             node->version, (unsigned long long)up_s, text,
             node->cluster->n_nodes > 1 ? "true" : "false", node->calls,
             node->most_calls);
}

/* Not what a node says: what somebody in its place might. */
static bool hostile(const struct lab_node *node, struct str *reply)
{
    const char *how = node->set.api_answer;
    struct str body;

    if (strcmp(how, "status") == 0)
        return false;
    str_init(&body, 2 * BODY_CAP);
    if (strcmp(how, "odd") == 0)
        str_add(&body, "<!DOCTYPE s [<!ENTITY z \"0\">]><status>"
                       "<callLegsActive>&z;</callLegsActive></status>");
    else if (strcmp(how, "cut") == 0)
        str_add(&body, "<status><callLegsActive>0</callLegsAct");
    else if (strcmp(how, "twice") == 0)
        str_add(&body, "<status><callLegsActive>0</callLegsActive>"
                       "<callLegsActive>7</callLegsActive></status>");
    while (strcmp(how, "endless") == 0 && !body.cut)
        str_add(&body, "<status><callLegsActive>0</callLegsActive></status>");
    if (strcmp(how, "elsewhere") == 0)
        answer(reply, "302 Found", "Location: https://127.0.0.1:1/\r\n", "");
    else if (strcmp(how, "nothing") != 0)
        answer(reply, "200 OK", "", str_text(&body));
    str_release(&body);
    return true;
}

static bool asks_for(const char *request, const char *path)
{
    size_t len = strlen(path);

    return strncmp(request, "GET ", 4) == 0 &&
           strncmp(request + 4, path, len) == 0 && request[4 + len] == ' ';
}

void api_reply(struct lab_node *node, const char *request, struct str *reply)
{
    const struct service *bridge = service_find(node, "callbridge");
    struct str body;

    node->api_asked++;
    if (!api_may_ask(node, request)) {
        node->api_refused++;
        answer(reply, "401 Unauthorized",
               "WWW-Authenticate: Basic realm=\"api\"\r\n", "");
        return;
    }
    if (hostile(node, reply))
        return;
    if (!asks_for(request, "/api/v1/system/status")) {
        answer(reply, "404 Not Found", "", "");
        return;
    }
    if (!bridge->running) {
        answer(reply, "503 Service Unavailable", "", "");
        return;
    }
    str_init(&body, BODY_CAP);
    status(node, &body);
    answer(reply, "200 OK", "", str_text(&body));
    str_release(&body);
}
