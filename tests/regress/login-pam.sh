#!/bin/sh
# Passwords by PAM: the real sshd as root, with accounts of its own in a mount
# namespace of its own; this machine's are not touched.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" -eq 0 ] || skip "needs root"
command -v unshare >/dev/null || skip "unshare is not installed"
command -v openssl >/dev/null || skip "openssl is not installed"
unshare -m true 2>/dev/null || skip "no mount namespaces here"
set -- /usr/lib/*/security/pam_unix.so
[ -e "$1" ] || skip "PAM is not installed"
bed_up 1
sshd=$(PATH=$PATH:/usr/sbin command -v sshd)

# account NAME PASSWORD LAST-CHANGE
account() {
	echo "$1:x:$((61000 + $3 % 7)):61000::/:/bin/sh" >>"$T/etc/passwd"
	echo "$1:$(openssl passwd -6 "$2"):$3:0:99999:7:::" >>"$T/etc/shadow"
}
mkdir "$T/etc" "$T/etc/pam.d"
grep -E '^(root|sshd|nobody):' /etc/passwd >"$T/etc/passwd"
echo 'root:*:19000:0:99999:7:::' >"$T/etc/shadow"
echo 'Today only.' >"$T/etc/note"
account anna open-sesame-17 19000
account otto other-sesame 19000
account erna open-sesame-17 0
chmod 755 "$T" "$T/etc"
cat >"$T/etc/pam.d/sshd" <<-PAM
	auth optional pam_echo.so file=$T/etc/note
	auth required pam_unix.so
	account required pam_unix.so
	password required pam_unix.so
	session optional pam_permit.so
PAM
options() {
	cat <<-CONF
	HostKey $BED/hostkey
	UsePAM yes
	PidFile none
	LogLevel VERBOSE
	PrintMotd no
	PubkeyAuthentication no
	KexAlgorithms curve25519-sha256
	MaxStartups 1000
	Port $1
	ListenAddress 127.3.0.1
	ListenAddress 127.3.0.2
	ListenAddress 127.3.0.3
	CONF
}
# serve NAME OPTION...: its port in $port
serve() {
	name=$1
	shift
	port=$(($(od -An -N2 -tu2 /dev/urandom) % 12000 + 20000))
	{
		printf '%s\n' "$@"
		options "$port"
	} >"$T/$name.conf"
	unshare -m --propagation private sh -c '
		for f in passwd shadow pam.d/sshd; do
			mount --bind "$1/etc/$f" "/etc/$f" || exit 1
		done
		exec "$2" -D -e -f "$3"' sh "$T" "$sshd" "$T/$name.conf" >"$T/$name.log" 2>&1 &
	background="${background-} $!"
	wait_for 5 grep -q 'listening on 127.3.0.3' "$T/$name.log" || fail "sshd: $(cat "$T/$name.log")"
}
key=$(cut -d ' ' -f 1,2 "$BED/hostkey.pub")
echo "[127.3.0.*]:* $key" >"$T/known" # patterns do not reach into ports
mkdir -p /run/sshd
[ -f /etc/pam.d/sshd ] || skip "there is no /etc/pam.d/sshd to put another one over"
serve prompts 'PasswordAuthentication no' 'KbdInteractiveAuthentication yes'
prompts=$port
serve plain 'PasswordAuthentication yes' 'KbdInteractiveAuthentication no'
plain=$port
for p in $prompts $plain; do
	for i in 1 2 3; do
		echo "[127.3.0.$i]:$p $key"
	done
done >"$T/known"
c="$CEXEC -F none --known-hosts $T/known -o IdentityFile=none -o IdentityAgent=none -n"
echo open-sesame-17 >"$T/pw"

# By prompts and by the plain method, several hosts, one password; a wrong one
# is told of its host, and sent once.
for p in $prompts $plain; do
	run setsid $c --password-fd 9 -w "anna@127.3.0.[1-3]:$p,otto@127.3.0.1:$p" 'echo $USER' 9<"$T/pw"
	want_status 3
	want_equal "$(grep -c ': anna' "$out")" 3 "hosts that let anna in"
	want_err "otto@127.3.0.1:$p: auth: user otto is refused; wrong"
done
want_equal "$(cat "$T/prompts.log" "$T/plain.log" | grep -c '^Failed .* for otto')" 2 "failures seen by sshd"

# Who has to change the password first is not let in, and keeps it.
for p in $prompts $plain; do
	run setsid $c --password-fd 9 -w "erna@127.3.0.1:$p" 'echo in' 9<"$T/pw"
	[ "$rc" -ne 0 ] || fail "an expired password let in"
done

# Sanitizers keep copies, in terabytes of address space.
! $SANITIZED || exit 0

# While the command runs the password lies in one locked place.
setsid $c --password-fd 9 -w "anna@127.3.0.[1-3]:$prompts" 'echo in; sleep 20' \
    9<"$T/pw" >"$T/late" 2>&1 &
pid=$!
background="$background $pid"
wait_for 10 sh -c "[ \$(grep -c 'in\$' $T/late) -eq 3 ]" || fail "$(cat "$T/late")"
copies=0
while read -r range perms _; do
	case $perms in rw*) ;; *) continue ;; esac
	from=$((0x${range%-*})) to=$((0x${range#*-}))
	n=$(dd if="/proc/$pid/mem" bs=4096 skip=$((from / 4096)) \
	    count=$(((to - from) / 4096)) 2>/dev/null | grep -aoc 'open-sesame-17')
	[ "$n" -eq 0 ] || copies=$((copies + 1))
	[ "$n" -eq 0 ] || where="${where-} $range"
done <"/proc/$pid/maps"
[ "$copies" -eq 1 ] || fail "the password lies in $copies places: ${where-}"
kill "$pid"
