#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that a change must pass, on a fresh clone or a used one.
#
#   scripts/check.sh [--quick] [--no-install] [PART...]
#
#   build     gcc, with AddressSanitizer and UBSan, warnings are errors
#   test      every test, on that build, but those labelled prove
#   lint      format, cppcheck, the rules in tests/lint, and clang-tidy with
#             clang's own warnings on all but tests/
#   analyze   clang-tidy with clang's analyzer on all; only when it is named
#   valgrind  the unit tests and a rotation, built plain; not `certfleet pki',
#             whose functions have units of their own, not test_run_spare and
#             test_pki_lock, whose RSA keys and passphrases take half a minute
#             each there, and not test_store_pg, in whose children valgrind
#             takes the parent's loop for lost
#   prove     the short forms of scripts/prove.sh and the tests like them,
#             built plain
#   fuzz      every fuzzer of tests/fuzz for 10 s, two on each core
#
# --quick       units and rules only; clang-tidy on what git sees as changed
# --no-install  leaves the packages as they are (scripts/deps.sh test demo)
#
# Without PART: all of them.  Ends at the first part that fails, with 1; also
# with 1 when a process was left behind (scripts/strays.c).  Reads nothing from
# standard input and needs no terminal.
set -euo pipefail

SELF=$(cd "$(dirname "$0")" && pwd)/${0##*/}
cd "$(dirname "$SELF")/.."
. scripts/configure.sh
ALL='build test lint valgrind prove fuzz'
JOBS=${JOBS:-$(nproc)}
TIDY_LESS='--checks=-clang-analyzer-*'
quick=
no_install=
parts=()

usage() {
    sed -n '5,27s/^# \{0,1\}//p' "$SELF"
}

for arg in "$@"; do
    case $arg in
    --quick) quick=1 ;;
    --no-install) no_install=1 ;;
    build | test | lint | analyze | valgrind | prove | fuzz) parts+=("$arg") ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done
if [ ${#parts[@]} -eq 0 ]; then
    for part in $ALL; do
        case $quick$part in
        1valgrind | 1prove | 1fuzz) ;;
        *) parts+=("$part") ;;
        esac
    done
fi

# The first of these programs that is here.
pick() {
    local name

    for name in "$@"; do
        if command -v "$name" >/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "check: none of these is installed: $*" >&2
    return 1
}

# Runs a function with -e on, which `if` and `||` would turn off inside it;
# its code is left in $rc.
try() {
    set +e
    (
        set -e
        "$@"
    )
    rc=$?
    set -e
}

compile() {
    env $LARGE_PAGES cmake --build "build/$1" --parallel "$JOBS" \
        --target "${@:2}"
}

# Line numbers are enough for a report.
lean() {
    configure "$1" "build/$1" -DCMAKE_C_FLAGS_DEBUG=-g1
}

part_build() {
    lean asan
    compile asan all
}

part_test() {
    local only=(-LE '^prove$')

    part_build
    if [ -z "$quick" ]; then
        # the appliances of the scenarios are plain ones, which take a third of
        # the time; the lab's own tests have it with the sanitizers
        lean dev
        compile dev certfleet-lab
        export CERTFLEET_LAB=$PWD/build/dev/tests/lab/certfleet-lab
    else
        only=(-L '^(unit|lint)$')
    fi
    # of the pool's eight threads a scenario needs few, and each one's shadow
    # costs; a scenario waits for a third of its time
    export UV_THREADPOOL_SIZE=2
    ctest --test-dir build/asan --parallel $((JOBS * 2)) --output-on-failure \
        --no-tests=error --timeout 900 "${only[@]}" 2>&1 | tee build/test.log
}

sources() {
    find core transport playbooks cli tests -name "$1" | sort
}

lint_format() {
    local format

    format=$(pick clang-format-14 clang-format)
    echo "-- $format --dry-run"
    case $("$format" --version) in
    *' 14.'*) sources '*.[ch]' | xargs -r "$format" --dry-run --Werror ;;
    *) echo 'left out: only version 14 lays code out as we do' ;;
    esac
}

lint_rule() {
    local program=

    if [ -x build/asan/certfleet ]; then
        program=build/asan/certfleet
    fi
    echo "-- tests/lint/$1.sh"
    bash "tests/lint/$1.sh" . $program
}

