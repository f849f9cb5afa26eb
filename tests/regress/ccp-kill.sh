#!/bin/sh
# Killed at any moment, ccp, the server or the line: each file is the old or the
# new one, never a part, and the next run cleans up and ends right.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 60
D=$T/there
ROUNDS=20
! $SANITIZED || ROUNDS=5
mkdir "$T/new" "$T/old" "$D"
# Some that go by SFTP, one that goes alone.
for i in $(seq 1 20); do
	head -c 30000 /dev/urandom >"$T/new/f$i"
	head -c 29000 /dev/urandom >"$T/old/f$i"
done
head -c 9000000 /dev/urandom >"$T/new/large"
head -c 9000000 /dev/urandom >"$T/old/large"
chmod 600 "$T/new"/* "$T/old"/*
(cd "$T/old" && sha256sum ./*) >"$T/old.sums"
(cd "$T/new" && sha256sum ./*) >"$T/new.sums"

old_or_new() {
	(cd "$D" && sha256sum ./*) >"$T/now.sums"
	want_equal "$(wc -l <"$T/now.sums")" 21 "files there"
	[ -z "$(cat "$T/old.sums" "$T/new.sums" | awk 'NR == FNR { ok[$0] = 1; next } !($0 in ok)' - "$T/now.sums")" ] ||
	    fail "a file is neither the old nor the new one ($1)"
}

afresh() {
	rm -rf "$D"
	cp -r "$T/old" "$D"
}

# all_new: once more, undisturbed.
all_new() {
	cp_ -w 127.1.0.1 "$T/new"/* "$D"
	want_status 0
	(cd "$D" && sha256sum ./*) | cmp -s - "$T/new.sums" || fail "not all new ($1)"
	# A run that changes nothing does not look for old folders.
	echo more >"$T/one"
	cp_ -w 127.1.0.1 "$T/one" "$D/f1"
	no_left_overs "$D"
}

# How long an undisturbed run takes, in milliseconds.
afresh
begin=$(date +%s%3N)
cp_ -w 127.1.0.1 "$T/new"/* "$D"
want_status 0
took=$(($(date +%s%3N) - begin))

sleep_ms() {
	sleep "$(awk -v ms="$1" 'BEGIN { printf "%.3f", ms / 1000 }')"
}

partly=0
for i in $(seq 1 $ROUNDS); do
	afresh
	"$CCP" -F "$BED/ssh_config" -w 127.1.0.1 "$T/new"/* "$D" >"$out" 2>"$err" &
	pid=$!
	sleep_ms $((took * i / ROUNDS))
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	old_or_new "ccp killed, $i"
	[ -z "$(find "$D" -name '.fanout-*' | head -n 1)" ] || partly=$((partly + 1))
	all_new "after ccp was killed, $i"
done
[ $partly -gt 0 ] || $SANITIZED || fail "never killed in the middle"

# The server's processes of this connection.
for i in $(seq 1 $ROUNDS); do
	afresh
	"$CCP" -F "$BED/ssh_config" -w 127.1.0.1 "$T/new"/* "$D" >"$out" 2>"$err" &
	pid=$!
	sleep_ms $((took * i / ROUNDS))
	for server in $(ps -o pid= --ppid "$(cat "$BED/main.pid")"); do
		for child in $(ps -o pid= --ppid "$server"); do
			kill -KILL "$child" 2>/dev/null
		done
		kill -KILL "$server" 2>/dev/null
	done
	wait $pid
	old_or_new "sshd killed, $i"
	all_new "after sshd was killed, $i"
done

# The line is cut when the server has sent so many bytes: a run is some 12 KB.
proxy cut 600
partly=0
for i in $(seq 1 $ROUNDS); do
	afresh
	cp_ --transport ssh2 --port "$port" --known-hosts "$T/kh" -w "127.1.0.$i" "$T/new"/* "$D"
	[ $rc -eq 0 ] || partly=$((partly + 1))
	old_or_new "cut, $i"
	all_new "after a cut, $i"
done
exec 9>&-
[ $partly -gt $((ROUNDS / 2)) ] || fail "only $partly of $ROUNDS were cut"
