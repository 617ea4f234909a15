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
. scripts/configure.sh
folder=${CERTFLEET_BUILD:-$PWD/build/release}
if [ "${1:-}" = --if-missing ] && [ -x "$folder/certfleet" ] &&
    [ -x "$folder/tests/lab/certfleet-lab" ]; then
    echo "$folder"
    exit 0
fi

configure release "$folder"
build_quietly "$folder" certfleet certfleet-lab
echo "$folder"
