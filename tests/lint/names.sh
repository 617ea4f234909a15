#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Names of ours keep clear of the libraries' prefixes (the linker would take
# ours for theirs, and say nothing); no typedef but of functions, *_f.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

code | awk -F: '
{
    text = $0
    sub(/^[^:]*:[^:]*:/, "", text)
    theirs = "(ssh|sftp|uv|ini|sqlite3|json|ERR|EVP|X509|SSL|BIO|PEM)_" \
             "[a-zA-Z0-9_]+"
}

# A definition or declaration of ours stands in column 1; a call does not.
text ~ "^[a-zA-Z].*[ *]" theirs "\\(" && text !~ /[=.]|->|return/ {
    print $1 ":" $2 ": a name of ours with the prefix of a library"
}
text ~ "^ *# *define " theirs || text ~ "^(struct|enum|union) " theirs " *{" {
    print $1 ":" $2 ": a name of ours with the prefix of a library"
}
text ~ /^ *typedef (struct|union|enum)/ && text !~ /\(/ {
    print $1 ":" $2 ": typedef of a struct, union or enum"
}
text ~ /^ *typedef .*\(/ && text !~ /_f\)?\(/ {
    print $1 ":" $2 ": a function type ends in _f"
}' | verdict
