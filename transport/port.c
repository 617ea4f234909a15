/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/port.c - what all links share, and the line of things to be told
 * from the top of the loop.  It must not know what links do.
 */
#include "transport/port.h"

#include <libssh/libssh.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "transport/https.h"
#include "transport/port_priv.h"

enum {
    SESSIONS_DEFAULT = 200,
    KEEPALIVE_DEFAULT_S = 15,
    PROXIES_AT_ONCE = 8,
    ASIDE_MOST = 1000, /* connections that hang, besides those with a slot */
    TURN_BUDGET_US = 6000, /* for sockets, and as much for what is told */
};

static uint64_t thread_cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t cpu_since_us(const struct port_stretch *s)
{
    return thread_cpu_us() - s->cpu_us;
}

/* The thread's clock is a system call, the wall's is none; and no stretch
 * takes more CPU than wall, but for what it took before the first question. */
static bool is_long(struct port_stretch *s)
{
    if (s->wall_ns == 0)
        s->wall_ns = uv_hrtime() - cpu_since_us(s) * 1000;
    return uv_hrtime() - s->wall_ns >= TURN_BUDGET_US * 1000ull &&
           cpu_since_us(s) >= TURN_BUDGET_US;
}

bool port_turn_is_long(struct link_port *p)
{
    return is_long(&p->turn);
}

/* The last that runs before the loop waits: a turn begins. */
static void on_pacer(uv_prepare_t *prepare)
{
    struct link_port *p = prepare->data;

    p->turn = (struct port_stretch){.cpu_us = thread_cpu_us()};
}

static void on_teller(uv_idle_t *idle);

/* The rest of a list, before what has come since. */
static void tell_next_turn(struct link_port *p, struct port_note *list)
{
    struct port_note **last = &list;

    while (*last != NULL)
        last = &(*last)->next;
    *last = p->notes;
    if (p->notes == NULL)
        p->last_note = last;
    p->notes = list;
    uv_idle_start(&p->teller, on_teller);
}

static void on_teller(uv_idle_t *idle)
{
    struct link_port *p = idle->data;
    struct port_note *list = p->notes;
    struct port_stretch stretch = {.cpu_us = thread_cpu_us(),
                                   .wall_ns = uv_hrtime()};

    p->notes = NULL;
    p->last_note = &p->notes;
    uv_idle_stop(idle);
    /* its own stretch, or sockets could starve it */
    while (list != NULL && !is_long(&stretch)) {
        struct port_note *note = list;

        list = note->next;
        note->next = NULL;
        note->tell(note);
    }
    if (list != NULL)
        tell_next_turn(p, list);
}

void port_tell(struct link_port *p, struct port_note *note)
{
    note->next = NULL;
    *p->last_note = note;
    p->last_note = &note->next;
    uv_idle_start(&p->teller, on_teller);
}

static void on_keepalive(uv_timer_t *timer)
{
    port_keepalive(timer->data);
}

/* A peer that hangs up must not end the program: libssh's own writes ask for
 * no signal, a proxy's pipe cannot. */
static void ignore_sigpipe(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
}

/* A session takes two descriptors, a proxy three more; those that stand aside
 * have what is left.  Returns how many may. */
static unsigned raise_file_limit(unsigned sessions)
{
    const rlim_t need = (rlim_t)sessions * 5 + 256;
    const rlim_t want = need + (rlim_t)ASIDE_MOST * 2;
    struct rlimit now;

    if (getrlimit(RLIMIT_NOFILE, &now) != 0)
        return 0;
    if (now.rlim_cur < want) {
        now.rlim_cur = now.rlim_max < want ? now.rlim_max : want;
        (void)setrlimit(RLIMIT_NOFILE, &now);
    }
    if (now.rlim_cur >= want)
        return ASIDE_MOST;
    return now.rlim_cur > need ? (unsigned)((now.rlim_cur - need) / 2) : 0;
}

struct link_port *port_new(uv_loop_t *loop, const struct port_options *options)
{
    const char *home = options->home ? options->home : getenv("HOME");
    unsigned keepalive_s = options->keepalive_s;
    struct link_port *p = calloc(1, sizeof(*p));

