#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Proves, at full length, that nothing is ever lost (docs/safety.md, "Proofs").
# scripts/check.sh has a short form of each.
#
#   scripts/prove.sh [--no-install] [--seconds N] [PART...]
#
#   order   every interleaving of a rotation, for 2 to 5 nodes, and a table
#           that was broken on purpose
#   crash   the program dies at every point, by SIGKILL and by a power cut
#   fault   every row x every fault of the lab, once and for good, both ways
#   chains  every case of x509-limbo, where that file is at hand
#   fuzz    hostile nodes and files: N seconds a target (300)
#
# Without PART: all of them, one after the other.  What each prints is kept in
# build/prove/PART.txt.  Ends with 1 when any of them found something.
set -euo pipefail

cd "$(dirname "$0")/.."
. scripts/configure.sh
folder=build/prove
install=1
seconds=300
parts=()

usage() {
    sed -n '4,18s/^# \{0,1\}//p' scripts/prove.sh
}

wrong() {
    usage >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --no-install) install= ;;
    --seconds)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || wrong
        seconds=$2
        shift
        ;;
    order | crash | fault | chains | fuzz) parts+=("$1") ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) wrong ;;
    esac
    shift
done
[ ${#parts[@]} -gt 0 ] || parts=(order crash fault chains fuzz)

part_order() {
    "$folder"/tests/model/certfleet-model --full &&
        "$folder"/tests/model/certfleet-model --mutants
}

part_crash() {
    "$folder"/tests/prove/prove_crash --full
}

part_fault() {
    "$folder"/tests/fault/fault_matrix --full
}

part_chains() {
    local rc=0

    "$folder"/tests/limbo/test_limbo || rc=$?
    [ $rc -eq 77 ] || return $rc
}

part_fuzz() {
    scripts/fuzz.sh --seconds "$seconds"
}

[ -z "$install" ] || scripts/deps.sh test
# Optimised, with assertions; warnings are the business of check.sh.
configure dev "$folder" -DCMAKE_C_FLAGS=-O2 -DCERTFLEET_WERROR=OFF
build_quietly "$folder"
scratch=$(mktemp -d "$(work_place)/prove.XXXXXX")
chmod 711 "$scratch"
export TMPDIR=$scratch
trap 'rm -rf "$scratch"' EXIT
failed=()
for part in "${parts[@]}"; do
    at=$SECONDS
    printf '\n== %s\n' "$part"
    if "part_$part" 2>&1 | tee "$folder/$part.txt"; then
        printf '== %s: ok, %d s\n' "$part" $((SECONDS - at))
    else
        printf '== %s: FAILED, %d s\n' "$part" $((SECONDS - at))
        failed+=("$part")
    fi
done
[ ${#failed[@]} -eq 0 ] || {
    echo "prove: failed: ${failed[*]}"
    exit 1
}
echo 'prove: passed'
