#!/bin/sh
# Install what building and testing needs (Debian 12 and its kin).
#
#	sh tests/deps.sh		install what is missing, as root
#	sh tests/deps.sh --print	only name what is missing
#	sh tests/deps.sh --peers	with the tools that tests/bench compares to
#
# Without root nothing is installed: the missing packages are named, exit 2.
set -eu

build="gcc make pkg-config libc6-dev libssh2-1-dev libssl-dev libbsd-dev libyaml-dev libedit-dev"
check="openssh-server openssh-client dropbear-bin clang libssh-dev procps jq iproute2 sudo cfengine3 openssl
universal-ctags shellcheck mandoc codespell git netcat-openbsd pdsh patch opendoas
attr python3-clustershell clustershell zsh fish tcsh
systemd corosync pacemaker pacemaker-cli-utils resource-agents pcs crmsh lvm2 psmisc kmod util-linux e2fsprogs"
peers="pssh"

print=false
want="$build $check"
for arg; do
	case $arg in
	--print) print=true ;;
	--peers) want="$want $peers" ;;
	*)
		echo "usage: sh tests/deps.sh [--print] [--peers]" >&2
		exit 2
		;;
	esac
done

if ! command -v dpkg-query >/dev/null; then
	echo "deps: not a Debian system; needed: $(echo "$want" | tr '\n' ' ')" >&2
	exit 2
fi
missing=
for package in $want; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
	*" installed") ;;
	*) missing="$missing $package" ;;
	esac
done
missing=${missing# }
if $print; then
	[ -z "$missing" ] || echo "$missing"
	exit 0
fi
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: missing packages; as root: apt-get install $missing" >&2
	exit 2
fi
echo "deps: installing $missing" >&2
export DEBIAN_FRONTEND=noninteractive
# The loopback bed starts its own sshd; installing must not start one, where
# there is something that would.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	trap 'rm -f $policy' EXIT
fi
install() {
	# shellcheck disable=SC2086
	apt-get install -y -q --no-install-recommends $missing </dev/null >&2
}
install || { apt-get update -q </dev/null >&2 && install; }
