/* SPDX-License-Identifier: Apache-2.0
 *
 * Where we and x509-limbo of 2023-12-02 part, and why.
 */
#include "tests/limbo/known.h"

#include <stddef.h>

#define RECIPE "a warning only: OpenSSL, and so the database, takes it"
#define PUBLIC "a rule for public CAs; OpenSSL, and so the database, takes it"
#define STAR "the database takes no wildcard: its documents ask for every node"

// clang-format off
const struct known known_strict[] = {
    { "pathlen::validation-ignores-pathlen-in-leaf", "D3",
      "its leaf is a CA that may only sign certificates: the path is right, "
      "and it can sign no handshake" },
    { "rfc5280::nc::permitted-dn-match", "F3",
      "its leaf carries no DNS name at all, and a peer that dials example.com "
      "must refuse it; limbo means the path alone" },
    { NULL, NULL, NULL },
};

const struct known known_database[] = {
    { "rfc5280::aki::leaf-missing-aki",                "B12", RECIPE },
    { "rfc5280::aki::intermediate-missing-aki",        "C5",  RECIPE },
    { "rfc5280::ski::root-missing-ski",                "C5",  RECIPE },
    { "rfc5280::ski::intermediate-missing-ski",        "C5",  RECIPE },
    { "rfc5280::root-missing-basic-constraints",       "C5",  RECIPE },
    { "rfc5280::root-non-critical-basic-constraints",  "C5",  RECIPE },
    { "webpki::v1-cert",                               "B8",  RECIPE },
    { "webpki::san::no-san",                           "B8",  RECIPE },
    { "rfc5280::san::noncritical-with-empty-subject",  "C5",
      "a warning only: who checks names reads them all the same" },
    { "rfc5280::nc::permitted-dns-match-noncritical",  "C7",
      "a warning only: OpenSSL applies the constraints all the same" },
    { "rfc5280::nc::permitted-dns-match-more",         "E1",
      "its common name is not in its SAN, which the device's documents ask "
      "for" },
    { "webpki::san::leftmost-wildcard-san",            "E6",  STAR },
    { "webpki::nc::intermediate-permitted-excluded-subtrees-both-null", "C7",
      "a warning only: it constrains nothing" },
    { "webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-"
      "sequences",                                     "C7",
      "a warning only: it constrains nothing" },
    { "rfc5280::serial::too-long",                     "B10",
      "a warning only: OpenSSL looks at no serial number" },
    { "rfc5280::serial::zero",                         "B10",
      "a warning only: OpenSSL looks at no serial number" },
    { "webpki::malformed-aia",                         "B11",
      "a warning only: nobody of a database asks there" },
    { "webpki::aki::root-with-aki-missing-keyidentifier", NULL, PUBLIC },
    { "webpki::eku::ee-anyeku",                        NULL,  PUBLIC },
    { "webpki::eku::ee-critical-eku",                  NULL,  PUBLIC },
    { "webpki::eku::ee-without-eku",                   "D2",  PUBLIC },
    { "webpki::eku::root-has-eku",                     NULL,  PUBLIC },
    { "online::bing.com",                              "E6",  STAR },
    { "online::s3.amazonaws.com",                      "E6",  STAR },
    { "online::docs.python.org",                       "E6",  STAR },
    { "online::amazon.com",                            "E6",  STAR },
    { "online::facebook.com",                          "E6",  STAR },
    { "online::google.com",                            "E6",  STAR },
    { "online::cloudflare.com",                        "E6",  STAR },
    { "online::stackoverflow.com",                     "E6",  STAR },
    { NULL, NULL, NULL },
};
// clang-format on
