#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A lint that sees nothing passes everything.  So each is shown small trees of
# one fault and must name it, file and line; and one good tree, which it must
# pass.
set -euo pipefail
export LC_ALL=C

HERE=$(cd "$(dirname "$0")" && pwd)
TREE=$(mktemp -d)
trap 'rm -rf "$TREE"' EXIT
tried=0
failed=0

HEAD='/* SPDX-License-Identifier: Apache-2.0
 *
 * Example.
 */'

reset() {
    rm -rf "${TREE:?}"/*
    mkdir -p "$TREE"/{core/{base,fleet,pki,run},transport,playbooks/{cms,vos}} \
        "$TREE"/{cli,tests/unit,scripts,docs}
}

# put FILE: the file, from standard input.
put() {
    cat >"$TREE/$1"
}

complain() {
    failed=$((failed + 1))
    printf 'selftest: %s\n' "$@" >&2
}

# sees LINT WHERE [ARG]: it must fail, and say "WHERE" of the tree.
sees() {
    local out rc=0

    tried=$((tried + 1))
    out=$(bash "$HERE/$1.sh" "$TREE" ${3:+"$3"} 2>&1) || rc=$?
    if [ "$rc" -ne 1 ] || ! grep -qE "^$2" <<<"$out"; then
        complain "$1 did not report $2; exit $rc:" "$out"
    fi
    reset
}

passes() {
    local out rc=0

    tried=$((tried + 1))
    out=$(bash "$HERE/$1.sh" "$TREE" ${2:+"$2"} 2>&1) || rc=$?
    [ "$rc" -eq 0 ] || complain "$1 fails on good code:" "$out"
}

# line LINT FILE TEXT: one line of C below the usual head, so line 5.
line() {
    printf '%s\n%s\n' "$HEAD" "$3" | put "$2"
    sees "$1" "$2:5:"
}

reset

# who may know whom
touch "$TREE/transport/ssh.h"
line includes core/run/a.c '#include "transport/ssh.h"'
touch "$TREE/core/run/run.h"
line includes core/fleet/a.c '#include "core/run/run.h"'
touch "$TREE/tests/unit/t.h"
line includes cli/a.c '#include "tests/unit/t.h"'
touch "$TREE/core/run/x_priv.h"
line includes cli/a.c '#include "core/run/x_priv.h"'
line includes core/run/a.c '#include "run.h"'
line includes core/run/a.c '#include <libssh/libssh.h>'
line includes core/fleet/a.c '#  include <uv.h>'
line includes core/pki/a.h '#include <uv.h>'
line includes playbooks/cms/a.c '#include <uv.h>'
touch "$TREE/transport/ssh.h"
line includes playbooks/a.c '#include "transport/ssh.h"'
line includes transport/a.c '#include <libssh/sftp.h>'
mkdir "$TREE/other"
line includes other/a.c '#include <stdio.h>'

# banned functions
for call in 'strcpy(a, b)' 'sprintf (a, b)' 'atoi(a)' 'strtok(a, b)' \
    'rand()' 'system("x")' 'popen("x", "r")' 'usleep(3)' 'gets(a)'; do
    line banned tests/unit/a.c "    x = $call;"
done
line banned core/run/a.c '    exit(1);'
line banned transport/a.c '    puts("text");'
line banned transport/a.c '    getaddrinfo(a, b, c, &d);'
line banned cli/a.c '    s = "x"; sleep(1);'
line banned cli/a.c '    strcpy(a, b); /* lint: allow sleep, of another */'

# sizes
{
    printf '%s\nstatic int f(int a)\n{\n' "$HEAD"
    seq -f '    g(%g);' 58
    echo '}'
} | put cli/a.c
sees sizes 'cli/a.c:5: a function of 61 lines'
line sizes cli/a.c "static void f(int a, int b, int (*c)(int, int), int d,
              int e, int f)
{
}"
seq 501 | put scripts/a.sh
sees sizes scripts/a.sh:501:
{
    echo '# short'
    printf '# %090d\n' 0
} | put scripts/a.sh
sees sizes scripts/a.sh:2:

# names
line names transport/a.c 'int ssh_mine(void);'
line names core/run/a.c 'static struct uv_mine *uv_mine_new(int a)'
line names core/run/a.c 'struct sqlite3_mine {'
line names core/base/a.h '#define ERR_MINE 1'
line names core/base/a.h 'typedef struct a a_t;'
line names core/base/a.h 'typedef void (*callback)(int);'

# heads
echo 'int a;' | put cli/a.c
sees headers cli/a.c:1:
printf '/* SPDX-License-Identifier: Apache-2.0 */\nint a;\n' | put cli/a.c
sees headers cli/a.c:2:
printf '%s\nint a;\n' "$HEAD" | put cli/a.h
sees headers cli/a.h:1:
printf '#!/bin/sh\necho\n' | put scripts/a.sh
sees headers scripts/a.sh:1:
for f in core/run/a.h cli/a.h; do
    printf '%s\n#ifndef CERTFLEET_A_H\n' "$HEAD" | put $f
done
sees headers core/run/a.h:1:

# unfinished work
line words cli/a.c '/* TODO: the rest */'
line words cli/a.c '/* This is a stub. */'
line words docs/a.md 'rollback is not yet implemented'

# documents
echo 'see [this](gone.md)' | put docs/a.md
sees docs docs/a.md:1:
printf 'run\n    scripts/gone.sh\n' | put README.md
sees docs README.md:2:
# shellcheck disable=SC2016
echo 'as `core/run/gone.h` says' | put docs/a.md
sees docs docs/a.md:1:
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$2" = plan ]\n' | put cli/program
chmod +x "$TREE/cli/program"
printf '$ certfleet -i a.ini plan cms/db-rotate emea\n$ certfleet flan x\n' |
    put README.md
sees docs README.md:2: "$TREE/cli/program"

# and what is good passes
{
    printf '%s\n#ifndef CERTFLEET_RUN_GOOD_H\n' "$HEAD"
    printf 'typedef void done_f(int status);\n#endif\n'
} | put core/run/good.h
put core/run/good.c <<END
$HEAD
#include "core/run/good.h"

#include <uv.h>

/* Not a call: strcpy(a, b), and no TODOs here; "#include <libssh/x.h>". */
static const char *const text = "system(\\"sleep(1)\\") // /* '";

static int f(int a, int b, int (*c)(int, int), int d, struct err *err)
{
    uv_close(handle, on_close);
    node->sleep(a);
    strcpy(a, b); /* lint: allow strcpy, a shows that it may be */
    return ssh_connect(session);
}
END
put README.md <<'END'
[the code](core/run/good.c), `core/run/good.h`, https://example.com/docs/x
END
for lint in includes banned sizes names headers words docs; do
    passes $lint
done

echo "selftest: $tried examples, $failed wrong"
[ "$failed" -eq 0 ]
