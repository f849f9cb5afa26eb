#!/bin/sh
# Dropbear: keys, passwords, outcomes, a jump. As root, with an account of its
# own in a mount namespace of its own.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" -eq 0 ] || skip "needs root"
dropbear=$(PATH=$PATH:/usr/sbin command -v dropbear) || skip "dropbear is not installed"
command -v openssl >/dev/null || skip "openssl is not installed"
unshare -m true 2>/dev/null || skip "no mount namespaces here"
bed_up 20
mkdir -p "$T/etc" "$T/home/.ssh"
chmod 755 "$T" "$T/etc" "$T/home"
chmod 700 "$T/home/.ssh"
cp "$BED/id_ed25519.pub" "$T/home/.ssh/authorized_keys"
chown -R 61017:61017 "$T/home"
{
	grep -E '^(root|nobody):' /etc/passwd
	echo "anna:x:61017:61017::$T/home:/bin/sh"
} >"$T/etc/passwd"
echo "anna:$(openssl passwd -6 open-sesame-17):19000:0:99999:7:::" >"$T/etc/shadow"
dropbearkey -t ed25519 -f "$T/key" 2>/dev/null | grep '^ssh-' >"$T/key.pub" ||
    skip "this dropbear has no ed25519 keys"
port=$(($(od -An -N2 -tu2 /dev/urandom) % 12000 + 20000))
unshare -m --propagation private sh -c '
	mount --bind "$1/etc/passwd" /etc/passwd && mount --bind "$1/etc/shadow" /etc/shadow || exit 1
	exec "$2" -F -E -r "$1/key" -P "$1/pid" -p "127.4.0.1:$3" -p "127.4.0.2:$3"' \
    sh "$T" "$dropbear" "$port" >"$T/log" 2>&1 &
background="${background-} $!"
wait_for 5 test -s "$T/pid" || fail "dropbear: $(cat "$T/log")"
for i in 1 2; do
	echo "[127.4.0.$i]:$port $(cut -d ' ' -f 1,2 "$T/key.pub")"
done >>"$BED/known_hosts"
sed '/Kex/d; /BatchMode/d' "$BED/ssh_config" >"$T/conf"
hosts="anna@127.4.0.1:$port,anna@127.4.0.2:$port"
c="$CEXEC -F $T/conf --transport ssh2"

run $c -n -w "$hosts" 'echo $USER; echo wrong >&2; exit 7'
want_status 1
want_lines 2
want_err '2 of 2 failed: exit 7'
run $c -n -w "$hosts" 'kill -9 $$'
want_status 1
want_err 'signal KILL'
head -c 1000000 /dev/urandom >"$T/data"
run $c -w "$hosts" 'sha256sum' <"$T/data"
want_status 0
want_equal "$(grep -c "$(sha256sum <"$T/data" | cut -d' ' -f1)" "$out")" 2 "whole input"
run $c -n -w "nobody@127.4.0.1:$port" true
want_status 3
want_err 'auth: user nobody is refused'

echo open-sesame-17 >"$T/pw"
run setsid $c -n -o PubkeyAuthentication=no --password-fd 9 -w "$hosts" 'echo in' 9<"$T/pw"
want_status 0
want_lines 2
echo wrong >"$T/pw"
run setsid $c -n -o PubkeyAuthentication=no --password-fd 9 -w "$hosts" 'echo in' 9<"$T/pw"
want_status 3
want_err 'auth: user anna is refused; wrong password'

# As a jump host, with a limit of its own on what it carries.
run $c -n -J "anna@127.4.0.1:$port" -w '127.1.0.[1-20]' echo fine
want_status 0
want_lines 20
