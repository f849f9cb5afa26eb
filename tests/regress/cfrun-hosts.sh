#!/bin/sh
# The clients: cfrun.hosts as CFEngine 2 has it, what the command line takes of
# it, errors with their line; keys that the user is asked about; runs tried
# again; what cf-runagent's callers expect.
. "$(dirname "$0")/../lib.sh"
cfbed_up 3
H() { echo "127.3.0.$1:$CFBED_PORT"; }
bad() {
	printf '%s\n' "$1" >"$T/bad.hosts"
	cf -f "$T/bad.hosts" --list
	want_status 2
	want_err "$2"
}

# ---- the file ----------------------------------------------------------------
bad 'maxchild = many' 'bad.hosts:1: maxchild is a number'
bad 'outputlevel = loud' 'bad.hosts:1: outputlevel is normal, inform or error'
bad 'domian = x.org' 'bad.hosts:1: there is no such setting'
bad 'maxchild = 3 4' 'bad.hosts:1: there is more than one value'
bad 'domain =' 'bad.hosts:1: there is no value'
bad 'web1:99999' 'bad.hosts:1: this is no host'
bad 'web[1-3]' 'bad.hosts:1: this is no host'
bad 'include = nowhere' 'nowhere: No such file'
bad '# nothing' 'names none'
printf '%s\n' web1 'web2 -f other.cf' >"$T/bad.hosts"
cf -f "$T/bad.hosts" --any-host
want_status 2
want_err 'bad.hosts:2: -f: cf-serverd cannot carry this'
cat >"$T/my.hosts" <<'HOSTS'
# as in the days of old
first
domain = example.org
access = root, daemon
maxchild = 7
hostnamekeys = true
include = more.hosts
web1		# a comment
web2:5309 -I
web1
[fd00::7]:5400
db.other.net
fd00::8
HOSTS
sed -i "s/^access.*/&, $(id -un)/" "$T/my.hosts"
echo 'inc1' >"$T/more.hosts"
cf -f "$T/my.hosts" --list
want_status 0
want_out 'first
inc1.example.org
web1.example.org
web2.example.org:5309
[fd00::7]:5400
db.other.net
fd00::8'
cf -f "$T/my.hosts" --list web2 web1.example.org 'db.other.net'
want_out 'web2.example.org:5309
web1.example.org
db.other.net'
cf -f "$T/my.hosts" --fold -w 'web[1-2]' -x web1
want_out 'web2.example.org:5309'
cf -f "$T/my.hosts" --count -x web1 -x web2.example.org
want_out 5
cf -f "$T/my.hosts" web3
want_status 2
want_err 'web3 is not in the file of hosts; --any-host'
cf -f "$T/my.hosts" --list --any-host web3 web1
want_out 'web3
web1.example.org'
# Where it is looked for.
mkdir "$T/inputs"
cp "$T/my.hosts" "$T/more.hosts" "$T/inputs"
cp "$T/my.hosts" "$T/inputs/cfrun.hosts"
CFINPUTS=$T/inputs
export CFINPUTS
run "$CFRUN" --workdir "$CFBED/hub" --count
want_out 7
run "$CFRUN" --workdir "$CFBED/hub" -f my.hosts --count
want_out 7
unset CFINPUTS
run "$CFRUN" --workdir "$CFBED/hub" --list
want_status 2
want_err 'there is no cfrun.hosts in'
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$T"
	sed 's/^access.*/access = nobody/' "$T/my.hosts" >"$T/more.nobody"
	grep -v include "$T/more.nobody" >"$T/nobody.hosts"
	chmod 644 "$T/nobody.hosts"
	run setpriv --reuid=1 --regid=1 --clear-groups "$CFRUN" -f "$T/nobody.hosts" --list
	want_status 2
	want_err 'only root and those in "access = nobody"'
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$CFRUN" -f "$T/nobody.hosts" --count
	want_out 6
