/* SPDX-License-Identifier: Apache-2.0
 *
 * core/fleet/inventory_priv.h - what the parts of the inventory share.
 *
 * The way of the data: bytes -> lines (inventory_lines.c) -> sections with
 * entries, each checked by its row in the table of keys (inventory_keys.c,
 * inventory_value.c) -> nodes, clusters, issuers with their values settled by
 * precedence (inventory_settle.c) -> what only shows in the whole
 * (inventory_check.c).  Faults are gathered all the way.
 */
#ifndef CERTFLEET_FLEET_INVENTORY_PRIV_H
#define CERTFLEET_FLEET_INVENTORY_PRIV_H

#include "core/fleet/inventory.h"
#include "core/fleet/names.h"

/* In the order of growing precedence. */
enum section_kind {
    SECTION_FLEET = 1,
    SECTION_ISSUER = 2,
    SECTION_CLUSTER = 4,
    SECTION_NODE = 8,
    SECTION_PREFLIGHT = 16, /* has no keys of the table: its own are checks */
};
struct section_word {
    const char *word; /* {NULL, 0} ends the table */
    unsigned kind;
};
extern const struct section_word section_words[];
const char *section_word(unsigned kind);

struct value {
    const char *text;
    const char *const *list; /* NULL-ended */
    unsigned number;
    const void *made; /* what else a type makes of it */
};

enum store {
    STORE_TEXT,
    STORE_NUMBER,
    STORE_FLAG,
    STORE_LIST
};

struct reading;
struct key_type;
/* 0, or -1 with what is wrong; the value's text is not for the error when the
 * type is `hidden`: people write passwords where references belong. */
typedef int parse_f(struct reading *rd, const struct key_type *type,
                    const char *text, struct value *value, struct err *err);
struct key_type {
    const char *look; /* "SECONDS"; for words the choice: "yes | no" */
    parse_f *parse;
    enum store store;
    unsigned min, max;        /* numbers */
    const char *const *words; /* NULL-ended; its place is its number */
    bool hidden;
};

/* One row of the table of keys.  `offset` is in the struct of the last of
 * `sections`; NO_OFFSET: settled by hand. */
struct key {
    const char *sections;
    const char *name;
    const struct key_type *type;
    const char *preset;    /* parsed like a value, or NULL */
    const char *otherwise; /* what holds then, in words, or NULL */
    const char *example;   /* for the sample; ";..." stands there disabled */
    const char *help;
    size_t offset;
    bool required;
    bool several; /* each line counts; else a second one is a fault */
};
enum {
    NO_OFFSET = -1,
    KEYS_MAX = 96
};
extern const struct key inventory_table[];
extern const size_t inventory_table_rows;
unsigned key_sections(const struct key *key); /* its section kinds */

struct entry {
    const struct key *key;
    struct value value;
    unsigned line;
    bool bad; /* a fault is told: no more about it */
    struct entry *next;
};

struct section {
    unsigned kind; /* 0: unknown, its keys are not looked at */
    const char *name;
    unsigned line;
    bool twice;          /* looked at for faults, makes nothing */
    bool seen[KEYS_MAX]; /* by row of the table */
    struct entry *entries;
    struct graded *graded; /* of [preflight] */
    void *made;            /* the struct node, cluster or issuer */
    struct section *next;
};

struct inventory_index { /* names to sections */
    struct names issuers, clusters, nodes;
    struct named_zone *zones; /* of windows */
};

struct numbered_fault {
    struct fault fault;
    size_t number;
};

struct reading {
    struct inventory *inv;
    const struct product_words *products;
    const struct check_word *checks;
    struct section *first, **tail, *now;
    struct section *fleet; /* never NULL; line 0: the file has none */
    struct names keys;     /* name to row of the table */
    struct names graded;   /* cluster, "" for all, to its [preflight] */
    unsigned kinds[KEYS_MAX], homes[KEYS_MAX]; /* of each row */
    struct value presets[KEYS_MAX];
    struct numbered_fault *faults;
    size_t n_faults, room_faults;
};

void reading_fault(struct reading *rd, enum fault_level level, unsigned line,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "[node core1]", in the arena. */
const char *section_title(struct reading *rd, const struct section *s);
/* What stands in this very section (of several lines the last), or NULL. */
struct entry *section_entry(const struct section *s, const char *key);
struct names *section_names(const struct reading *rd, unsigned kind);

void inventory_lines(struct reading *rd, const char *data, size_t len);
void inventory_presets(struct reading *rd);
void inventory_entry(struct reading *rd, const char *name, const char *text,
                     unsigned line, bool broken);
/* inventory_preflight.c */
void preflight_enter(struct reading *rd, struct section *s);
void preflight_entry(struct reading *rd, const char *name, const char *text,
                     unsigned line);
void preflight_settle(struct reading *rd);
/* inventory_windows.c */
void inventory_windows_settle(struct reading *rd);
void inventory_zones_release(struct inventory_index *index);
void inventory_settle(struct reading *rd, const char *state_dir);
void inventory_check(struct reading *rd);

parse_f parse_text, parse_number, parse_words, parse_path, parse_path_or_none,
    parse_identity, parse_ca_path, parse_secret, parse_address, parse_list,
    parse_command, parse_user, parse_host_key, parse_subject, parse_window,
    parse_no_window, parse_approvers, parse_store, parse_ca_config,
    parse_plain_word;

#endif
