/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom a certificate is for: the subject's name and the subjectAltName, from
 * text.  Knows the syntax of host names; asks no resolver.
 */
#include <openssl/err.h>
#include <string.h>
#include <strings.h>

#include "core/pki/pki_priv.h"

enum {
    CN_CHARS = 64,
    HOST_BYTES = 253,
    LABEL_BYTES = 63,
    VALUE_BYTES = 256
};

static bool is_alnum(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9');
}

/* Letters, digits, inner hyphens; an underscore is no host's (facts E7). */
static bool is_label(const char *label, size_t len)
{
    if (len == 0 || len > LABEL_BYTES || label[0] == '-' ||
        label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(label[i]) && label[i] != '-')
            return false;
    return true;
}

bool pki_is_host(const char *text)
{
    const char *label = text;
    bool digits = false;

    if (pki_is_ip(text))
        return true;
    if (strlen(text) > HOST_BYTES)
        return false;
    if (strncmp(label, "*.", 2) == 0)
        label += 2;
    while (label) {
        const char *dot = strchr(label, '.');
        size_t len = dot ? (size_t)(dot - label) : strlen(label);
        if (!is_label(label, len))
            return false;
        digits = strspn(label, "0123456789") == len;
        label = dot ? dot + 1 : NULL;
    }
    /* 10.0.0.300 is a mistyped address, no name */
    return !digits;
}

/* -- the subject --------------------------------------------------------- */

static int attribute_nid(const char *text, size_t len)
{
    // clang-format off
    static const struct { const char *name; int nid; } attributes[] = {
        { "C",            NID_countryName            },
        { "ST",           NID_stateOrProvinceName    },
        { "L",            NID_localityName           },
        { "O",            NID_organizationName       },
        { "OU",           NID_organizationalUnitName },
        { "DC",           NID_domainComponent        },
        { "emailAddress", NID_pkcs9_emailAddress     },
    };
    // clang-format on

    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (strlen(attributes[i].name) == len &&
            strncasecmp(attributes[i].name, text, len) == 0)
            return attributes[i].nid;
    return NID_undef;
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Copies a value up to a comma that no backslash protects.  Returns what
 * follows; NULL when it is empty or too long. */
static const char *take_value(const char *p, char value[VALUE_BYTES])
{
    size_t n = 0, keep = 0;

    for (p = skip_blanks(p); *p && *p != ','; p++) {
        bool escaped = *p == '\\' && p[1];
        if (escaped)
            p++;
        if (n + 1 >= VALUE_BYTES)
            return NULL;
        value[n++] = *p;
        if (escaped || (*p != ' ' && *p != '\t'))
            keep = n; /* blanks at the end are not the value's */
    }
    value[keep] = '\0';
    return keep > 0 ? p : NULL;
}

static int add_attribute(X509_NAME *name, int nid, const char *value, int at,
                         struct err *err)
{
    if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                   (const unsigned char *)value, -1, at, 0))
        return 0;
    return pki_fail(err, CAUSE_INPUT, "subject: %s=%s", OBJ_nid2sn(nid), value);
}

/* `rest` has the order of RFC 2253, the most special first, which a
 * certificate holds the other way round: each goes in front. */
static int add_rest(X509_NAME *name, const char *rest, struct err *err)
{
    const char *p = skip_blanks(rest);
    char value[VALUE_BYTES];

    while (*p) {
        const char *equals = strchr(p, '=');
        size_t len = equals ? (size_t)(equals - p) : 0;
        int nid;
        while (len > 0 && p[len - 1] == ' ')
            len--;
        nid = equals ? attribute_nid(p, len) : NID_undef;
        if (nid == NID_undef)
            return err_set(err, CAUSE_INPUT,
                           "subject \"%s\": \"%.20s\" is not one of C=, ST=, "
                           "L=, O=, OU=, DC=, emailAddress=",
                           rest, p);
        p = take_value(equals + 1, value);
        if (!p)
            return err_set(err, CAUSE_INPUT,
                           "subject \"%s\": %s= is empty or too long", rest,
                           OBJ_nid2sn(nid));
        /* an e-mail address comes last, wherever openssl puts one */
        if (add_attribute(name, nid, value,
                          nid == NID_pkcs9_emailAddress ? -1 : 0, err) < 0)
            return -1;
        if (*p == ',')
            p = skip_blanks(p + 1);
    }
    return 0;
}

