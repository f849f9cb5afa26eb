#!/bin/sh
# Large files go by the system's ssh, with its fastest algorithms where the
# configuration leaves them open.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ccp.inc"
bed_up 1
ssh=$(command -v ssh)
mkdir "$T/bin" "$T/to"
cat >"$T/bin/ssh" <<X
#!/bin/sh
"$ssh" -G "\$@" </dev/null >>"$T/options" 2>/dev/null
exec "$ssh" "\$@"
X
chmod 755 "$T/bin/ssh"
head -c 8388608 /dev/urandom >"$T/large"
sed -E '/Kex|Ciphers/d' "$BED/ssh_config" >"$T/open"

# bulk LINE...: a copy with these lines in the configuration; what ssh made of them
# is in $T/options.
bulk() {
	{
		echo 'Host *'
		printf '    %s\n' "$@"
		cat "$T/open"
	} >"$T/ssh_config"
	rm -f "$T/options" "$T/to/large"
	run env PATH="$T/bin:$PATH" "$CCP" -F "$T/ssh_config" -w 127.1.0.1 "$T/large" "$T/to/"
	want_status 0
	cmp -s "$T/large" "$T/to/large" || fail "it is another file"
	want_equal "$(grep -c '^kexalgorithms' "$T/options")" 1 "times ssh was run"
}
option() {
	sed -n "s/^$1 //p" "$T/options"
}

bulk 'LogLevel INFO'
! option kexalgorithms | grep -q sntrup || fail "sntrup761: $(option kexalgorithms)"
option kexalgorithms | grep -q curve25519-sha256 || fail "kex: $(option kexalgorithms)"
want_equal "$(option ciphers | cut -d , -f 1)" aes128-gcm@openssh.com "the first cipher"

for lines in 'Ciphers aes256-ctr' 'KexAlgorithms curve25519-sha256,sntrup761x25519-sha512@openssh.com'; do
	bulk "$lines"
	word=$(echo "${lines%% *}" | tr '[:upper:]' '[:lower:]')
	want_equal "$(option "$word")" "${lines#* }" "$word"
	want_equal "$(option ciphers | grep -c ^aes128-gcm)" 0 "a cipher of our own"
done
