/* SPDX-License-Identifier: Apache-2.0
 *
 * I8 without a packet: what the guard lets through to trust stores, and what
 * has to be trusted before it is shown.
 */
#include "tests/unit/cms_trust_fixture.h"

/* -- the guard ------------------------------------------------------------- */

static struct err said;

static int ask(struct bench *b, size_t node, const char *text)
{
    const struct act act = {ACT_COMMAND, text};
    const struct view view = {.plan = b->pc, .node = node, .walk_ms = 1};
    bool hold = false;

    err_reset(&said);
    return cms_guard(&view, &act, text, &hold, &said);
}

static void refuses(struct bench *b, size_t node, const char *text,
                    const char *why)
{
    assert_int_equal(ask(b, node, text), -1);
    if (!strstr(said.text, why))
        fail_msg("%s: %s", text, said.text);
}

static void reads(struct bench *b, size_t node, enum cms_service service,
                  const char *printout)
{
    struct cms_facts *f = (struct cms_facts *)b->pc->nodes[node].facts;

    cms_service_parse(&f->services, service, printout, strlen(printout));
    for (unsigned bit = 0; bit < 32; bit++)
        f->base.read_ms[bit] = clock_mono_ms();
}

/* All files are everywhere as they were made. */
static void all_is_there(struct bench *b)
{
    for (size_t node = 0; node < b->pc->n_nodes; node++) {
        struct cms_facts *f = (struct cms_facts *)b->pc->nodes[node].facts;
        struct file_set *own = &b->pc->nodes[node].own;

        for (size_t i = 0; i < own->n; i++) {
            snprintf(own->files[i].sha256, PKI_SHA256_HEX, "%064zu", i);
            memcpy(f->target_sha256[i], own->files[i].sha256, PKI_SHA256_HEX);
        }
        for (unsigned part = 0; part < CMS_TRUST_PARTS; part++) {
            const struct set_file *file =
                cms_trust_file(b->pc, node, STORE, part);
            if (file)
                memcpy(f->services.store[STORE].held[part], file->sha256,
                       PKI_SHA256_HEX);
        }
    }
}

static const char webadmin_old[] =
    "Key file : w.key\nCertificate file : w.crt\n";
static const char webadmin_new[] = "Key file : webadmin-g7-3f9a.key\n"
                                   "Certificate file : webadmin-g7-3f9a.crt\n"
                                   "CA Bundle file : webadminca-g7-3f9a.crt\n";
#define NAMES(file) "Callbridge cluster trusted certs : " file "\n"
#define BOTH "clustertrustboth-g7-3f9a.crt"
#define NEW "clustertrust-g7-3f9a.crt"
#define TRUST "callbridge trust cluster "
#define CERTS                                                                  \
    "webadmin certs webadmin-g7-3f9a.key webadmin-g7-3f9a.crt "                \
    "webadminca-g7-3f9a.crt"

static void add_old(struct bench *b, size_t node, const char *slot,
                    const char *name)
{
    struct file_set *old = &b->pc->nodes[node].old;

    old->files[old->n++] = (struct set_file){.slot = slot, .name = name};
}

static void open_guarded(struct bench *b)
{
    open_bench(b, "service=webadmin");
    holds(b, 0, STORE, b->root.pem);
    holds(b, 1, STORE, b->root.pem);
    weigh(b);
    add_old(b, 0, "webadmin_key", "w.key");
    add_old(b, 0, "webadmin_crt", "w.crt");
    all_is_there(b);
    reads(b, 0, SVC_WEBADMIN, webadmin_old);
    reads(b, 0, SVC_CALLBRIDGE, NAMES("old.cer"));
    reads(b, 1, SVC_CALLBRIDGE, NAMES("old.cer"));
}

static void only_files_of_this_run_or_the_old(void **state)
{
    struct bench b;

    (void)state;
    open_guarded(&b);
    assert_int_equal(ask(&b, 0, TRUST BOTH), 0);
    assert_int_equal(ask(&b, 0, TRUST "old.cer"), 0);
    refuses(&b, 0, TRUST "other.cer", "I8: other.cer is neither");
    refuses(&b, 0, TRUST "none", "no run has a use for it");
    refuses(&b, 0, "callbridge trust edge " BOTH, "no run has a use for it");
    refuses(&b, 0, "callbridge trust c2w " BOTH, "does not change what");
    refuses(&b, 1, "uploader rev trust " BOTH, "no run has a use for it");
    assert_int_equal(ask(&b, 1, "callbridge restart"), 0);
    refuses(&b, 1, "callbridge certs none", "no run has a use for it");
    refuses(&b, 1, "callbridge certs a b", "does not switch callbridge");
    at(&b, 0)->store[STORE].held[TRUST_BOTH][0] = 'f';
    refuses(&b, 0, TRUST BOTH, "is not proven on it");
    close_bench(&b);
}

static void nothing_is_dropped_that_is_shown(void **state)
{
    struct bench b;

    (void)state;
    open_guarded(&b);
    refuses(&b, 1, TRUST NEW, "I8: webadmin of node core1 names");
    reads(&b, 0, SVC_WEBADMIN, webadmin_new);
    assert_int_equal(ask(&b, 1, TRUST NEW), 0);
    refuses(&b, 1, TRUST "old.cer", "I8: webadmin of node core1 names");
    b.pc->nodes[0].facts->read_ms[9] = 0; /* CMS_READ_SERVICES: not since */
    refuses(&b, 1, TRUST NEW, "I8: node core1 was not read");
    close_bench(&b);
}

static void nothing_is_shown_that_is_not_trusted(void **state)
{
    struct bench b;

    (void)state;
    open_guarded(&b);
    refuses(&b, 0, CERTS, "I8: `callbridge trust cluster' of node core1");
    reads(&b, 0, SVC_CALLBRIDGE, NAMES(BOTH));
    refuses(&b, 0, CERTS, "I8: `callbridge trust cluster' of node core2");
    reads(&b, 1, SVC_CALLBRIDGE, NAMES(BOTH));
    assert_int_equal(ask(&b, 0, CERTS), 0);
    at(&b, 1)->store[STORE].held[TRUST_BOTH][0] = 'f';
    refuses(&b, 0, CERTS, "of node core2");
    reads(&b, 1, SVC_CALLBRIDGE, NAMES("strange.cer"));
    refuses(&b, 1, "callbridge restart", "strange.cer, a file of neither");
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_files_of_this_run_or_the_old),
        cmocka_unit_test(nothing_is_dropped_that_is_shown),
        cmocka_unit_test(nothing_is_shown_that_is_not_trusted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
