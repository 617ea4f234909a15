/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard of cce/rotate (cce.h, X1 to X4): every act with its ground just
 * read and good, and with each part of the ground missing.
 */
#include "tests/unit/cce_fixture.h"

#define ICM_OLD "cce-icm-old-g7-3f9a.jks"
#define ICM_NEW "cce-icm-new-g7-3f9a.jks"
#define JAVA_OLD "cce-java-old-g7-3f9a.jks"
#define JAVA_NEW "cce-java-new-g7-3f9a.jks"
#define LATE_ICM "cce-icm-new-g6-3f9a.jks"

static int asked(struct cce_bed *bed, const char *text, bool *hold)
{
    const struct act act = {ACT_COMMAND, text};
    struct err err = {0};
    bool held = false;
    int rc = cce_guard(&bed->view, &act, text, &held, &err);

    assert_int_equal(rc < 0, err.text[0] != '\0');
    assert_true(!held || rc < 0);
    if (hold)
        *hold = held;
    return rc;
}

static void allowed(struct cce_bed *bed, const char *text)
{
    if (asked(bed, text, NULL) < 0)
        fail_msg("refused: %s", text);
}

/* hold: somebody else was at work, and nothing may be undone either. */
static void refused(struct cce_bed *bed, const char *text, bool hold)
{
    bool held;

    if (asked(bed, text, &held) == 0)
        fail_msg("allowed: %s", text);
    if (held != hold)
        fail_msg("%s: %s", held ? "held" : "not held", text);
}

/* It stands on just these reads. */
static void stands_on(struct cce_bed *bed, const char *text, uint32_t reads)
{
    allowed(bed, text);
    for (int bit = 0; bit < 32; bit++) {
        bed->f->node.base.read_ms[bit] = 0;
        if ((1U << bit) & reads)
            refused(bed, text, false);
        else
            allowed(bed, text);
        cce_read_now(bed);
    }
    if (reads) {
        bed->f->node.base.unreachable = true;
        refused(bed, text, false);
        bed->f->node.base.unreachable = false;
    }
}

static const char *bind_iis(const char *thumb)
{
    static char text[256];

    snprintf(text, sizeof(text), CCE_BIND_IIS("%s", APP), thumb);
    return text;
}

static const char *bind_portico(const char *thumb)
{
    static char text[256];

    snprintf(text, sizeof(text), CCE_BIND("C:", "%s"), thumb);
    return text;
}

/* -- bindings: X1, X2 ------------------------------------------------------ */

static void test_bind_needs_its_ground(void **state)
{
    struct cce_bed *bed = *state;
    const uint32_t reads = CCE_READ_BOUND | CCE_READ_MY;
    char new_thumb[PKI_SHA1_HEX];

    put_thumb(new_thumb, bed->leaf_info.sha1);
    stands_on(bed, bind_iis(new_thumb), reads);
    stands_on(bed, bind_portico(new_thumb), reads);
    stands_on(bed, CCE_UNBIND("C:"), reads);
    /* another than the wanted one */
    refused(bed, bind_iis(OLD_IIS), false);
    refused(bed, bind_iis(FOREIGN), false);
    refused(bed, bind_portico(FOREIGN), false);
}

static void test_bind_what_is_there(void **state)
{
    static const char *const others[] = {"", OLD_IIS, FOREIGN};
    struct cce_bed *bed = *state;
    char new_thumb[PKI_SHA1_HEX];

    put_thumb(new_thumb, bed->leaf_info.sha1);
    for (size_t i = 0; i < 3; i++) { /* X1 */
        for (int l = 0; l < CCE_LISTENERS; l++)
            put_thumb(bed->f->in_my[l], others[i]);
        refused(bed, bind_iis(new_thumb), false);
        refused(bed, bind_portico(new_thumb), false);
        refused(bed, CCE_UNBIND("C:"), false);
    }
    /* each listener by its own answer */
    put_thumb(bed->f->in_my[CCE_IIS_443], new_thumb);
    allowed(bed, bind_iis(new_thumb));
    refused(bed, bind_portico(new_thumb), false);
}

