/* SPDX-License-Identifier: Apache-2.0
 *
 * transport/compat.c - sessions made and dropped in one place, for libssh
 * 0.10 to 0.12.  It must not know nodes, logins or the loop.
 */
#include "transport/compat.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/server.h> /* ssh_send_keepalive, for clients too */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if LIBSSH_VERSION_INT < SSH_VERSION_INT(0, 10, 0)
#error "libssh 0.10 or later is needed"
#endif

/* Order by the client's cost (facts/transport.md 2.8): dh-group18 would stop
 * the loop for 167 ms, and the hybrids that 0.12 prefers for 100 ms. */
#define KEX_STRONG                                                             \
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"       \
    "ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group14-sha256,"     \
    "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512"
#define KEYS_STRONG                                                            \
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"                     \
    "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"
#define CIPHERS_STRONG                                                         \
    "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,"                    \
    "aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"
#define MACS_STRONG                                                            \
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"             \
    "hmac-sha2-256,hmac-sha2-512"
#define SK_KEYS "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com"

const struct compat_lists *compat_lists(bool weak)
{
    static const struct compat_lists strong_lists = {
        .kex = KEX_STRONG,
        .hostkeys = KEYS_STRONG,
        .ciphers = CIPHERS_STRONG,
        .macs = MACS_STRONG,
        .pubkeys = KEYS_STRONG "," SK_KEYS,
    };
    static const struct compat_lists weak_lists = {
        .kex = KEX_STRONG ",diffie-hellman-group14-sha1",
        .hostkeys = KEYS_STRONG ",ssh-rsa",
        .ciphers = CIPHERS_STRONG,
        .macs = MACS_STRONG ",hmac-sha1",
        .pubkeys = KEYS_STRONG "," SK_KEYS ",ssh-rsa",
    };

    return weak ? &weak_lists : &strong_lists;
}

static int set_one(ssh_session s, enum ssh_options_e option, const void *value,
                   const char *what, struct err *err)
{
    if (ssh_options_set(s, option, value) == 0)
        return 0;
    return err_set(err, CAUSE_INPUT, "%s cannot be used: %s", what,
                   ssh_get_error(s));
}

static int set_lists(ssh_session s, const struct compat_lists *l,
                     struct err *err)
{
    const struct {
        enum ssh_options_e option;
        const char *value;
        const char *what;
    } rows[] = {
        {SSH_OPTIONS_KEY_EXCHANGE, l->kex, "the list of key exchanges"},
        {SSH_OPTIONS_HOSTKEYS, l->hostkeys, "the list of host key types"},
        {SSH_OPTIONS_CIPHERS_C_S, l->ciphers, "the list of ciphers"},
        {SSH_OPTIONS_CIPHERS_S_C, l->ciphers, "the list of ciphers"},
        {SSH_OPTIONS_HMAC_C_S, l->macs, "the list of MACs"},
        {SSH_OPTIONS_HMAC_S_C, l->macs, "the list of MACs"},
        {SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, l->pubkeys,
         "the list of login key types"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (set_one(s, rows[i].option, rows[i].value, rows[i].what, err) != 0)
            return -1;
    }
    return 0;
}

/* The host is told a constant: libssh would check its syntax (which refuses
 * an underscore) and use it for nothing else, as known_hosts and names are
 * ours. */
static int set_basics(ssh_session s, const char *user, struct err *err)
{
    const int no = 0;

    if (set_one(s, SSH_OPTIONS_PROCESS_CONFIG, &no, "no configuration", err) ||
        set_one(s, SSH_OPTIONS_SSH_DIR, "/nonexistent", "no folder", err) ||
        set_one(s, SSH_OPTIONS_KNOWNHOSTS, "/dev/null", "no hosts", err) ||
        set_one(s, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null", "no hosts",
                err) ||
        set_one(s, SSH_OPTIONS_HOST, "node", "the host", err) ||
        set_one(s, SSH_OPTIONS_USER, user, "the user", err))
        return -1;
    return 0;
}

int compat_session_take(ssh_session s, int fd, struct err *err)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0)
        return err_errno(err, CAUSE_SYSTEM, "no descriptor for a session");
    if (set_one(s, SSH_OPTIONS_FD, &copy, "the socket", err) != 0) {
        close(copy);
        return -1;
    }
    return 0;
}

ssh_session compat_session_new(const struct compat_session *want,
                               struct err *err)
{
    ssh_session s = ssh_new();

    if (s == NULL) {
        err_set(err, CAUSE_SYSTEM, "libssh gives no session");
        return NULL;
    }
    ssh_set_blocking(s, 0);
    if (set_basics(s, want->user, err) != 0 ||
        set_lists(s, &want->lists, err) != 0) {
        ssh_free(s);
        return NULL;
    }
    return s;
}

void compat_unblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0 && !(flags & O_NONBLOCK))
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Whether `fd` is still the file that `was` describes.  A number may have
 * been given to another thread's file since. */
static bool is_same_file(int fd, const struct stat *was)
{
    struct stat now;

    return fstat(fd, &now) == 0 && now.st_dev == was->st_dev &&
           now.st_ino == was->st_ino;
}

void compat_session_drop(ssh_session session, ssh_event event)
{
    struct stat was;
    int fd;

    if (session == NULL)
        return;
    if (event != NULL) {
        ssh_event_remove_session(event, session);
        ssh_event_free(event);
    }
    fd = ssh_get_fd(session);
    if (fd >= 0 && fstat(fd, &was) != 0)
        fd = -1;
    /* without this the goodbye stays in a buffer */
    ssh_set_fd_towrite(session);
    ssh_disconnect(session);
    ssh_free(session);
    if (fd >= 0 && is_same_file(fd, &was))
        close(fd);
}

bool compat_is_alive(ssh_session session)
{
    /* a packet that libssh rejects (also one that was garbled) leaves it
     * connected and its socket open, but deaf: only the status tells */
    return ssh_is_connected(session) && ssh_get_fd(session) >= 0 &&
           !(ssh_get_status(session) & SSH_CLOSED_ERROR);
}

void compat_probe(ssh_session session)
{
    (void)ssh_send_keepalive(session); /* says OK whatever happened */
}

int compat_server_key(ssh_session session, unsigned char **blob, size_t *len)
{
    char *text = NULL;
    ssh_key key = NULL;
    size_t n;
    int got = -1;

    if (ssh_get_server_publickey(session, &key) != SSH_OK)
        return -1;
    if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
        goto out;
    n = strlen(text);
    *blob = malloc(n + 1);
    if (*blob == NULL)
        goto out;
    got = EVP_DecodeBlock(*blob, (const unsigned char *)text, (int)n);
    /* EVP_DecodeBlock counts the padding as bytes */
    for (size_t i = n; got > 0 && i > 0 && text[i - 1] == '='; i--)
        got--;
    if (got <= 0)
        free(*blob);
    else
        *len = (size_t)got;
out:
    ssh_string_free_char(text);
    ssh_key_free(key);
    return got > 0 ? 0 : -1;
}

bool compat_is_password_change(ssh_session session)
{
    return strstr(ssh_get_error(session), "(type 60)") != NULL;
}

bool compat_is_disconnected_by_peer(ssh_session session)
{
    return strstr(ssh_get_error(session), "SSH_MSG_DISCONNECT") != NULL;
}
