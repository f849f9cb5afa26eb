#!/bin/sh
# Servers without SFTP: all is done by commands, those of busybox, too; what
# cannot be done so is said.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 1
D=$T/there
S=$T/src
odd_tree "$S"
rm "$S/odd
name" "$S"/many/f[1-9][0-9]*
if command -v busybox >/dev/null; then
	mkdir "$T/bb"
	busybox --install -s "$T/bb"
	ln -sf "$(command -v bash)" "$T/bb/bash"
fi
gone() {
	! kill -0 "$1" 2>/dev/null
}
# server NAME LINE...: one without the bed's subsystem, with these lines; where it
# is comes in $there.
server() {
	there=$("$LOOPBACK" sshd "$1")
	conf=$BED/$1.conf
	old=$(cat "$BED/$1.pid")
	kill "$old"
	wait_for 10 gone "$old" || fail "sshd does not end"
	shift
	sed -i '/^Subsystem sftp/d' "$conf"
	for line; do
		sed -i "1i$line" "$conf"
	done
	"$(PATH=$PATH:/usr/sbin command -v sshd)" -D -e -f "$conf" -p "${there#*:}" 2>"$T/server.log" &
	background="${background-} $!"
	wait_for 10 nc -z "${there%:*}" "${there#*:}" || fail "sshd does not start"
}
# One that has no subsystem; one that has a broken one, and busybox's commands.
server none
none=$there
server broken 'Subsystem sftp /nowhere/sftp-server'
broken=$there
if [ -d "$T/bb" ]; then
	kill "${background##* }"
	server bare 'Subsystem sftp /nowhere/sftp-server' "SetEnv PATH=$T/bb"
	broken=$there
fi

# There is one login, whether the subsystem is missing or ends at once.
for host in "$none" "$broken"; do
	cp_ -v -w "$host" -T "$S/zero" "$T/once"
	want_status 0
	want_equal "$(grep -c 'logged in as' "$err")" 1 "logins of $host"
done
for host in "$none" "$broken"; do
	rm -rf "$D"
	# A tree, from nothing; again; in part.
	cp_ -w "$host" --mkdir -r -p -T "$S" "$D/tree"
	want_status 0
	want_quiet
	same_trees "$S" "$D/tree" times
	cp_ -v -w "$host" -r -T "$S" "$D/tree"
	want_status 0
	want_out "$host: the same"
	echo changed >"$D/tree/many/f7"
	chown "$(id -u)" "$D/tree/many/f7"
	chmod 604 "$D/tree/many/f7"
	ln -sfn elsewhere "$D/tree/link"
	rm -r "$D/tree/sub/deep"
	cp_ -v -w "$host" -r -T "$S" "$D/tree"
	want_status 0
	grep -q "changed  $D/tree/many/f7$" "$out" || fail "not told"
	want_equal "$(stat -c %a "$D/tree/many/f7")" 604 "mode of what was there"
	chmod 644 "$D/tree/many/f7"
	cp_ -w "$host" -r -p -T "$S" "$D/tree"
	want_status 0
	same_trees "$S" "$D/tree"
	no_left_overs "$D"
	# Files, in directories and under names; modes; looking only.
	echo hello >"$T/f"
	cp_ -w "$host" "$T/f" "$D/"
	cp_ -w "$host" --mode 0600 "$T/f" "$D/g h"
	want_status 0
	want_equal "$(cat "$D/f" "$D/g h" | tr '\n' ' ')$(stat -c %a "$D/g h")" 'hello hello 600' "files"
	cp_ -w "$host" --mode 0640 --backup --exec-after 'echo done' "$T/f" "$D/g h"
	want_status 0
	want_out "$host: done"
	want_equal "$(stat -c %a "$D/g h")" 640 "a mode that was changed"
	tree_of "$D" times >"$T/before"
	cp_ -w "$host" --dry-run "$T/f" "$D/new"
	want_status 0
	grep -q "new      $D/new" "$out" || fail "--dry-run"
	echo other >"$T/f"
	cp_ -w "$host" --check "$T/f" "$D/f"
	want_status 1
	tree_of "$D" times >"$T/after"
	cmp "$T/before" "$T/after" || fail "looking has changed something"
	# What fails is said, and leaves nothing behind.
	cp_ -w "$host" "$T/f" "$D/missing/"
	want_status 1
	want_err 'no such directory \(--mkdir makes it\)'
	cp_ -w "$host" "$T/f" "$D/tree"
	want_status 0
	mkdir -p "$D/dir/f"
	cp_ -w "$host" "$T/f" "$D/dir"
	want_status 1
	want_err 'is a directory there, and will not be replaced by a file'
	cp_ -w "$host" --owner nosuch "$T/f" "$D/owned"
	want_status 1
	want_err "nosuch"
	[ ! -e "$D/owned" ] || fail "it is there"
	for option in --update --diff '-r --delete --yes'; do
		# shellcheck disable=SC2086
		cp_ -w "$host" $option "$T/f" "$D/"
		want_status 1
		want_err 'it has no SFTP server, and --[a-z]* takes one'
	done
	echo x >"$T/new
line"
	cp_ -w "$host" "$T/new
line" "$D/"
	want_status 1
	want_err 'no newline can be in a name'
	no_left_overs "$D"
done
