#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Words of unfinished work, in anything that we ship.  This folder, which has
# to name them, is left out.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

WORDS='TODO|FIXME|XXX|HACK|WIP|TBD'
PROSE='stubs?|not( yet)? implemented|unimplemented|lorem ipsum'
PROSE="$PROSE|for now,? we|coming soon|in a real implementation"

# Exit 1 of grep means that it found nothing.
look() {
    files '*' | grep -vE '^(LICENSE$|tests/lint/)' |
        xargs -r -d '\n' grep -HnIw "$@" || true
}

{
    look -E "$WORDS"
    look -iE "$PROSE"
} | cut -c 1-160 | verdict
