#!/bin/sh
# Output arrives as it was: complete, untorn, with and without labels.
. "$(dirname "$0")/../lib.sh"
bed_up 8
H='127.1.0.[1-8]' H1=127.1.0.1

# 3 MB on stdout and 3 MB on stderr of the same command, both complete.
cat >"$BED/home/both" <<'SCRIPT'
i=0
line=$(head -c 999 /dev/zero | tr '\0' x)
while [ $i -lt 3000 ]; do
	echo "$line"
	echo "$line" >&2
	i=$((i + 1))
done
SCRIPT
cx -n -N -w $H1 'sh $HOME/both'
want_status 0
want_equal "$(wc -c <"$out")" 3000000 "bytes on stdout"
want_equal "$(wc -c <"$err")" 3000000 "bytes on stderr"
want_equal "$(sort -u "$out" | wc -l)" 1 "different lines on stdout"
want_equal "$(sort -u "$err" | wc -l)" 1 "different lines on stderr"

# One side first and then the other: neither waits for the other.
cx -n -N -w $H1 'head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero'
want_status 0
want_equal "$(wc -c <"$out")" 3000000 "bytes on stdout, after stderr"
want_equal "$(wc -c <"$err")" 3000000 "bytes on stderr, before stdout"

# A line of 80 kB, from 8 hosts at once and in small pieces: never torn.
cat >"$BED/home/long" <<'SCRIPT'
i=0
part=$(head -c 800 /dev/zero | tr '\0' "${1:-y}")
while [ $i -lt 100 ]; do
	printf %s "$part"
	i=$((i + 1))
	[ $((i % 25)) -ne 0 ] || sleep 0.05
done
echo
SCRIPT
cx -n -w $H 'sh $HOME/long'
want_status 0
want_lines 8
awk '{ if (length($0) != 80000 + length($1) + 1 || $1 !~ /^127\.1\.0\.[1-8]:$/) bad = 1 }
	END { exit bad }' "$out" || fail "a line of 80 kB is torn"
want_equal "$(cut -d: -f1 "$out" | sort -u | wc -l)" 8 "different labels"

# No newline at the end: under labels the text is ended, so that the next
# label begins a line; without labels nothing is added.
cx -n -w $H 'printf last'
want_status 0
want_lines 8
cx -n -N -w $H1 'printf last'
want_equal "$(od -An -c "$out" | tr -d ' ')" "last" "bytes without labels"
cx -n -N -w 127.1.0.[1-3] 'printf last'
want_equal "$(cat "$out")" "lastlastlast" "bytes of three without labels"

# Empty lines, blanks at both ends and carriage returns are kept.
cx -n -w $H1 'printf "\n  a \r\n\n"'
want_equal "$(od -An -c "$out" | tr -d ' \n')" \
    '127.1.0.1:\n127.1.0.1:a\r\n127.1.0.1:\n' "bytes under labels"

# A NUL and bytes that are no UTF-8, unharmed: every byte value there is.
# shellcheck disable=SC2016
awk 'BEGIN { for (i = 0; i < 256; i++) printf "\\%03o", i }' >"$BED/home/bytes"
cx -n -N -w $H1 'printf "$(cat $HOME/bytes)"'
want_status 0
want_equal "$(wc -c <"$out")" 256 "bytes"
want_equal "$(od -An -v -tu1 "$out" | tr -s ' \n' '  ')" \
    "$(awk 'BEGIN { for (i = 0; i < 256; i++) printf " %d", i; print " " }')" "byte values"
# And with labels, in several hosts at once.
cx -n -w 127.1.0.[1-3] 'printf "a\000\377\n"'
want_equal "$(tr -d '\000\377' <"$out" | cut -d' ' -f2 | sort -u)" a "text under labels"
want_equal "$(tr -dc '\000' <"$out" | wc -c)" 3 "NULs under labels"
