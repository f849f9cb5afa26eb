#!/bin/sh
# Servers that are stuck, gone, refuse us, or show a wrong key, among good ones:
# each its class, and nobody waits longer than for the slowest that is honest.
. "$(dirname "$0")/../lib.sh"
cfbed_up 12
H() { echo "127.3.0.$1:$CFBED_PORT"; }
digest() {
	CFENGINE_TEST_OVERRIDE_WORKDIR=$CFBED/$1 cf-key -p "$CFBED/$1/ppkeys/localhost.pub"
}

# Keys that are trusted become those of their hosts, once.
cf -S
want_status 0
want_equal "$(sort "$CFBED/hub/cfrun.keys")" "$(for i in $(seq 12); do
	echo "$(H $i) $(digest $i)"
done | sort)"
cp "$CFBED/hub/cfrun.keys" "$T/keys"
cf -S
cmp "$CFBED/hub/cfrun.keys" "$T/keys" || fail "they are recorded again"

"$CFSERVERD" crash 1
kill -STOP "$(cat "$CFBED/2/pid")"
rm "$CFBED/3/ppkeys/$(id -un)-"*.pub
sed -i 's/\(allowconnects .*\)127.0.0.0\/8/\1127.9.9.9/' "$CFBED/4/inputs/promises.cf"
sed -i 's/allowusers .*/allowusers => { "nobody-else" };/' "$CFBED/5/inputs/promises.cf"
# 6 shows the key of 7: trusted, but another host's.
cp "$CFBED/7/ppkeys/localhost.priv" "$CFBED/7/ppkeys/localhost.pub" "$CFBED/6/ppkeys"
printf '#!/bin/sh\nsleep 2\necho slow\n' >"$CFBED/8/agent"
"$CFSERVERD" crash 4 5 6
"$CFSERVERD" start 4 5 6 || fail "no servers"
begin=$(date +%s%N)
cf --login-timeout 3
took=$((($(date +%s%N) - begin) / 1000000))
kill -CONT "$(cat "$CFBED/2/pid")"
want_status 4
want_err "^cfrun: $(H 1): refused: .*Connection refused"
want_err "^cfrun: $(H 2): login-timeout: no login within 3 s \(key-exchange\)\$"
want_err "^cfrun: $(H 3): auth: it does not trust our key $(digest hub)"
want_err "^cfrun: $(H 4): refused: cf-serverd hangs up at once: .*allowconnects"
want_err "^cfrun: $(H 5): remote: refused: .*allowusers"
want_err "^cfrun: $(H 6): hostkey-changed: its key is $(digest 7), but should be "
want_err '^cfrun: 6 of 12 failed: '
for i in 7 9 10 11 12; do
	grep -q "^$(H $i): R: hello" "$out" || fail "$i had to suffer for the others"
done
grep -qx "$(H 8): slow" "$out" || fail "the slow one was not waited for"
case $took in
[3-9]??? | 1????) ;;
*) fail "took $took ms" ;;
esac

# A key that nobody has yet is refused if it is another host's by the registry;
# shared on purpose, it may be trusted.
sed -i "/^$(H 6) /d" "$CFBED/hub/cfrun.keys"
cf 127.3.0.6
want_status 3
want_err "hostkey-changed: its key $(digest 7) is that of $(H 7); "
cf -T 127.3.0.6
want_status 0
want_err "^cfrun: $(H 6): from now on $(digest 7) is its key\$"
cf 127.3.0.6
want_status 0
want_no_err 'from now on'
# Unknown: refused with the digest that is to be compared; revoked by removing
# the file; -T takes it, once, never one that has changed.
rm "$CFBED/hub/ppkeys/root-$(digest 9).pub"
cf 127.3.0.9
want_status 3
want_err "hostkey-unknown: its key $(digest 9) is not known here"
cf -T 127.3.0.9
want_status 0
[ -f "$CFBED/hub/ppkeys/root-$(digest 9).pub" ] || fail "its key is not kept"
sed -i "s/^$(H 10) .*/$(H 10) $(digest 11)/" "$CFBED/hub/cfrun.keys"
cf -T 127.3.0.10
want_status 3
want_err "hostkey-changed: its key is $(digest 10), but should be $(digest 11)"
# By address, as they were named in the days of the guide; not renamed.
mv "$CFBED/hub/ppkeys/root-$(digest 11).pub" "$CFBED/hub/ppkeys/root-127.3.0.11.pub"
cf 127.3.0.11
want_status 0
[ -f "$CFBED/hub/ppkeys/root-127.3.0.11.pub" ] || fail "the key's file was renamed"
# A SHA-256 digest in the registry is as good.
sha=$(openssl rsa -RSAPublicKey_in -in "$CFBED/12/ppkeys/localhost.pub" -modulus -noout 2>/dev/null |
    sed 's/^Modulus=//' | { read -r n; printf '%s010001' "$n"; } | perl -ne 'print pack "H*", $_' | sha256sum | cut -d' ' -f1)
sed -i "s/^$(H 12) .*/$(H 12) SHA=$sha/" "$CFBED/hub/cfrun.keys"
cf 127.3.0.12
want_status 0

# An own key with the passphrase that CFEngine once gave to all.
cp "$CFBED/hub/ppkeys/localhost.priv" "$T/plain"
openssl rsa -in "$T/plain" -traditional -des3 -passout 'pass:Cfengine passphrase' \
    -out "$CFBED/hub/ppkeys/localhost.priv" 2>/dev/null || fail "openssl"
chmod 600 "$CFBED/hub/ppkeys/localhost.priv"
cf 127.3.0.12
want_status 0
chmod 644 "$CFBED/hub/ppkeys/localhost.priv"
cf 127.3.0.12
want_status 2
want_err 'localhost.priv: others may read'
chmod 600 "$CFBED/hub/ppkeys/localhost.priv"
# Another client's key is not ours: refused.
cp "$CFBED/7/ppkeys/localhost.priv" "$CFBED/hub/ppkeys/localhost.priv"
cf 127.3.0.12
want_status 3
want_err 'auth: it does not trust our key'
rm "$CFBED/hub/ppkeys/localhost.priv"
cf 127.3.0.12
want_status 2
want_err 'localhost.priv: No such file .*cf-key'
cp "$T/plain" "$CFBED/hub/ppkeys/localhost.priv"
chmod 600 "$CFBED/hub/ppkeys/localhost.priv"

# What is no cf-serverd.
blackhole babble
cf --any-host --login-timeout 1 "$hole"
want_status 3
blackhole silent
cf --any-host --login-timeout 1 "$hole"
want_status 3
want_err "login-timeout"