lint_cppcheck() {
    echo '-- cppcheck'
    mkdir -p build/cppcheck
    cppcheck --quiet -j "$JOBS" --cppcheck-build-dir=build/cppcheck \
        --std=c11 --language=c --library=posix --platform=unix64 \
        --enable=warning,performance,portability --inline-suppr \
        --suppressions-list=tests/lint/cppcheck.txt \
        --error-exitcode=1 -D_GNU_SOURCE -I . \
        core transport playbooks cli tests
}

# A file that passed before beside the headers that it has now is not looked at
# again.
tidy_one() {
    local file=$1 key said

    key=$(echo "$TIDY_HEADERS" | cat - "$file" | sha256sum | cut -c 1-40)
    [ ! -e "build/tidy/$key" ] || return 0
    # shellcheck disable=SC2086
    if ! said=$(env $LARGE_PAGES "$TIDY" --quiet -p build/clang $TIDY_LESS \
        "$file" 2>&1); then
        printf '%s\n' "$said" | grep -vE '^[0-9]+ (warning|error)s?.* generated'
        return 1
    fi
    touch "build/tidy/$key"
}

# What the build compiles, or of it what differs from the last commit.  To look
# at the tests takes as long as at the rest.
tidy_files() {
    local list less='^tests/'

    if [ -n "$quick" ] || [ -z "$TIDY_LESS" ]; then
        less='^$'
    fi
    list=$(sed -n "s,^ *\"file\": \"$PWD/\(.*\)\".*,\1,p" \
        build/clang/compile_commands.json | sort -u | grep -v "$less")
    if [ -n "$quick" ] && git rev-parse -q --verify HEAD >/dev/null 2>&1; then
        {
            git diff --name-only HEAD
            git ls-files --others --exclude-standard
        } | grep -xF "$list" || true
    else
        printf '%s\n' "$list"
    fi
}

lint_tidy() {
    TIDY=$(pick clang-tidy-14 clang-tidy)
    echo "-- $TIDY"
    configure dev build/clang "-DCMAKE_C_COMPILER=$(pick clang-14 clang)"
    mkdir -p build/tidy
    TIDY_HEADERS="$TIDY $TIDY_LESS $(sources '*.h' | xargs cat .clang-tidy \
        tests/.clang-tidy | sha256sum)"
    export TIDY TIDY_LESS TIDY_HEADERS LARGE_PAGES
    export -f tidy_one
    # shellcheck disable=SC2016
    tidy_files | xargs -r -P "$JOBS" -n 1 bash -c 'tidy_one "$1"' tidy
}

# The analyzer takes three quarters of clang-tidy's time, and on 2026-11-28 had
# found nothing for as long as this tree had been there.
part_analyze() {
    TIDY_LESS=
    lint_tidy
}

