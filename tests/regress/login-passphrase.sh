#!/bin/sh
# Encrypted key files: asked for once, for all hosts; stretched once; three
# tries; and without a terminal said so, as a failure like any other.
. "$(dirname "$0")/../lib.sh"
bed_up 200
terminal=$B/bed/terminal
ssh-keygen -q -t ed25519 -a 16 -N 'open sesame' -f "$T/locked" || fail "ssh-keygen"
cat "$T/locked.pub" >>"$BED/authorized_keys"
sed "s|IdentityFile.*|IdentityFile $T/locked|; /BatchMode/d" "$BED/ssh_config" >"$T/ssh_config"
set -- "$CEXEC" -F "$T/ssh_config" -n

# Nobody to ask: class auth, and what to do.
run setsid "$@" -w 127.1.0.1 true
want_status 3
want_err "127.1.0.1: auth: .*is encrypted: add it to ssh-agent"

run "$terminal" "$T/tty" "Enter passphrase for key '$T/locked': " 'open sesame' -- \
    "$@" --hostfile "$BED/hosts" echo fine
want_status 0
want_lines 200
want_equal "$(grep -c 'Enter passphrase' "$T/tty")" 1 "passphrase prompts for 200 hosts"
! grep -q sesame "$T/tty" || fail "the passphrase was shown"

# Wrong, wrong, right.
run "$terminal" "$T/tty" 'Enter pass' one 'Enter pass' two 'Enter pass' 'open sesame' -- \
    "$@" -w '127.1.0.[1-5]' echo fine
want_status 0
want_lines 5
want_equal "$(grep -c 'not its passphrase' "$T/tty")" 2 "said to be wrong"

# Wrong three times: the next key, and the end.
run "$terminal" "$T/tty" 'Enter pass' one 'Enter pass' two 'Enter pass' three -- \
    "$@" -w '127.1.0.[1-5]' echo fine
want_status 3
want_err "127.1.0.[1-5]: auth: .*passphrase of $T/locked: wrong three times"
want_err "5 of 5 failed: auth: 127.1.0.\[1-5\]\$"
echo "    IdentityFile $BED/id_ed25519" >>"$T/ssh_config"
run "$terminal" "$T/tty" 'Enter pass' '' -- "$@" -w '127.1.0.[1-5]' echo fine
want_status 0
want_lines 5

# BatchMode asks nothing.
run "$terminal" "$T/tty" -- "$@" -o BatchMode=yes -w '127.1.0.[1-5]' echo fine
want_status 0
[ ! -s "$T/tty" ] || fail "something on the terminal"

# A server's answer that comes at once, before we have begun to wait for it.
if ! $SANITIZED; then
	cat >"$T/late.c" <<-'SOURCE'
		#define _GNU_SOURCE
		#include <sys/socket.h>
		#include <dlfcn.h>
		#include <unistd.h>

		ssize_t
		recv(int fd, void *buf, size_t size, int flags)
		{
			ssize_t (*real)(int, void *, size_t, int) =
			    (ssize_t (*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");

			if (flags & MSG_PEEK)
				usleep(20000);
			return real(fd, buf, size, flags);
		}
	SOURCE
	${CC:-cc} -shared -fPIC -o "$T/late.so" "$T/late.c" -ldl || fail "the shim"
	sed -i "/id_ed25519/d" "$T/ssh_config"
	run "$terminal" "$T/tty" 'Enter pass' 'open sesame' -- \
	    env LD_PRELOAD="$T/late.so" "$@" -w '127.1.0.[1-40]' echo fine
	want_status 0
	want_lines 40
fi

# One stretch whatever the number of hosts: one each would take minutes.
ssh-keygen -q -p -a 150 -P 'open sesame' -N 'open sesame' -f "$T/locked" || fail "ssh-keygen -p"
sed -i "/id_ed25519/d" "$T/ssh_config"
"$B/bed/usage" "$T/one" ssh-keygen -y -P 'open sesame' -f "$T/locked" >/dev/null
run "$terminal" "$T/tty" 'Enter pass' 'open sesame' -- \
    "$B/bed/usage" "$T/all" "$@" --hostfile "$BED/hosts" echo fine
want_status 0
want_lines 200
if ! $SANITIZED; then
	one=$(cut -d' ' -f2 "$T/one") all=$(cut -d' ' -f2 "$T/all")
	echo "processor time: one stretch $one ms, 200 hosts $all ms"
	awk "BEGIN { exit !($all < 3 * $one + 1500) }" ||
	    fail "200 hosts took $all ms of processor time, one stretch $one ms"
fi
