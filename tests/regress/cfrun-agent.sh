#!/bin/sh
# cfrun over cf-serverd's protocol: the agent's options, classes, bundles and
# selection arrive; each verdict; nothing a client says fools or harms.
. "$(dirname "$0")/../lib.sh"
cfbed_up 4
H() { echo "127.3.0.$1:$CFBED_PORT"; }
all="127.3.0.[1-4]:$CFBED_PORT"

# as_agent I: standard input is what server I runs from now on.
as_agent() {
	{ echo '#!/bin/sh'; cat; } >"$CFBED/$1/agent.new"
	chmod 755 "$CFBED/$1/agent.new"
	mv "$CFBED/$1/agent.new" "$CFBED/$1/agent"
}
wrapper=$(cat "$CFBED/1/agent")

# ---- verdicts ---------------------------------------------------------------
cf
want_status 0
for i in 1 2 3 4; do
	grep -qx "$(H $i): R: hello from $CFBED/$i" "$out" || fail "$i does not say hello"
done
want_err "^cfrun: 4 repaired: 127\.3\.0\.\[1-4\]:$CFBED_PORT\$"
cf -- --inform
want_status 0
want_err '^cfrun: 4 kept$'
rm "$CFBED/2/mark"
cat >"$CFBED/3/inputs/site.cf" <<'POLICY'
bundle agent main
{
  commands: "/bin/false";
}
POLICY
cf -S
want_status 1
want_lines 0
want_err "^cfrun: $(H 3): remote: not kept: 1 error: Finished command related to promiser '/bin/false'"
want_err "^cfrun: 2 kept; 1 repaired: $(H 2); 1 not kept: $(H 3)\$"
cf --json 127.3.0.3
want_equal "$(jq -r 'select(.event=="verdict") | .verdict, .errors' "$out")" "not kept
1"
want_equal "$(jq -r 'select(.event=="done") | .class, .status' "$out")" "remote
0"

# ---- what the agent is to do ------------------------------------------------
cf --define deploy_web 127.3.0.1
grep -q 'class deploy_web is set' "$out" || fail "no class"
cf 127.3.0.1 -- -D deploy_web --inform
grep -q 'class deploy_web is set' "$out" || fail "no class behind --"
cf --remote-bundles extra 127.3.0.1
grep -q 'bundle extra ran' "$out" || fail "no bundle"
cf -v 127.3.0.1 -- --verbose
[ "$(wc -l <"$out")" -gt 100 ] || fail "--verbose does not arrive"
want_err "^cfrun: $(H 1): runs $CFBED/1/agent -D cfrun_opt_verbose\$"
# A dry run changes nothing, whatever runs there.
rm -f "$CFBED/1/mark"
cf 127.3.0.1 -- --dry-run
want_status 1
want_err '^cfrun: 1 not kept'
[ ! -e "$CFBED/1/mark" ] || fail "a dry run has made changes"
as_agent 1 <<AGENT
CFENGINE_TEST_OVERRIDE_WORKDIR=$CFBED/1 exec cf-agent --no-lock "\$@"
AGENT
cf 127.3.0.1 -- -n
want_status 1
grep -q "Bundle 'cfrun_opt_dry_run'" "$out" || fail "it is not the bundle that is missed"
[ ! -e "$CFBED/1/mark" ] || fail "a dry run without cfrun-agent has made changes"
# Options that cannot be carried, classes that are not allowed: an error each.
cf 127.3.0.1 -- --nonsense
want_status 2
want_err '^cfrun: --nonsense: cf-serverd cannot carry this'
cf --define other 127.3.0.2
want_status 1
want_err 'remote: denied -D other: .*roles'
cf --remote-bundles other 127.3.0.2
want_err 'remote: denied -b other: .*bundle'
# Selection: a host without the class is skipped, and no failure.
cf 127.3.0.2 -- -- windows
want_status 0
want_err "^cfrun: 1 of 1 skipped: $(H 2)\$"
cf --select windows,linux 127.3.0.2
want_status 0
want_err '1 (kept|repaired)'
cf 127.3.0.2 -- -- '!linux'
want_err 'skipped'
# Options of a host's own, in the file; other hosts do not have them.
sed "s/^\(127.3.0.2:.*\)/\1 -D deploy_web # that one/" "$CFBED/cfrun.hosts" >"$T/own"
cf -f "$T/own" 127.3.0.2 127.3.0.4
want_equal "$(grep -c 'deploy_web is set' "$out")" 1
cf --ping
want_status 0
want_lines 4
want_no_err .
# As long as a server takes it, and not longer.
long=$(awk 'BEGIN { for (i = 0; i < 300; i++) printf "%sdeploy_%04d", i ? "," : "", i }')
cf --define "$long" 127.3.0.2
want_status 0
cf --define "$long,$long" 127.3.0.2
want_status 2
want_err '4088'