static void test_bind_over_somebody_else(void **state)
{
    struct cce_bed *bed = *state;
    struct cce_bound *b = bed->f->bound;
    char new_thumb[PKI_SHA1_HEX];

    put_thumb(new_thumb, bed->leaf_info.sha1);
    put_thumb(b[CCE_IIS_443].thumb, FOREIGN);
    put_thumb(b[CCE_PORTICO_7890].thumb, FOREIGN);
    refused(bed, bind_iis(new_thumb), true);
    refused(bed, bind_portico(new_thumb), true);
    refused(bed, CCE_UNBIND("C:"), true);
    /* the other listener's old one is not its own */
    put_thumb(b[CCE_IIS_443].thumb, OLD_PORTICO);
    refused(bed, bind_iis(new_thumb), true);
    /* nothing: a process died between UnbindCert and BindCertFromStore; of IIS
     * nothing of ours does that */
    b[CCE_IIS_443].thumb[0] = b[CCE_PORTICO_7890].thumb[0] = '\0';
    refused(bed, bind_iis(new_thumb), true);
    allowed(bed, bind_portico(new_thumb));
    /* an answer that was none */
    b[CCE_PORTICO_7890].known = false;
    refused(bed, bind_portico(new_thumb), false);
    /* bound by this run, in a process before */
    put_thumb(b[CCE_IIS_443].thumb, FOREIGN);
    plan_note_sent(bed->pc, 0, bind_iis(FOREIGN));
    allowed(bed, bind_iis(new_thumb));
}

static void test_bind_back(void **state)
{
    struct cce_bed *bed = *state;
    char new_thumb[PKI_SHA1_HEX];

    put_thumb(new_thumb, bed->leaf_info.sha1);
    bed->view.back = true;
    for (int l = 0; l < CCE_LISTENERS; l++)
        put_thumb(bed->f->bound[l].thumb, new_thumb);
    refused(bed, bind_iis(OLD_IIS), false); /* in_my says the new one */
    put_thumb(bed->f->in_my[CCE_IIS_443], OLD_IIS);
    put_thumb(bed->f->in_my[CCE_PORTICO_7890], OLD_PORTICO);
    allowed(bed, bind_iis(OLD_IIS));
    allowed(bed, bind_portico(OLD_PORTICO));
    allowed(bed, CCE_UNBIND("C:"));
    refused(bed, bind_iis(OLD_PORTICO), false);
    refused(bed, bind_iis(new_thumb), false);
}

/* -- trust stores: X2, X3 -------------------------------------------------- */

static void test_stores_need_their_ground(void **state)
{
    struct cce_bed *bed = *state;
    const uint32_t reads = CCE_READ_STORES | CCE_READ_COPIES | CCE_READ_STAGED;

    stands_on(bed, CCE_BRING_ICM("C:", ICM_NEW), reads);
    stands_on(bed, CCE_REPLACE_ICM("C:", ICM_NEW), reads);
    stands_on(bed, CCE_BRING_JAVA(JAVA_NEW), reads);
    stands_on(bed, CCE_REPLACE_JAVA(JAVA_NEW), reads);
    refused(bed, CCE_REPLACE_ICM("C:", LATE_ICM), false);
    refused(bed, CCE_REPLACE_ICM("C:", ICM_OLD), false);
    refused(bed, CCE_REPLACE_JAVA(JAVA_OLD), false);
}

