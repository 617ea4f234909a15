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
    c_files | xargs -r awk -v first="/* $SPDX" '
        FNR == 1 && $0 != first {
            print FILENAME ":1: the first line is not \"" first "\""
        }
        FNR == 2 && $0 != " *" || FNR == 3 && !/^ \* [A-Z0-9"`'"'"'a-z]/ {
            print FILENAME ":2: no paragraph says what this file owns"
            nextfile
        }'
    files '*.sh' '*.awk' '*.cmake' CMakeLists.txt | xargs -r grep -LFx \
        "# $SPDX" | sed "s/\$/:1: no line \"# $SPDX\"/" || true
}

guards() {
    files '*.h' | while read -r f; do
        name=${f##*/}
        name=${name%.h}
        name=${name^^}
        name=${name//[.-]/_}
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
