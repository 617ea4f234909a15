#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Functions over 60 lines (from the first line of the head to the closing
# brace) or 5 parameters, files over 500 lines, shell lines over 80 columns.
# The last parameter `struct err *`, which all that can fail have, is not
# counted.
# A function's braces stand in column 1: clang-format sees to it.  A head that a
# library dictates says so in its lines:  /* lint: allow params, WHY */
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

functions() {
    {
        c_files | xargs -r grep -Hn 'lint: allow params, ..' |
            sed 's/^/allow:/' || true
        code
    } | awk -F: -v max_lines=60 -v max_params=5 '
    # The parameters of a head: what stands in the last parentheses that open
    # at depth 0, split at the commas of depth 1.
    function params(head,    i, c, depth, n)
    {
        for (i = 1; i <= length(head); i++) {
            c = substr(head, i, 1)
            if (c == "(" && ++depth == 1)
                n = 1
            else if (c == ")")
                depth--
            else if (c == "," && depth == 1)
                n++
        }
        if (head ~ /struct err \*[a-z_]*\) *$/)
            n--
        return n
    }

    $1 == "allow" {
        ok[$2 ":" $3] = 1
        next
    }
    {
        text = $0
        sub(/^[^:]*:[^:]*:/, "", text)
        if ($1 != file || text ~ /^[ \t]*$/ || text ~ /[;}]$/ ||
            text ~ /^#/) {
            if (!in_body || $1 != file) {
                file = $1
                head = ""
                in_body = 0
                if (text ~ /^[ \t]*$/ || text ~ /[;}]$/ || text ~ /^#/)
                    next
            }
        }
    }
    in_body && text ~ /^}/ {
        lines = $2 - start + 1
        if (lines > max_lines)
            print file ":" start ": a function of " lines " lines"
        in_body = 0
        head = ""
        next
    }
    in_body { next }
    text ~ /^{/ {
        in_body = 1
        if (params(head) > max_params && !is_allowed)
            print file ":" start ": " params(head) " parameters"
        next
    }
    {
        if (head == "") {
            start = $2
            is_allowed = 0
        }
        is_allowed = is_allowed || ($1 ":" $2) in ok
        head = head " " text
    }'
}

{
    functions
    files '*.c' '*.h' '*.sh' | xargs -r awk '
        FNR > 500 && !(FILENAME in told) {
            told[FILENAME] = 1
            print FILENAME ":501: a file of more than 500 lines"
        }'
    # C is held to 80 by clang-format, which knows the tables that may be wider
    # shellcheck disable=SC2016
    files '*.sh' CMakeLists.txt | xargs -r awk 'length($0) > 80 {
        print FILENAME ":" FNR ": " length($0) " columns"
    }'
} | verdict
