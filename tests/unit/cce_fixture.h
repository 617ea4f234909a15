/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/unit/cce_fixture.h - a plan of an AW and a Router: decided, signed, its
 * copies proven, nothing live yet; all of it read just now.
 */
#ifndef CERTFLEET_TESTS_CCE_FIXTURE_H
#define CERTFLEET_TESTS_CCE_FIXTURE_H

#include <stdio.h>

#include "core/base/clock.h"
#include "core/run/act.h"
#include "core/run/preflight.h"
#include "playbooks/cce/cce.h"
#include "playbooks/cce/commands.h"
#include "playbooks/registry.h"
#include "tests/unit/pki_make.h"

#define OLD_IIS "1111111111111111111111111111111111111111"
#define OLD_PORTICO "2222222222222222222222222222222222222222"
#define FOREIGN "3333333333333333333333333333333333333333"
#define APP "{4dc3e181-e14b-4a21-b022-59fc669b0914}"

static const char cce_ini[] =
    "[fleet]\nstate_dir = state\nuser = admin\nidentity = key\n"
    "[issuer ca]\nkind = internal\nca_cert = ca.crt\nca_key = ca.key\n"
    "[cluster lab]\nproduct = cce\nissuer = ca\n"
    "[node aw1]\ncluster = lab\naddress = 10.0.0.1\nroles = aw\n"
    "names = aw1.example.com aw.example.com 10.0.0.1\n"
    "keystore_password = env:PW\n"
    "[node router1]\ncluster = lab\naddress = 10.0.0.2\nroles = router\n"
    "names = router1.example.com\nkeystore_password = env:PW\n";

struct cce_bed {
    char folder[64], path[96], key[96];
    struct inventory *inventory;
    struct plan *plan;
    struct plan_cluster *pc;
    struct cce_facts *f; /* of aw1 */
    struct view view;
    struct made root, leaf;
    struct pki_cert_info root_info, leaf_info;
};

static inline void put(char sha256[PKI_SHA256_HEX], const char *text)
{
    snprintf(sha256, PKI_SHA256_HEX, "%s", text);
}

static inline void put_thumb(char thumb[PKI_SHA1_HEX], const char *text)
{
    snprintf(thumb, PKI_SHA1_HEX, "%s", text);
}

static inline void cce_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static inline struct plan *cce_plan_of(struct cce_bed *bed, const char *input,
                                       struct err *err)
{
    const char *const inputs[] = {input, NULL};
    const struct plan_request request = {
        .inventory = bed->inventory,
        .playbook = registry_playbook("cce/rotate"),
        .target = "lab",
        .clusters = bed->inventory->clusters,
        .n_clusters = 1,
        .inputs = input ? inputs : NULL,
        .tag = "3f9a",
    };

    return plan_new(&request, err);
}

static inline void cce_read_now(struct cce_bed *bed)
{
    for (size_t i = 0; i < 32; i++)
        bed->f->node.base.read_ms[i] = clock_mono_ms();
    for (int l = 0; l < CCE_LISTENERS; l++)
        bed->f->shown_ms[l] = clock_mono_ms();
}

/* As the installer leaves a server. */
static inline void cce_begins(struct cce_facts *f)
{
    static const char *const thumbs[] = {OLD_IIS, OLD_PORTICO};
    static const char *const shown[] = {"old-iis", "old-portico"};

    snprintf(f->home, sizeof(f->home), "C:\\Program Files (x86)\\OpenJDK");
    f->node.clock.known = f->valid = true;
    for (int l = 0; l < CCE_LISTENERS; l++) {
        f->bound[l].known = true;
        put_thumb(f->bound[l].thumb, thumbs[l]);
        snprintf(f->bound[l].app, sizeof(f->bound[l].app), "%s", APP);
        put_thumb(f->in_my[l], thumbs[l]);
        f->shown[l].kind = PKI_CERTIFICATE;
        f->shown[l].not_after = clock_wall_ms() / 1000 + 10LL * 86400;
        put_thumb(f->shown[l].sha1, thumbs[l]);
        put(f->shown[l].sha256, shown[l]);
    }
    for (int s = 0; s < CCE_SERVICES; s++)
        f->service[s] = WIN_RUNNING;
    for (int s = 0; s < CCE_STORES; s++)
        put(f->store_sha256[s], s ? "old-java" : "old-icm");
}

