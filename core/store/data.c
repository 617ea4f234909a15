/* SPDX-License-Identifier: Apache-2.0
 *
 * What the journal's "run" records say: the runs table could be made anew from
 * them.  Knows nothing of the database.
 */
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/store/store_priv.h"

enum {
    FROM_BYTES = 64 /* an IPv6 address with its zone */
};

static char *dump(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    if (!text)
        abort(); /* out of memory */
    json_decref(json);
    return text;
}

/* A text from a user may be no UTF-8, which JSON cannot hold. */
static json_t *text_or_null(const char *text)
{
    json_t *json = text ? json_string(text) : NULL;

    return json ? json : json_null();
}

static json_t *names_array(const char *const *names, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, text_or_null(names[i]));
    return array;
}

/* Who logged in, however often he has become somebody else since (sudo, su):
 * the kernel keeps it where the system sets it.  NULL: it does not, or it is
 * `user` himself. */
static json_t *login_of(const char *user)
{
    struct passwd entry, *found = NULL;
    char room[4096], text[32] = "";
    FILE *f = fopen("/proc/self/loginuid", "re");
    char *end;
    unsigned long uid;

    if (f && !fgets(text, sizeof(text), f))
        text[0] = '\0';
    if (f)
        fclose(f);
    uid = strtoul(text, &end, 10);
    if (end == text || uid >= UINT32_MAX ||
        getpwuid_r((uid_t)uid, &entry, room, sizeof(room), &found) != 0 ||
        !found || (user && strcmp(found->pw_name, user) == 0))
        return json_null();
    return text_or_null(found->pw_name);
}

/* The address that the person's SSH session came from: the first word of
 * "client port server port". */
static json_t *from_where(void)
{
    const char *text = getenv("SSH_CONNECTION");
    size_t len = text ? strcspn(text, " ") : 0;

    json_t *json =
        len > 0 && len <= FROM_BYTES ? json_stringn(text, len) : NULL;

    return json ? json : json_null();
}

static json_t *event(const char *name, const char *user, const char *host)
{
    json_t *json = json_object();

    json_object_set_new(json, "event", json_string(name));
    json_object_set_new(json, "user", text_or_null(user));
    json_object_set_new(json, "host", text_or_null(host));
    json_object_set_new(json, "login", login_of(user));
    json_object_set_new(json, "from", from_where());
    json_object_set_new(json, "pid", json_integer(getpid()));
    json_object_set_new(json, "version", json_string(CERTFLEET_VERSION));
    return json;
}

char *data_names(const char *const *names, size_t n)
{
    return dump(names_array(names, n));
}

char *data_begin(const struct store *store, const struct op *op)
{
    const struct store_run *run = &op->run;
    json_t *json = event("begin", run->user ? run->user : store->user,
                         run->host ? run->host : store->host);
    json_t *inputs = run->inputs ? json_loads(run->inputs, 0, NULL) : NULL;

    json_object_set_new(json, "playbook", text_or_null(run->playbook));
    json_object_set_new(json, "target", text_or_null(run->target));
    json_object_set_new(json, "inputs",
                        inputs ? inputs : text_or_null(run->inputs));
    json_object_set_new(json, "clusters",
                        names_array(op->clusters, op->n_clusters));
    return dump(json);
}

char *data_takeover(const struct store *store)
{
    return dump(event("takeover", store->user, store->host));
}

char *data_end(const struct op *op, bool released)
{
    json_t *json = json_object();

    json_object_set_new(json, "event", json_string("end"));
    json_object_set_new(json, "outcome", text_or_null(op->outcome));
    json_object_set_new(json, "exit", json_integer(op->exit_code));
    json_object_set_new(json, "released", json_boolean(released));
    return dump(json);
}

char *data_unlock(const struct store *store, const char *cluster)
{
    json_t *json = event("unlock", store->user, store->host);

    json_object_set_new(json, "cluster", text_or_null(cluster));
    return dump(json);
}

char *data_moved(const struct store *store, const char *name, const char *other)
{
    json_t *json = event(name, store->user, store->host);

    json_object_set_new(json, "other", text_or_null(other));
    return dump(json);
}
