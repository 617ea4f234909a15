#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that are missing, and nothing when none is.
#
#   scripts/deps.sh [build|test|demo|dev]...      (default: build)
#
# build  what the program is built from    test  what scripts/check.sh runs
# demo   PostgreSQL, for the lab           dev   all of it, debuggers, ACME
#
# Needs root or sudo only when something is missing.  The packages of OpenSSH's
# server and of PostgreSQL want to run a service of their own: where they were
# not installed before, none is started, now or at the next boot.
set -euo pipefail

BUILD='build-essential cmake ninja-build pkg-config libssh-dev libssl-dev
    libuv1-dev libinih-dev libsqlite3-dev libpq-dev libjansson-dev
    libcurl4-openssl-dev libical-dev libmicrohttpd-dev tzdata'
# a|b: the first that this release has.  The pinned 14 is Debian 12's.
TEST='libcmocka-dev openssh-client openssh-server openssl git procps
    default-jre-headless
    clang-14|clang clang-format-14|clang-format clang-tidy-14|clang-tidy
    libclang-rt-14-dev|libclang-rt-dev cppcheck valgrind'
DEMO='postgresql-15|postgresql openssl procps util-linux libcmocka-dev'
DEV='gdb strace shellcheck uacme pebble certbot'

CLUSTER_CONF=/etc/postgresql-common/createcluster.conf
POLICY=/usr/sbin/policy-rc.d
log=
policy_is_ours=
sshd_is_new=

say() {
    printf 'deps: %s\n' "$*" >&2
}

die() {
    say "$@"
    exit 1
}

usage() {
    sed -n '5,8s/^# \{0,1\}//p' "$0"
}

wanted() {
    local group

    for group in "$@"; do
        case $group in
        build) echo $BUILD ;;
        test) echo $BUILD $TEST ;;
        demo) echo $BUILD $DEMO ;;
        dev) echo $BUILD $TEST $DEMO $DEV ;;
        esac
    done | tr ' ' '\n' | sort -u
}

is_installed() {
    case $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) in
    *' ok installed') return 0 ;;
    esac
    return 1
}

# Prints those of the wanted (a|b: any of them will do) that are not installed.
missing() {
    local want name found

    for want in $(wanted "$@"); do
        found=
        for name in ${want//|/ }; do
            if is_installed "$name"; then
                found=1
            fi
        done
        [ -n "$found" ] || echo "$want"
    done
}

has_candidate() {
    case $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) in
    *'Candidate: (none)'*) return 1 ;;
    *'Candidate: '*) return 0 ;;
    esac
    return 1
}

# Turns every a|b into the first that apt knows; where it knows none, prints
# that one alone and fails.
choose() {
    local want name picked picks=()

    for want in "$@"; do
        picked=
        for name in ${want//|/ }; do
            if [ -z "$picked" ] && has_candidate "$name"; then
                picked=$name
            fi
        done
        if [ -z "$picked" ]; then
            echo "$want"
            return 1
        fi
        picks+=("$picked")
    done
    echo "${picks[@]}"
}

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confdef \
        -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# Both packages start their service from their installation scripts.  An
# administrator's own policy or cluster configuration stays as it is.
hold_services() {
    if ! is_installed postgresql-common && [ ! -e $CLUSTER_CONF ]; then
        mkdir -p "${CLUSTER_CONF%/*}"
        echo 'create_main_cluster = false' >$CLUSTER_CONF
    fi
    is_installed openssh-server || sshd_is_new=1
    if [ ! -e $POLICY ]; then
        policy_is_ours=1
        cat >$POLICY <<'END'
#!/bin/sh
case " $* " in
*' ssh '* | *' postgresql '*) exit 101 ;;
esac
exit 0
END
        chmod 755 $POLICY
    fi
}

release_services() {
    if [ -n "$policy_is_ours" ]; then
        rm -f $POLICY
        policy_is_ours=
    fi
    if [ -n "$sshd_is_new" ] && is_installed openssh-server; then
        sshd_is_new=
        if command -v systemctl >/dev/null; then
            systemctl disable --quiet ssh.service ssh.socket \
                >/dev/null 2>&1 || true
        elif command -v update-rc.d >/dev/null; then
            update-rc.d ssh disable >/dev/null 2>&1 || true
        fi
        say 'openssh-server is new here: its service stays off'
    fi
}

# The package lists may be absent, or so old that a file they name is gone.
install() {
    local chosen

    log=$(mktemp)
    trap 'release_services; rm -f "$log"' EXIT
    if ! chosen=$(choose "$@"); then
        apt update >"$log" 2>&1 || say 'apt-get update failed; going on'
        chosen=$(choose "$@") || die "apt knows no package $chosen"
    fi
    hold_services
    if ! apt install -y --no-install-recommends $chosen >"$log" 2>&1; then
        apt update >>"$log" 2>&1 || true
        if ! apt install -y --no-install-recommends $chosen >>"$log" 2>&1; then
            tail -n 20 "$log" >&2
            die "apt-get could not install:" $chosen
        fi
    fi
}

# Goes on as root, asking for a password only where a person can type one.
become_root() {
    local ask=-n

    if [ -t 0 ] && [ -t 2 ]; then
        ask=
    fi
    if command -v sudo >/dev/null && sudo $ask true; then
        exec sudo $ask bash "$0" "${groups[@]}"
    fi
    say 'packages are missing, and neither root nor sudo is at hand.'
    say 'As root, run:'
    say "    apt-get install --no-install-recommends" "${todo[@]%%|*}"
    exit 1
}

groups=()
for group in "${@:-build}"; do
    case $group in
    build | test | demo | dev) groups+=("$group") ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die 'this needs apt (Debian 12 or like it). Wanted are:' \
        $(wanted "${groups[@]}")
fi
mapfile -t todo < <(missing "${groups[@]}")
[ ${#todo[@]} -gt 0 ] || exit 0
[ "$(id -u)" -eq 0 ] || become_root
say 'installing' "${todo[@]%%|*}"
install "${todo[@]}"
