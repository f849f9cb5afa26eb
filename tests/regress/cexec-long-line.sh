#!/bin/sh
# A line that never seems to end, from several hosts at once, is kept in
# bounded memory until it is whole: on disk, where nothing is left of it.
. "$(dirname "$0")/../lib.sh"
mib=64
! $SANITIZED || mib=8
bed_up 3

TMPDIR=$T
export TMPDIR
mkdir -p "$T"
"$CEXEC" -F "$BED/ssh_config" -n -w '127.1.0.[1-3]' \
    "c=\$(echo \$SSH_CONNECTION | cut -d' ' -f3 | cut -c9 | tr 123 abc)
    head -c $((mib * 1048576)) /dev/zero | tr '\\0' \$c; echo" >"$out" 2>"$err" &
pid=$!
peak $pid "$T/peak"
wait $pid || rc=$?
ran="cexec with three long lines"
want_status 0
want_quiet
want_lines 3
want_equal "$(tr -s abc <"$out" | sort | tr '\n' ' ')" \
    "127.1.0.1: a 127.1.0.2: b 127.1.0.3: c " "what the lines are made of"
want_equal "$(wc -c <"$out")" $((3 * (mib * 1048576 + 12))) "bytes"
kib=$(cat "$T/peak")
echo "peak memory $kib KiB"
$SANITIZED || [ "$kib" -le $((12 * 1024 + 3 * 64)) ] ||
    fail "peak memory $kib KiB"
want_equal "$(find "$T" -name 'fanout.*' | wc -l)" 0 "files left"
