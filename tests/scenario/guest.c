/* SPDX-License-Identifier: Apache-2.0
 *
 * Two inventories of labs put together.
 */
#include "tests/scenario/guest.h"

#include <string.h>

static const char *with(struct bed *bed, const char *text, const char *old,
                        const char *new)
{
    struct str out;
    const char *at, *copy;

    str_init(&out, 1 << 20);
    for (; (at = strstr(text, old)); text = at + strlen(old)) {
        str_addn(&out, text, (size_t)(at - text));
        str_add(&out, new);
    }
    str_add(&out, text);
    copy = arena_strdup(&bed->arena, str_text(&out));
    str_release(&out);
    return copy;
}

/* Its sections from the issuer on, with names and paths of its own. */
static const char *sections_of(struct bed *bed, const char *name,
                               struct bed *other)
{
    static const char *const pairs[][2] = {
        {"[issuer ", "[issuer %s-"},
        {"issuer = ", "issuer = %s-"},
        {"[cluster lab]\n", "[cluster %s]\nuser = admin\n"},
        {"cluster = lab\n", "cluster = %s\n"},
    };
    const char *const paths[] = {"file:password", "file:keystore.pass",
                                 "id_ed25519", "ucm-ca.crt"};
    const char *text = strstr(bed_read(other, "certfleet.ini"), "[issuer ");

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        text = with(bed, text, pairs[i][0], with(bed, pairs[i][1], "%s", name));
    text = with(bed, text, "user = admin\nproduct",
                "user = admin\nidentity = id_ed25519\n"
                "password = file:password\nproduct");
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        const char *file = paths[i] + (paths[i][4] == ':' ? 5 : 0);

        text =
            with(bed, text, paths[i],
                 arena_printf(&bed->arena, "%.*s%s/%s", (int)(file - paths[i]),
                              paths[i], other->dir, file));
    }
    return text;
}

void guest_join(struct bed *bed, const char *name, struct bed *other)
{
    bed_write(bed, "certfleet.ini",
              arena_printf(&bed->arena, "%s\n%s",
                           bed_read(bed, "certfleet.ini"),
                           sections_of(bed, name, other)));
    bed_write(bed, "known_hosts",
              arena_printf(&bed->arena, "%s%s", bed_read(bed, "known_hosts"),
                           bed_read(other, "known_hosts")));
}
