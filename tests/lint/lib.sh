# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the lint scripts share: the tree to look at (first argument, default:
# the one they stand in), its files, and how a fault is told and counted.
set -euo pipefail
export LC_ALL=C

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=${1:-$HERE/../..}
cd "$ROOT"

# Every file of ours whose name matches one of the patterns, relative.
files() {
    local pattern names=()

    for pattern in "$@"; do
        names+=(-o -name "$pattern")
    done
    find . \( -path './build*' -o -path ./.git \) -prune -o \
        -type f \( "${names[@]:1}" \) -print | sed 's,^\./,,' | sort
}

c_files() {
    files '*.c' '*.h'
}

# FILE:LINE:TEXT of all C, without comments and what strings hold.
code() {
    c_files | xargs -r awk -f "$HERE/code.awk"
}

# Faults come on standard input, one a line; none is a pass.
verdict() {
    local faults

    faults=$(cat)
    [ -n "$faults" ] || exit 0
    printf '%s\n' "$faults"
    printf '%s: %d faults\n' "${0##*/}" "$(printf '%s\n' "$faults" | wc -l)"
    exit 1
}
