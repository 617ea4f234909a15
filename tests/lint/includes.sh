#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Who may know whom (docs/architecture.md): every #include of ours against the
# arrows that are allowed, and the libraries that a room must not see.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

c_files | xargs -r awk -v strings=1 -f "$HERE/code.awk" | awk -F: '
BEGIN {
    # room, what it may include of ours, libraries it must not see
    rule("core/base/", "core/base/",
         "libssh/ uv.h ini.h sqlite3.h libpq-fe.h jansson.h curl/ libical/")
    rule("core/fleet/calendar.c", "core/base/ core/fleet/",
         "libssh/ uv.h ini.h sqlite3.h libpq-fe.h jansson.h openssl/ curl/")
    rule("core/fleet/", "core/base/ core/fleet/",
         "libssh/ uv.h sqlite3.h libpq-fe.h jansson.h openssl/ curl/ libical/")
    rule("core/pki/", "core/base/ core/pki/",
         "libssh/ uv.h ini.h sqlite3.h libpq-fe.h jansson.h curl/ libical/")
    rule("core/store/", "core/base/ core/store/",
         "libssh/ ini.h curl/ libical/")
    rule("core/", "core/",
         "libssh/ ini.h sqlite3.h libpq-fe.h curl/ libical/ microhttpd.h")
    rule("transport/", "core/ transport/",
         "libssh/sftp.h ini.h sqlite3.h libpq-fe.h jansson.h libical/")
    rule("playbooks/", "core/ playbooks/",
         "libssh/ uv.h ini.h sqlite3.h libpq-fe.h curl/ libical/")
    rule("cli/metrics_http.c", "core/ cli/", "libpq-fe.h curl/ libical/")
    rule("cli/mhd_load", "core/ cli/", "libpq-fe.h curl/ libical/")
    rule("cli/", "core/ transport/ playbooks/ cli/",
         "libpq-fe.h curl/ libical/ microhttpd.h")
    rule("scripts/", "", "")
    rule("tests/", "core/ transport/ playbooks/ cli/ tests/", "")
}

function rule(room, ours, barred)
{
    rooms[++count] = room
    may[count] = ours
    never[count] = barred
}

function begins(name, list,    words, n, i)
{
    n = split(list, words, " ")
    for (i = 1; i <= n; i++)
        if (index(name, words[i]) == 1)
            return 1
    return 0
}

# The folder of a path, with its slash.
function folder(path)
{
    sub(/[^\/]*$/, "", path)
    return path
}

function fault(text)
{
    print $1 ":" $2 ": " text
}

function ours(name, room, i)
{
    if ((getline line <name) < 0)
        fault("\"" name "\" is not a path from the root")
    close(name)
    if (!begins(name, may[i]))
        fault(room " must not include \"" name "\"")
    else if (name ~ /_priv\.h$/ && folder(name) != folder($1) &&
             room != "tests/")
        fault("\"" name "\" is private to " folder(name))
}

$3 ~ /^ *# *include/ {
    for (i = 1; i <= count && index($1, rooms[i]) != 1; i++)
        ;
    if (i > count) {
        fault("no rule for this folder")
        next
    }
    name = $3
    sub(/^[^<"]*/, "", name)
    kind = substr(name, 1, 1)
    sub(/^./, "", name)
    sub(/[>"].*/, "", name)
    if (kind == "\"")
        ours(name, rooms[i], i)
    else if (begins(name, never[i]))
        fault(rooms[i] " must not include <" name ">")
}' | verdict