# All of them, so that one run shows all there is to mend.
part_lint() {
    local rule failed=()

    case " ${parts[*]} " in
    *' test '*) ;; # ctest has run the rules
    *)
        for rule in includes banned sizes names headers words docs selftest; do
            try lint_rule $rule
            [ "$rc" -eq 0 ] || failed+=("$rule")
        done
        ;;
    esac
    for rule in format cppcheck tidy; do
        try lint_$rule
        [ "$rc" -eq 0 ] || failed+=("$rule")
    done
    if [ ${#failed[@]} -gt 0 ]; then
        echo "lint: failed: ${failed[*]}"
        return 1
    fi
}

# A unit under valgrind, or one test of a scenario (SCENARIO:TEST), which starts
# the program through $CERTFLEET_WRAP.  What it prints is shown when it fails.
valgrind_one() {
    local name=${1##*/} rc=0 at=$SECONDS log

    log=$TMPDIR/$name.valgrind
    case $name in
    *:*) BED_ONLY=${name#*:} timeout 600 "${1%:*}" >"$log" 2>&1 || rc=$? ;;
    *) timeout 600 $CERTFLEET_WRAP "$1" >"$log" 2>&1 || rc=$? ;;
    esac
    printf '%-40s %4d s  %s\n' "$name" $((SECONDS - at)) \
        "$([ $rc -eq 0 ] && echo ok || echo "$rc")"
    [ $rc -eq 0 ] || cat "$log"
    return $rc
}

# A unit that does one thing a thousand times does less of it where
# CERTFLEET_SLOW is set.  Backwards, as the long ones (transport, pki) have late
# names.
part_valgrind() {
    local tests=build/dev/tests

    lean dev
    compile dev units test_happy
    CERTFLEET_WRAP="valgrind --quiet --error-exitcode=99 --leak-check=full \
--errors-for-leak-kinds=definite --show-leak-kinds=definite \
--suppressions=$PWD/tests/scenario/valgrind.supp"
    export CERTFLEET_WRAP CERTFLEET_SLOW=1
    export -f valgrind_one
    # shellcheck disable=SC2016
    {
        echo $tests/scenario/test_happy:test_three_and_two
        find $tests -maxdepth 1 -type f -name 'test_*' -perm -1 \
            ! -name 'test_cli_pki*' ! -name test_run_spare \
            ! -name test_pki_lock ! -name test_store_pg | sort -r
    } | xargs -P $((JOBS + 1)) -n 1 bash -c 'valgrind_one "$1"' valgrind
}

part_prove() {
    lean dev
    compile dev provers
    ctest --test-dir build/dev -L '^prove$' --parallel $((JOBS * 2)) \
        --output-on-failure --no-tests=error --timeout 900
}

part_fuzz() {
    scripts/fuzz.sh --seconds 10 --jobs $((JOBS * 2))
}

run_parts() {
    local part at start

    start=$SECONDS
    for part in "${parts[@]}"; do
        at=$SECONDS
        printf '\n== %s\n' "$part"
        try "part_$part"
        if [ "$rc" -ne 0 ]; then
            printf '\n== %s: FAILED after %d s\n' "$part" $((SECONDS - at))
            exit 1
        fi
        printf '== %s: ok, %d s\n' "$part" $((SECONDS - at))
    done
    printf '\n== %s: ok, %d s\n' "${parts[*]}" $((SECONDS - start))
    case " ${parts[*]} " in
    *' test '*) grep 'tests passed' build/test.log ;;
    esac
}

# The caller's own keys, agent, inventory and language are none of a test's
# business.  PostgreSQL's user must be able to pass through TMPDIR.
prepare() {
    unset SSH_AUTH_SOCK SSH_AGENT_PID CERTFLEET_INVENTORY XDG_STATE_HOME
    unset DISPLAY SSH_ASKPASS GIT_DIR GIT_WORK_TREE MAKEFLAGS
    export LC_ALL=C.UTF-8 TZ=UTC
    # strict_string_checks would refuse strndup() on bytes without an end.  Of
    # what was freed 1 MB is kept from use: 256 cost a third of the time.
    # 99: certfleet itself ends with 1 when it was rolled back.
    export ASAN_OPTIONS=detect_stack_use_after_return=1:handle_sigill=1
    ASAN_OPTIONS+=:exitcode=99
    ASAN_OPTIONS+=:quarantine_size_mb=1:thread_local_quarantine_size_kb=64
    scratch=$(mktemp -d "$(work_place)/check.XXXXXX")
    chmod 711 "$scratch"
    export TMPDIR=$scratch
    trap 'rm -rf "$scratch"' EXIT
}

# The parts run under strays, which ends this script's wait only when nothing
# that they started is left.
main() {
    local rc=0 pid

    [ -n "$no_install" ] || bash scripts/deps.sh test demo
    prepare
    cc -std=gnu11 -O1 -Wall -Wextra -o "$scratch/strays" scripts/strays.c
    CHECK_INSIDE=1 "$scratch/strays" bash "$SELF" "$@" </dev/null &
    pid=$!
    trap 'kill -TERM $pid 2>/dev/null || true' INT TERM HUP
    while :; do
        rc=0
        wait $pid || rc=$?
        kill -0 $pid 2>/dev/null || break
    done
    if [ $rc -eq 97 ]; then
        echo '== FAILED: processes were left behind'
        rc=1
    fi
    [ $rc -ne 0 ] || echo 'check: passed'
    return $rc
}

if [ -n "${CHECK_INSIDE:-}" ]; then
    unset CHECK_INSIDE
    run_parts
else
    main "$@"
fi
