#!/bin/sh
# csshsetup: many hosts from nothing, with one password; what was done is not
# done again, and one host's failure is its own.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/csshsetup.inc"
n=30
setup_up $n --password
all="node[1-$n]"
each() {
	for i in $(seq $n); do
		echo "node$i: $1"
	done
}

# Nothing is done to try it out. There is no key yet: said, not made.
setup --dry-run --options no-pty "$all"
want_status 0
want_err 'there is no key .*/id_ed25519: it would be made$'
want_equal "$(grep -cx '+no-pty (a new key)' "$out")" $n "keys that would be added"
[ ! -e "$H/.ssh/id_ed25519" ] || fail "a key was made"
von node1 test ! -e /root/.ssh/authorized_keys || fail "something was written"

# Two have another password, one is down.
for i in 2 17; do
	von node$i sh -c 'echo root:other | chpasswd'
done
"$VHOSTS" crash node5
setup -t 1 "$all"
want_status 3
want_equal "$(grep -c ': trusted now$' "$out")" $((n - 3)) "hosts trusted"
want_err 'node2: auth: user root is refused'
want_err "3 of $n failed: connect-timeout: node5; auth: node\[2,17\]$"
for i in 1 7 30; do
	logs_in node$i || fail "node$i does not let in the key"
	want_equal "$(von node$i stat -c '%a %u' /root/.ssh /root/.ssh/authorized_keys | tr '\n' ' ')" \
	    "700 0 600 0 " "modes"
	want_equal "$(von node$i cat /root/.ssh/authorized_keys)" \
	    "$(cat "$H/.ssh/id_ed25519.pub")" "authorized_keys"
done
von node2 test ! -e /root/.ssh/authorized_keys || fail "a key without the password"
want_equal "$(stat -c %a "$H/.ssh/id_ed25519")" 600 "mode of the key"

# Again, with the right passwords: only those are touched.
for i in 2 17; do
	von node$i sh -c "echo 'root:$VBED_PASSWORD' | chpasswd"
done
"$VHOSTS" start node5
before=$(digests node1 node7 node30)
setup "$all"
want_status 0
want_quiet
want_equal "$(sort -V "$out")" "$(each 'already trusted' |
    sed -E '/node(2|5|17):/s/already trusted/trusted now/')"
want_equal "$(digests node1 node7 node30)" "$before" "files"

# And again, all of them: not a byte, not a time.
# shellcheck disable=SC2046
before=$(digests $(seq -f node%g $n))
setup "$all"
want_status 0
# shellcheck disable=SC2046
want_equal "$(digests $(seq -f node%g $n))" "$before" "files after another run"

# Without any password, and as JSON.
cp "$T/pw" "$T/right"
echo wrong >"$T/pw"
setup --json "$all"
want_status 0
want_equal "$(grep -c '"event":"done".*"class":"ok"' "$out")" $n "hosts done"
want_equal "$(grep -c '^{"event":"trust","host":"node[0-9]*","text":"already trusted"}$' "$out")" $n "hosts trusted"

# Another key, where the first one opens the door: no password is needed.
ssh-keygen -q -t ed25519 -N '' -f "$T/second"
setup --key "$T/second" --dry-run node1
want_out "node1: the key would be installed
--- node1:/root/.ssh/authorized_keys
+++ node1:/root/.ssh/authorized_keys
@@ -1,0 +2 @@
+$(cat "$T/second.pub")"
for told in 'trusted now' 'already trusted'; do
	run at_home setsid -w "$CSSHSETUP" --key "$T/second" 'node[1-2]'
	want_status 0
	want_equal "$(sort "$out")" "node1: $told
node2: $told"
	want_equal "$(von node1 cat /root/.ssh/authorized_keys)" \
	    "$(cat "$H/.ssh/id_ed25519.pub" "$T/second.pub")" "authorized_keys"
done

# Another account, from a file of hosts; the password is wrong everywhere.
seq -f 'admin@node%g' 4 >"$T/hosts"
setup -f "$T/hosts"
want_status 3
want_err 'admin@node1: auth: .*wrong (password|answer)'
cp "$T/right" "$T/pw"
setup --dry-run -f "$T/hosts"
want_status 0
want_equal "$(grep '^admin' "$out" | sort)" "$(seq -f 'admin@node%g: the key would be installed' 4)"
want_equal "$(grep -c '^@@ -0,0 +1 @@$' "$out")" 4 "files that would be made"
von node1 test ! -e /home/admin/.ssh/authorized_keys || fail "--dry-run changed something"
setup -f "$T/hosts"
want_status 0
want_lines 4
logs_in admin@node3 || fail "admin cannot log in"
want_equal "$(von node3 stat -c '%a %U' /home/admin/.ssh /home/admin/.ssh/authorized_keys | tr '\n' ' ')" \
    "700 admin 600 admin " "modes"

# Nobody to ask, no descriptor: those that trust us are told of all the same.
von node9 rm -r /root/.ssh
run at_home setsid -w "$CSSHSETUP" 'node[8-9]'
want_status 3
want_out 'node8: already trusted'
want_err 'node9: auth: .*takes a password, too'

# The key that ssh_config has for a host is the one that a later ssh uses.
cp "$H/.ssh/config" "$T/config"
{
	printf 'Host node20 node21\n    IdentityFile ~/.ssh/work\n    IdentitiesOnly yes\n'
	printf 'Host node22 node23\n    IdentityFile ~/.ssh/of_%%h\n'
	printf 'Host node24\n    IdentityFile ~/.ssh/id_rsa\n    IdentityFile ~/.ssh/id_ed25519\n'
	cat "$T/config"
} >"$H/.ssh/config"
for i in 20 21 22 23 24; do
	von node$i rm -r /root/.ssh
done
setup --dry-run 'node[20-21]'
want_status 0
want_err "there is no key $H/.ssh/work: it would be made"
setup 'node[20-21]'
want_status 0
want_err "the key is $H/.ssh/work, as ssh_config has it as IdentityFile of all of these hosts"
want_err "makes the key pair $H/.ssh/work"
want_equal "$(von node20 cat /root/.ssh/authorized_keys)" "$(cat "$H/.ssh/work.pub")" "authorized_keys"
logs_in node20 || fail "ssh does not use the key"
run at_home setsid -w "$CSSHSETUP" node21
want_out 'node21: already trusted'

# Where not one key is that of all it is the usual one, and said.
setup 'node[20-25]'
want_status 0
want_err "node\[20-21\]: ssh\(1\) will not use the key $H/.ssh/id_ed25519 there: ssh_config has IdentityFile $H/.ssh/work \(--key"
want_err "node22: ssh\(1\) will not use the key $H/.ssh/id_ed25519 there: ssh_config has IdentityFile $H/.ssh/of_node22"
want_equal "$(grep -c 'will not use the key' "$err")" 3 "warnings"
logs_in node24 || fail "ssh does not use the key"
setup --key "$H/.ssh/id_ed25519" 'node[20-25]'
want_status 0
want_quiet
run at_home setsid -w "$CSSHSETUP" --rotate --no-passphrase 'node[20-21]'
want_status 0
[ -e "$H/.ssh/work.old" ] || fail "another key was rotated"
logs_in node21 || fail "ssh does not use the new key"
