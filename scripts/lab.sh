#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A cluster of virtual appliances to play with, on loopback addresses.
#
#   scripts/lab.sh up [--postgres|--sim] [--make 3+2] [--dir DIR] [OPTION...]
#   scripts/lab.sh status [--dir DIR]
#   scripts/lab.sh ctl [--dir DIR] COMMAND...   `ctl help` prints them all
#   scripts/lab.sh down [--dir DIR]
#
# --postgres  its databases are real PostgreSQL servers (the default where one
#             is installed: scripts/deps.sh demo), --sim: they are simulated
# --make D+C  D database nodes and C connect-only ones
# --dir DIR   default: certfleet-lab-UID in $XDG_RUNTIME_DIR, else in /tmp
# OPTION      of certfleet-lab: --days 10, --services all, --set KEY=VALUE ...
#
# Ports: SSH 2222 and PostgreSQL 5432, or the next that are free.  `up` throws
# away what an earlier lab has left in DIR; `down` leaves no process behind.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
READY_S=60
STOP_S=30
dir=${XDG_RUNTIME_DIR:-/tmp}/certfleet-lab-$(id -u)
shape=3+2
base=127.0.1.1
engine=
port=
db_port=
rest=()

die() {
    printf 'lab: %s\n' "$*" >&2
    exit 1
}

usage() {
    sed -n '5,19s/^# \{0,1\}//p' "$HERE/lab.sh"
}

build_folder() {
    if [ -z "${CERTFLEET_BUILD:-}" ]; then
        "$HERE/deps.sh" build
    fi
    "$HERE/build.sh" --if-missing
}

lab_program() {
    echo "${CERTFLEET_BUILD:-$HERE/../build/release}/tests/lab/certfleet-lab"
}

# Only a folder of ours is emptied or believed.
is_ours() {
    [ -d "$dir" ] && [ ! -L "$dir" ] && [ -O "$dir" ] && [ -e "$dir/lab.ini" ]
}

# Prints the lab's process; fails when none runs on this folder.
lab_pid() {
    local pid

    is_ours || return 1
    pid=$(cat "$dir/lab.pid" 2>/dev/null) || return 1
    [ -r "/proc/$pid/cmdline" ] || return 1
    tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -- "$dir" || return 1
    echo "$pid"
}

# -- up --------------------------------------------------------------------

