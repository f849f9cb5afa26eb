#!/bin/sh
# The group sources against the real thing: the groups of ClusterShell's own
# configuration as nodeset has them, and netgroups as getent has them (in a
# mount namespace with an /etc/netgroup; needs root).
set -u
# shellcheck disable=SC1091
. "$(dirname "$0")/names.inc"
build_hostexpr || exit 1
case $HOSTEXPR in /*) ;; *) HOSTEXPR=$PWD/$HOSTEXPR ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
unset WCOLL CFANOUT_HOSTS FANOUT_GROUPS XDG_CONFIG_HOME CFINPUTS
export HOME="$tmp"
bad=0 done=0

# same WHAT OURS THEIRS
same() {
	done=$((done + 1))
	[ "$2" = "$3" ] && return 0
	echo "$1: we have '$2', it should be '$3'"
	bad=1
}

ours() {
	printf '%s\n' "$1" | "$HOSTEXPR" -w
}

theirs() {
	nodeset -S "
" -e "$1" | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//'
}

if command -v nodeset >/dev/null && [ -r /etc/clustershell/groups.conf ]; then
	mkdir -p "$tmp/cs/groups.d" "$tmp/cs/groups.conf.d"
	cp /etc/clustershell/groups.conf "$tmp/cs/"
	cp /etc/clustershell/groups.d/local.cfg "$tmp/cs/groups.d/"
	cp /etc/clustershell/groups.d/cluster.yaml.example "$tmp/cs/groups.d/cluster.yaml"
	export CLUSTERSHELL_CFGDIR="$tmp/cs"
	# It has autodir in /etc first, so ours is named alone.
	# shellcheck disable=SC2016
	sed -i 's,/etc/clustershell/,$CFGDIR/,g' "$tmp/cs/groups.conf"
	for e in @adm @oss @io @compute '@*' '@compute!@gpu' @roles:io '@roles:*' @racks:old \
	    '@racks:rack[1,5]' '@racks:*' 'example[4-6]&@oss' '@racks:*!@roles:*' '*1?5' \
	    '@cpu:ivy^@io'; do
		same "$e" "$(ours "$e")" "$(theirs "$e")"
	done
	same @nope "$(ours @nope | cut -d : -f 1)" error
	same @racks:nope "$(ours @racks:nope | cut -d : -f 1)" error
	unset CLUSTERSHELL_CFGDIR
fi

if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir "$tmp/etc"
	cp /etc/passwd /etc/ld.so.cache "$tmp/etc/"
	printf 'ng (n1,,) (n2,root,) sub\nsub (n3,-,x.org)\n' >"$tmp/etc/netgroup"
	sed 's/^netgroup:.*/netgroup: files/' /etc/nsswitch.conf >"$tmp/etc/nsswitch.conf"
	# shellcheck disable=SC2016
	got=$(unshare -m sh -c 'mount --bind "$1/etc" /etc && echo "@netgroup:ng" | "$2" -w' \
	    sh "$tmp" "$HOSTEXPR")
	same @netgroup:ng "$got" "n1 n2 n3"
fi
[ $done -gt 0 ] || {
	echo "skipped: needs clustershell, or root"
	exit 77
}
echo "$done compared"
exit $bad
