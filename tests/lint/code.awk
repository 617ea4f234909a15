# SPDX-License-Identifier: Apache-2.0
#
# Prints FILE:LINE:TEXT of C sources with comments left out and strings and
# character constants emptied, so that a word in prose is not taken for code.
# Lines keep their numbers.  -v strings=1 keeps what strings hold (#include).

FNR == 1 { in_comment = 0 }

function end_of_quote(s, q,    i, c)
{
    for (i = 2; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c == "\\")
            i++
        else if (c == q)
            return i
    }
    return length(s)
}

{
    rest = $0
    out = ""
    while (rest != "") {
        if (in_comment) {
            n = index(rest, "*/")
            if (n == 0)
                break
            rest = substr(rest, n + 2)
            in_comment = 0
            out = out " "
            continue
        }
        n = match(rest, /\/\*|\/\/|"|'/)
        if (n == 0) {
            out = out rest
            break
        }
        out = out substr(rest, 1, n - 1)
        mark = substr(rest, n, RLENGTH)
        rest = substr(rest, n)
        if (mark == "//")
            break
        if (mark == "/*") {
            in_comment = 1
            rest = substr(rest, 3)
        } else {
            end = end_of_quote(rest, mark)
            out = out (strings ? substr(rest, 1, end) : mark mark)
            rest = substr(rest, end + 1)
        }
    }
    print FILENAME ":" FNR ":" out
}
