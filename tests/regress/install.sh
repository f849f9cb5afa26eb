#!/bin/sh
# What make install puts somewhere runs from there, the recipes with what they
# need, and make uninstall leaves nothing.
. "$(dirname "$0")/csync.inc"
command -v flock >/dev/null || skip "flock is not installed"
command -v make >/dev/null || skip "make is not installed"
usr=$T/usr
installed() {
	# It has files of its own in the build folder.
	flock "$B/.install" make -s -C "$TOP" B="$B" PREFIX="$usr" "$1" >"$out" 2>&1 || fail "make $1"
}
installed install
for tool in cexec ccp csshsetup cfrun cuptime cps ckill cwall; do
	PATH=$usr/bin:$PATH "$usr/bin/$tool" --help >"$out" 2>"$err" || fail "$tool --help"
	[ -f "$usr/share/man/man1/$tool.1" ] || fail "no manual of $tool"
done
for recipe in "$TOP"/recipes/csync*; do
	case $recipe in *.sh) continue ;; esac
	name=${recipe##*/}
	[ -x "$usr/sbin/$name" ] || fail "$name is not installed"
	PATH=$usr/bin:$PATH "$usr/sbin/$name" --help >"$out" 2>"$err" || fail "$name --help"
	grep -q "^usage: $name" "$out" || fail "$name has no usage"
	ls "$usr/share/man/man"[78]/"$name".[78] >/dev/null 2>&1 || fail "no manual of $name"
done
! grep -rlE '@(DATADIR|LIBEXECDIR)@' "$usr/sbin" "$usr/bin/cps" "$usr/share/fanout" "$usr/libexec" || fail "a path is missing"

csync_up 2 --bind "$T"
VPATH=$usr/bin:$usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin
on 1 csync-master
want_status 0
on 1 csync-client-add --accept-new --password-fd 3 node2
want_status 0
von node2 test -x "$usr/libexec/fanout/cfrun-agent" || fail "no cfrun-agent at its place"
on 1 csync-test --run
want_status 0

installed uninstall
want_equal "$(find "$usr" ! -type d | wc -l)" 0 "files that are left"
