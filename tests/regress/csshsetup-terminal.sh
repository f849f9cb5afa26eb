#!/bin/sh
# csshsetup as a person uses it: a new key with its passphrase, new host keys in
# one table, one password; and what is typed wrong.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 6 --password
terminal=$B/bed/terminal
tty_setup() {
	run at_home "$terminal" "$T/tty" "$@"
	! grep -q "$VBED_PASSWORD" "$T/tty" || fail "the password was shown"
}
pw=$VBED_PASSWORD

# No to the keys: nothing is asked, recorded or sent.
tty_setup 'Are they right' no -- "$CSSHSETUP" --no-passphrase 'node[1-4]'
want_status 3
want_err '4 of 4 failed: hostkey-unknown: node\[1-4\]$'
[ ! -s "$H/.ssh/known_hosts" ] || fail "a key was recorded"
! grep -q assword "$T/tty" || fail "a password was asked for"

tty_setup 'Are they right' yes 'Password (for all' "$pw" -- "$CSSHSETUP" 'node[1-4]'
want_status 0
want_quiet
want_equal "$(sort "$out")" "$(for i in 1 2 3 4; do echo "node$i: trusted now"; done)"
want_equal "$(grep -c 'Are they right' "$T/tty")" 1 "questions"
want_equal "$(grep -c 'ssh-ed25519 SHA256:.*node' "$T/tty")" 4 "lines of the table"
want_equal "$(grep -c 'Password' "$T/tty")" 1 "questions"

# Nothing is asked where all is well.
tty_setup -- "$CSSHSETUP" 'node[1-4]'
want_status 0
want_quiet
want_lines 4

# Wrong everywhere: it is asked for once more; refused by a few: for each of them.
tty_setup 'Is it right' yes 'Password (for all' wrong 'Password (for all' no 'Password (for all' never -- \
    "$CSSHSETUP" 'node[4-5]'
want_status 3
want_out 'node4: already trusted'
want_err 'node5: auth: .*wrong (password|answer)'
von node5 sh -c 'echo root:other | chpasswd'
von node1 rm /root/.ssh/authorized_keys
# To try out -r the password for all serves once more, and no other is asked for.
tty_setup 'Password (for all' "$pw" "node5" other -- "$CSSHSETUP" -r --dry-run 'node[1,4-5]'
want_status 0
grep -qx 'node1: 1 key and 2 lines of known hosts would be added' "$out" || fail "node1 is not looked at"
want_err 'node5: what else would change is not known, as a password of its own'
tty_setup 'Password (for all' wrong 'Password (for all' "$pw" "node5" 'no, no' 'try again' other -- \
    "$CSSHSETUP" 'node[1,4-5]'
want_status 0
want_equal "$(grep -o 'refused by.*' "$err" | tr '\n' ';')" 'refused by node[1,5];refused by node5;'
want_equal "$(sort "$out" | tr '\n' ';')" 'node1: trusted now;node4: already trusted;node5: trusted now;'
von node5 sh -c "echo 'root:$VBED_PASSWORD' | chpasswd; rm /root/.ssh/authorized_keys"
tty_setup 'assword' wrong 'try again' "$pw" -- "$CSSHSETUP" --ask-each 'node[4-5]'
want_status 0
want_equal "$(sort "$out" | tr '\n' ';')" 'node4: already trusted;node5: trusted now;'
tty_setup 'assword' ^D -- "$CSSHSETUP" --accept-new --key "$T/none" --no-passphrase 'node6'
want_status 3

# Ended while a host does not answer: who was left is said.
"$VHOSTS" cut node6
run at_home setsid -w timeout --foreground --preserve-status 1 "$CSSHSETUP" 'node[5-6]'
want_status 130
want_out 'node5: already trusted'
want_err '1 of 2 failed: canceled: node6$'

# A key with a passphrase.
rm "$H/.ssh/id_ed25519" "$H/.ssh/id_ed25519.pub"
tty_setup 'passphrase' 'my words' 'same passphrase' 'my words' \
    'Password (for all' "$pw" 'id_ed25519' 'my words' -- "$CSSHSETUP" node1
want_status 0
want_out 'node1: trusted now'
ssh-keygen -y -P 'my words' -f "$H/.ssh/id_ed25519" >/dev/null || fail "another passphrase"

# It is typed once, whatever there is to do; a wrong one is asked for again.
tty_setup 'id_ed25519' 'no words' 'not its passphrase' 'my words' 'Password (for all' "$pw" -- \
    "$CSSHSETUP" -r 'node[1-2]'
want_status 0
want_equal "$(tail -n 1 "$out")" '2 of 2 ways without a password'
tty_setup 'id_ed25519' 'my words' -- "$CSSHSETUP" -r 'node[1-2]'
want_status 0
want_equal "$(grep -c 'nter passphrase\|assphrase for' "$T/tty")" 1 "questions"
tty_setup 'Enter passphrase' 'other words' 'same passphrase' 'other words' \
    "id_ed25519'" 'my words' "id_ed25519.new'" 'other words' -- "$CSSHSETUP" --rotate 'node[1-2]'
want_status 0
want_lines 2
want_equal "$(grep -c 'passphrase for key' "$T/tty")" 2 "questions"
