#!/bin/sh
# As root by way of sudo, su and doas, on virtual hosts with the real ones: the
# password goes to who asks for it and nowhere else, once; what runs is gone
# when we say so.
. "$(dirname "$0")/../lib.sh"
vhosts_up 3
H='node[1-3]'
cd "$T" || exit 1
chmod 755 "$T"
echo "$VBED_PASSWORD" >pw
echo wrong-one >bad
seq 30000 >data
sum=$(md5sum <data)

# as FILE ARGUMENTS...: as admin, the password from a file; no terminal.
as() {
	file=$1
	shift
	run setsid "$VHOSTS" control "$CEXEC" -F "$VBED/ssh_config" -l admin \
	    --become-password-fd 9 -w "$@" 9<"$file"
	! cat "$out" "$err" | grep -qF -e "$VBED_PASSWORD" -e wrong-one -e fanout- ||
		fail "a password or a mark shows"
}
on_all() {
	for i in 1 2 3; do
		for line; do
			echo "node$i: $line"
		done
	done
}
left() {
	for i in 1 2 3; do
		von node$i sh -c 'ls -d /tmp/.cexec-* /var/tmp/.cexec-*; pgrep -a -f "^sleep 111"' 2>/dev/null
	done
}
none_left() {
	[ -z "$(left)" ]
}
for i in 1 2 3; do
	von node$i sh -c 'echo "Defaults logfile=/var/log/sudo.log" >>/etc/sudoers.d/bed'
done

# The output is the command's alone, the input too, to the last byte.
as pw "$H" -L -n --sudo 'id -un; echo "$HOME"; echo err >&2; exit 5'
want_status 1
want_out "$(on_all root /root)"
want_equal "$(sort "$err" | grep -v '^cexec')" "$(on_all err)" "standard error"
as pw "$H" -L --sudo --stdin-file data 'md5sum'
want_out "$(on_all "$sum")"
as pw "$H" -L --sudo=plain -n 'id -un; echo $HOME'
want_out "$(on_all plain /home/plain)"
for i in 1 2 3; do echo "of $i" >"in.node$i"; done
as pw "$H" -L --sudo --batch 1 --expand --stdin-file 'in.%h' 'cat; echo %h'
want_out "$(for i in 1 2 3; do printf 'node%d: of %d\nnode%d: node%d\n' $i $i $i $i; done)"
printf '#!/bin/bash\nid -un; cat; echo "$1"\n' >script
as pw node1 --sudo --script script --stdin-file in.node1 'a b'
want_out "node1: root
node1: of 1
node1: a b"
as pw node1 --sudo=plain --script script --stdin-file in.node1 x
want_out "node1: plain
node1: of 1
node1: x"
none_left || fail "left: $(left)"

# Wrong: told, and sent once. No password at all: nothing is tried.
for i in 1 2 3; do von node$i sh -c ': >/var/log/sudo.log'; done
as bad "$H" -n --sudo --json id
want_status 3
want_equal "$(jq -r 'select(.event == "done") | "\(.class) \(.text)"' "$out" | uniq -c | tr -s ' ')" \
    " 3 auth sudo: wrong password" "outcomes"
for i in 1 2 3; do
	von node$i cat /var/log/sudo.log
done >"$out"
want_equal "$(grep -c '1 incorrect password attempt' "$out")" 3 "attempts"
run setsid "$VHOSTS" control "$CEXEC" -F "$VBED/ssh_config" -l admin -n -w node1 --sudo id
want_status 3
want_err 'auth: sudo: it wants a password, and none was given \(--become-password-fd'
as pw plain@node1 -n --sudo id
want_status 3
want_err 'auth: sudo did not run the command: plain is not in the sudoers'

# On a terminal: asked once for all.
run vctl "$B/bed/terminal" "$T/tty" 'Password for sudo' "$VBED_PASSWORD" -- \
    "$CEXEC" -F "$VBED/ssh_config" -l admin -n -L -w "$H" --sudo id -un
want_status 0
want_out "$(on_all root)"
want_equal "$(grep -c 'Password for sudo' tty)" 1 prompts
! grep -qF "$VBED_PASSWORD" tty || fail "the password is shown"
run vctl "$B/bed/terminal" "$T/tty" 'Password for sudo' ^C 'Password for sudo' "$VBED_PASSWORD" -- \
    "$CEXEC" -F "$VBED/ssh_config" -l admin -n -L -w "$H" --sudo id -un
