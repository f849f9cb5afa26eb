#!/bin/sh
# csshsetup -r: from nothing, with one password typed, every member reaches every
# other; what is there is not touched again; and what is wrong is told.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 9 --password
tty_setup() {
	run at_home "$B/bed/terminal" "$T/tty" "$@"
	! grep -q "$VBED_PASSWORD" "$T/tty" || fail "the password was shown"
}
by_key() {
	run at_home setsid -w "$CSSHSETUP" "$@"
}

# Four members; of one the known hosts have no last newline, and two keys of its
# own, of which one has a passphrase.
von node2 sh -c 'ssh-keygen -q -t ed25519 -N secret -f /root/.ssh/id_ed25519
    ssh-keygen -q -t ecdsa -N "" -f /root/.ssh/id_ecdsa -C nobody@nowhere
    printf "# mine, without a newline" >/root/.ssh/known_hosts; chmod 640 /root/.ssh/known_hosts'
# Tried out first, from nothing: all of that is told, and nothing done.
told() {
	grep 'known hosts' "$1" | sort
}
before=$(digests node1 node2 node3 node4)
setup -r --dry-run 'node[1-4]'
want_status 0
want_equal "$(digests node1 node2 node3 node4)" "$before" "files after a dry run"
want_equal "$(grep -c '^+(a new key)' "$out")" 13 "keys to come: ours, and those of three members for the others"
want_equal "$(grep -c '^+ecdsa-sha2.* root@node2$' "$out")" 3 "keys of node2 that would be added"
told "$out" | sed 's/ would be added/ added/' >"$T/would"
admin_anew
tty_setup 'Are they right' yes 'Password (for all' "$VBED_PASSWORD" -- \
    "$CSSHSETUP" --no-passphrase -r 'node[1-4]'
want_status 0
grep -qx '12 of 12 ways without a password' "$out" || fail "not all of them"
want_equal "$(told "$out")" "$(cat "$T/would")" "what was done, beside what would be"
want_equal "$(grep -c 'Password' "$T/tty")" 1 "questions"
want_equal "$(von node2 stat -c %a /root/.ssh/known_hosts)" 640 "the mode of a file that was there"
want_equal "$(von node2 head -n 1 /root/.ssh/known_hosts)" '# mine, without a newline'
for i in 1 2 4; do
	want_equal "$(von node$i grep -c . /root/.ssh/authorized_keys)" 4 "keys of node$i"
	for name in node3 node3.bed.example 10.88.0.3; do
		von node$i ssh-keygen -F $name >/dev/null || fail "node$i does not know $name"
	done
done
von node1 grep -q '^ecdsa-sha2.* root@node2$' /root/.ssh/authorized_keys || fail "not the key of node2 that opens"
for i in 1 2 3 4; do
	von node$i sh -c 'cat /root/.ssh/id_*' | sha256sum
done | sort | uniq -d | grep . && fail "two have the same key"
von node1 ssh -o BatchMode=yes node4.bed.example ssh -o BatchMode=yes 10.88.0.3 true || fail "no way from node1 by node4 to node3"

# More members: to those that were there only what is new. One has its known
# hosts hashed.
von node3 sh -c 'ssh-keygen -q -H -f /root/.ssh/known_hosts 2>/dev/null && rm /root/.ssh/known_hosts.old'
before=$(digests node1 node2 | grep -v -e authorized_keys -e known_hosts -e '\.ssh ')
setup -r 'node[1-8]'
want_status 0
grep -qx '56 of 56 ways without a password' "$out" || fail "not all of them"
want_equal "$(grep -c ': 4 keys and 4 lines of known hosts added$' "$out")" 4 "members that were there"
want_equal "$(digests node1 node2 | grep -v -e authorized_keys -e known_hosts -e '\.ssh ')" "$before" "other files"
want_equal "$(von node3 grep -c '^node' /root/.ssh/known_hosts)" 4 "lines that are not hashed"

# Again, and the table: not a byte, not a time; 56 green cells.
all='node1 node2 node3 node4 node5 node6 node7 node8'
# shellcheck disable=SC2086
before=$(digests $all)
run at_home "$B/bed/terminal" "$T/tty" -- sh -c "exec '$CSSHSETUP' -r 'node[1-8]' >/dev/tty"
want_status 0
want_equal "$(grep -o '\[92m +' "$T/tty" | wc -l)" 56 "green cells"
want_equal "$(grep -c ': knows and trusts all members' "$T/tty")" 8 members
# shellcheck disable=SC2086
want_equal "$(digests $all)" "$before" "files after a second run"
by_key --verify -r --json 'node[6-8]'
want_status 0
want_equal "$(grep -c '"event":"cell".*"ok":true}' "$out")" 6 cells

# What can be wrong, each told once, by the pair.
von node1 sed -i /root@node3/d /root/.ssh/authorized_keys
von node2 sed -i /node4/d /root/.ssh/known_hosts
wrong=$(von node1 cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)
von node4 sed -i "s|^\(node3[^ ]*\) .*|\1 $wrong|" /root/.ssh/known_hosts
von node4 sed -i 's|^\(.*root@node2\)|from="192.0.2.1" \1|' /root/.ssh/authorized_keys
von node5 mv /root/.ssh/id_ed25519 /root/.ssh/away
by_key --verify -r 'node[1-5]'
want_status 1
for line in 'node3 -> node1: the key is refused: its AuthorizedKeysFile does not have it' \
    'node2 -> node4: unknown host key' \
    'node4 -> node3: known_hosts has another host key' \
    'node5 -> node1: the key is refused: there is no key without a passphrase' \
    '13 of 20 ways without a password'; do
	grep -qx -e "$line" "$out" || fail "not told: $line"
done
want_err '4 of 5 failed: remote: node\[2-5\]$'
von node5 mv /root/.ssh/away /root/.ssh/id_ed25519

# What would be done about it, and doing it: a key of old goes.
by_key -r --dry-run 'node[1-5]'
want_status 0
grep -q '^+ssh-ed25519 .* root@node3$' "$out" || fail "the key of node3 would not be added"
grep -q '^-node3,' "$out" || fail "the old key of node3 would not go"
by_key -r 'node[1-5]'
want_status 1
grep -q '^node4: 0 keys and 1 line of known hosts added, 1 old ones out$' "$out" || fail "not mended"
grep -q '^node2 -> node4: the key is refused: .*its options from="192.0.2.1"$' "$out" || fail "options are not told"
grep -qx '19 of 20 ways without a password' "$out" || fail "not mended"

# A hub, and one that is down: the others have what they need.
"$VHOSTS" cut node5
setup -t 1 --hub node9 'node[5-7,9]'
want_status 3
grep -qx '4 of 6 ways without a password' "$out" || fail "not those of the hub"
want_equal "$(von node9 grep -c 'root@node' /root/.ssh/authorized_keys)" 2 "keys at the hub"
want_equal "$(von node6 grep -c 'root@node9' /root/.ssh/authorized_keys)" 1 "keys of the hub"
by_key --hub node9 'node[6-7]'
want_status 2
want_err 'none of the hosts'
