#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the fuzzers of tests/fuzz with clang's libFuzzer, ASan and UBSan, and
# runs each for a while.
#
#   scripts/fuzz.sh [--seconds N] [--jobs N] [TARGET...]
#
# --seconds N  for each target (10)
# --jobs N     so many at once (2)
#
# Without TARGET: all of them (status, dialog ...).  Each begins with a copy of
# tests/fuzz/corpus/TARGET and the words of tests/fuzz/dict/TARGET.  A line a
# target says what it did.  An input that crashes, hangs (10 s), leaks or takes
# 1 GB is kept in build/fuzz/found/TARGET, with the command that shows it
# again; then the exit code is 1.
set -euo pipefail

cd "$(dirname "$0")/.."
. scripts/configure.sh
seconds=10
jobs=2
targets=()

usage() {
    sed -n '4,16s/^# \{0,1\}//p' scripts/fuzz.sh
}

wrong() {
    usage >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --seconds | --jobs)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || wrong
        [ "$1" = --jobs ] && jobs=$2 || seconds=$2
        shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    -*) wrong ;;
    *)
        [ -e "tests/fuzz/fuzz_$1.c" ] || wrong
        targets+=("$1")
        ;;
    esac
    shift
done
if [ ${#targets[@]} -eq 0 ]; then
    for file in tests/fuzz/fuzz_*.c; do
        file=${file##*/fuzz_}
        targets+=("${file%.c}")
    done
fi

stat_of() {
    sed -n "s/^stat::$1: *//p" "$2" | tail -n 1
}

# One target; $FUZZ_SCRATCH holds what it finds out.
run_one() {
    local name=$1 rc=0 log=$FUZZ_SCRATCH/$1.log found=build/fuzz/found/$1
    local dict=tests/fuzz/dict/$1 features file args=()

    mkdir -p "$FUZZ_SCRATCH/$name" "$found"
    cp tests/fuzz/corpus/"$name"/* "$FUZZ_SCRATCH/$name"
    [ ! -e "$dict" ] || args+=("-dict=$dict")
    build/fuzz/tests/fuzz/fuzz_"$name" -max_total_time="$FUZZ_SECONDS" \
        -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$FUZZ_SCRATCH/$name." "${args[@]}" \
        "$FUZZ_SCRATCH/$name" >"$log" 2>&1 || rc=$?
    features=$(sed -n 's/.* ft: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
    printf '%-10s %9s runs %7s/s %6s features %5s inputs  %s\n' "$name" \
        "$(stat_of number_of_executed_units "$log")" \
        "$(stat_of average_exec_per_sec "$log")" "${features:--}" \
        "$(find "$FUZZ_SCRATCH/$name" -type f | wc -l)" \
        "$([ $rc -eq 0 ] && echo ok || echo "FAILED ($rc)")"
    [ $rc -ne 0 ] || return 0
    grep -E 'does not hold|ERROR: |runtime error|SUMMARY: ' "$log" ||
        tail "$log"
    for file in "$FUZZ_SCRATCH/$name".*; do
        [ "$file" != "$log" ] || continue
        mv "$file" "$found/${file##*/"$name".}"
        echo "again: build/fuzz/tests/fuzz/fuzz_$name" \
            "$found/${file##*/"$name".}"
    done
    return 1
}

configure fuzz build/fuzz
build_quietly build/fuzz fuzzers
FUZZ_SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/fuzz.XXXXXX")
trap 'rm -rf "$FUZZ_SCRATCH"' EXIT
FUZZ_SECONDS=$seconds
export FUZZ_SCRATCH FUZZ_SECONDS
export ASAN_OPTIONS=detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export -f run_one stat_of
# shellcheck disable=SC2016
if ! printf '%s\n' "${targets[@]}" |
    xargs -P "$jobs" -n 1 bash -euo pipefail -c 'run_one "$1"' fuzz; then
    echo 'fuzz: FAILED'
    exit 1
fi
echo "fuzz: ${#targets[@]} targets, $seconds s each: nothing found"