want_status 0
want_out "$(on_all root)"
# Put again only where output ran into it: not for what is not shown, as that
# the others want it, too.
von node3 sh -c 'echo "admin ALL=(ALL:ALL) NOPASSWD:ALL" >/etc/sudoers.d/zz'
run vctl "$B/bed/terminal" "$T/tty" late "$VBED_PASSWORD" -- sh -c \
    "exec '$CEXEC' -F '$VBED/ssh_config' -l admin -n -w '$H' --sudo 'sleep 1; echo late' >/dev/tty 2>&1"
want_status 0
want_equal "$(grep -o 'Password for sudo' tty | wc -l)" 2 prompts
von node3 rm /etc/sudoers.d/zz

# su, and doas, which asks on a terminal only.
as pw "$H" -L --become su --stdin-file data 'id -un; md5sum'
want_out "$(on_all root "$sum")"
as pw node1 -n --become su:plain 'id -un'
want_out 'node1: plain'
as bad "$H" -n --become su id
want_status 3
want_err 'auth: su: wrong password'
if command -v doas >/dev/null; then
	von node1 sh -c 'echo "permit admin" >/etc/doas.conf'
	as pw node1 -n --become doas id
	want_status 3
	want_err 'auth: doas did not run the command: doas: '
	as pw node1 -n --become doas --tty 'id -un'
	want_status 0
	want_equal "$(tr -d '\r' <"$out")" "node1: root"
	as bad node1 -n --become doas --tty id
	want_err 'auth: doas: wrong password'
	von node1 sh -c 'echo "permit nopass admin" >/etc/doas.conf'
	as pw node1 --become doas --stdin-file data md5sum
	want_out "node1: $sum"
fi

# It is gone when it is said to be, though it is root's.
as pw "$H" -n -u 2 --sudo 'sleep 1111 & (sleep 1112; true); true'
want_err 'command-timeout: .*; killed$'
want_err '^cexec: 3 of 3 failed: command-timeout'
none_left || fail "left: $(left)"
as pw node1 -n -u 2 --grace 0.5 --sudo 'trap "" TERM; sleep 1111 & while :; do sleep 1112; done'
want_err 'killed$'
none_left || fail "left: $(left)"
as pw node1 -n -u 2 --become su 'sleep 1111 & sleep 1112; true'
want_err 'killed$'
none_left || fail "left: $(left)"
as pw node1 -n -u 2 --sudo --tty 'sleep 1111 & sleep 1112; true'
want_err 'killed$'
none_left || fail "left: $(left)"
# At ^C^C, too.
exec 9<pw
"$B/bed/signals" "$VHOSTS" control "$B/bed/signals" "$CEXEC" -F "$VBED/ssh_config" -l admin -n \
    --become-password-fd 9 -w "$H" --sudo 'echo begun; sleep 1113; true' >"$out" 2>"$err" &
background="${background-} $!"
job=$!
begun() { [ "$(grep -c begun "$out")" -eq 3 ]; }
wait_for 20 begun || fail "it does not begin"
pid=$(pgrep -f "^$CEXEC .*sleep 1113")
kill -INT $pid
sleep 0.1
kill -INT $pid
rc=0
wait $job || rc=$?
want_status 130
none_left || fail "left after ^C: $(left)"
# What it leaves behind on purpose when it ends by itself, stays.
as pw node1 -n --sudo 'sleep 1114 >/dev/null 2>&1 & echo $!'
want_status 0
von node1 pkill -xf 'sleep 1114' || fail "it was taken along"
as pw node1 -n --sudo --detach 'id -un'
want_out "$(sed 's/pid [0-9]*/pid N/' "$out" >/dev/null; cat "$out")"
dir=$(sed -n 's/.*output in \(.*\)\/output$/\1/p' "$out")
done_there() { von node1 test -s "$dir/status"; }
wait_for 5 done_there || fail "not left behind: $dir"
want_equal "$(von node1 cat "$dir/output")" root "who ran it"

# A terminal is wanted; who is let in for a time; who needs no password.
von node1 sh -c 'echo "Defaults requiretty" >>/etc/sudoers.d/bed'
as pw node1 -n --sudo id
want_status 3
want_err 'auth: sudo did not run the command: sudo: sorry, you must have a tty'
as pw node1 -n --sudo --tty 'tty >/dev/null && id -un'
want_equal "$(tr -d '\r' <"$out")" 'node1: root'
von node2 sh -c 'echo "Defaults timestamp_type=global" >>/etc/sudoers.d/bed'
von node3 sh -c 'echo "admin ALL=(ALL:ALL) NOPASSWD:ALL" >>/etc/sudoers.d/bed'
as pw node2 -n --sudo true
want_status 0
run setsid "$VHOSTS" control "$CEXEC" -F "$VBED/ssh_config" -l admin -L -w 'node[2-3]' \
    --stdin-file data --sudo md5sum
want_out "node2: $sum
node3: $sum"
