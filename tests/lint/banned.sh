#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Functions that do not belong in this code, each with where and why.  The rare
# exception says so on its own line, with a reason that a reviewer can weigh:
#     call(); /* lint: allow call, WHY */
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

allowed() {
    c_files | xargs -r grep -HnE 'lint: allow [a-z0-9_]+, ..' || true
}

{
    allowed | sed 's/^/A:/'
    code | sed 's/^/C:/'
} | awk -F: '
BEGIN {
    all = "^"
    room = "^(core|transport|playbooks)/"
    ban(all, "strcpy strcat stpcpy sprintf vsprintf gets strncpy strncat",
        "no bound, or one that truncates in silence: use struct str")
    ban(all, "atoi atol atoll atof", "hides errors: use strtol and look")
    ban(all, "strtok rand srand random drand48 tmpnam tempnam mktemp ctime" \
             " asctime localtime gmtime gethostbyname", "not reentrant," \
             " guessable or racy: use the _r form, mkstemp," \
             " uv_getaddrinfo or RAND_bytes")
    ban(all, "system popen", "goes through a shell: spawn with an argv")
    ban(all, "alloca", "stack of a size that somebody else chooses")
    ban(all, "sleep usleep nanosleep clock_nanosleep",
        "wait for an event with a deadline")
    ban(all, "longjmp setjmp vfork", "skips what is to be released")
    ban(room, "exit quick_exit",
        "a library does not end the program: return an error")
    ban(room, "printf vprintf puts putchar",
        "standard output is the program'\''s: cli owns it")
    ban(room, "getaddrinfo",
        "waits on the network: use uv_getaddrinfo")
    ban("^transport/", "ssh_session_is_known_server sftp_new",
        "slow, or blocks the loop: ours are hostkeys.h and sftp.h")
}

function ban(where, names, why,    words, n, i)
{
    n = split(names, words, " ")
    for (i = 1; i <= n; i++) {
        place[words[i]] = where
        reason[words[i]] = why
    }
}

$1 == "A" {
    match($0, /lint: allow [a-z0-9_]+/)
    ok[$2 ":" $3 ":" substr($0, RSTART + 12, RLENGTH - 12)] = 1
    next
}

{
    text = $0
    sub(/^C:[^:]*:[^:]*:/, "", text)
    while (match(text, /[A-Za-z_][A-Za-z0-9_]* *\(/)) {
        name = substr(text, RSTART, RLENGTH - 1)
        before = substr(text, 1, RSTART - 1)
        sub(/ +$/, "", name)
        text = substr(text, RSTART + RLENGTH)
        # a member of that name is not the function
        if (before ~ /(\.|->)$/)
            continue
        if (name in place && $2 ~ place[name] && !(($2 ":" $3 ":" name) in ok))
            print $2 ":" $3 ": " name ": " reason[name]
    }
}' | verdict
