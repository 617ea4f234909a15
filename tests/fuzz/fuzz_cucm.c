/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a CUCM node prints or its REST interface answers; the first byte
 * says who is to read it.  What is taken is within its bounds, and what is
 * refused says why; a PEM that was taken is taken again as it is.
 */
#include <string.h>

#include "playbooks/cucm/rest.h"
#include "playbooks/cucm/words.h"
#include "playbooks/vos/pem.h"
#include "playbooks/vos/serial.h"
#include "tests/fuzz/fuzz.h"

static void told(int rc, const struct err *err)
{
    must(rc == 0 || err->text[0]);
}

static void replication(const char *text, size_t len)
{
    static struct cucm_replication r;
    struct err err = {0};
    int rc = cucm_replication_parse(text, len, &r, &err);

    told(rc, &err);
    if (rc < 0)
        return;
    must(r.n > 0 && r.n <= CUCM_NODES_MAX);
    for (size_t i = 0; i < r.n; i++)
        must(r.rows[i].name[0] && r.rows[i].address[0] &&
             r.rows[i].state < 1000);
}

static void members(const char *text, size_t len)
{
    static struct cucm_members m;
    struct err err = {0};
    int rc = cucm_members_parse(text, len, &m, &err);

    told(rc, &err);
    must(rc < 0 || (m.n > 0 && m.n <= CUCM_NODES_MAX));
    for (size_t i = 0; rc == 0 && i < m.n; i++)
        must(m.rows[i].address[0] && m.rows[i].fqdn[0] && m.rows[i].host[0]);
}

static void values(const char *text, size_t len)
{
    struct err err = {0};
    unsigned phones = 0;
    bool on = false;

    told(cucm_mode_parse(text, len, &on, &err), &err);
    told(cucm_sso_parse(text, len, &on, &err), &err);
    told(cucm_phones_parse(text, len, &phones, &err), &err);
    must(phones < 1000000);
    vos_holds_serial(text, len, "4fa1001c2233");
}

static void request(const char *text, size_t len)
{
    struct err err = {0};
    struct str pem, again;

    str_init(&pem, 1 << 20);
    str_init(&again, 1 << 20);
    if (cucm_csr_answer(text, len, &pem, &err) < 0) {
        must(err.text[0]);
    } else {
        must(vos_pem(str_text(&pem), "CERTIFICATE REQUEST", &again) == 0);
        must(strcmp(str_text(&pem), str_text(&again)) == 0);
    }
    str_reset(&pem);
    cucm_rest_message(text, len, &pem);
    must(!strchr(str_text(&pem), '\x1b') && !strchr(str_text(&pem), '\n'));
    str_release(&pem);
    str_release(&again);
}

static void snapshot(const char *text, size_t len)
{
    struct cucm_snapshot s;
    struct err err = {0};
    int rc = cucm_snapshot_parse(text, len, "tomcat", &s, &err);

    told(rc, &err);
    must(s.n_trusts <= CUCM_TRUSTS_MAX);
    must(rc == 0 || (!s.certificate && !s.request && !s.n_trusts));
    cucm_snapshot_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const char *, size_t) = {
        replication, members, values, request, snapshot,
    };
    const char *text = (const char *)data;

    if (size > 0)
        readers[data[0] % 5](text + 1, size - 1);
    return 0;
}
