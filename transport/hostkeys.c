/* SPDX-License-Identifier: Apache-2.0
 *
 * The answers: which keys a host has, and whether one of them was shown.
 * Reading lines is in hostkeys_parse.c, the disk in hostkeys_file.c.
 */
#include <ctype.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

#include "transport/hostkeys_priv.h"

uint32_t hostkeys_bucket(const char *name)
{
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619U;
    return (hash ^ hash >> 16) % BUCKETS;
}

char *hostkeys_name(const char *host, unsigned port)
{
    char *name = NULL;

    if (port == 0 || port == 22)
        name = strdup(host);
    else if (asprintf(&name, "[%s]:%u", host, port) < 0)
        name = NULL;
    if (!name)
        abort();
    for (char *p = name; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return name;
}

int hostkeys_hmac(struct hostkeys *h, const unsigned char salt[HASHED_BYTES],
                  const char *name, unsigned char digest[HASHED_BYTES])
{
    OSSL_PARAM sha1[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA1", 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac;
    size_t n;

    if (!h->hmac) { /* kept: fetching it costs more than using it */
        mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
        h->hmac = EVP_MAC_CTX_new(mac);
        EVP_MAC_free(mac);
        if (h->hmac && EVP_MAC_CTX_set_params(h->hmac, sha1) != 1) {
            EVP_MAC_CTX_free(h->hmac);
            h->hmac = NULL;
        }
    }
    if (!h->hmac || EVP_MAC_init(h->hmac, salt, HASHED_BYTES, NULL) != 1 ||
        EVP_MAC_update(h->hmac, (const unsigned char *)name, strlen(name)) !=
            1 ||
        EVP_MAC_final(h->hmac, digest, &n, HASHED_BYTES) != 1 ||
        n != HASHED_BYTES)
        return -1;
    return 0;
}

/* ---------------------------------------------------- the lines of a host */

/* One `*` and `?` pattern; both are in lower case.  Not fnmatch(): brackets
 * are letters here. */
static bool glob(const char *pattern, const char *end, const char *name)
{
    const char *star = NULL, *retry = NULL;

    while (*name) {
        if (pattern < end && *pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (pattern < end && (*pattern == '?' || *pattern == *name)) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

/* A `!` pattern that matches beats all others. */
static bool matches(const char *patterns, const char *name)
{
    const char *p = patterns, *end;
    bool positive = false, negated;

    for (;;) {
        end = strchrnul(p, ',');
        negated = *p == '!';
        if (glob(p + negated, end, name)) {
            if (negated)
                return false;
            positive = true;
        }
        if (!*end)
            return positive;
        p = end + 1;
    }
}

static bool is_hash_of(struct hostkeys *h, const struct line *line,
                       const char *name)
{
    unsigned char digest[HASHED_BYTES];

    return hostkeys_hmac(h, line->salt, name, digest) == 0 &&
           memcmp(digest, line->digest, HASHED_BYTES) == 0;
}

static void add_line(struct found *found, const struct line *line)
{
    if (found->n == found->room) {
        found->room = found->room ? found->room * 2 : 4;
        found->lines =
            reallocarray(found->lines, found->room, sizeof(*found->lines));
        if (!found->lines)
            abort();
    }
    found->lines[found->n++] = line;
}

/* Takes over `name`. */
static struct found *search(struct hostkeys *h, char *name)
{
    struct found *found = calloc(1, sizeof(*found));
    const struct line *line;
    const struct name *n;

    if (!found)
        abort();
    found->name = name;
    for (n = h->names[hostkeys_bucket(name)]; n; n = n->next)
        if (strcmp(n->text, name) == 0)
            add_line(found, n->line);
    for (line = h->patterns; line; line = line->next)
        if (matches(line->patterns, name))
            add_line(found, line);
    for (line = h->hashed; line; line = line->next)
        if (is_hash_of(h, line, name))
            add_line(found, line);
    return found;
}

static const struct found *find(struct hostkeys *h, const char *host,
                                unsigned port)
{
    char *name = hostkeys_name(host, port);
    struct found **bucket = &h->found[hostkeys_bucket(name)], *found;

    for (found = *bucket; found; found = found->next)
        if (strcmp(found->name, name) == 0) {
            free(name);
            return found;
        }
    found = search(h, name);
    found->next = *bucket;
    *bucket = found;
    return found;
}

void hostkeys_forget_found(struct hostkeys *h)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (h->found[i]) {
            struct found *found = h->found[i];
            h->found[i] = found->next;
            free(found->name);
            free(found->lines);
            free(found);
        }
}

/* --------------------------------------------------------------- answers */

static bool is_key(const struct line *line, const struct hostkeys_offer *o)
{
    return line->len == o->len && memcmp(line->blob, o->blob, o->len) == 0;
}

static bool has_key(const struct found *found, const struct hostkeys_offer *o,
                    bool revoked)
{
    for (size_t i = 0; i < found->n; i++)
        if (found->lines[i]->revoked == revoked && is_key(found->lines[i], o))
            return true;
    return false;
}

enum hostkeys_answer hostkeys_lookup(struct hostkeys *h,
                                     const struct hostkeys_offer *offer)
{
    const struct found *exact = find(h, offer->host, offer->port);
    const struct found *plain = find(h, offer->host, 22);
    enum hostkeys_answer answer = HOSTKEYS_UNKNOWN;
    struct str type;

    if (has_key(exact, offer, true) || has_key(plain, offer, true))
        return HOSTKEYS_REVOKED;
    if (has_key(exact, offer, false))
        return HOSTKEYS_KNOWN;
    str_init(&type, 256);
    hostkeys_type_of(offer->blob, offer->len, &type);
    for (size_t i = 0; i < exact->n; i++) {
        if (exact->lines[i]->revoked)
            continue;
        if (strcmp(exact->lines[i]->type, str_text(&type)) == 0)
            answer = HOSTKEYS_CHANGED;
        else if (answer == HOSTKEYS_UNKNOWN)
            answer = HOSTKEYS_OTHER;
    }
    str_release(&type);
    if (answer != HOSTKEYS_CHANGED && has_key(plain, offer, false))
        return HOSTKEYS_KNOWN;
    return answer;
}

static size_t add_types(const struct found *found, const char **types, size_t n,
                        size_t room)
{
    size_t have;

    for (size_t i = 0; i < found->n && n < room; i++) {
        if (found->lines[i]->revoked)
            continue;
        for (have = 0; have < n; have++)
            if (strcmp(types[have], found->lines[i]->type) == 0)
                break;
        if (have == n)
            types[n++] = found->lines[i]->type;
    }
    return n;
}

size_t hostkeys_types(struct hostkeys *h, const char *host, unsigned port,
                      const char **types, size_t room)
{
    size_t n = add_types(find(h, host, port), types, 0, room);

    /* the plain name helps only where the exact one says nothing */
    return n ? n : add_types(find(h, host, 22), types, 0, room);
}

/* Whether a key of `type` can sign as `algorithm`. */
static bool can_sign(const char *type, const char *algorithm, size_t len)
{
    static const char *const rsa[] = {"rsa-sha2-512", "rsa-sha2-256"};

    if (strlen(type) == len && memcmp(type, algorithm, len) == 0)
        return true;
    for (size_t i = 0; i < 2; i++)
        if (strcmp(type, "ssh-rsa") == 0 && strlen(rsa[i]) == len &&
            memcmp(rsa[i], algorithm, len) == 0)
            return true;
    return false;
}

int hostkeys_algorithms(struct hostkeys *h, const char *host, unsigned port,
                        const char *defaults, struct str *out)
{
    const char *types[16], *p, *end;
    size_t n = hostkeys_types(h, host, port, types, 16), i;
    int rc = 0;

    for (int known = 1; known >= 0; known--)
        for (p = defaults; *p; p = *end ? end + 1 : end) {
            end = strchrnul(p, ',');
            for (i = 0; i < n; i++)
                if (can_sign(types[i], p, (size_t)(end - p)))
                    break;
            if ((i < n) != known || end == p)
                continue;
            if (out->len)
                rc |= str_addc(out, ',');
            rc |= str_addn(out, p, (size_t)(end - p));
        }
    return rc;
}

/* ------------------------------------------------------------------ blobs */

int hostkeys_type_of(const void *blob, size_t len, struct str *out)
{
    const unsigned char *p = blob;
    size_t n;

    if (len < 4)
        return -1;
    n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (n == 0 || n > 64 || n + 4 >= len)
        return -1;
    for (size_t i = 4; i < 4 + n; i++)
        if (!isalnum(p[i]) && !memchr("@.-_", p[i], 4))
            return -1;
    return str_addn(out, p + 4, n);
}

void hostkeys_fingerprint(const void *blob, size_t len,
                          char text[HOSTKEYS_FINGERPRINT_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE], base64[48];
    unsigned n = 0;

    if (EVP_Digest(blob, len, digest, &n, EVP_sha256(), NULL) != 1 || n != 32)
        abort(); /* no SHA-256: nothing of this program could work */
    EVP_EncodeBlock(base64, digest, 32);
    memcpy(text, "SHA256:", 7);
    memcpy(text + 7, base64, 43); /* without its one `=` */
    text[50] = '\0';
}

bool hostkeys_pin_is_valid(const char *pin)
{
    size_t n;

    if (strncmp(pin, "SHA256:", 7) != 0)
        return false;
    pin += 7;
    n = strspn(pin, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                    "0123456789+/");
    return n == 43 && (pin[43] == '\0' || strcmp(pin + 43, "=") == 0);
}

bool hostkeys_pin_matches(const char *pin, const void *blob, size_t len)
{
    char text[HOSTKEYS_FINGERPRINT_BYTES];

    hostkeys_fingerprint(blob, len, text);
    return hostkeys_pin_is_valid(pin) && strncmp(pin, text, 50) == 0;
}
