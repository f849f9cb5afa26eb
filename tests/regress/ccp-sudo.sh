#!/bin/sh
# --sudo: a plain login copies to where only root may write, with and without a
# password; that goes to sudo and nowhere else, and once if it is wrong.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
vhosts_up 3
cd "$T" || exit 1
chmod 755 "$T"
echo "$VBED_PASSWORD" >pw
echo wrong-one >bad
# as FILE ARGUMENTS...: as admin, the password from a file; no terminal.
as() {
	file=$1
	shift
	run setsid "$VHOSTS" control "$CCP" -F "$VBED/ssh_config" -l admin --become-password-fd 9 "$@" 9<"$file"
	! cat "$out" "$err" | grep -qF -e "$VBED_PASSWORD" -e wrong-one -e -asks -e -begins || fail "a password or a mark shows"
}
on() {
	host=$1
	shift
	"$VHOSTS" enter "$host" "$@" </dev/null
}
H='node[1-3]'
for i in 1 2 3; do
	on node$i sh -c 'mkdir -m 700 /root/d; echo old >/root/d/f; chmod 640 /root/d/f; chown admin:plain /root/d/f
	    echo "Defaults logfile=/var/log/sudo.log" >>/etc/sudoers.d/bed'
done
echo new >f
seq 100000 >g
head -c 9000000 /dev/urandom >large
mkdir many && (cd many && for i in $(seq 100); do echo "$i" >"$i"; done)

run "$VHOSTS" control "$CCP" -F "$VBED/ssh_config" -l admin -w "$H" f /root/d/
want_status 1
want_err 'permission denied'
as pw -w "$H" --sudo f g large /root/d/
want_status 0
want_quiet
for i in 1 2 3; do
	want_equal "$(on node$i sh -c 'cd /root/d && cat f g large | sha256sum')" "$(cat f g large | sha256sum)" "bytes on node$i"
	want_equal "$(on node$i stat -c '%U:%G %a' /root/d/f)" 'admin:plain 640' "who has what was there"
	want_equal "$(on node$i stat -c '%U:%G' /root/d/g)" root:root "who has what is new"
done
as pw -w "$H" --sudo -v f g large /root/d/
want_status 0
want_out "$(printf '%s (3): the same' "$H")"
# What cannot be read there does not differ: it is not known whether it does.
on node2 sh -c 'install -d -m 755 /srv/d; install -m 600 /dev/null /srv/d/f; install -m 644 /dev/null /srv/d/g'
run "$VHOSTS" control "$CCP" -F "$VBED/ssh_config" -l admin -w node2 --check f /srv/d/
want_status 1
want_err 'node2: remote: /srv/d/f: cannot be read there, and so not compared'
run "$VHOSTS" control "$CCP" -F "$VBED/ssh_config" -l admin -w node2 --check g /srv/d/
want_status 1
want_out "$(printf 'node2:\n  changed  /srv/d/g  (sha256 e3b0c442...)')"
as pw -w node2 --sudo --check f /srv/d/
want_status 1
want_out "$(printf 'node2:\n  changed  /srv/d/f  (sha256 e3b0c442...)')"
# Trees as an archive, commands, back again, as another user.
as pw -w "$H" --sudo -r -p --exec-before 'id -un >/root/who' --exec-after "echo \"it's \$(id -un)\"; echo words >&2" -T many /root/many
want_status 0
sort -o "$out" "$out"
want_out "$(printf 'node%d: it'"'"'s root\n' 1 2 3)"
want_equal "$(grep -c ': words$' "$err")" 3 "what was said of errors"
want_equal "$(on node2 cat /root/who)" root "who ran --exec-before"
mkdir got
as pw -w "$H" --sudo -r --get /root/many /root/d/f got/
want_status 0
same_trees many got/node3/root/many
as pw -w node1 --sudo=plain f /home/plain/
want_equal "$(on node1 stat -c %U /home/plain/f)" plain "as another user"

# A wrong password goes once to each; a user who may not; no password.
for i in 1 2 3; do on node$i sh -c ': >/var/log/sudo.log'; done
as bad -w "$H" --sudo f /root/x
want_status 3
want_err '3 of 3 failed: auth: node'
want_err 'sudo: wrong password'
want_equal "$(on node1 grep -c 'incorrect password attempt' /var/log/sudo.log)" 1 "attempts"
run setsid "$VHOSTS" control "$CCP" -F "$VBED/ssh_config" -l plain --become-password-fd 9 -w node1 --sudo f /root/x 9<pw
want_status 3
want_err 'auth: sudo: plain is not in the sudoers file'
run setsid "$VHOSTS" control "$CCP" -F "$VBED/ssh_config" -l admin -w node1 --sudo f /root/x
want_status 3
want_err 'wants a password, and none was given'
[ "$(on node1 sh -c 'ls /root/x 2>/dev/null')" = '' ] || fail "it was copied"
# On a terminal it is asked for, once for all; a report has nothing of it.
export XDG_STATE_HOME="$T/state"
run "$B/bed/terminal" "$T/raw" 'Password for sudo' "$VBED_PASSWORD" -- "$VHOSTS" control "$CCP" \
    -F "$VBED/ssh_config" -l admin -w "$H" --sudo --mkdir f g /root/x/
want_status 0
want_equal "$(grep -c 'Password for sudo' "$T/raw")" 1 "questions"
! grep -rqF "$VBED_PASSWORD" "$XDG_STATE_HOME" || fail "the password is in a report"
want_equal "$(on node3 cat /root/x/f)" new "what arrived"
# Nothing stays behind, and where no password is wanted none is sent.
for i in 1 2 3; do
	want_equal "$(on node$i sh -c 'find /root /home -name ".fanout-*"')" '' "left behind"
	on node$i sh -c 'echo "admin ALL=(ALL) NOPASSWD: ALL" >>/etc/sudoers.d/bed'
done
as bad -w "$H" --sudo --mkdir g large /root/y/
want_status 0
want_equal "$(on node3 sh -c 'cat /root/y/g /root/y/large | sha256sum')" "$(cat g large | sha256sum)" "without a password"