# ---- what agents say and how they end ---------------------------------------
as_agent 1 <<'AGENT'
printf 'red\033[31m\007 \000hidden\n'
printf -- '---cfXen/gine/cfXen/gine---\n(exit code: 0)\nBAD: no\n> > (exit code: 0)\n'
printf '   error: \033]0;owned\007 title\n'
awk 'BEGIN { for (i = 0; i < 9000; i++) printf "x"; print "" }'
echo last
exit 3
AGENT
cf -N 127.3.0.1
want_status 1
want_err "^cfrun: 1 of 1 failed: exit 3: $(H 1)\$"
for line in '---cfXen/gine/cfXen/gine---' '(exit code: 0)' 'BAD: no' '> > (exit code: 0)' last; do
	grep -qxF -e "$line" "$out" || fail "lost: $line"
done
grep -q "$(printf '\033')\[31m" "$out" || fail "bytes are changed where there is no terminal"
! grep -q "$(printf '\033')" "$err" || fail "a control character on stderr"
script -qec "'$CFRUN' --workdir '$CFBED/hub' -f '$CFBED/cfrun.hosts' 127.3.0.1" /dev/null </dev/null >"$T/tty" 2>&1
! grep -q "$(printf '\033')\[31m" "$T/tty" || fail "a host colours the terminal"
! grep -q "$(printf '\033')\]0;" "$T/tty" || fail "a host sets the title"
as_agent 1 <<'AGENT'
echo begun
kill -9 $$
AGENT
cf 127.3.0.1
want_status 1
want_err "^cfrun: 1 of 1 failed: signal unknown: $(H 1)\$"
# Within a minute of the last run an agent with locks does nothing: not "kept".
echo "$wrapper" | sed '1d; s/exec sh.*/exec cf-agent/' >"$CFBED/4/with-locks"
sed -i "s|cfruncommand .*|cfruncommand => \"/usr/bin/env CFENGINE_TEST_OVERRIDE_WORKDIR=$CFBED/4 cf-agent\";|
	s|\"$CFBED/4/agent\" admit_ips|\"/usr/bin/env\" admit_ips|" "$CFBED/4/inputs/promises.cf"
"$CFSERVERD" crash 4
"$CFSERVERD" start 4 || fail "no server 4"
rm -f "$CFBED/4/state/cf_lock.lmdb"*
cf 127.3.0.4
want_status 0
want_err '1 done'
cf 127.3.0.4
want_status 0
want_lines 0
want_err "^cfrun: 1 did nothing: $(H 4)\$"

# ---- silence ------------------------------------------------------------------
# Silence has its own deadline; a slow one that is honest is waited for, and
# what is given up goes on.
as_agent 1 <<AGENT
sleep 2
echo slow
echo over >$CFBED/1/over
AGENT
cf 127.3.0.1
want_status 0
want_out "$(H 1): slow"
rm -f "$CFBED/1/over"
cf --idle 0.5 127.3.0.1
want_status 1
want_err 'idle-timeout: silent for more than 0.5 s; still running \(the agent goes on'
wait_for 5 test -e "$CFBED/1/over" || fail "it did not go on"
cf -u 0.5 127.3.0.1
want_err 'command-timeout'
# What an agent leaves behind holds the connection: the terminator is the end.
as_agent 1 <<'AGENT'
sleep 20 >/dev/null 2>&1 &
echo done
AGENT
begin=$(date +%s)
cf 127.3.0.1
want_status 0
[ $(($(date +%s) - begin)) -lt 10 ] || fail "it waits for the connection's end"