fi
# Settings that a run obeys.
{
	echo "outputdir = $T/outputs"
	echo 'outputlevel = error'
	echo 'bindtointerface = 127.3.0.77'
	cat "$CFBED/cfrun.hosts"
} >"$T/set.hosts"
sed -i 's/allowconnects .*/allowconnects => { "127.3.0.77" };/' "$CFBED/2/inputs/promises.cf"
cat >"$CFBED/3/inputs/site.cf" <<'POLICY'
bundle agent main
{
  commands: "/bin/false";
  reports: "not seen";
}
POLICY
"$CFSERVERD" crash 2
"$CFSERVERD" start 2 || fail "no server 2"
cf -f "$T/set.hosts"
want_status 1
want_lines 1
want_err '^cfrun: 2 repaired: 127.3.0.\[1-2\]:.*; 1 not kept: '
grep -q 'hello from' "$T/outputs/$(H 1 | sed 's/:/%3A/')" "$T/outputs/$(H 1)" 2>/dev/null ||
	fail "no file of output: $(ls "$T/outputs")"
cf 127.3.0.2
want_status 3
want_err 'refused: cf-serverd hangs up'

# ---- tried again, explained ----------------------------------------------------
cf 127.3.0.1 127.3.0.3 -- --inform -- linux
want_status 1
cf --retry failed
want_status 1
want_err "^cfrun: again, as in run .*: failed: $(H 3) \(1 of 2\)\$"
grep -q "^$(H 3): R: not seen" "$out" || fail "it did not run again"
sed -i '/false/d' "$CFBED/3/inputs/site.cf"
cf --retry failed
want_status 0
want_err '^cfrun: 1 (kept|repaired|done)'
cf --retry failed
want_status 0
want_err 'no host of it is failed'
cf --explain 127.3.0.3
want_status 0
grep -q "$(H 3): cf-serverd of 127.3.0.3, port $CFBED_PORT; we are $(id -un) with the key MD5=" "$out" ||
	fail "it is not explained where"
grep -q "$(H 3): its key has to be MD5=" "$out" || fail "nor which key"

# ---- a key the user is asked about -----------------------------------------------
rm "$CFBED/hub/ppkeys/"root-*.pub "$CFBED/hub/cfrun.keys"
on_terminal() {
	run "$B/bed/terminal" "$T/tty" 'fingerprint): ' "$1" -- \
	    "$CFRUN" --workdir "$CFBED/hub" -f "$CFBED/cfrun.hosts" -i 127.3.0.1
}
run setsid "$CFRUN" --workdir "$CFBED/hub" -f "$CFBED/cfrun.hosts" -i 127.3.0.1
want_status 3
want_err 'hostkey-unknown'
on_terminal no
want_status 3
grep -q 'MD5=[0-9a-f]\{32\}' "$T/tty" || fail "the key is not shown"
[ ! -e "$CFBED/hub/cfrun.keys" ] || fail "it is kept all the same"
on_terminal "$(CFENGINE_TEST_OVERRIDE_WORKDIR=$CFBED/1 cf-key -p "$CFBED/1/ppkeys/localhost.pub")"
want_status 0
rm "$CFBED/hub/ppkeys/"root-*.pub "$CFBED/hub/cfrun.keys"
on_terminal yes
want_status 0
grep -q "^$(H 1) MD5=" "$CFBED/hub/cfrun.keys" || fail "it is not kept"
cf 127.3.0.1
want_status 0
cf -i -T
want_status 2

# ---- as cf-runagent --------------------------------------------------------------
cf -T -S
want_status 3
cf --runagent-status 127.3.0.1
want_status 0
cf --runagent-status
want_status 1
printf '#!/bin/sh\nexit 7\n' >"$CFBED/1/agent"
cf --runagent-status 127.3.0.1
want_status 7
cf --runagent-status
want_status 2
cf --runagent-status 127.3.0.2
want_status 255
cf --runagent-status 127.3.0.3 -- -- windows
want_status 255
# A canary that does not keep its promises keeps the others from beginning.
rm -f "$CFBED/3/mark"
cf --canary 127.3.0.1 127.3.0.1 127.3.0.3
want_status 1
want_err "1 of 2 failed: exit 7: $(H 1); 1 of 2 skipped: $(H 3)"
[ ! -e "$CFBED/3/mark" ] || fail "the other one ran"
cf --check true 127.3.0.1
want_status 2
# Spread out: the last of three begins after two thirds of the time.
begin=$(date +%s%N)
cf --ping --splay 1 127.3.0.1 127.3.0.3
took=$((($(date +%s%N) - begin) / 1000000))
want_status 0
[ $took -ge 480 ] || fail "not spread: $took ms"
