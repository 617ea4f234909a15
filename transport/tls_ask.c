/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking for TLS.  Whatever comes behind the word that begins it is refused:
 * somebody between may have put it there.
 */
#include "transport/tls_ask.h"

#include <string.h>

enum {
    XMPP_CAP = 16 * 1024
};
#define XMPP_TLS "urn:ietf:params:xml:ns:xmpp-tls"

/* length 8, code 1234 5679 (PostgreSQL: SSLRequest) */
static const unsigned char ssl_request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

void tls_ask_begin(struct tls_ask *ask, enum link_tls tls, const char *domain,
                   struct str *out)
{
    memset(ask, 0, sizeof(*ask));
    ask->tls = tls;
    str_init(&ask->got, XMPP_CAP);
    if (tls == LINK_TLS_POSTGRES)
        str_addn(out, ssl_request, sizeof(ssl_request));
    else
        str_addf(out,
                 "<?xml version='1.0'?><stream:stream xmlns='jabber:%s' "
                 "xmlns:stream='http://etherx.jabber.org/streams' to='%s' "
                 "version='1.0'>",
                 tls == LINK_TLS_XMPP_SERVER ? "server" : "client",
                 domain ? domain : "");
}

void tls_ask_release(struct tls_ask *ask)
{
    str_release(&ask->got);
}

static enum ask_step fail(struct err *err, const char *why)
{
    err_set(err, CAUSE_REMOTE, "%s", why);
    return ASK_FAILED;
}

static enum ask_step take_postgres(const char *data, size_t len,
                                   struct err *err)
{
    if (data[0] == 'S' && len == 1)
        return ASK_BEGIN;
    return fail(err, data[0] == 'S'
                         ? "PostgreSQL sent bytes before the TLS handshake"
                     : data[0] == 'N' ? "PostgreSQL does not offer TLS"
                     : data[0] == 'E' ? "PostgreSQL refused the connection"
                                      : "this is not PostgreSQL");
}

/* The end of the element that begins there; NULL: it has not come yet. */
static const char *element(const char *text, const char *begin)
{
    const char *at = strstr(text, begin);
    const char *end = at ? strchr(at, '>') : NULL;

    return end ? end + 1 : NULL;
}

static enum ask_step offered(struct tls_ask *ask, struct str *out,
                             struct err *err)
{
    const char *text = str_text(&ask->got);

    if (!element(text, "</stream:features"))
        return element(text, "<stream:error")
                   ? fail(err, "the XMPP server refused the stream")
                   : ASK_MORE;
    if (!strstr(text, "<starttls"))
        return fail(err, "the XMPP server does not offer TLS");
    str_add(out, "<starttls xmlns='" XMPP_TLS "'/>");
    ask->asked = true;
    str_reset(&ask->got);
    return ASK_MORE;
}

static enum ask_step answered(const struct tls_ask *ask, struct err *err)
{
    const char *text = str_text(&ask->got);
    const char *end = element(text, "<proceed");

    if (element(text, "<failure"))
        return fail(err, "the XMPP server does not begin TLS");
    if (end && (*end || end[-2] != '/'))
        return fail(err, "the XMPP server sent more before the TLS handshake");
    return end ? ASK_BEGIN : ASK_MORE;
}

enum ask_step tls_ask_take(struct tls_ask *ask, const char *data, size_t len,
                           struct str *out, struct err *err)
{
    if (ask->tls == LINK_TLS_POSTGRES)
        return take_postgres(data, len, err);
    if (memchr(data, '\0', len) || str_addn(&ask->got, data, len) < 0)
        return fail(err, "this is not XMPP");
    if (ask->got.len > 0 && str_text(&ask->got)[0] != '<')
        return fail(err, "this is not XMPP");
    return ask->asked ? answered(ask, err) : offered(ask, out, err);
}