static void test_stores_by_what_they_are(void **state)
{
    struct cce_bed *bed = *state;
    struct cce_facts *f = bed->f;

    put(f->store_sha256[CCE_STORE_ICM], "cc"); /* X2 */
    refused(bed, CCE_REPLACE_ICM("C:", ICM_NEW), true);
    allowed(bed, CCE_REPLACE_JAVA(JAVA_NEW));
    put(f->store_sha256[CCE_STORE_ICM], "");
    refused(bed, CCE_REPLACE_ICM("C:", ICM_NEW), true);
    put(f->store_sha256[CCE_STORE_ICM], "new-icm"); /* once more */
    allowed(bed, CCE_REPLACE_ICM("C:", ICM_NEW));
    put(f->copy_sha256[CCE_STORE_ICM][CCE_OLD], ""); /* X3: not kept */
    refused(bed, CCE_REPLACE_ICM("C:", ICM_NEW), false);
    put(f->copy_sha256[CCE_STORE_ICM][CCE_OLD], "cc");
    refused(bed, CCE_REPLACE_ICM("C:", ICM_NEW), false);
    put(f->copy_sha256[CCE_STORE_ICM][CCE_OLD], "old-icm");
    f->staged[CCE_STORE_ICM].n = 0; /* X3: it lacks the root */
    refused(bed, CCE_REPLACE_ICM("C:", ICM_NEW), false);
    f->staged[CCE_STORE_ICM].n = 1;
    put(f->staged[CCE_STORE_ICM].sha256[0], bed->leaf_info.sha256);
    refused(bed, CCE_BRING_ICM("C:", ICM_NEW), false);
    allowed(bed, CCE_REPLACE_JAVA(JAVA_NEW));
}

static void test_stores_back(void **state)
{
    struct cce_bed *bed = *state;

    bed->view.back = true;
    put(bed->f->store_sha256[CCE_STORE_ICM], "new-icm");
    stands_on(bed, CCE_REPLACE_ICM("C:", ICM_OLD),
              CCE_READ_STORES | CCE_READ_COPIES);
    refused(bed, CCE_REPLACE_ICM("C:", ICM_NEW), false);
    put(bed->f->store_sha256[CCE_STORE_ICM], "cc");
    refused(bed, CCE_REPLACE_ICM("C:", ICM_OLD), true);
    put(bed->f->store_sha256[CCE_STORE_ICM], "new-icm");
    put(bed->f->copy_sha256[CCE_STORE_ICM][CCE_OLD], "cc");
    refused(bed, CCE_REPLACE_ICM("C:", ICM_OLD), false);
}

static void test_aside(void **state)
{
    struct cce_bed *bed = *state;
    const uint32_t reads = CCE_READ_STORES | CCE_READ_COPIES;

    stands_on(bed, CCE_COPY(CCE_ICM_STORE("C:"), ICM_OLD), reads);
    stands_on(bed, CCE_COPY(CCE_JAVA_STORE, JAVA_NEW), reads);
    refused(bed, CCE_COPY(CCE_ICM_STORE("C:"), LATE_ICM), false);
    /* the store is the new one: the copy of the old one is not made again */
    put(bed->f->store_sha256[CCE_STORE_ICM], "new-icm");
    refused(bed, CCE_COPY(CCE_ICM_STORE("C:"), ICM_OLD), false);
    put(bed->f->store_sha256[CCE_STORE_ICM], "old-icm");
    bed->view.back = true;
    refused(bed, CCE_COPY(CCE_ICM_STORE("C:"), ICM_OLD), false);
}

/* -- before anything is live ----------------------------------------------- */

#define REQUEST CCE_REQUEST("cce-g7-3f9a.inf", "cce-g7-3f9a.csr")
#define ACCEPT CCE_ACCEPT("cce-g7-3f9a.crt")
#define TRUST CCE_TRUST("Root", "cce-root-g7-3f9a.crt")
#define IMPORT(store)                                                          \
    CCE_IMPORT("ca-0123456789abcdef", "cce-root-g7-3f9a.crt", store)

static void test_staging(void **state)
{
    static const char *const signed_first[] = {ACCEPT, TRUST, IMPORT(ICM_NEW),
                                               IMPORT(JAVA_NEW)};
    struct cce_bed *bed = *state;

    /* signed: whoever made the key anew would lose what was signed */
    refused(bed, REQUEST, false);
    for (size_t i = 0; i < 4; i++) {
        allowed(bed, signed_first[i]);
        bed->view.back = true;
        refused(bed, signed_first[i], false);
        bed->view.back = false;
        bed->pc->issued = false;
        refused(bed, signed_first[i], false);
        bed->pc->issued = true;
    }
    bed->pc->issued = false;
    allowed(bed, REQUEST);
    bed->pc->issued = true;
    refused(bed, IMPORT(ICM_OLD), false);
    refused(bed, IMPORT(LATE_ICM), false);
    refused(bed, IMPORT("C:\\icm\\ssl\\cacerts"), false);
}

