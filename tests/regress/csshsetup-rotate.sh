#!/bin/sh
# csshsetup --rotate and --revoke: who is let in before and after, by the keys
# themselves; --audit tells which keys there are.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
setup_up 5 --password
by_key() {
	run at_home setsid -w "$CSSHSETUP" "$@"
}
# let_in KEY HOST: by this key alone.
let_in() {
	at_home ssh -n -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityFile="$1" \
	    -o UserKnownHostsFile="$H/.ssh/known_hosts" "root@$2" true 2>/dev/null
}
ak=/root/.ssh/authorized_keys
key=$H/.ssh/id_ed25519
setup 'node[1-5]'
want_status 0
cp "$key" "$T/k1"
cp "$key.pub" "$T/k1.pub"

# What the key may do stays; in a second file it is one, too.
von node1 sh -c "printf '%s' '# odd ' >/tmp/x; cat $ak >>/tmp/x; printf 'no-pty,environment=\"A=b c\" ' >>/tmp/x; cat $ak >>/tmp/x; printf 'last' >>/tmp/x; cat /tmp/x >$ak"
von node2 sh -c "cp -p $ak ${ak}2"

# Nothing is done to try it out.
before=$(digests node1 node2)
by_key --rotate --no-passphrase --dry-run 'node[1-4]'
want_status 0
grep -qx '+no-pty,environment="A=b c" (a new key)' "$out" || fail "not what would be"
[ ! -e "$key.new" ] || fail "a key was made"
want_equal "$(digests node1 node2)" "$before" "files"

# One where the new key cannot be put: the old one stays everywhere.
von node3 mount -t tmpfs -o ro none /root/.ssh
by_key --rotate --no-passphrase 'node[1-3]'
want_status 3
von node3 umount /root/.ssh
von node3 sh -c "chattr +i $ak 2>/dev/null || mount --bind $ak $ak"
by_key --rotate --no-passphrase 'node[1-3]'
want_status 1
want_err 'the old key stays everywhere'
for host in node1 node2 node3; do
	let_in "$T/k1" $host || fail "$host does not let in the old key any more"
done
let_in "$key.new" node1 || fail "the new key is not there yet"
von node3 sh -c "chattr -i $ak 2>/dev/null; umount $ak 2>/dev/null; true"

# One that is down is remembered, and the next run goes on with it.
"$VHOSTS" cut node4
by_key -t 1 --rotate --key "$key" 'node[1-5]'
want_status 3
want_err "1 host may still have the old key: csshsetup --rotate --key $key goes on with it"
want_equal "$(grep -c 'the new key is let in, the old one refused' "$out")" 4 hosts
want_equal "$(grep -v '^#' "$key.rotate")" node4 "what is left"
for host in node1 node2 node3 node5; do
	let_in "$key" $host || fail "$host does not let in the new key"
	! let_in "$T/k1" $host || fail "$host lets in the old key"
done
cmp -s "$T/k1" "$key.old" || fail "not the old key"
want_equal "$(von node1 sed "s|$(cut -d ' ' -f 2 "$key.pub")|KEY|" $ak | tr '\n' ';')" \
    "# odd $(cat "$T/k1.pub");last;no-pty,environment=\"A=b c\" ssh-ed25519 KEY root@control;"
"$VHOSTS" heal node4
wait_for 5 vctl nc -zw1 node4 22 || fail "node4 is not back"
let_in "$T/k1" node4 || fail "node4 should have the old key"
by_key --rotate
want_status 0
want_out 'node4: the new key is let in, the old one refused'
! let_in "$T/k1" node4 || fail "node4 lets in the old key"
[ ! -e "$key.rotate" ] || fail "there is nothing left"
by_key --verify --key "$key.pub" 'node[1-5]'
want_status 0
cp "$key.pub" "$T/half.pub"
by_key --verify --key "$T/half.pub" node1
want_status 1
want_err "this key is refused; its private half is not here: $T/half"
by_key --verify --key "$T/k1" 'node[1-5]'
want_status 1
want_err '5 of 5 failed: auth: node\[1-5\]$'
by_key --verify 'node[1-5]'
want_status 0

# Killed at any moment: some key of ours is let in everywhere, and in the end the
# next run has done all.
: >"$key.new"
for moment in 10 25 35 45 60; do
	at_home setsid -w timeout --foreground -s KILL 0.$moment "$CSSHSETUP" --rotate --no-passphrase 'node[1-5]' >/dev/null 2>&1
	by_key --verify 'node[1-5]'
	want_status 0
done
by_key --rotate --no-passphrase 'node[1-5]'
want_status 0
want_equal "$(von node5 cat $ak)" "$(cat "$key.pub")" "authorized_keys"

