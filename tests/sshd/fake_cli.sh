#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A command line like an appliance's, for test_sshd_work: exec commands by
# their name, a shell with a prompt, confirmations with a capital Y.
D=$1
run() {
    case "$1" in
    hello) printf 'hello\nworld\n' ;;
    both) echo out; echo err >&2 ;;
    tricky) printf 'a\ncms1> in the middle\nSUCCESS: b\n' ;;
    apart) printf 'x\ncm'; sleep 0.05; printf 's1> y\n' ;;
    loud) yes 0123456789012345678901234567890123456789 | head -c 200000 ;;
    hang) : >"$D/hanging"; exec cat ;; # until the channel is closed
    'database cluster remove')
        printf 'WARNING!!!\nThis removes the node.\nAre you sure? (Y/n)'
        read -r answer
        printf '%s\n' "$1" "$answer" >>"$D/answers"
        case "$answer" in Y*) echo 'Removing...' ;; esac ;;
    'fast remove') echo 'nothing to remove' ;;
    quit) exit 0 ;;
    '') ;;
    *) echo "Unknown command: $1" ;;
    esac
}
case "$SSH_ORIGINAL_COMMAND" in
internal-sftp* | */sftp-server*) exec /usr/lib/openssh/sftp-server -d "$D" ;;
?*) run "$SSH_ORIGINAL_COMMAND"; exit 3 ;;
esac
[ -e "$D/expired" ] && { printf 'Enter new password: '; read -r x; exit 1; }
printf '\033[1mWelcome to cms1>\033[0m \r\nno prompt> here is one> \n'
while printf 'cms1> ' && IFS= read -r line; do run "$line"; done