X509_NAME *pki_subject_name(const struct pki_subject *subject, struct err *err)
{
    X509_NAME *name = X509_NAME_new();
    const char *cn = subject->common_name;

    if (!name) {
        pki_fail(err, CAUSE_SYSTEM, "out of memory");
        return NULL;
    }
    if (!cn || !*cn)
        err_set(err, CAUSE_INPUT, "the subject has no common name");
    else if (strlen(cn) > CN_CHARS && pki_is_host(cn))
        err_set(err, CAUSE_INPUT,
                "common name %s: over %d characters; use a shorter name and "
                "put this one among the names",
                cn, CN_CHARS);
    else if (add_attribute(name, NID_commonName, cn, -1, err) == 0 &&
             add_rest(name, subject->rest ? subject->rest : "", err) == 0)
        return name;
    X509_NAME_free(name);
    return NULL;
}

/* -- the names ----------------------------------------------------------- */

/* "admin@example.com"; no more than what an MMP's user means by it. */
static bool is_mail(const char *text)
{
    const char *at = strchr(text, '@');

    if (!at || at == text || !pki_is_host(at + 1) || pki_is_ip(at + 1))
        return false;
    for (const char *p = text; p < at; p++)
        if (!is_alnum(*p) && !strchr(".-_+", *p))
            return false;
    return at[1] != '*';
}

static GENERAL_NAME *make_name(const char *host)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    int type = pki_is_ip(host) ? GEN_IPADD
               : is_mail(host) ? GEN_EMAIL
                               : GEN_DNS;
    ASN1_STRING *value;

    if (!name)
        return NULL;
    if (type == GEN_IPADD) {
        value = a2i_IPADDRESS(host);
    } else {
        value = ASN1_IA5STRING_new();
        if (value && !ASN1_STRING_set(value, host, -1)) {
            ASN1_IA5STRING_free(value);
            value = NULL;
        }
    }
    if (!value) {
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, type, value);
    return name;
}

static bool same_name(const GENERAL_NAME *a, const GENERAL_NAME *b)
{
    int type_a, type_b;
    const ASN1_STRING *va = GENERAL_NAME_get0_value(a, &type_a);
    const ASN1_STRING *vb = GENERAL_NAME_get0_value(b, &type_b);
    size_t len = (size_t)ASN1_STRING_length(va);
    const void *da = ASN1_STRING_get0_data(va);
    const void *db = ASN1_STRING_get0_data(vb);

    if (type_a != type_b || len != (size_t)ASN1_STRING_length(vb))
        return false;
    return type_a == GEN_DNS ? strncasecmp(da, db, len) == 0
                             : memcmp(da, db, len) == 0;
}

static int add_host(GENERAL_NAMES *san, const char *host, struct err *err)
{
    GENERAL_NAME *name;

    if (!pki_is_host(host) && !is_mail(host))
        return err_set(err, CAUSE_INPUT,
                       "name \"%s\": neither a DNS name nor an IP address nor "
                       "an e-mail address",
                       host);
    name = make_name(host);
    for (int i = 0; name && i < sk_GENERAL_NAME_num(san); i++)
        if (same_name(name, sk_GENERAL_NAME_value(san, i))) {
            GENERAL_NAME_free(name);
            return 0;
        }
    if (name && sk_GENERAL_NAME_push(san, name))
        return 0;
    GENERAL_NAME_free(name);
    return pki_fail(err, CAUSE_SYSTEM, "name %s", host);
}

/* The common name comes first when it is a host: who knows the SAN forgets the
 * CN (RFC 6125), and a device wants the CN in it (facts E1).  "postgres" is a
 * host by its syntax, so a client certificate gets DNS:postgres (F2). */
int pki_subject_san(const struct pki_subject *subject, GENERAL_NAMES **san,
                    struct err *err)
{
    const char *const *hosts = subject->hosts;
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    int rc = names ? 0 : pki_fail(err, CAUSE_SYSTEM, "out of memory");

    *san = NULL;
    if (rc == 0 && subject->common_name && pki_is_host(subject->common_name))
        rc = add_host(names, subject->common_name, err);
    for (; rc == 0 && hosts && *hosts; hosts++)
        rc = add_host(names, *hosts, err);
    if (rc == 0 && sk_GENERAL_NAME_num(names) > 0) {
        *san = names;
        return 0;
    }
    GENERAL_NAMES_free(names);
    return rc;
}