# Other keys, weak ones and old ones.
ssh-keygen -q -t ed25519 -N '' -C bob@laptop.example -f "$T/bob"
ssh-keygen -q -t rsa -b 1024 -N '' -C "$(printf 'e\033]0;x\007vil')" -f "$T/weak"
by_key --key "$T/bob" --options no-pty 'node[2-3]'
want_status 0
for host in node2 node4; do
	{ printf 'expiry-time="20200101",from="10.0.0.0/8" '; cat "$T/weak.pub" "$T/weak.pub"; echo "ssh-rsa AAAA nonsense"; } |
	    von $host sh -c "cat >>$ak"
done
by_key --audit 'node[1-5]'
want_status 1
bob=$(ssh-keygen -lf "$T/bob" | cut -d ' ' -f 2)
weak=$(ssh-keygen -lf "$T/weak" | cut -d ' ' -f 2)
want_equal "$(sed -n "\|$bob|,/^[^ ]/p" "$out" | head -n 2 | tr '\n' ';')" "$bob ssh-ed25519 256 bob@laptop.example  unknown;    node[2-3]: no-pty;"
grep -qF "$weak ssh-rsa 1024 e\\033]0;x\\007vil  RSA under 2048 bits, unknown, duplicate, expired" "$out" || fail "not its marks"
grep -qx '    node\[2,4\]: expiry-time="20200101",from="10.0.0.0/8" (duplicate, expired)' "$out" || fail "not where it is"
grep -q '^node2: /root/.ssh/authorized_keys:[0-9]*: this is no key$' "$out" || fail "nonsense is not told"
by_key --audit --known-keys "$T/bob.pub" node3
want_status 0
want_equal "$(tail -n 1 "$out")" '2 keys, 0 marked'

# They go: by file, by comment, by host; and not the one that lets us in.
let_in "$T/bob" node2 || fail "bob should be let in"
by_key --revoke "$T/bob" 'node[1-5]'
want_status 0
want_equal "$(grep -c ': gone, and refused$' "$out") $(grep -c ': not there, and refused$' "$out")" "2 3" "hosts"
! let_in "$T/bob" node2 || fail "bob is let in"
by_key --revoke "$weak" 'node[1-5]'
want_status 0
want_equal "$(grep -c ': gone$' "$out") $(grep -c ': not there$' "$out")" "2 3" "hosts"
want_equal "$(von node4 tail -n 1 $ak)" "ssh-rsa AAAA nonsense" "what is no key"
echo "ssh-ed25519 $(cut -d ' ' -f 2 "$T/bob.pub") root@node7.example" | von node5 sh -c "cat >>$ak"
by_key --revoke node7 --dry-run node5
want_status 0
grep -q '^-ssh-ed25519 .* root@node7.example$' "$out" || fail "no diff"
by_key --revoke node7 'node[4-5]'
want_status 0
want_equal "$(grep -v goes "$out" | tr '\n' ';')" 'node4: not there;node5: gone;'
for i in 6 7 8; do
	echo "ssh-ed25519 $(printf 'AAAAC3NzaC1lZDI1NTE5AAAAIA%042d' $i) root@node$i$([ $i != 8 ] || echo .example)"
done | von node5 sh -c "cat >>$ak"
by_key --revoke 'node[7-9]' 'node[4-5]'
want_status 0
want_equal "$(grep -v goes "$out" | tr '\n' ';')" 'node4: not there;node5: gone;'
want_equal "$(von node5 grep -o 'root@node[678].*' $ak)" root@node6 "keys of hosts that were not named"

# A key that is nowhere: a name may be mistyped, the key itself is gone as wanted.
for what in bob@latpop node1 "$T/bob.pub" "$bob"; do
	for dry in '' --dry-run; do
		by_key --revoke "$what" $dry 'node[1-2]'
		case $what in
		*@* | node*)
			want_status 1
			want_err "--revoke .*: no host that was reached has a key with this comment, or of USER@HOST with this host"
			;;
		*)
			want_status 0
			want_err "--revoke .*: no host that was reached has such a key"
			;;
		esac
	done
done
by_key --revoke 'node[1-2]' 'node[1-2]'
want_status 1
want_err 'or of USER@HOST with one of these hosts; --audit tells which keys there are$'
by_key --revoke 'odd [comment' 'node[1-2]'
want_status 1
want_err 'taken as a comment: '
by_key --revoke '' node1
want_status 2
by_key --revoke root@control 'node[1-5]'
want_status 1
want_err 'is the key that lets us in'
by_key --revoke /nowhere/x 'node[1-5]'
want_status 2
want_err 'No such file'
by_key --revoke SHA256:xy 'node[1-5]'
want_status 2
