#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# For the other scripts to source: how a build folder is made, and where tests
# work.

# clang and the linkers touch a great deal of memory for a moment, and a virtual
# machine pays for every page: with large ones clang takes a fifth less.
LARGE_PAGES=GLIBC_TUNABLES=glibc.malloc.hugetlb=1

# configure PRESET FOLDER [CMAKE-ARG...].  A folder keeps its generator; one
# that was made for another clone is made anew.  gold links in half the time,
# which is a seventh of a build's.  What CMake says is in FOLDER.log, and shown
# when it fails.
configure() {
    local preset=$1 folder=$2 cache=$2/CMakeCache.txt generator=() linker=()

    shift 2
    if [ -e "$cache" ] &&
        ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache"; then
        rm -rf "$folder"
    fi
    if [ ! -e "$cache" ] && command -v ninja >/dev/null; then
        generator=(-G Ninja)
    fi
    if command -v ld.gold >/dev/null; then
        linker=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=gold)
    fi
    mkdir -p "${folder%/*}"
    if ! cmake --preset "$preset" -B "$folder" "${generator[@]}" \
        "${linker[@]}" "$@" \
        >"$folder.log" 2>&1; then
        cat "$folder.log" >&2
        return 1
    fi
}

# build_quietly FOLDER [TARGET...]: what the compiler says is in FOLDER.log,
# and its end is shown when it fails.
build_quietly() {
    local folder=$1

    shift
    if ! env $LARGE_PAGES \
        cmake --build "$folder" --parallel "$(nproc)" --target "${@:-all}" \
        >>"$folder.log" 2>&1; then
        tail -n 40 "$folder.log" >&2
        echo "${0##*/}: the build failed; all of it: $folder.log" >&2
        return 1
    fi
}

# Prints a folder for tests to work in: $TMPDIR; else memory, where there are 2
# GB of it and programs may be run from there (the store syncs every commit, and
# a thousand stores wait for the disk); else /tmp.
work_place() {
    local place=/dev/shm trial free

    if [ -z "${TMPDIR:-}" ] && trial=$(mktemp -p $place 2>/dev/null); then
        free=$(df --output=avail -k $place | tail -n 1)
        cp /bin/true "$trial" && chmod 700 "$trial"
        if [ "$free" -gt 2000000 ] && "$trial" 2>/dev/null; then
            rm -f "$trial"
            echo $place
            return
        fi
        rm -f "$trial"
    fi
    echo "${TMPDIR:-/tmp}"
}