has_postgres() {
    local path

    for path in /usr/lib/postgresql/*/bin/postgres; do
        [ ! -x "$path" ] || return 0
    done
    return 1
}

# Whether anybody listens at this port of one of the first addresses.
is_taken() {
    local i

    for i in 0 1 2 3 4; do
        if (exec 3<>"/dev/tcp/${base%.*}.$((${base##*.} + i))/$1") \
            2>/dev/null; then
            return 0
        fi
    done
    return 1
}

# free_port FIRST STEP
free_port() {
    local n=$1

    while is_taken "$n"; do
        n=$((n + $2))
        [ "$n" -lt 65000 ] || die "no free port from $1 on"
    done
    echo "$n"
}

# A lab that was killed hard could not remove the servers' folder.  The kernel
# has told its servers (pg_proc.c); one that did not hear is told here.
forget() {
    local data file pid

    data=$(cat "$dir/pg.path" 2>/dev/null) || data=
    case $data in
    */certfleet-pg.*)
        for file in "$data"/*/data/postmaster.pid; do
            pid=$(head -n 1 "$file" 2>/dev/null) || continue
            if [ "$(readlink "/proc/$pid/cwd")" = "${file%/*}" ]; then
                kill -QUIT "$pid"
                timeout "$STOP_S" tail --pid="$pid" -f /dev/null || true
            fi
        done
        rm -rf -- "$data"
        ;;
    esac
    rm -rf -- "$dir"
}

make_folder() {
    if [ -e "$dir" ]; then
        is_ours || [ -z "$(ls -A "$dir")" ] ||
            die "$dir is there already, and no lab made it"
        forget
    fi
    mkdir -p -m 700 "$dir"
    [ -O "$dir" ] || die "$dir belongs to somebody else"
}

start() {
    local program=$1 line=

    mkfifo -m 600 "$dir/ready"
    setsid "$program" --make "$shape" --dir "$dir" --base "$base" \
        --port "$port" --db-port "$db_port" --engine "$engine" \
        ${rest[@]+"${rest[@]}"} >"$dir/ready" 2>"$dir/lab.log" </dev/null &
    echo $! >"$dir/lab.pid"
    read -r -t "$READY_S" line <"$dir/ready" || true
    rm -f "$dir/ready"
    if [ "$line" != ready ]; then
        kill "$(cat "$dir/lab.pid")" 2>/dev/null || true
        cat "$dir/lab.log" >&2
        die 'it did not start'
    fi
}

up() {
    local build program

    if lab_pid >/dev/null; then
        die "one runs in $dir already; scripts/lab.sh down ends it"
    fi
    build=$(build_folder)
    program=$build/tests/lab/certfleet-lab
    if [ -z "$engine" ]; then
        engine=sim
        ! has_postgres || engine=pg
    fi
    make_folder
    port=${port:-$(free_port 2222 1)}
    db_port=${db_port:-$(free_port 5432 10000)}
    start "$program"
    cat <<END
The lab is up: $shape nodes from $base on, SSH at port $port,
$([ "$engine" = pg ] && echo 'real PostgreSQL' || echo 'simulated databases') \
at port $db_port.

  inventory  $dir/certfleet.ini

Next:
  export CERTFLEET_INVENTORY=$dir/certfleet.ini
  $build/certfleet check
  $build/certfleet plan cms/db-rotate lab
  $build/certfleet apply cms/db-rotate lab
  scripts/lab.sh status | ctl help | down
END
}

# -- the others ------------------------------------------------------------

ctl() {
    is_ours || die "there is no lab in $dir"
    "$(lab_program)" --ctl "$dir" "$@"
}

field() {
    grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"'
}

status() {
    local pid all line

    pid=$(lab_pid) || die "no lab runs in $dir"
    all=$(ctl cluster)
    printf 'pid %s, %s: %s set, primary %s, healthy %s, %s rows\n' "$pid" \
        "$dir" "$(field state <<<"$all")" "$(field primary <<<"$all")" \
        "$(field healthy <<<"$all")" "$(field rows_acknowledged <<<"$all")"
    sed 's/{"node":/\n{"node":/g' <<<"$all" | grep '^{"node":' |
        while read -r line; do
            printf '  %-12s %-15s %-10s in sync %-5s set %-5s rows %s\n' \
                "$(field node <<<"$line")" "$(field address <<<"$line")" \
                "$(field role <<<"$line")" "$(field in_sync <<<"$line")" \
                "$(field set <<<"$line")" "$(field rows <<<"$line")"
        done
}

# tail --pid returns when the process is gone.
down() {
    local pid=

    is_ours || die "there is no lab in $dir"
    if pid=$(lab_pid); then
        kill -TERM "$pid"
        timeout "$STOP_S" tail --pid="$pid" -f /dev/null || kill -KILL "$pid"
    fi
    forget
}

[ $# -gt 0 ] || {
    usage >&2
    exit 2
}
verb=$1
shift
while [ $# -gt 0 ]; do
    case $1 in
    --dir | --make | --base | --port | --db-port)
        [ $# -gt 1 ] || die "$1 needs a value"
        case $1 in
        --dir) dir=$2 ;;
        --make) shape=$2 ;;
        --base) base=$2 ;;
        --port) port=$2 ;;
        --db-port) db_port=$2 ;;
        esac
        shift
        ;;
    --postgres) engine=pg ;;
    --sim) engine=sim ;;
    *)
        rest+=("$1")
        if [ "$verb" = ctl ]; then # the rest is the command
            shift
            rest+=("$@")
            break
        fi
        ;;
    esac
    shift
done
case $dir in
/*) ;;
*) dir=$PWD/$dir ;;
esac
case $verb in
up) up ;;
down) down ;;
status) status ;;
ctl) ctl ${rest[@]+"${rest[@]}"} ;;
-h | --help | help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
