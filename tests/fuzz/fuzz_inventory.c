/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever stands in an inventory: every fault is told in lines that can be
 * shown; one without faults can be asked about.  The file, then words of a
 * target.  A first line that begins with `ref ` is a secret's reference.
 */
#include <stdlib.h>
#include <string.h>

#include "core/fleet/inventory.h"
#include "core/fleet/secret_ref.h"
#include "core/fleet/target.h"
#include "core/fleet/window.h"
#include "core/run/preflight.h"
#include "playbooks/registry.h"
#include "tests/fuzz/fuzz.h"

/* Only `env:` is read: the others would read any file and run any command. */
static void check_reference(const char *ref)
{
    struct err err = {0};
    int rc = secret_ref_check(ref, &err);
    struct secret_cache *cache;
    struct secret *secret;

    must((rc < 0) == (err.text[0] != '\0'));
    if (strncmp(ref, "env:", 4) != 0)
        return;
    cache = secret_cache_new();
    secret = secret_ref_read(cache, ref, "/", "a password", &err);
    must(secret ? rc == 0 : err.text[0] != '\0');
    secret_free(secret);
    secret_cache_free(cache);
}

static void ask(const struct inventory *inv, char *words)
{
    const char *list[16];
    struct target target = {0};
    struct err err = {0};
    struct arena arena;
    size_t n = 0;

    for (char *save = NULL, *w = strtok_r(words, " \n", &save); w && n < 16;
         w = strtok_r(NULL, " \n", &save))
        list[n++] = w;
    arena_init(&arena);
    if (target_nodes(inv, &arena, list, n, &target, &err) < 0)
        must(err.cause == CAUSE_INPUT && err.text[0]);
    must(target.n_nodes <= inv->n_nodes);
    if (target_clusters(inv, &arena, list, n, &target, &err) < 0)
        must(err.cause == CAUSE_INPUT && err.text[0]);
    must(target.n_clusters <= inv->n_clusters);
    arena_release(&arena);
}

/* Spans are whole, and the one after a span is behind it. */
static void check_windows(const struct windows *windows)
{
    struct window_span span;
    struct window_clock clock;
    int64_t at = 1792800000; /* 2026-10-24: a change of clocks is near */

    for (int i = 0; windows && i < 4; i++) {
        if (!windows_next(windows, at, &span))
            return;
        must(span.begin < span.end && span.end > at);
        must(i == 0 || span.begin > at);
        must(span.end <= at + WINDOW_AHEAD);
        windows_clock(windows, span.begin, &clock);
        must(clock.zone && clock.weekday >= 0 && clock.weekday < 7);
        if (span.end == at + WINDOW_AHEAD)
            return; /* it may go on */
        at = span.end;
    }
}

static void check_sound(const struct inventory *inv)
{
    for (size_t i = 0; i < inv->n_nodes; i++) {
        const struct node *node = inv->nodes[i];

        must(node->cluster && node->address && node->index == i);
        must(inventory_node(inv, node->name) == node);
        must(node->port <= 65535 && node->db_port <= 65535);
        if (node->password)
            must(secret_ref_check(node->password, NULL) == 0);
    }
    for (size_t i = 0; i < inv->n_clusters; i++) {
        must(inventory_cluster(inv, inv->clusters[i]->name) ==
             inv->clusters[i]);
        check_windows(inv->clusters[i]->windows);
    }
}

static void check_inventory(struct input in)
{
    struct input file = input_part(&in);
    const struct inventory_options options = {.path = fuzz_file(file),
                                              .products = registry_words(),
                                              .checks = preflight_words()};
    struct err err = {0};
    struct inventory *inv = inventory_read(&options, &err);
    char *words = input_text(in);
    struct str faults;

    must(inv || err.text[0]);
    str_init(&faults, 1 << 20);
    if (inv) {
        inventory_faults(inv, &faults);
        must((faults.len > 0) == (inv->n_faults > 0));
        must_be_visible(str_text(&faults), faults.len, true);
    }
    if (inv && inv->n_errors == 0) {
        check_sound(inv);
        ask(inv, words);
    }
    inventory_free(inv);
    str_release(&faults);
    free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    char *ref;

    if (size >= 4 && memcmp(data, "ref ", 4) == 0) {
        input_take(&in, 4);
        ref = input_text(input_line(&in));
        check_reference(ref);
        free(ref);
    }
    check_inventory(in);
    return 0;
}
