#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the documents promise is there: relative links, paths of this tree in
# backticks, scripts, and the commands and long options of the program.
#
#   docs.sh [ROOT [CERTFLEET]]     without the program its commands are skipped
PROGRAM=${2:+$(cd "$(dirname "$2")" && pwd)/${2##*/}}
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# FILE:LINE:WORD for each piece of a document that matches the expression.
pieces() {
    files '*.md' | xargs -r grep -HnoE "$1" || true
}

links() {
    pieces '\]\([^)# ]+' | while IFS=: read -r f n link; do
        link=${link#*(}
        case $link in
        *://* | mailto:*) continue ;;
        esac
        [[ $f == */* ]] && link=${f%/*}/$link
        [ -e "$link" ] || echo "$f:$n: no such file: $link"
    done
}

ROOMS='core|transport|playbooks|cli|tests|docs|scripts'

paths() {
    pieces "(^|[\`( \$]|[.]/)($ROOMS)/[A-Za-z0-9_./-]*[A-Za-z0-9_]" |
        while IFS=: read -r f n path; do
            path=${path#"${path%%[a-z]*}"}
            [ -e "$path" ] || echo "$f:$n: no such path: $path"
        done
}

# `certfleet [global options] COMMAND` in code; TARGETs and options come after.
commands() {
    [ -n "$PROGRAM" ] || return 0
    # shellcheck disable=SC2016
    pieces '(^|[`$] ?|/)certfleet( +-[-a-z]+[= ][^ `]+)* +[a-z]+' |
        while IFS=: read -r f n text; do
            echo "${text##* } $f:$n"
        done | sort -u -k1,1 | while read -r word where; do
        "$PROGRAM" help "$word" >/dev/null 2>&1 </dev/null ||
            echo "$where: certfleet has no command $word"
    done
}

{
    links
    paths
    commands
} | sort -u | verdict
