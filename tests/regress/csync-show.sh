#!/bin/sh
# What csync-show and csync-test say when all is well, and of each thing that is
# not; when agents run by themselves, by csync-schedule.
# limit: 240
. "$(dirname "$0")/csync.inc"
csync_up 4
W=/var/lib/cfengine3
on 1 csync-show
want_status 1
want_err 'no master yet'
on 1 csync-master
want_status 0
on 1 csync-show
want_status 0
on 1 csync-schedule cron --at '7 * * * *'
want_status 0
von node1 sed -i 's|^  reports:|&\n    any:: "hello from $(sys.fqhost)";|' $W/masterfiles/site.cf
on 1 csync-master
want_status 0
on 1 csync-client-add --accept-new --password-fd 3 'node[2-4]'
want_status 0

von node3 touch /root/a.file	# which a * must not become
on 1 csync-test --run
want_status 0
grep -q '3 clients are as they should be' "$out" || fail "csync-test counts otherwise"
on 1 csync-show
want_status 0
want_equal "$(grep -c '^  node[234].bed.example .* MD5=.* ok  *current  cron 7 \* \* \* \*$' "$out")" 3 "good clients"

# By cron: what its line does.
von node2 sh -c "grep -qx '7 \* \* \* \* root /usr/bin/cf-execd -O' /etc/cron.d/csync &&
    \$(sed 's/.* root //' /etc/cron.d/csync)" >"$out" 2>&1 || fail "node2 has no cron entry that works"
von node2 sh -c "grep -h 'R: hello from node2.bed.example' $W/outputs/cf_node2_bed_example_*" >"$out" 2>&1 || fail "cf-execd leaves no output"
on 1 csync-schedule cron --at '7 * * * *'
want_same csync-schedule
on 1 csync-schedule cron --at '7 * * *'
want_status 2
on 1 csync-schedule cron --at '7 * * * * $(date)'
want_status 2
# At a minute of each host's own.
on 1 csync-schedule cron
want_status 0
for i in 2 3 4; do
	von node$i cat /etc/cron.d/csync
done | sort -u >"$T/minutes"
[ "$(wc -l <"$T/minutes")" -gt 1 ] || fail "all at the same minute"

# By cf-execd, and cron no more.
on 1 csync-schedule execd --at Min10_15,Min40_45
want_status 0
for i in 1 2 3 4; do
	von node$i sh -c 'pidof cf-execd && [ ! -e /etc/cron.d/csync ]' >/dev/null || fail "no cf-execd on node$i"
	von node$i grep -q 'schedule *=> { "Min10_15", "Min40_45" }' $W/inputs/schedule.cf || fail "times of node$i"
done
on 1 csync-schedule execd --mailto root@bed.example
want_status 0
von node2 grep -q '^  mailto  *=> "root@bed.example";' $W/inputs/schedule.cf || fail "no address on node2"
von node2 grep -q '"Min10_15", "Min40_45"' $W/inputs/schedule.cf || fail "times are lost"
on 1 csync-schedule execd --at Min10_15,Min40_45
want_same csync-schedule
on 1 csync-schedule none node3
want_status 0
on 1 csync-show
want_equal "$(grep -c '^  node[24].* execd$' "$out")" 2 "clients by cf-execd"
grep -q '^  node3.* by cfrun only$' "$out" || fail "node3 is still run"

# --dry-run shows commands, and does nothing.
state() {
	for i in 1 2 3 4; do
		von node$i sh -c "cd $W && find ppkeys inputs masterfiles csync.conf cfrun.keys /etc/cron.d /etc/hosts -type f |
		    sort | xargs cksum; pidof cf-serverd cf-execd" 2>&1
	done
}
state >"$T/before"
for recipe in "csync-master --domains *.cde.example" "csync-client-add node4" "csync-client-remove node4" \
    "csync-keys node4" "csync-keys --all" "csync-keys --revoke node4" "csync-schedule cron" "csync-test --run" \
    "csync_dispatcher MEMBER_DELETED: node4"; do
	# shellcheck disable=SC2086
	set -f
	on 1 $recipe --dry-run
	set +f
	want_status 0
	grep -q '^+ ' "$out" || fail "$recipe --dry-run shows no commands"
done
state >"$T/after"
cmp -s "$T/before" "$T/after" || fail "--dry-run did something: $(diff "$T/before" "$T/after")"

# What is wrong is said.
"$VHOSTS" crash node4
von node2 sh -c "echo '# mine' >>$W/inputs/site.cf"
von node3 sh -c 'kill $(pidof cf-serverd)'
touch "$T/pub"
von node1 sh -c "cp $W/ppkeys/localhost.pub /root/x.pub; sed -i s/A/B/ /root/x.pub; cp /root/x.pub $W/ppkeys/root-MD5=0000.pub"
on 1 csync-show -t 3
want_status 1
grep -q '^  node2.* ok  *differs ' "$out" || fail "drift of node2"
grep -q '^  node3.* refused  *current ' "$out" || fail "cf-serverd of node3"
grep -q '^  node4.* connect-timeout  *[?] .*no ssh: connect-timeout' "$out" || fail "node4 is down"
grep -q "nobody's key: .*MD5=0000" "$out" || fail "a key that is nobody's"
on 1 csync-test -t 3
want_status 1
want_err '^csync-test: node4.bed.example: cf-agent fetches no policy: connect-timeout'
want_err '^csync-test: node3.bed.example: cfrun: refused'
want_no_err 'node2.bed.example: '
von node1 rm $W/ppkeys/root-MD5=0000.pub

# And right again, by doing what was done.
"$VHOSTS" start node4
on 1 csync-client-add 'node[2-4]'
want_status 0
on 1 csync-show
want_status 0
