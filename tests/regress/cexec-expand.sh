#!/bin/sh
# What is different for each host: %h and columns of the host file in the
# command and its quotes, a standard input of each host's own.
. "$(dirname "$0")/../lib.sh"
bed_up 4
cd "$T" || exit 1
cat >hosts <<-'HOSTS'
	127.1.0.[1-2]	# rack=r1 "title=it's $(id) `id`; id > $HOME/ran"
	127.1.0.3	# rack=r2 title=plain
	127.1.0.1	# rack=r9
	127.1.0.4	# only a remark
HOSTS

# Never without the option.
cx -n -w 127.1.0.1 'echo %h %{rack} %%'
want_out '127.1.0.1: %h %{rack} %%'
cx -n --hostfile hosts -x 127.1.0.4 --expand -L 'echo %h %n/%N %u %i rack=%{rack} 100%%'
want_status 0
want_out "127.1.0.1: 127.1.0.1 0/3 root 127.1.0.1 rack=r9 100%
127.1.0.2: 127.1.0.2 1/3 root 127.1.0.2 rack=r1 100%
127.1.0.3: 127.1.0.3 2/3 root 127.1.0.3 rack=r2 100%"
port=$(sed -n 's/^ *Port //p' "$BED/ssh_config")
cx -n -w 127.1.0.1 --expand 'echo %p'
want_out "127.1.0.1: $port"
cx -n -w x@127.1.0.1 -o User=root --transport local --expand 'echo %u %h'
want_out 'x@127.1.0.1: x 127.1.0.1'
# A value is data, in whatever quotes it stands; what was quoted stays so.
cx -n --hostfile hosts -w 127.1.0.2 -x 127.1.0.[1,3-4] --expand \
    'printf "<%%s>\n" %{title} "%{title}" '\''%{title}'\'' \"%h '\''$HOME "%n'\'
want_out '127.1.0.2: <it'\''s $(id) `id`; id > $HOME/ran>
127.1.0.2: <it'\''s $(id) `id`; id > $HOME/ran>
127.1.0.2: <it'\''s $(id) `id`; id > $HOME/ran>
127.1.0.2: <"127.1.0.2>
127.1.0.2: <$HOME "0>'
[ ! -e "$BED/home/ran" ] || fail "a value was run"
# Where quotes cannot be told from here, odd values are refused; others go.
while IFS= read -r place; do
	place=$(printf %b "$place")
	cx -n --hostfile hosts -w 127.1.0.2 -x 127.1.0.[1,3-4] --expand "echo $place"
	want_status 2
	want_err '^cexec: %\{title\} of 127\.1\.0\.2 has what shells take apart'
	cx -n --hostfile hosts -w 127.1.0.3 -x 127.1.0.[1-2,4] --expand "echo $place"
	want_status 0
	grep -q plain "$out" || fail "$place: a plain value"
done <<'PLACES'
\\%{title}
"$(echo "%{title}")"
"`echo "%{title}"`"
"${x:-"%{title}"}"
"x" # don't\necho %{title}
x; cat <<'E'\ndon't %{title}\nE\n
PLACES
[ ! -e "$BED/home/ran" ] || fail "a value was run"
cx -n -N --hostfile hosts -w 127.1.0.2 -x 127.1.0.[1,3-4] --expand \
    't=%{title}; echo "$(echo "$t")" x#y'
want_out 'it'\''s $(id) `id`; id > $HOME/ran x#y'
# A retry knows the columns, too.
cx -n --hostfile hosts -x 127.1.0.4 --expand 'echo %{rack}; exit 1'
run "$CEXEC" --retry failed -L
want_out '127.1.0.1: r9
127.1.0.2: r1
127.1.0.3: r2'
# Nothing is run where something is wrong with one host, or the text.
for wrong in '%{rack}' '%{no such' '%z' 'x %' '%{}'; do
	cx -n --hostfile hosts --expand "touch \$HOME/ran; echo $wrong"
	want_status 2
	[ ! -e "$BED/home/ran" ] || fail "$wrong: something was run"
done
cx -n --hostfile hosts --expand 'echo %{rack}'
want_err '^cexec: %\{rack\}: no host file says rack=\.\.\. of 127\.1\.0\.4$'
echo '127.1.0.1 # a=1 b' >bad
cx -n --hostfile bad --expand 'echo %{a}'
want_err '^cexec: bad:1: "b" is no NAME=VALUE'
# Who forgets the # is told so, also where only columns are read.
echo '127.1.0.1 a=1' >bad
cx -n --hostfile bad --expand 'echo %{a}'
want_status 2
want_err 'bad:1:11: expected an operator .*; what is said of a host stands behind a #$'
cx -n -w 127.1.0.1 --columns bad --expand 'echo %{a}'
want_status 2
want_err '^cexec: bad:1: "a=1" stands behind a #: 127.1.0.1 # a=1$'

# Standard input: one file for all, or each its own; of any size, in batches.
head -c 3000000 /dev/urandom >data
cx -N -w 127.1.0.1 --stdin-file data cat
want_equal "$(md5sum <"$out")" "$(md5sum <data)" "all of it"
for i in 1 2 3; do
	head -c "$((i * 700000))" data >"in.127.1.0.$i"
	echo "127.1.0.$i: $(md5sum <"in.127.1.0.$i")"
done >want
for how in '' '--batch 1' '--batch 2 --check true'; do
	cx -L -w '127.1.0.[1-3]' $how --expand --stdin-file 'in.%h' md5sum
	want_status 0
	want_out "$(cat want)"
done
# A missing one is that host's failure alone, and counts as one.
cx -L -w '127.1.0.[1-4]' --expand --stdin-file "$T/in.%h" md5sum
want_status 1
want_out "$(cat want)"
want_err '^cexec: 127\.1\.0\.4: local: --stdin-file .*/in\.127\.1\.0\.4: No such file'
want_err '^cexec: 1 of 4 failed: local: 127\.1\.0\.4$'
echo four >in.127.1.0.4
run "$CEXEC" --retry failed
want_status 0
want_lines 1
mkdir in.127.1.0.5
cx -w 127.1.0.5 --expand --stdin-file 'in.%h' cat
want_err 'in\.127\.1\.0\.5: no regular file$'
# Who does not read it all is not held up.
cx -L -w '127.1.0.[1-3]' --expand --stdin-file 'in.%h' 'head -c 1 >/dev/null; echo done'
want_status 0
want_lines 3
cx -w 127.1.0.1 --stdin-file /no/such cat
want_status 2
cx -n -w 127.1.0.1 --stdin-file data cat
want_status 2