static void test_files(void **state)
{
    static const char *const no[] = {
        "cce-g6-3f9a.crt", ICM_NEW,       ICM_OLD,           "autoexec.bat",
        "cce-g7.crt",      "cce-g7-3f9a", "cvp-g7-3f9a.crt", ""};
    struct cce_bed *bed = *state;
    const struct act put_it = {ACT_PUT, "crt"};
    const struct act away = {ACT_REMOVE, "cce-g7-3f9a.csr"};
    struct err err = {0};
    bool hold;

    assert_int_equal(
        cce_guard(&bed->view, &put_it, "cce-g7-3f9a.crt", &hold, &err), 0);
    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
        if (cce_guard(&bed->view, &put_it, no[i], &hold, &err) == 0)
            fail_msg("may be put: %s", no[i]);
    assert_int_equal(
        cce_guard(&bed->view, &away, "cce-g7-3f9a.csr", &hold, &err), -1);
}

/* -- services: X4 ---------------------------------------------------------- */

#define SERVICE_READS (CCE_READ_SERVICES | CCE_READ_BOUND | CCE_READ_STORES)

/* clang-format off */
static const char *const iis[] = { "net stop IISADMIN /y", "net start IISADMIN", "net start W3SVC", NULL };
static const char *const portico[] = { "net stop DiagFwSvc", "net start DiagFwSvc", NULL };
static const char *const tomcat[] = { "net stop Tomcat9", "net start Tomcat9", NULL };
/* clang-format on */

static void all(struct cce_bed *bed, const char *const *list, bool may)
{
    for (; *list; list++)
        if (may)
            stands_on(bed, *list, SERVICE_READS);
        else
            refused(bed, *list, false);
}

static void test_services(void **state)
{
    struct cce_bed *bed = *state;
    struct cce_facts *f = bed->f;

    all(bed, iis, false); /* before its change */
    all(bed, portico, false);
    all(bed, tomcat, false);
    put_thumb(f->bound[CCE_IIS_443].thumb, bed->leaf_info.sha1);
    all(bed, iis, true);
    all(bed, portico, false);
    put_thumb(f->bound[CCE_PORTICO_7890].thumb, bed->leaf_info.sha1);
    all(bed, portico, true);
    put(f->store_sha256[CCE_STORE_ICM], "new-icm");
    all(bed, tomcat, false); /* one of two */
    put(f->store_sha256[CCE_STORE_JAVA], "new-java");
    all(bed, tomcat, true);
    refused(bed, "net stop Spooler", false);
    refused(bed, "net stop Tomcat10", false);
    bed->view.back = true;
    all(bed, iis, false);
    all(bed, portico, false);
    all(bed, tomcat, false);
    put_thumb(f->bound[CCE_IIS_443].thumb, OLD_IIS);
    all(bed, iis, true);
}

static void test_nothing_else(void **state)
{
    static const char *const no[] = {"shutdown /r", "del x", "format c:",
                                     "netsh http delete sslcert " CCE_IIS,
                                     "certutil -delstore My " OLD_IIS};
    struct cce_bed *bed = *state;

    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
        refused(bed, no[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CCE_TEST(test_bind_needs_its_ground),
        CCE_TEST(test_bind_what_is_there),
        CCE_TEST(test_bind_over_somebody_else),
        CCE_TEST(test_bind_back),
        CCE_TEST(test_stores_need_their_ground),
        CCE_TEST(test_stores_by_what_they_are),
        CCE_TEST(test_stores_back),
        CCE_TEST(test_aside),
        CCE_TEST(test_staging),
        CCE_TEST(test_files),
        CCE_TEST(test_services),
        CCE_TEST(test_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
