#!/bin/sh
# Runs of ccp are saved, shown, and tried again: on those hosts, the same files
# to the same place, wherever it is called; names with any byte.
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/regress/ccp.inc"
bed_up 8
D=$T/there
mkdir "$D" "$T/from" "$T/else"
cd "$T/from" || exit 1
echo hello >f
odd=$(printf "it's \"odd\"\n\$x \\\\ \303\244 \351")
echo odd >"./$odd"

# Of 8 hosts 3 fail: two refuse the connection, one has no address.
for i in 1 2 3 4 5; do
	printf 'Host node%d\n\tHostName 127.1.0.%d\n' $i $i
done >"$T/good"
cat >"$T/bad" <<'CONF'
Host node6 node7
	HostName 127.0.0.1
	Port 1
Host node8
	HostName no-such-host.invalid
CONF
cat "$T/good" "$T/bad" "$BED/ssh_config" >"$T/conf"
c() {
	run "$CCP" -F "$T/conf" "$@"
}
c -p -w 'node[1-8]' f "$odd" "$D/"
want_status 3
want_err '^ccp: 3 of 8 failed: resolve: node8; refused: node\[6-7\]$'
want_equal "$(cat "$D/$odd")" odd "a name with any byte"
rm "$D"/*
c --show
want_status 0
grep -q "^command: $T/from/f " "$out" || fail "the files are not told"
grep -q '^8 hosts: 5 ok, 3 failed' "$out" || fail "the outcomes are not told"
id=$("$CCP" --runs | sed -n '1s/ .*//p')
want_equal "$("$CCP" --runs | wc -l)" 1 "runs"
[ -f "$("$CCP" --report-loc)" ] || fail "no report"
# Not another tool's.
run "$CEXEC" --show
want_status 2

# From elsewhere; first as it was, then the hosts are there.
cd "$T/else" || exit 1
c --retry failed --fold
want_out 'node[6-8]'
c --retry failed
want_status 3
want_err "^ccp: again, as in run $id: failed: node\\[6-8\\] \\(3 of 8\\): $T/from/f "
want_err '^ccp: 3 of 3 failed'
[ ! -e "$D/f" ] || fail "a host was copied to that had not failed"
for i in 6 7 8; do
	printf 'Host node%d\n\tHostName 127.1.0.%d\n' $i $i
done >"$T/new"
cat "$T/good" "$T/new" "$BED/ssh_config" >"$T/conf"
c --retry failed --json "$id"
want_status 0
want_equal "$(jq -r 'select(.event == "done") | .host + " " + .class' "$out" | sort | tr '\n' ' ')" \
    'node6 ok node7 ok node8 ok ' "who was copied to"
want_equal "$(cat "$D/f")" hello "from another folder"
want_equal "$(cat "$D/$odd")" odd "a name with any byte, from a report"
want_equal "$(stat -c %Y "$D/f")" "$(stat -c %Y "$T/from/f")" "with the options of the run"
c --compare "$id"
want_status 1
grep -q '^refused -> ok: node\[6-7\]$' "$out" || fail "what changed is not told"
c --retry failed
want_status 0
want_err ': no host of it is failed$'

# A destination of the same name; gathered; not saved.
c -w node1 --no-report "$D/f"
want_equal "$("$CCP" --runs | wc -l)" 3 "runs, but the one not to be saved"
c -w node1 --check "$D/f"
want_status 0
want_equal "$("$CCP" --runs | grep -c '(dry run)')" 1 "runs that copied nothing"
cd "$T/from" || exit 1
c -w node2 f
want_status 0
cd "$T/else" || exit 1
c --retry all
want_status 0
want_err "all: node2 \\(1 of 1\\): $T/from/f\$"
[ ! -e "$T/else/f" ] || fail "copied to the current folder"
cd "$T/from" || exit 1
c -w node1 --get --mkdir "$D/f" got
want_status 0
rm -r got
cd "$T/else" || exit 1
c --retry all
want_status 0
[ -n "$(find "$T/from/got" -name f)" ] || fail "not gathered where it was"

# What --exec-after did not do it is to do yet, though nothing is copied any more;
# not where it did.
cd "$T/from" || exit 1
ran() {
	want_equal "$(grep -c . "$T/ran")" "$1" "times that it was run"
}
c -w node1 --exec-after "echo x >>$T/ran; test -e $T/well" f "$D/hooked"
want_status 1
ran 1
c --retry failed
want_status 1
ran 2
c --retry failed --port 1
want_status 3
touch "$T/well"
c --retry failed --port "$BED_PORT"
want_status 0
ran 3
c --retry all
want_status 0
ran 3
c -w node1 --port 1 --exec-after "echo x >>$T/ran" f "$D/hooked"
want_status 3
c --retry failed --port "$BED_PORT"
want_status 0
ran 3
rm "$D/hooked"
cd "$T/else" || exit 1

# What does not fit.
c --retry failed -w node1
want_status 2
c --retry failed "$id" f
want_status 2
want_err 'not files'
rm "$T/from/f"
c --retry all "$id"
want_status 2
want_err 'from/f: No such file'
sed -i "s|\"command\":\"[^\"]*\"|\"command\":\"'x\"|" "$("$CCP" --report-loc)"
c --retry all
want_status 2
want_err 'does not tell which files'
