/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking for TLS: PostgreSQL's one byte, and STARTTLS cut at every byte, with
 * what must not begin a handshake.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "transport/tls_ask.h"

#define HELLO "<?xml version='1.0'?><stream:stream version='1.0'>"
#define OFFER                                                                  \
    HELLO "<stream:features><starttls xmlns='x'><required/></starttls>"        \
          "</stream:features>"
#define PROCEED "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

/* What comes of the whole talk, given in pieces of `cut` bytes; `sent`: all
 * that went out. */
static enum ask_step talk(enum link_tls tls, const char *first,
                          const char *second, size_t cut, struct str *sent)
{
    const char *const parts[] = {first, second};
    enum ask_step step = ASK_MORE;
    struct err err = {0};
    struct tls_ask ask;

    tls_ask_begin(&ask, tls, "example.com", sent);
    for (size_t p = 0; p < 2; p++)
        for (size_t at = 0; step == ASK_MORE && parts[p] && parts[p][at];) {
            size_t n =
                strlen(parts[p] + at) < cut ? strlen(parts[p] + at) : cut;

            step = tls_ask_take(&ask, parts[p] + at, n, sent, &err);
            at += n;
        }
    tls_ask_release(&ask);
    if (step == ASK_FAILED)
        assert_true(err.text[0]);
    return step;
}

static enum ask_step xmpp(const char *first, const char *second)
{
    enum ask_step step;
    struct str sent;

    str_init(&sent, 4096);
    step = talk(LINK_TLS_XMPP, first, second, 4096, &sent);
    str_release(&sent);
    return step;
}

static void postgres(void **state)
{
    struct str sent;

    (void)state;
    str_init(&sent, 4096);
    assert_int_equal(talk(LINK_TLS_POSTGRES, "S", NULL, 9, &sent), ASK_BEGIN);
    assert_int_equal(sent.len, 8);
    assert_int_equal(talk(LINK_TLS_POSTGRES, "SS", NULL, 9, &sent), ASK_FAILED);
    assert_int_equal(talk(LINK_TLS_POSTGRES, "N", NULL, 9, &sent), ASK_FAILED);
    assert_int_equal(talk(LINK_TLS_POSTGRES, "E", NULL, 9, &sent), ASK_FAILED);
    assert_int_equal(talk(LINK_TLS_POSTGRES, "x", NULL, 9, &sent), ASK_FAILED);
    str_release(&sent);
}

static void starttls(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < sizeof(OFFER); cut++) {
        struct str sent;

        str_init(&sent, 4096);
        assert_int_equal(talk(LINK_TLS_XMPP, OFFER, PROCEED, cut, &sent),
                         ASK_BEGIN);
        assert_non_null(strstr(str_text(&sent), "xmlns='jabber:client'"));
        assert_non_null(strstr(str_text(&sent), "to='example.com'"));
        assert_non_null(strstr(str_text(&sent), "<starttls xmlns='urn:"));
        str_reset(&sent);
        assert_int_equal(talk(LINK_TLS_XMPP_SERVER, OFFER, PROCEED, cut, &sent),
                         ASK_BEGIN);
        assert_non_null(strstr(str_text(&sent), "xmlns='jabber:server'"));
        str_release(&sent);
    }
}

static void not_begun(void **state)
{
    char flood[20000];

    (void)state;
    assert_int_equal(xmpp(OFFER, NULL), ASK_MORE);
    assert_int_equal(xmpp(HELLO, NULL), ASK_MORE);
    assert_int_equal(xmpp(OFFER, "<failure/>"), ASK_FAILED);
    assert_int_equal(xmpp(OFFER, PROCEED "<x/>"), ASK_FAILED);
    assert_int_equal(xmpp(OFFER, "<proceed>"), ASK_FAILED);
    assert_int_equal(xmpp(HELLO "<stream:features></stream:features>", NULL),
                     ASK_FAILED);
    assert_int_equal(xmpp(HELLO "<stream:error><host-unknown/>", NULL),
                     ASK_FAILED);
    assert_int_equal(xmpp("SSH-2.0-x\r\n", NULL), ASK_FAILED);
    memset(flood, '<', sizeof(flood) - 1);
    flood[sizeof(flood) - 1] = '\0';
    assert_int_equal(xmpp(flood, flood), ASK_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postgres),
        cmocka_unit_test(starttls),
        cmocka_unit_test(not_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
