#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Each file opens with its licence and then says what it is; each header has
# a guard of its own, named after it.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

declare -A seen
SPDX='SPDX-License-Identifier: Apache-2.0'

licence() {
    c_files | while read -r f; do
        [ "$(head -n 1 "$f")" = "/* $SPDX" ] ||
            echo "$f:1: the first line is not \"/* $SPDX\""
        sed -n '2{/^ \*$/!q1};3{/^ \* [A-Z0-9"`'"'"'a-z]/!q1;q0}' "$f" ||
            echo "$f:2: no paragraph says what this file owns"
    done
    files '*.sh' '*.awk' '*.cmake' CMakeLists.txt | while read -r f; do
        head -n 2 "$f" | grep -q "^# $SPDX\$" ||
            echo "$f:1: no \"# $SPDX\" in the first two lines"
    done
}

guards() {
    files '*.h' | while read -r f; do
        name=$(basename "$f" .h | tr 'a-z.-' 'A-Z__')
        guard=$(sed -nE "s/^#ifndef (CERTFLEET_.*${name}_H)\$/\1/p" "$f")
        if [ -z "$guard" ]; then
            echo "$f:1: no include guard CERTFLEET_..._${name}_H"
        elif [ -n "${seen[$guard]:-}" ]; then
            echo "$f:1: the include guard of ${seen[$guard]}"
        fi
        seen[${guard:-none}]=$f
    done
}

{
    licence
    guards
} | verdict
