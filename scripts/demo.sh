#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The whole of certfleet on one machine, in under two minutes: a five-node
# cluster (3 database nodes on real PostgreSQL, 2 connect-only) whose
# certificates end in ten days gets new ones.
#
#   scripts/demo.sh [--no-install] [--keep]
#
# --no-install  leaves the packages as they are (scripts/deps.sh demo)
# --keep        leaves the lab running at the end, and says how to end it
#
# Installs what is missing, as root or by sudo, builds, shows every command
# with its own output, and what the lab says of it.  Ends with 0 only when all
# is as it should be.  Needs ports of 127.0.61.1 to .5 only.
set -euo pipefail

cd "$(dirname "$0")/.."
GOAL=1.10 # of the outage to what the nodes themselves need
NODES='core1 core2 core3 edge1 edge2'
BASE=127.0.61.1
# An appliance takes its time; these are milliseconds.
PACE='remove_ms=3000 initialize_ms=4000 connect_ms=2000 join_ms=3000
    certs_ms=200 localnode_ms=200 snapshot_ms=1000'
install=1
keep=
dir=
data=
wrong=0
bold=
plain=
red=
green=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' plain=$'\e[0m' red=$'\e[31m' green=$'\e[32m'
fi

for arg in "$@"; do
    case $arg in
    --no-install) install= ;;
    --keep) keep=1 ;;
    -h | --help)
        sed -n '4,16s/^# \{0,1\}//p' scripts/demo.sh
        exit 0
        ;;
    *)
        sed -n '8s/^# *//p' scripts/demo.sh >&2
        exit 2
        ;;
    esac
done

heading() {
    printf '\n%s== %s%s\n\n' "$bold" "$*" "$plain"
}

# judge WHAT CONDITION...
judge() {
    local what=$1

    shift
    if "$@"; then
        printf '  %sok%s     %s\n' "$green" "$plain" "$what"
    else
        printf '  %sWRONG%s  %s\n' "$red" "$plain" "$what"
        wrong=$((wrong + 1))
    fi
}

# -- the lab and the program -----------------------------------------------

finish() {
    local rc=$?

    trap - EXIT INT TERM HUP
    if [ -n "$dir" ]; then
        scripts/lab.sh down --dir "$dir" >/dev/null 2>&1 || true
        rm -rf "$dir"
    fi
    exit "$rc"
}

lab() {
    scripts/lab.sh "$1" --dir "$dir" "${@:2}"
}

# field NAME: its first value in JSON on standard input
field() {
    grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"'
}

node() {
    sed 's/{"node":/\n{"node":/g' | grep "^{\"node\":\"$1\""
}

# run EXPECTED-CODE WORD...: certfleet as a person would type it; the caller's
# own keys and agent are none of the demo's business.
run() {
    local expected=$1 rc=0

    shift
    printf '%s$ certfleet %s%s\n' "$bold" "$*" "$plain"
    env -u SSH_AUTH_SOCK -u CERTFLEET_INVENTORY HOME="$dir" \
        "$build/certfleet" -i "$dir/certfleet.ini" "$@" || rc=$?
    if [ "$rc" -ne "$expected" ]; then
        judge "certfleet $1 ended with $rc, and not with $expected" false
        [ "$1" != apply ] || exit 1
    fi
}

address() {
    local n=${1#core}

    echo "${BASE%.*}.$((${BASE##*.} + n - 1))"
}

# What a listener shows to anybody who asks, as PEM.
live() {
    timeout 10 openssl s_client -starttls postgres \
        -connect "$(address "$1"):$db_port" </dev/null 2>/dev/null |
        openssl x509 2>/dev/null || true
}

digest() {
    openssl x509 -noout -fingerprint -sha256 2>/dev/null | cut -d = -f 2 |
        tr -d ':' || true
}

# show_state FOLDER: rows and live certificates; the certificates stay there
show_state() {
    local verdict name pem

    mkdir -p "$1"
    verdict=$(lab ctl verdict)
    printf '  rows acknowledged to the writer: %s\n\n' \
        "$(field rows_acknowledged <<<"$verdict")"
    printf '  %-6s %-9s %-6s %-26s %s\n' node role rows \
        'live certificate, SHA-256' 'ends'
    for name in $NODES; do
        pem=
        case $name in core*) pem=$(live "$name") ;; esac
        printf '%s\n' "$pem" >"$1/$name.pem"
        printf '  %-6s %-9s %-6s %-26s %s\n' "$name" \
            "$(node "$name" <<<"$verdict" | field role)" \
            "$(node "$name" <<<"$verdict" | field rows | sed 's/^0$/-/')" \
            "$(digest <"$1/$name.pem" | cut -c 1-24)" \
            "$(openssl x509 -noout -enddate <"$1/$name.pem" 2>/dev/null |
                cut -d = -f 2)"
    done
}

# -- what must be so -------------------------------------------------------

