#!/bin/sh
# What a script asks the tool about names: list, fold, count, slice, split,
# pick, regroup, explain; and errors that point at the place.
. "$(dirname "$0")/../lib.sh"
[ -x "$CEXEC" ] || skip "$CEXEC is not built"

# is WANTED ARGUMENTS...: standard output, and exit 0.
is() {
	wanted=$1
	shift
	run "$CEXEC" "$@"
	want_status 0
	want_out "$wanted"
}

nl='
'
is "n1${nl}n2" -w 'n[1-3]' -x n3 --list
is 'n[1-2]' -w 'n[1-3]!n3' --fold
is 2 -w 'n[1-3]' -w -n3 --count
is 'n[1,4,7]' -w 'n[1-9]' --slice 0-8/3 --fold
is "n[1-3]${nl}n[4-6]" -w 'n[1-6]' --split 2
is "a1${nl}b1" -w 'a1,b1' --split 5
run "$CEXEC" -w 'n[1-100]' --pick 7 --seed 3 --fold
want_status 0
seven=$(cat "$out")
is "$seven" -w 'n[1-100]' --pick 7 --seed 3 --fold
is 7 -w 'n[1-100]' --pick 7 --count
# A wildcard that leaves out means what is selected, known to groups or not.
is 'n[1,3]' -w 'n[1-3]' -x 'n2*' --fold
is 'm1' -w 'n[1-30],m1' -x 'n?,n??' --fold
is 'n1' -w 'n[1-3],a.b' -w '-n[2-3],-a.*' --fold
is 'axb' -w 'a.b,axb' -x 'a.?' --fold
run "$CEXEC" -w 'n[1-3]' -x 'n*' --list
want_status 2
want_err 'no host is left'

# Why: option, file and line, operator.
printf 'n[1-2]\n\nn9 # spare\n' >"$T/hosts"
run "$CEXEC" --hostfile "$T/hosts" -w 'n3' -x n2 --explain n1 n2 n9 n3 zz
want_status 0
grep -q "^n1: named by .*$T/hosts:1: n\[1-2\]" "$out" || fail "n1 is not explained"
grep -q '^n2: left out by -x n2' "$out" || fail "n2 is not explained"
grep -q "^n9: named by .*$T/hosts:3: n9" "$out" || fail "n9 is not explained"
grep -q '^n3: named by -w n3' "$out" || fail "n3 is not explained"
grep -q '^zz: nothing names it' "$out" || fail "zz is not explained"

# Groups of this user, and a set said by them.
mkdir -p "$T/cs" && export XDG_CONFIG_HOME="$T/xdg" CLUSTERSHELL_CFGDIR="$T/cs"
mkdir -p "$T/cs/groups.d"
printf '[Main]\ndefault: local\nautodir: %s/cs/groups.d\n' "$T" >"$T/cs/groups.conf"
printf 'local:\n  web: n[1-3]\n  db: n[4-5]\n' >"$T/cs/groups.d/local.yaml"
is 'n[1-5]' -w @web,@db --fold
is '@web,@db' -w 'n[1-5]' --regroup
is 'n[2-3]' -w '@web!n1' --fold
is 'n[4-5]' -g web,db -X web --fold

# An error says where.
run "$CEXEC" -w 'n[1-3],m[5-' --list
want_status 2
want_err '^cexec: .*character 9: .*expected'
grep -q '^    n\[1-3\],m\[5-$' "$err" || fail "the expression is not shown"
grep -q '^            ^$' "$err" || fail "there is no caret"
for bad in 'n[5-1]' 'n[a-c]' 'n[]' 'n[1-2,]' 'n[' '@nosuch' 'n[1-1000000000000]' 'a,,b' \
    '-w' 'n[1-2]]' '[1-2' 'u@' 'h:99999'; do
	run "$CEXEC" -w "$bad" --list
	want_status 2
	[ ! -s "$out" ] || fail "$bad: something was listed"
done
run "$CEXEC" -w n1 -x n1 --list
want_status 2
want_err 'no host is left'