    if (p == NULL || (p->home = strdup(home ? home : "/")) == NULL)
        abort();
    ignore_sigpipe();
    ssh_init();
    p->loop = loop;
    p->keepalive_ms =
        (keepalive_s != 0 ? keepalive_s : KEEPALIVE_DEFAULT_S) * 1000;
    pool_init(&p->slots, options->max_sessions != 0 ? options->max_sessions
                                                    : SESSIONS_DEFAULT);
    p->aside_most = raise_file_limit(p->slots.max);
    ramp_init(&p->ramp, p->slots.max);
    pool_init(&p->opening, p->ramp.limit);
    pool_init(&p->proxies, PROXIES_AT_ONCE);
    p->slots.evict = port_evict;
    p->slots.user = p;
    p->logins = logins_new();
    p->api_logins = logins_new();
    p->keys = keyring_new(loop);
    p->last_note = &p->notes;
    uv_idle_init(loop, &p->teller);
    uv_timer_init(loop, &p->keepalive);
    uv_timer_init(loop, &p->evictor);
    uv_timer_init(loop, &p->looker);
    uv_prepare_init(loop, &p->pacer);
    p->teller.data = p;
    p->keepalive.data = p;
    p->evictor.data = p;
    p->looker.data = p;
    p->pacer.data = p;
    p->handles = 5;
    uv_prepare_start(&p->pacer, on_pacer);
    uv_unref((uv_handle_t *)&p->pacer);
    uv_timer_start(&p->keepalive, on_keepalive, p->keepalive_ms,
                   p->keepalive_ms);
    uv_unref((uv_handle_t *)&p->keepalive);
    return p;
}

static void free_shared(struct link_port *p)
{
    while (p->files != NULL) {
        struct port_file *f = p->files;

        p->files = f->next;
        hostkeys_free(f->hostkeys);
        sshconfig_free(f->config);
        free(f->path);
        free(f);
    }
    while (p->rules != NULL) {
        struct port_rules *r = p->rules;

        p->rules = r->next;
        dialog_rules_free(r->rules);
        free(r);
    }
    keyring_free(p->keys);
    logins_free(p->logins);
    logins_free(p->api_logins);
    free(p->home);
}

static void on_closed(uv_handle_t *handle)
{
    struct link_port *p = handle->data;

    if (--p->handles > 0)
        return;
    free_shared(p);
    free(p);
}

void port_free(struct link_port *p)
{
    if (p == NULL)
        return;
    https_free(p->https);
    uv_close((uv_handle_t *)&p->pacer, on_closed);
    uv_close((uv_handle_t *)&p->teller, on_closed);
    uv_close((uv_handle_t *)&p->keepalive, on_closed);
    uv_close((uv_handle_t *)&p->evictor, on_closed);
    uv_close((uv_handle_t *)&p->looker, on_closed);
}

unsigned port_sessions(const struct link_port *p)
{
    return p->slots.used;
}

static bool is_file(const struct port_file *f, const char *path)
{
    return path == NULL || f->path == NULL ? path == f->path
                                           : strcmp(path, f->path) == 0;
}

static struct port_file *file_add(struct link_port *p, const char *path)
{
    struct port_file *f = calloc(1, sizeof(*f));

    if (f == NULL)
        abort();
    f->path = path != NULL ? strdup(path) : NULL;
    f->next = p->files;
    p->files = f;
    return f;
}

struct hostkeys *port_hostkeys(struct link_port *p, const char *path,
                               struct err *err)
{
    struct hostkeys *h;

    for (struct port_file *f = p->files; f != NULL; f = f->next) {
        if (f->hostkeys != NULL && is_file(f, path))
            return f->hostkeys;
    }
    h = hostkeys_load(path, err);
    if (h != NULL)
        file_add(p, path)->hostkeys = h;
    return h;
}

struct sshconfig *port_config(struct link_port *p, const char *path,
                              struct err *err)
{
    struct sshconfig *c;

    for (struct port_file *f = p->files; f != NULL; f = f->next) {
        if (f->config != NULL && is_file(f, path))
            return f->config;
    }
    c = sshconfig_load(path, p->home, err);
    if (c != NULL)
        file_add(p, path)->config = c;
    return c;
}

struct dialog_rules *port_dialog_rules(struct link_port *p,
                                       const struct link_dialect *dialect,
                                       struct err *err)
{
    struct port_rules *r;
    struct dialog_rules *rules;

    for (r = p->rules; r != NULL; r = r->next) {
        if (r->dialect == dialect)
            return r->rules;
    }
    rules = dialog_rules_new(dialect, err);
    if (rules == NULL)
        return NULL;
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    r->dialect = dialect;
    r->rules = rules;
    r->next = p->rules;
    p->rules = r;
    return rules;
}