judge_rows() {
    local verdict=$1 acked name rows

    acked=$(field rows_acknowledged <<<"$verdict")
    judge "rows lost: $(field rows_lost <<<"$verdict")" \
        [ "$(field rows_lost <<<"$verdict")" = 0 ]
    for name in core1 core2 core3; do
        rows=$(node "$name" <<<"$verdict" | field rows)
        judge "$name holds $rows of $acked acknowledged rows" \
            [ "$rows" = "$acked" ]
    done
}

judge_certs() {
    local set name new

    set=$(find "$dir/state/clusters" -name 'dbserver-g*.crt')
    new=$(digest <"$set")
    for name in core1 core2 core3; do
        judge "$name serves the new certificate, read by TLS" \
            [ "$(digest <"$dir/after/$name.pem")" = "$new" ]
        judge "$name served another one before" \
            [ "$(digest <"$dir/before/$name.pem")" != "$new" ]
    done
    for name in edge1 edge2; do
        judge "$name uses the new set" \
            [ "$(node "$name" <<<"$1" | field set)" = new ]
    done
}

judge_rules() {
    judge 'the cluster is healthy, all in sync, one primary' \
        [ "$(field healthy <<<"$1")" = true ]
    judge 'no rule of safety was broken' \
        grep -q '"violations":\[\]' <<<"$1"
    judge 'no key and no password was typed on a command line' \
        [ "$(field secrets_seen <<<"$1")" = 0 ]
}

judge_outage() {
    local timing outage own ratio

    timing=$(lab ctl timing)
    outage=$(field outage_ms <<<"$timing")
    own=$(field own_ms <<<"$timing")
    ratio=$(awk "BEGIN { printf \"%.3f\", $outage / $own }")
    sed 's/{"verb":/\n{"verb":/g' <<<"$timing" | grep '^{"verb":' |
        while read -r line; do
            printf '         %-11s %-6s %5s ms\n' "$(field verb <<<"$line")" \
                "$(field node <<<"$line")" "$(field own_ms <<<"$line")"
        done
    judge "outage $outage ms, $ratio of the $own ms that the slowest nodes\
 themselves took (goal: $GOAL)" \
        awk "BEGIN { exit !($ratio <= $GOAL) }"
}

# -- the demo --------------------------------------------------------------

start_lab() {
    local setting sets=()

    dir=$(mktemp -d "${TMPDIR:-/tmp}/certfleet-demo.XXXXXX")
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    for setting in $PACE; do
        sets+=(--set "$setting")
    done
    CERTFLEET_BUILD=$build scripts/lab.sh up --dir "$dir" --postgres \
        --make 3+2 --base $BASE --days 10 --key rsa:2048 "${sets[@]}" \
        >/dev/null
    data=$(cat "$dir/pg.path")
    db_port=$(sed -n 's/^db_port = //p' "$dir/lab.ini" | head -n 1)
    echo "  core1 core2 core3  PostgreSQL servers at $BASE to" \
        "$(address core3), port $db_port"
    echo '  edge1 edge2        connect-only Call Bridges'
    echo '  All certificates end in ten days.  A writer keeps adding rows.'
}

end_lab() {
    if [ -n "$keep" ]; then
        heading 'The lab is still there'
        echo "  inventory: $dir/certfleet.ini"
        echo "  ends with: scripts/lab.sh down --dir $dir"
        dir=
        return
    fi
    lab down
    rm -rf "$dir"
    judge 'no process is left behind' \
        [ -z "$(pgrep -f -- "$data|--dir $dir" || true)" ]
    dir=
}

main() {
    local verdict began

    heading 'Packages and build'
    [ -z "$install" ] || scripts/deps.sh demo
    build=$(scripts/build.sh)
    export CERTFLEET_BUILD=$build
    echo "  $build/certfleet"
    began=$SECONDS
    heading 'A cluster of five nodes'
    start_lab
    heading 'The inventory'
    run 0 inventory check
    heading 'Every certificate, worst first (3: something is due)'
    run 3 check
    heading 'Before'
    show_state "$dir/before"
    heading 'What would be done; nothing is touched'
    run 0 plan cms/db-rotate lab
    heading 'The rotation'
    run 0 apply cms/db-rotate lab --yes
    heading 'After'
    show_state "$dir/after"
    heading 'Every certificate again'
    run 0 check
    heading 'The verdict of the lab'
    verdict=$(lab ctl verdict)
    judge_rows "$verdict"
    judge_certs "$verdict"
    judge_rules "$verdict"
    judge_outage
    end_lab
    printf '\n%sIt took %d seconds, ' "$bold" $((SECONDS - began))
    if [ "$wrong" -eq 0 ]; then
        printf 'and all is well.%s\n' "$plain"
    else
        printf 'and %d things are wrong.%s\n' "$wrong" "$plain"
    fi
    [ "$wrong" -eq 0 ]
}

main
