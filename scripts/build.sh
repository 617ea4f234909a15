#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds certfleet and certfleet-lab for use, quietly, and prints the folder.
#
#   scripts/build.sh [--if-missing]
#
# The folder is $CERTFLEET_BUILD, else build/release.  What the compiler says
# goes to FOLDER.log and is shown when it fails.
set -euo pipefail

cd "$(dirname "$0")/.."
folder=${CERTFLEET_BUILD:-$PWD/build/release}
log=$folder.log
cache=$folder/CMakeCache.txt

if [ "${1:-}" = --if-missing ] && [ -x "$folder/certfleet" ] &&
    [ -x "$folder/tests/lab/certfleet-lab" ]; then
    echo "$folder"
    exit 0
fi

# A folder that was made for another clone is made anew.
if [ -e "$cache" ] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache"; then
    rm -rf "$folder"
fi
mkdir -p "${folder%/*}"
generator=()
if [ ! -e "$cache" ] && command -v ninja >/dev/null; then
    generator=(-G Ninja)
fi

build() {
    [ -e "$cache" ] || cmake --preset release -B "$folder" "${generator[@]}"
    cmake --build "$folder" --parallel "$(nproc)" \
        --target certfleet certfleet-lab
}

if ! build >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "build: failed; all of it: $log" >&2
    exit 1
fi
echo "$folder"