static inline struct set_file *cce_own(struct cce_bed *bed, const char *slot)
{
    struct set_file *file =
        (struct set_file *)(uintptr_t)set_slot(&bed->pc->nodes[0].own, slot);

    assert_non_null(file);
    return file;
}

static inline void cce_sign(struct cce_bed *bed)
{
    const struct recipe ca = CA_RECIPE("Example Root");
    const struct recipe server =
        SERVER_RECIPE("aw1.example.com", "DNS:aw1.example.com");

    bed->root = make_cert(&ca, NULL);
    bed->leaf = make_cert(&server, &bed->root);
    bed->root_info = info_of(bed->root.pem);
    bed->leaf_info = info_of(bed->leaf.pem);
    cce_own(bed, "crt")->content =
        secret_from(bed->leaf.pem, strlen(bed->leaf.pem));
    put(cce_own(bed, "crt")->cert_sha256, bed->leaf_info.sha256);
    cce_own(bed, "root")->content =
        secret_from(bed->root.pem, strlen(bed->root.pem));
    bed->pc->issued = bed->pc->loaded = true;
}

static inline void cce_stage(struct cce_bed *bed)
{
    for (int s = 0; s < CCE_STORES; s++) {
        struct cce_held *held = &bed->f->staged[s];

        put(bed->f->copy_sha256[s][CCE_OLD], s ? "old-java" : "old-icm");
        put(bed->f->copy_sha256[s][CCE_NEW], s ? "new-java" : "new-icm");
        held->sha256 = calloc(1, sizeof(*held->sha256));
        assert_non_null(held->sha256);
        put(held->sha256[0], bed->root_info.sha256);
        held->n = 1;
    }
    for (int l = 0; l < CCE_LISTENERS; l++)
        put_thumb(bed->f->in_my[l], bed->leaf_info.sha1);
    bed->f->trusted[0] = true;
}

static inline int cce_open(void **state)
{
    struct cce_bed *bed = calloc(1, sizeof(*bed));
    struct findings findings = {0};
    struct err err = {0};

    assert_non_null(bed);
    snprintf(bed->folder, sizeof(bed->folder), "/tmp/cf-cce-XXXXXX");
    assert_non_null(mkdtemp(bed->folder));
    snprintf(bed->path, sizeof(bed->path), "%s/fleet.ini", bed->folder);
    snprintf(bed->key, sizeof(bed->key), "%s/key", bed->folder);
    cce_write(bed->path, cce_ini);
    cce_write(bed->key, "no key\n");
    bed->inventory =
        inventory_read(&(struct inventory_options){.path = bed->path,
                                                   .products = registry_words(),
                                                   .checks = preflight_words()},
                       &err);
    assert_non_null(bed->inventory);
    assert_int_equal(bed->inventory->n_errors, 0);
    bed->plan = cce_plan_of(bed, NULL, &err);
    assert_non_null(bed->plan);
    bed->pc = &bed->plan->clusters[0];
    bed->f = (struct cce_facts *)bed->pc->nodes[0].facts;
    bed->view = (struct view){.plan = bed->pc};
    for (size_t i = 0; i < bed->pc->n_nodes; i++)
        cce_begins((struct cce_facts *)bed->pc->nodes[i].facts);
    assert_int_equal(cce_decide(bed->pc, &findings, &err), 0);
    for (size_t i = 0; i < findings.n; i++)
        assert_int_not_equal(findings.list[i].severity, SEVERITY_ERROR);
    findings_release(&findings);
    assert_int_equal(
        plan_name_set(bed->pc, 7, "3f9a", bed->inventory->state_dir, &err), 0);
    cce_sign(bed);
    cce_stage(bed);
    cce_read_now(bed);
    *state = bed;
    return 0;
}

static inline int cce_close(void **state)
{
    struct cce_bed *bed = *state;

    plan_free(bed->plan);
    inventory_free(bed->inventory);
    made_free(&bed->root);
    made_free(&bed->leaf);
    unlink(bed->path);
    unlink(bed->key);
    rmdir(bed->folder);
    free(bed);
    return 0;
}

#define CCE_TEST(f) cmocka_unit_test_setup_teardown(f, cce_open, cce_close)

#endif
